// The lock that is held over a refresh, a login or a logout.
import type { Event, LockTrouble } from "../../node-binding/types.js";
import { CANCELLED } from "../../node-binding/ts/driver.js";
import type { Wish } from "../../node-binding/ts/wish.js";

/** Gives back what is held. */
export type Release = () => void;

/** A lock that one flow holds at a time. */
export interface Mutex {
  /** Takes it; `undefined` where the signal was aborted first. */
  take(signal: AbortSignal): Promise<Release | undefined>;
}

/** Takes a lock within a deadline: the JSON of `locked`, `lock_failed` or `cancelled`, and how to give it back. */
export async function lock(
  mutex: Mutex,
  deadline: number,
  wish: Wish | undefined,
): Promise<{ event: string; release?: Release }> {
  const controller = new AbortController();
  let event = failed("busy", "another tab or worker holds it");
  const timer = setTimeout(() => controller.abort(), deadline);
  const forget = wish?.listen(() => {
    event = CANCELLED;
    controller.abort();
  });
  try {
    const release = await mutex.take(controller.signal);
    return release ? { event: JSON.stringify("locked" satisfies Event), release } : { event };
  } catch (error) {
    return { event: failed("other", `the browser's locks say ${(error as Error).name}`) };
  } finally {
    clearTimeout(timer);
    queueMicrotask(() => forget?.());
  }
}

/** One after the other within this page or worker. */
export class Turns implements Mutex {
  #last: Promise<void> = Promise.resolve();

  take(signal: AbortSignal): Promise<Release | undefined> {
    const before = this.#last;
    let release: Release = () => {};
    this.#last = new Promise((resolve) => (release = resolve));
    return new Promise((resolve) => {
      const late = (): void => {
        resolve(undefined);
        // Whoever comes after still waits for whoever was before.
        void before.then(release);
      };
      signal.addEventListener("abort", late);
      void before.then(() => {
        signal.removeEventListener("abort", late);
        resolve(release);
      });
    });
  }
}

/** One after the other among all pages and workers of this origin; the browser frees what a closed one has held. */
export class WebLock implements Mutex {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  take(signal: AbortSignal): Promise<Release | undefined> {
    return new Promise((resolve, reject) => {
      navigator.locks
        .request(this.#name, { signal }, () => new Promise<void>((release) => resolve(release)))
        .catch((error: unknown) => (signal.aborted ? resolve(undefined) : reject(error as Error)));
    });
  }
}

/** The lock of this name among all pages and workers, as well as this browser can do it. */
export function lockOf(name: string): Mutex {
  if (navigator.locks) return new WebLock(name);
  // Few browsers need it, so it is loaded when one does.
  return { take: async (signal) => new (await import("./leasing.js")).Lease(name).take(signal) };
}

function failed(kind: LockTrouble, detail: string): string {
  return JSON.stringify({ lock_failed: { kind, detail } } satisfies Event);
}
