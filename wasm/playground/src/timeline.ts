// Every turn of every flow, as a list that can be walked through.
import { make, timeOfDay } from "./page.js";
import type { Kind, Turn } from "./turn.js";
import { seconds } from "./words.js";

const TITLES: Record<Kind, string> = {
  login: "Sign in",
  token: "Get a token",
  logout: "Sign out",
  status: "Status",
  proof: "Proof",
};

/** How many flows are kept. */
const MOST = 12;

/** One flow in the list. */
interface Flow {
  id: string;
  turns: Turn[];
  element: HTMLElement;
  list: HTMLOListElement;
  about: HTMLElement;
}

/** The list. The newest flow is at the top. */
export class Timeline {
  readonly #element: HTMLElement;
  readonly #choose: (flow: readonly Turn[], index: number) => void;
  #flows: Flow[] = [];
  readonly #rows = new Map<Turn, HTMLElement>();

  /**
   * @param element holds the list
   * @param choose is called when a turn is to be looked at
   */
  constructor(element: HTMLElement, choose: (flow: readonly Turn[], index: number) => void) {
    this.#element = element;
    this.#choose = choose;
    element.addEventListener("keydown", (event) => this.#walk(event));
  }

  /** Adds a turn; the answer is its flow, this turn the last. */
  add(turn: Turn): readonly Turn[] {
    const flow = this.#flows.find((known) => known.id === turn.flow) ?? this.#begin(turn);
    flow.turns.push(turn);
    const row = this.#row(turn, flow, flow.turns.length - 1);
    flow.list.append(row);
    if (turn.end) {
      flow.about.textContent = turn.end.ok ? turn.end.words : turn.end.words.split(":")[0]!;
      flow.about.classList.toggle("bad", !turn.end.ok);
    }
    return flow.turns;
  }

  /** Marks the turn that is looked at. */
  mark(turn: Turn | undefined): void {
    for (const row of this.#element.querySelectorAll(".turn.shown")) row.classList.remove("shown");
    if (!turn) return;
    const row = this.#rows.get(turn);
    row?.classList.add("shown");
    const list = this.#element;
    // Within the list only: the page stays where it is.
    if (row && list.scrollHeight > list.clientHeight) {
      const [top, bottom] = [row.offsetTop - list.offsetTop, row.offsetTop - list.offsetTop + row.offsetHeight];
      if (top - 36 < list.scrollTop) list.scrollTop = top - 36;
      else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
    }
  }

  /** All turns, oldest first: what a page that comes back shows again. */
  get turns(): Turn[] {
    return this.#flows.toReversed().flatMap((flow) => flow.turns);
  }

  /** Between what was before and what comes. */
  divide(text: string): void {
    this.#element.prepend(make("p", { class: "left-page", text }));
  }

  clear(): void {
    this.#flows = [];
    this.#rows.clear();
    this.#element.replaceChildren();
  }

  #begin(turn: Turn): Flow {
    const about = make("small", { text: "…" });
    const list = make("ol");
    const whose = turn.tab === "page" ? "" : ` · ${turn.tab}`;
    const title = make("h3", {}, TITLES[turn.kind] + whose, about, make("time", { text: timeOfDay(turn.at) }));
    const flow = { id: turn.flow, turns: [], element: make("div", { class: "flow" }, title, list), list, about };
    this.#flows.unshift(flow);
    this.#element.prepend(flow.element);
    for (const old of this.#flows.splice(MOST)) {
      for (const gone of old.turns) this.#rows.delete(gone);
      old.element.remove();
    }
    return flow;
  }

  #row(turn: Turn, flow: Flow, index: number): HTMLElement {
    const state = turn.places.at(-1)?.state;
    const heard = turn.event ? turn.event.words : turn.end ? "" : "it begins";
    const asks = make("span", { class: "asks" });
    if (turn.effect) asks.append(make("b", { text: state ?? "" }), " ", turn.effect.words);
    else asks.append(make("b", { text: turn.end?.ok ? "done" : "ended" }), " ", turn.end?.words ?? "");
    const took = turn.waited >= 0.5 ? seconds(turn.waited) : "";
    const button = make(
      "button",
      {},
      make("span", { class: "heard", text: heard }),
      make("span", { class: "took", text: took }),
      asks,
    );
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    const row = make("li", { class: turn.end ? "turn" : "turn open-question" }, button);
    if (turn.log.length > 0)
      row.append(make("p", { class: "log", text: turn.log.map((line) => line.message).join("; ") }));
    let detail: HTMLElement | undefined;
    button.addEventListener("click", () => {
      this.#choose(flow.turns, index);
      if (detail) {
        detail.remove();
        detail = undefined;
      } else {
        detail = make("pre", { text: detailOf(turn) });
        detail.tabIndex = 0;
        row.append(detail);
      }
      button.setAttribute("aria-expanded", String(detail !== undefined));
    });
    this.#rows.set(turn, row);
    return row;
  }

  /** The arrow keys go from turn to turn. */
  #walk(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const buttons = [...this.#element.querySelectorAll<HTMLButtonElement>(".turn > button")];
    const here = buttons.indexOf(document.activeElement as HTMLButtonElement);
    if (step === undefined || here < 0) return;
    event.preventDefault();
    buttons[here + step]?.focus();
  }
}

function detailOf({ places, event, effect, end }: Turn): string {
  const where = places.map(({ machine, state }) => `${machine}.${state}`).join(" › ");
  const parts = { where: where || undefined, event: event?.detail, effect: effect?.detail, end: end?.detail };
  return JSON.stringify(parts, undefined, 2);
}
