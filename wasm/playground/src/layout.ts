// Where the states of a machine stand, and how its transitions run: in layers, from the first state down.
import { DONE, type Machine } from "./machines.js";

export interface Node {
  name: string;
  x: number;
  y: number;
}

export interface Edge {
  from: string;
  to: string;
  path: string;
}

export interface Layout {
  width: number;
  height: number;
  nodes: Node[];
  edges: Edge[];
}

export const NODE = { width: 112, height: 34 };
const GAP = { x: 14, y: 28 };
const MARGIN = 6;
/** From the states to the first transition beside them, and from one of these to the next. */
const LANE = { first: 14, next: 9 };

/** The layout of a machine. */
export function layoutOf(machine: Machine): Layout {
  const names = [...machine.states.map((state) => state.name), DONE];
  const pairs = pairsOf(machine);
  const ranks = ranksOf(names, pairs);
  const layers: string[][] = [];
  for (const name of names) (layers[ranks.get(name)!] ??= []).push(name);
  order(layers, pairs);

  const lanes = new Lanes(pairs, ranks);
  const room = (count: number): number => (count === 0 ? 0 : LANE.first + count * LANE.next);
  const left = MARGIN + room(lanes.back.length);
  const widthOf = (count: number): number => count * NODE.width + (count - 1) * GAP.x;
  const inner = widthOf(Math.max(...layers.map((layer) => layer.length)));
  const right = left + inner;
  const nodes: Node[] = layers.flatMap((layer, row) =>
    layer.map((name, column) => ({
      name,
      x: left + (inner - widthOf(layer.length)) / 2 + column * (NODE.width + GAP.x),
      y: MARGIN + row * (NODE.height + GAP.y),
    })),
  );
  const at = new Map(nodes.map((node) => [node.name, node]));
  const edges = pairs.map(([from, to]) => {
    const [start, end] = [at.get(from)!, at.get(to)!];
    const lane = lanes.of(from, to);
    if (!lane) return { from, to, path: from === to ? loop(start) : straight(start, end) };
    const out = LANE.first + lane.number * LANE.next;
    // Whoever stands at the edge is left and entered at the side, the others between the layers.
    const isAtEdge = ({ name }: Node): boolean => {
      const layer = layers[ranks.get(name)!]!;
      return name === (lane.isBack ? layer[0] : layer.at(-1));
    };
    const way = {
      x: lane.isBack ? left - out : right + out,
      inward: lane.isBack ? 1 : -1,
      shift: 4 + lane.number * 2,
    } as const;
    return { from, to, path: beside(start, isAtEdge(start), end, isAtEdge(end), way) };
  });
  const width = right + room(lanes.forwards.length) + MARGIN;
  return { width, height: MARGIN * 2 + layers.length * (NODE.height + GAP.y) - GAP.y, nodes, edges };
}

type Pair = [from: string, to: string];

/** One edge for all transitions between two states. */
function pairsOf(machine: Machine): Pair[] {
  const seen = new Map(machine.transitions.map(({ from, to }) => [`${from} ${to}`, [from, to] as Pair]));
  return [...seen.values()];
}

/** The list of a machine is written in the order in which it goes: what leads upwards in it leads back. */
function ranksOf(names: string[], pairs: Pair[]): Map<string, number> {
  const place = new Map(names.map((name, index) => [name, index]));
  const ranks = new Map<string, number>();
  for (const name of names) {
    const before = pairs.filter(([from, to]) => to === name && place.get(from)! < place.get(name)!);
    ranks.set(name, Math.max(-1, ...before.map(([from]) => ranks.get(from)!)) + 1);
  }
  // What nothing leads to stands beside what it leads to, not at the top, unless it is the first.
  for (const name of names.slice(1).reverse()) {
    const after = pairs.filter(([from, to]) => from === name && ranks.get(to)! > ranks.get(name)!);
    const hasBefore = pairs.some(([from, to]) => to === name && from !== name);
    if (!hasBefore && after.length > 0) ranks.set(name, Math.min(...after.map(([, to]) => ranks.get(to)!)) - 1);
  }
  return ranks;
}

