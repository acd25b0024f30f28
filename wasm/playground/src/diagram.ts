// The machines of a flow, drawn side by side from the outermost in, with the states lit in which they are.
import { type Layout, NODE, layoutOf } from "./layout.js";
import { DONE, type Machine, type Place, type Transition, machines, wayBetween } from "./machines.js";
import { make } from "./page.js";

const SVG = "http://www.w3.org/2000/svg";

/** Where a flow is, and by which transitions each of its machines came there. */
export interface Standing {
  places: Place[];
  /** Transitions that were taken, by the machine. */
  taken: ReadonlyMap<string, ReadonlySet<string>>;
  /** Those that were taken last. */
  latest: ReadonlyMap<string, readonly Transition[]>;
  /** Every machine that has run, and the state in which it was last. */
  ran: ReadonlyMap<string, string>;
  /** The outermost machine has ended, well or badly. */
  ended: "well" | "badly" | undefined;
}

/** The name of a transition among those that were taken. */
export const nameOf = ({ from, to }: { from: string; to: string }): string => `${from} → ${to}`;

/** What a flow has done up to one of its turns. */
export function standing(turns: readonly { places: Place[]; end?: { ok: boolean } | undefined }[]): Standing {
  const taken = new Map<string, Set<string>>();
  let latest = new Map<string, Transition[]>();
  const ran = new Map<string, string>();
  let places: Place[] = [];
  let ended: Standing["ended"];
  const take = (machine: string, way: Transition[]): void => {
    if (way.length === 0) return;
    const known = taken.get(machine) ?? new Set();
    for (const transition of way) known.add(nameOf(transition));
    taken.set(machine, known);
    latest.set(machine, way);
  };
  const end = ({ machine, state }: Place): void => {
    take(machine, wayBetween(machines[machine]!, state, DONE));
    ran.set(machine, DONE);
  };
  for (const turn of turns) {
    latest = new Map();
    if (turn.end) {
      ended = turn.end.ok ? "well" : "badly";
      places.forEach(end);
      break;
    }
    const depth = places.findIndex(
      ({ machine, state }, at) => turn.places[at]?.machine !== machine || turn.places[at].state !== state,
    );
    const [before, after] = [places[depth], turn.places[depth]];
    if (before && after?.machine === before.machine)
      take(before.machine, wayBetween(machines[before.machine]!, before.state, after.state));
    // What ran inside the state that was left has ended.
    if (before) places.slice(after?.machine === before.machine ? depth + 1 : depth).forEach(end);
    places = turn.places;
    for (const { machine, state } of places) ran.set(machine, state);
  }
  return { places, taken, latest, ran, ended };
}

/** As high as drawings are to be, in pixels, as far as their letters stay of a size that can be read. */
const HEIGHT = 520;

/** A machine with fewer states says too little to be shown unless it is asked for. */
const FEW = 4;

/** Shows where a flow is. */
export class Diagram {
  readonly #element: HTMLElement;
  readonly #path: HTMLElement;
  readonly #drawings = new Map<string, Drawing>();
  /** The machine that somebody wants to see, as long as the flow lasts. */
  #chosen: { flow: string; machine: string } | undefined;
  #last: { flow: string; now: Standing } | undefined;

  /**
   * @param element holds the drawings
   * @param path holds the way to the innermost machine
   */
  constructor(element: HTMLElement, path: HTMLElement) {
    this.#element = element;
    this.#path = path;
    this.#present([this.#drawing("Refresh"), this.#drawing("Login")]);
  }

  /** @param flow which flow it is */
  show(flow: string, now: Standing): void {
    this.#last = { flow, now };
    const [outermost] = now.places;
    if (!outermost) return;
    for (const [machine, state] of now.ran) {
      this.#drawing(machine).show(state, now.ended, now.taken.get(machine), now.latest.get(machine));
    }
    const chosen = this.#chosen?.flow === flow && now.ran.has(this.#chosen.machine) ? this.#chosen.machine : undefined;
    const speaking = now.places.findLast(({ machine }) => machines[machine]!.states.length >= FEW) ?? outermost;
    const current = chosen ?? (now.ended ? tellsMost(now) : speaking.machine);
    const depth = now.places.findIndex(({ machine }) => machine === current);
    const outside = now.places[depth - 1];
    this.#present([...(outside ? [this.#drawing(outside.machine)] : []), this.#drawing(current)]);
    this.#showPath(now, current);
  }

