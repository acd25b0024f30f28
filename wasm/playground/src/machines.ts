// The machines and their legal transitions, as they stand in the sources of core.
import data from "../machines.json";

export interface Machine {
  title: string;
  file: string;
  about: string;
  states: State[];
  transitions: Transition[];
}

export interface State {
  name: string;
  /** The machine that runs inside it. */
  runs?: string;
}

export interface Transition {
  from: string;
  /** A state, or `done`. */
  to: string;
  on?: string[];
  when?: string;
}

/** A machine and the state in which it is. */
export interface Place {
  machine: string;
  state: string;
}

export const DONE = "done";

export const machines: Readonly<Record<string, Machine>> = data;

/** The machines among what a flow tells; it names enums of its data as well. */
export function placesOf(states: readonly string[]): Place[] {
  return states.flatMap((told) => {
    const [machine = "", state = ""] = told.split(".");
    return machines[machine] ? [{ machine, state }] : [];
  });
}

/**
 * The transitions by which a machine went from one state to another. A machine inside a state may have ended before it
 * asked anything: such states are passed through.
 */
export function wayBetween(machine: Machine, from: string, to: string): Transition[] {
  const passes = (name: string): boolean => machine.states.some((state) => state.name === name && state.runs);
  const seen = new Set([from]);
  let open: Transition[][] = [[]];
  while (open.length > 0) {
    const next: Transition[][] = [];
    for (const way of open) {
      const last = way.at(-1)?.to ?? from;
      for (const transition of machine.transitions) {
        if (transition.from !== last) continue;
        if (transition.to === to) return [...way, transition];
        if (!passes(transition.to) || seen.has(transition.to)) continue;
        seen.add(transition.to);
        next.push([...way, transition]);
      }
    }
    open = next;
  }
  return [];
}