/** Each layer in the order of what leads to it. */
function order(layers: string[][], pairs: Pair[]): void {
  for (let row = 1; row < layers.length; row += 1) {
    const above = layers[row - 1]!;
    const centre = (name: string): number => {
      const places = pairs
        .filter(([from, to]) => to === name && above.includes(from))
        .map(([from]) => above.indexOf(from));
      return places.length === 0 ? above.length / 2 : places.reduce((sum, place) => sum + place, 0) / places.length;
    };
    // What is led to over several layers is reached at the right.
    const isFar = (name: string): number =>
      Number(
        pairs.some(([from, to]) => to === name && !above.includes(from) && layers.slice(0, row).flat().includes(from)),
      );
    layers[row]!.sort((a, b) => isFar(a) - isFar(b) || centre(a) - centre(b));
  }
}

/** Which transitions run beside the states: those that lead back, at the left, and those over several layers. Those to
 * the same state share a lane. */
class Lanes {
  readonly back: string[] = [];
  readonly forwards: string[] = [];
  readonly #ranks: Map<string, number>;

  constructor(pairs: Pair[], ranks: Map<string, number>) {
    this.#ranks = ranks;
    const length = ([from, to]: Pair): number => Math.abs(ranks.get(to)! - ranks.get(from)!);
    for (const [from, to] of [...pairs].sort((a, b) => length(a) - length(b))) {
      if (!this.#isBeside(from, to)) continue;
      const side = this.#isBack(from, to) ? this.back : this.forwards;
      if (!side.includes(to)) side.push(to);
    }
  }

  of(from: string, to: string): { isBack: boolean; number: number } | undefined {
    if (!this.#isBeside(from, to)) return undefined;
    const isBack = this.#isBack(from, to);
    return { isBack, number: (isBack ? this.back : this.forwards).indexOf(to) };
  }

  #isBeside(from: string, to: string): boolean {
    return from !== to && this.#ranks.get(to)! - this.#ranks.get(from)! !== 1;
  }

  #isBack(from: string, to: string): boolean {
    return this.#ranks.get(to)! <= this.#ranks.get(from)!;
  }
}

function straight(start: Node, end: Node): string {
  const [x1, y1, x2, y2] = [start.x + NODE.width / 2, start.y + NODE.height, end.x + NODE.width / 2, end.y - 3];
  const middle = (y1 + y2) / 2;
  return `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}`;
}

/** Into the same state again. */
function loop({ x, y }: Node): string {
  const [right, middle] = [x + NODE.width, y + NODE.height / 2];
  return `M${right} ${middle - 7}C${right + 16} ${middle - 16} ${right + 16} ${middle + 16} ${right + 3} ${middle + 7}`;
}

/** A lane: where it is, in which direction the states are, and how far its transitions keep from each other. */
interface Way {
  x: number;
  inward: 1 | -1;
  shift: number;
}

/** Out to a lane, along it, and in again. */
function beside(start: Node, leavesAside: boolean, end: Node, entersAside: boolean, { x, inward, shift }: Way): string {
  const side = (node: Node): number => (inward === 1 ? node.x : node.x + NODE.width);
  const middle = (node: Node): number => node.x + NODE.width / 2;
  const y1 = leavesAside ? start.y + NODE.height / 2 + 4 : start.y + NODE.height + Math.min(shift, GAP.y - 8);
  const y2 = entersAside ? end.y + NODE.height / 2 - 4 : end.y - GAP.y + Math.min(shift + 6, GAP.y - 8);
  const down = y2 > y1 ? 1 : -1;
  const r = Math.min(7, Math.abs(y2 - y1) / 2);
  const out = leavesAside ? `M${side(start)} ${y1}` : `M${middle(start)} ${start.y + NODE.height}V${y1}`;
  const into = entersAside ? `H${side(end) - inward * 3}` : `H${middle(end)}V${end.y - 3}`;
  const along = `Q${x} ${y1} ${x} ${y1 + down * r}V${y2 - down * r}Q${x} ${y2} ${x + inward * r} ${y2}`;
  return `${out}H${x + inward * r}${along}${into}`;
}
