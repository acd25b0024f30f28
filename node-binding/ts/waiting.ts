// Waiting: for a time, or for what somebody hands in. No word of a host in here.
import type { Event } from "../types.js";
import { CANCELLED } from "./driver.js";
import type { Wish } from "./wish.js";

const LONGEST_TIMER = 2 ** 31 - 1;

/** Waits so many milliseconds, unless it is wished otherwise: the JSON of `slept` or `cancelled`. */
export function sleep(milliseconds: number, wish: Wish | undefined): Promise<string> {
  return new Inbox().next(milliseconds, wish, "slept");
}

/** Events that others hand in, for one who waits for them. */
export class Inbox {
  readonly #waiting: string[] = [];
  #heard: (() => void) | undefined;

  /** Hands in the JSON of an event. */
  hear(event: string): void {
    this.#waiting.push(event);
    this.#heard?.();
  }

  /** The next event; `late` once so many milliseconds have passed, `cancelled` where the flow is to stop. */
  next(milliseconds: number, wish: Wish | undefined, late: Event): Promise<string> {
    return new Promise((resolve) => {
      const patience = Math.min(Math.max(0, milliseconds), LONGEST_TIMER);
      const timer = setTimeout(() => end(JSON.stringify(late)), patience);
      const forget = wish?.listen(() => end(CANCELLED));
      const end = (event: string): void => {
        clearTimeout(timer);
        queueMicrotask(() => forget?.());
        this.#heard = undefined;
        resolve(event);
      };
      this.#heard = () => {
        const event = this.#waiting.shift();
        if (event !== undefined) end(event);
      };
      this.#heard();
    });
  }
}
