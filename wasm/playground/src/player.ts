// Shows the turns of flows at a pace that can be followed: the flows themselves are not held up.
import { type Diagram, standing } from "./diagram.js";
import type { Turn } from "./turn.js";
import { seconds } from "./words.js";

/** How long a turn is shown, in milliseconds; less where many wait. */
const PACE = 280;
const FAST = 90;
/** Beyond so many that wait the pace is fast. */
const MANY = 10;

/** What is shown: a flow, up to one of its turns. */
interface View {
  flow: readonly Turn[];
  index: number;
}

export class Player {
  readonly #diagram: Diagram;
  readonly #shown: (turn: Turn, view: View) => void;
  #waiting: View[] = [];
  #view: View | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #calm = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(diagram: Diagram, shown: (turn: Turn, view: View) => void) {
    this.#diagram = diagram;
    this.#shown = shown;
  }

  /** A flow has got further. */
  follow(flow: readonly Turn[]): void {
    this.#waiting.push({ flow, index: flow.length - 1 });
    if (this.#calm.matches) {
      const last = this.#waiting.pop()!;
      this.#waiting = [];
      this.#show(last);
    } else if (this.#timer === undefined) this.#next();
  }

  /** Looks at one turn; what waits to be shown is passed over. */
  look(flow: readonly Turn[], index: number): void {
    this.#stop();
    this.#show({ flow, index });
  }

  /** Goes a step back or on. */
  step(by: 1 | -1): void {
    if (!this.#view) return;
    const { flow, index } = this.#view;
    this.look(flow, Math.min(Math.max(index + by, 0), flow.length - 1));
  }

  /** Plays the flow again from its start. */
  replay(): void {
    if (!this.#view) return;
    const { flow } = this.#view;
    this.#stop();
    this.#waiting = flow.map((_, index) => ({ flow, index }));
    this.#next();
  }

  #next(): void {
    // Two flows at once are shown one after the other.
    const same = this.#waiting.findIndex(({ flow }) => flow === this.#view?.flow);
    const [view] = this.#waiting.splice(Math.max(same, 0), 1);
    if (!view) {
      this.#timer = undefined;
      return;
    }
    this.#show(view);
    this.#timer = setTimeout(() => this.#next(), this.#waiting.length > MANY ? FAST : PACE);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
  }

  #show(view: View): void {
    this.#view = view;
    const turn = view.flow[view.index]!;
    this.#diagram.show(turn.flow, standing(view.flow.slice(0, view.index + 1)));
    this.#shown(turn, view);
  }
}

/** What a turn does, in a sentence of parts. */
export function captionOf(turn: Turn): (string | { strong: string })[] {
  const { event, effect, end, places, waited } = turn;
  const took = waited >= 0.5 ? ` after ${seconds(waited)}` : "";
  const heard = event ? `It heard: ${event.words}${took}. ` : "It begins. ";
  if (end) return [heard, end.ok ? "It is done: " : "It ends: ", { strong: end.words }];
  return [heard, "Now it is ", { strong: places.at(-1)?.state ?? "at work" }, ` and asks: ${effect?.words ?? ""}.`];
}