  #drawing(name: string): Drawing {
    const drawing = this.#drawings.get(name) ?? new Drawing(name, machines[name]!);
    this.#drawings.set(name, drawing);
    return drawing;
  }

  /** The last of them is the one that is shown where there is room for one. */
  #present(drawings: Drawing[]): void {
    const elements = drawings.map((drawing) => drawing.element);
    for (const element of elements) element.classList.toggle("outside", element !== elements.at(-1));
    const before = [...this.#element.children];
    if (elements.length !== before.length || elements.some((element, index) => element !== before[index]))
      this.#element.replaceChildren(...elements);
  }

  /** The machines from the outermost in, and those that have ended before. */
  #showPath({ places, ran, ended }: Standing, current: string): void {
    const inside = new Map(places.map(({ machine }) => [machine, ran.get(machine)]));
    const others = [...ran.keys()].filter((name) => !inside.has(name) && machines[name]!.states.length > 1);
    const items = [...inside.keys(), ...others].map((name, index) => {
      return this.#step(
        name,
        ended && index > 0 ? undefined : inside.get(name),
        name === current,
        inside.has(name) && !ended,
      );
    });
    // What had the focus keeps it.
    const focused = this.#path.contains(document.activeElement) ? document.activeElement?.textContent : undefined;
    this.#path.replaceChildren(...items);
    if (focused != null)
      [...this.#path.querySelectorAll("button")].find((button) => button.ariaCurrent === "true")?.focus();
  }

  #step(name: string, state: string | undefined, isCurrent: boolean, isInside: boolean): HTMLElement {
    const button = make("button", {}, make("span", { text: machines[name]!.title }));
    if (state !== undefined) button.append(" ", make("strong", { text: state }));
    button.type = "button";
    if (isCurrent) button.ariaCurrent = "true";
    button.addEventListener("click", () => {
      if (!this.#last) return;
      this.#chosen = { flow: this.#last.flow, machine: name };
      this.show(this.#last.flow, this.#last.now);
    });
    return make("li", { class: isInside ? "inside" : "past" }, button);
  }
}

/** The machine that has gone furthest; the outermost, where the others are small. */
function tellsMost({ ran, taken }: Standing): string {
  const length = (name: string): number => (machines[name]!.states.length < FEW ? 0 : (taken.get(name)?.size ?? 0));
  return [...ran.keys()].reduce((most, name) => (length(name) > length(most) ? name : most));
}

/** One machine. */
class Drawing {
  readonly element = make("figure", { class: "machine" });
  readonly #nodes = new Map<string, SVGElement>();
  readonly #edges = new Map<string, SVGElement>();
  readonly #image: SVGElement;
  readonly #machine: Machine;

  constructor(name: string, machine: Machine) {
    this.#machine = machine;
    const caption = make("figcaption", { text: machine.title });
    const layout = layoutOf(machine);
    this.#image = this.#draw(layout, name);
    this.element.append(caption, this.#image);
    this.show(undefined, undefined);
  }

  /** @param state where it is, if it runs */
  show(
    state: string | undefined,
    ended: Standing["ended"],
    taken?: ReadonlySet<string>,
    latest?: readonly Transition[],
  ): void {
    const last = new Set(latest?.map(nameOf));
    for (const [name, node] of this.#nodes) {
      const isHere = name === state;
      node.classList.toggle("here", isHere);
      node.classList.toggle("badly", isHere && ended === "badly");
      node.classList.toggle("seen", taken !== undefined && [...taken].some((pair) => pair.endsWith(`→ ${name}`)));
    }
    for (const [name, edge] of this.#edges) {
      edge.classList.toggle("taken", taken?.has(name) ?? false);
      edge.classList.toggle("latest", last.has(name));
      if (last.has(name)) edge.parentElement?.append(edge);
    }
    this.#image.setAttribute("aria-label", `The machine ${this.#machine.title}: ${state ?? "it does not run"}`);
  }

  #draw({ width, height, nodes, edges }: Layout, name: string): SVGElement {
    const scale = Math.min(Math.max(HEIGHT / height, 0.9), 1.25);
    const size = { width: Math.round(width * scale), height: Math.round(height * scale) };
    const image = svg("svg", { viewBox: `0 0 ${width} ${height}`, ...size, role: "img" });
    const head = `head-${name}`;
    const marker = svg("marker", {
      id: head,
      viewBox: "0 0 8 8",
      refX: 6,
      refY: 4,
      markerWidth: 9,
      markerHeight: 9,
      markerUnits: "userSpaceOnUse",
      orient: "auto-start-reverse",
    });
    marker.append(svg("path", { d: "M0 .8 7 4 0 7.2z", class: "head" }));
    const defs = svg("defs", {});
    defs.append(marker);
    const lines = svg("g", { class: "edges" });
    for (const { from, to, path } of edges) {
      const edge = svg("path", { d: path, "marker-end": `url(#${head})` });
      const tip = svg("title", {});
      tip.textContent = this.#about(from, to);
      edge.append(tip);
      lines.append(edge);
      this.#edges.set(nameOf({ from, to }), edge);
    }
    const boxes = svg("g", { class: "nodes" });
    for (const { name, x, y } of nodes) {
      const runs = this.#machine.states.find((state) => state.name === name)?.runs;
      const node = svg("g", {
        transform: `translate(${x} ${y})`,
        class: name === DONE ? "node end" : runs ? "node deep" : "node",
      });
      const box = { width: NODE.width, height: NODE.height, rx: name === DONE ? NODE.height / 2 : 8 };
      node.append(svg("rect", box));
      if (runs)
        node.append(
          svg("rect", { x: 3, y: 3, width: NODE.width - 6, height: NODE.height - 6, rx: 5.5, class: "inner" }),
        );
      const text = svg("text", { x: NODE.width / 2, y: NODE.height / 2 });
      text.textContent = name;
      node.append(text);
      boxes.append(node);
      this.#nodes.set(name, node);
    }
    image.append(defs, lines, boxes);
    return image;
  }

  #about(from: string, to: string): string {
    const all = this.#machine.transitions.filter((transition) => transition.from === from && transition.to === to);
    const cases = all.map(({ on = [], when = "" }) => [on.join(", "), when].filter(Boolean).join(" "));
    return [`${from} → ${to}`, ...cases.filter(Boolean)].join("\n");
  }
}

function svg(name: string, attributes: Record<string, string | number>): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}
