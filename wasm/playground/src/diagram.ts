// The machines of a flow, drawn side by side from the outermost in, with the states lit in which they are.
import { type Layout, NODE, layoutOf } from "./layout.js";
import { DONE, type Machine, type Place, type Transition, machines, wayBetween } from "./machines.js";

const SVG = "http://www.w3.org/2000/svg";

/** Where a flow is, and by which transitions each of its machines came there. */
export interface Standing {
  places: Place[];
  /** Transitions that were taken, by the machine. */
  taken: ReadonlyMap<string, ReadonlySet<string>>;
  /** Those that were taken last. */
  latest: ReadonlyMap<string, readonly Transition[]>;
  /** The outermost machine has ended, well or badly. */
  ended: "well" | "badly" | undefined;
}

/** The name of a transition among those that were taken. */
export const nameOf = ({ from, to }: { from: string; to: string }): string => `${from} → ${to}`;

/** What a flow has done up to one of its turns. */
export function standing(turns: readonly { places: Place[]; end?: { ok: boolean } | undefined }[]): Standing {
  const taken = new Map<string, Set<string>>();
  let latest = new Map<string, Transition[]>();
  let places: Place[] = [];
  let ended: Standing["ended"];
  const take = (machine: string, way: Transition[]): void => {
    if (way.length === 0) return;
    const known = taken.get(machine) ?? new Set();
    for (const transition of way) known.add(nameOf(transition));
    taken.set(machine, known);
    latest.set(machine, way);
  };
  for (const turn of turns) {
    latest = new Map();
    if (turn.end) {
      ended = turn.end.ok ? "well" : "badly";
      for (const { machine, state } of places) take(machine, wayBetween(machines[machine]!, state, DONE));
      break;
    }
    for (const [depth, { machine, state }] of turn.places.entries()) {
      const before = places[depth];
      if (before?.machine === machine && before.state !== state) {
        take(machine, wayBetween(machines[machine]!, before.state, state));
        break;
      }
      if (before?.machine !== machine) break;
    }
    places = turn.places;
  }
  return { places, taken, latest, ended };
}

/** Shows where a flow is. */
export class Diagram {
  readonly #element: HTMLElement;
  readonly #path: HTMLElement;
  readonly #drawings = new Map<string, Drawing>();
  #chosen: number | undefined;
  #last: Standing | undefined;

  /**
   * @param element holds the drawings
   * @param path holds the way to the innermost machine
   */
  constructor(element: HTMLElement, path: HTMLElement) {
    this.#element = element;
    this.#path = path;
  }

  show(now: Standing): void {
    const names = now.places.map((place) => place.machine);
    if (names.join() !== this.#last?.places.map((place) => place.machine).join()) this.#chosen = undefined;
    this.#last = now;
    const shown = now.places.map(({ machine, state }) => {
      const drawing = this.#drawings.get(machine) ?? new Drawing(machine, machines[machine]!);
      this.#drawings.set(machine, drawing);
      drawing.show(now.ended ? DONE : state, now.ended, now.taken.get(machine), now.latest.get(machine));
      return drawing.element;
    });
    const current = Math.min(this.#chosen ?? shown.length - 1, shown.length - 1);
    for (const [depth, element] of shown.entries()) element.classList.toggle("current", depth === current);
    const before = [...this.#element.children];
    if (shown.length !== before.length || shown.some((element, index) => element !== before[index]))
      this.#element.replaceChildren(...shown);
    this.#showPath(now, current);
  }

  /** On a narrow page one machine is seen at a time. */
  #showPath({ places, ended }: Standing, current: number): void {
    this.#path.replaceChildren(
      ...places.map(({ machine, state }, depth) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        const name = document.createElement("span");
        name.textContent = machines[machine]!.title;
        const where = document.createElement("strong");
        where.textContent = ended && depth === 0 ? DONE : state;
        button.append(name, " ", where);
        if (depth === current) button.setAttribute("aria-current", "true");
        button.addEventListener("click", () => {
          this.#chosen = depth;
          if (this.#last) this.show(this.#last);
        });
        item.append(button);
        return item;
      }),
    );
  }
}

/** One machine. */
class Drawing {
  readonly element = document.createElement("figure");
  readonly #nodes = new Map<string, SVGElement>();
  readonly #edges = new Map<string, SVGElement>();
  readonly #image: SVGElement;
  readonly #machine: Machine;

  constructor(name: string, machine: Machine) {
    this.#machine = machine;
    const caption = document.createElement("figcaption");
    caption.textContent = machine.title;
    const layout = layoutOf(machine);
    this.#image = this.#draw(layout, name);
    this.element.className = "machine";
    this.element.append(caption, this.#image);
  }

  show(state: string, ended: Standing["ended"], taken?: ReadonlySet<string>, latest?: readonly Transition[]): void {
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
    this.#image.setAttribute("aria-label", `The ${this.#machine.title}: it is ${state}`);
  }

  #draw({ width, height, nodes, edges }: Layout, name: string): SVGElement {
    const image = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img" });
    const head = `head-${name}`;
    const marker = svg("marker", {
      id: head,
      viewBox: "0 0 8 8",
      refX: 6,
      refY: 4,
      markerWidth: 6,
      markerHeight: 6,
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
      const node = svg("g", { transform: `translate(${x} ${y})`, class: name === DONE ? "node end" : runs ? "node deep" : "node" });
      const box = { width: NODE.width, height: NODE.height, rx: name === DONE ? NODE.height / 2 : 8 };
      node.append(svg("rect", box));
      if (runs) node.append(svg("rect", { x: 3, y: 3, width: NODE.width - 6, height: NODE.height - 6, rx: 5.5, class: "inner" }));
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
