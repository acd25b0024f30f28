// One flight at a time: who wants what is already on its way waits for that.
import type { Outcome } from "../types.js";
import { Wish } from "./wish.js";

/** Refuses at once what has been aborted. */
export function throwIfAborted(signals: readonly (AbortSignal | undefined)[]): void {
  for (const signal of signals) signal?.throwIfAborted();
}

/** A flow that is on its way, for everybody who wants what comes of it. */
class Flight {
  readonly #wish = new Wish();
  readonly outcome: Promise<Outcome>;
  #passengers = 0;

  constructor(begin: (wish: Wish) => Promise<Outcome>) {
    this.outcome = begin(this.#wish);
  }

  board(): void {
    this.#passengers += 1;
  }

  /** Gets off; the last one to do so ends the flight. Whether it was. */
  leave(): boolean {
    this.#passengers -= 1;
    if (this.#passengers > 0) return false;
    this.#wish.make();
    return true;
  }
}

const flights = new Map<string | symbol, Flight>();

/**
 * Begins a flow, or joins the one with this key; none of the signals is aborted yet. Whoever aborts is let go at once; a
 * flow that nobody wants any more is stopped where it may be stopped, and what it was granted by then is saved all the
 * same.
 */
export function fly(
  key: string | symbol = Symbol(),
  begin: (wish: Wish) => Promise<Outcome>,
  signals: readonly (AbortSignal | undefined)[],
): Promise<Outcome> {
  const joined = flights.get(key);
  const flight = joined ?? new Flight(begin);
  const land = (): void => {
    if (flights.get(key) === flight) flights.delete(key);
  };
  if (!joined) {
    flights.set(key, flight);
    flight.outcome.then(land, land);
  }
  flight.board();
  return aboard(flight, signals, land);
}

function aboard(flight: Flight, signals: readonly (AbortSignal | undefined)[], ended: () => void): Promise<Outcome> {
  const heard = signals.filter((signal) => signal !== undefined);
  if (heard.length === 0) return flight.outcome;
  return new Promise((resolve, reject) => {
    const abort = (event: globalThis.Event) => {
      forget();
      if (flight.leave()) ended();
      reject((event.target as AbortSignal).reason);
    };
    const forget = () => heard.forEach((signal) => signal.removeEventListener("abort", abort));
    heard.forEach((signal) => signal.addEventListener("abort", abort));
    flight.outcome.finally(forget).then(resolve, reject);
  });
}
