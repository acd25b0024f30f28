// Flows that are run here: in this page or, in worker mode, in this worker.
import { type Outcomes, type Ran, wanted } from "../../node-binding/ts/client.js";
import { type Steps, drive } from "../../node-binding/ts/driver.js";
import { HallpassError, errorOf } from "../../node-binding/ts/errors.js";
import { fly } from "../../node-binding/ts/flights.js";
import type { Wish } from "../../node-binding/ts/wish.js";
import type { Suspension } from "../../node-binding/types.js";
import { broadcast, listen } from "./channels.js";
import { Database } from "./database.js";
import type { Engine, SigningIn } from "./engine.js";
import { Flow } from "./flow.js";
import { BrowserHost } from "./host.js";
import { type Mutex, Turns, lockOf } from "./locks.js";
import { type HallpassOptions, configurationOf } from "./options.js";
import { inWordsOfAPage } from "./phrasing.js";
import { Memory, type Shelf } from "./shelf.js";
import { Store } from "./store.js";

/** What a flow is, with what a redirect needs. */
export interface Suspendable extends Steps {
  suspend(): string;
  resume(suspended: string, request: string, now: number): string;
  free?(): void;
}

/**
 * What a page that shows the machine at work puts between.
 *
 * @internal
 */
export interface Internals {
  Flow?: new () => Suspendable;
}

/** Runs flows on a shelf of its own. */
export class LocalEngine implements Engine {
  readonly #options: HallpassOptions;
  readonly #internals: Internals;
  /** What distinguishes this login: for whom it is, and for memory, whose memory. */
  readonly #name: string;
  readonly #shelf: Shelf;
  /** Where the key of a login lies while its page is away: memory does not outlive the page. */
  readonly #waiting: Shelf;
  readonly #mutex: Mutex;

  /** @internal */
  constructor(options: HallpassOptions, internals: Internals) {
    const isKept = options.store === "indexeddb";
    const name = `hallpass ${options.issuer} ${options.clientId}`;
    this.#options = options;
    this.#internals = internals;
    this.#name = isKept ? name : `${name} ${crypto.randomUUID()}`;
    this.#waiting = new Database(name);
    this.#shelf = isKept ? this.#waiting : new Memory();
    this.#mutex = isKept ? lockOf(this.#name) : new Turns();
  }

  async run<Kind extends keyof Outcomes>(kind: Kind, body: object, running: SigningIn): Promise<Ran<Kind>> {
    const request = JSON.stringify({ configuration: configurationOf(this.#options), ...body });
    const begin = (wish: Wish) => this.#begin(`{"${kind}":${request}}`, request, running, wish);
    const key = running.shared ? `${this.#name}\n${kind}\n${request}` : undefined;
    const outcome = await fly(key, begin, [this.#options.signal, running.signal]);
    const { store = "memory" } = this.#options;
    return { outcome: wanted(outcome, kind), locate: () => ({ store, location: this.#shelf.location }) };
  }

  watch(changed: () => void): { close(): void } {
    return listen(this.#name, changed);
  }

  async #begin(request: string, login: string, { away, suspended, show }: SigningIn, wish: Wish) {
    const { redirectUri, fetch = globalThis.fetch, log } = this.#options;
    const survival = away?.leaves ? { shelf: this.#waiting, suspended } : undefined;
    const store = new Store(this.#shelf, survival, () => broadcast(this.#name, 0));
    const flow: Suspendable = new (this.#internals.Flow ?? Flow)();
    const suspend = async (): Promise<string> => {
      const suspension = JSON.parse(flow.suspend()) as Suspension;
      if ("error" in suspension) throw errorOf(suspension.error);
      const text = JSON.stringify(suspension.ok);
      await store.suspend(text);
      return text;
    };
    const host = new BrowserHost({ store, mutex: this.#mutex, redirectUri, fetch, away, show, log, suspend });
    try {
      const first =
        suspended === undefined
          ? flow.start(request, Date.now(), host.seed())
          : flow.resume(suspended, login, Date.now());
      return await drive(flow, first, host, wish);
    } catch (error) {
      throw error instanceof HallpassError ? inWordsOfAPage(error, away && "call `login()` to begin again") : error;
    } finally {
      host.finish();
      // What it holds is overwritten now, and not when memory is short.
      flow.free?.();
    }
  }
}
