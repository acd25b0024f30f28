// A flow in the module. Each has a memory of its own, which is overwritten when the flow is let go.
import type * as types from "../../node-binding/types.js";
import { close, enter, open, resume, start, step, suspend } from "../index.js";

/** Lets those go that nobody has let go. */
const forgotten = new FinalizationRegistry<number>((flow) => {
  enter(flow);
  close();
});

/** One flow, from its start to its end, once the module is loaded. */
export class Flow implements types.Flow {
  #flow = open();

  constructor() {
    forgotten.register(this, this.#flow, this);
  }

  start(request: string, now: number, seed: Uint8Array): string {
    this.enter();
    return start(request, now, seed);
  }

  step(now: number, event: string): string {
    this.enter();
    return step(now, event);
  }

  suspend(): string {
    this.enter();
    return suspend();
  }

  resume(suspended: string, request: string, now: number): string {
    this.enter();
    return resume(suspended, request, now);
  }

  /** Overwrites what the flow has held, now and not when memory is short. It is of no use any more. */
  free(): void {
    if (!this.#flow) return;
    this.enter();
    this.#flow = 0;
    forgotten.unregister(this);
    close();
  }

  /** Lets what is called next be about this flow. */
  protected enter(): void {
    if (!this.#flow) throw new Error("this flow has been let go");
    enter(this.#flow);
  }
}
