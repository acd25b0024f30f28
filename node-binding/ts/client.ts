// What a `Hallpass` does on every host: tokens, requests with them, who is signed in, and what changes. How a flow is
// run is the host's.
import type * as wire from "../types.js";
import {
  type CallOptions,
  type LogoutOptions,
  type StatusOptions,
  type TokenOptions,
  checkLogout,
  checkStatus,
  checkToken,
  invalid,
} from "./checking.js";
import { UnavailableError, misused } from "./errors.js";
import { throwIfAborted } from "./flights.js";
import { type FetchInit, type FetchInput, ResourceRequest } from "./resource.js";
import { type LoggedOut, type Status, Token, type Whereabouts, loggedOutOf, statusOf } from "./results.js";

/** What is heard of a login: who is signed in now. */
export type ChangeListener = (status: Status) => unknown;

/** What each kind of flow ends with. */
export interface Outcomes {
  login: wire.LoggedIn;
  token: wire.Token;
  logout: wire.LoggedOut;
  status: wire.Status;
  proof: wire.Proof;
}

/** A flow that has ended well. */
export interface Ran<Kind extends keyof Outcomes> {
  outcome: Outcomes[Kind];
  /** Says which store a place is, and where. */
  locate(place: wire.Place): Whereabouts;
}

/** How a flow is run. */
export interface Running extends CallOptions {
  /** Whether everybody who asks for the same can have the same answer. */
  shared?: boolean;
}

/** Where requests may go, what sends them, and until when. */
export interface Requesting extends CallOptions {
  origins?: readonly string[] | undefined;
  fetch?: typeof globalThis.fetch | undefined;
}

/** One login, and what can be done with it. */
export abstract class Client {
  readonly #options: Requesting;
  readonly #origins: ReadonlySet<string>;
  readonly #listeners = new Set<ChangeListener>();
  #watching: { close(): void } | undefined;
  #known: string | undefined;
  /** One look after the other, so that the last word is the latest. */
  #looking: Promise<void> = Promise.resolve();

  /** @internal */
  protected constructor(options: Requesting) {
    this.#options = options;
    this.#origins = new Set((options.origins ?? []).map((origin) => new URL(origin).origin));
    options.signal?.addEventListener("abort", () => this.close(), { once: true });
  }

  /**
   * Runs a flow to its end.
   *
   * @internal
   */
  protected abstract run<Kind extends keyof Outcomes>(kind: Kind, body: object, running: Running): Promise<Ran<Kind>>;

  /**
   * Calls back when something may have changed.
   *
   * @internal
   */
  protected abstract watch(changed: () => void): { close(): void };

  /**
   * An access token that is good for at least five more minutes. It is refreshed if it must be, here or by somebody
   * else who was faster.
   */
  async token(options: TokenOptions = {}): Promise<Token> {
    checkToken(options);
    const { minTtl = 300, refresh, rejected, signal } = options;
    const need: wire.Need =
      rejected !== undefined
        ? { replacement: { rejected } }
        : refresh
          ? "fresh"
          : { usable: { minimum_lifetime: Math.ceil(minTtl * 1000) } };
    return new Token((await this.run("token", { need }, { signal, shared: true })).outcome);
  }

  /**
   * As `fetch`, with the token in the request. It goes to `origins` and nowhere else, redirects included; a 401 is
   * answered with another token, once. A body that is a stream is not sent twice.
   */
  async fetch(input: FetchInput, init?: FetchInit): Promise<Response> {
    const request = new ResourceRequest(this.#origins, this.fetches, input, init);
    const signal = init?.signal ?? undefined;
    return request.send({
      usable: () => this.token({ signal }),
      instead: (rejected) => this.token({ rejected, signal }).catch(nothingIfUnavailable),
      proof: async (token, method, url, nonce) => {
        const body = { access_token: token.accessToken, method, url, nonce };
        return (await this.run("proof", body, { signal })).outcome.header;
      },
    });
  }

  /** Who is signed in, as far as is known here: nobody is asked, unless `check` says so. */
  async status(options: StatusOptions = {}): Promise<Status> {
    checkStatus(options);
    const { check = false, signal } = options;
    const { outcome, locate } = await this.run("status", { check }, { signal });
    return statusOf(outcome, locate);
  }

  /** Revokes the session at the server, as far as that works, and deletes it here. */
  async logout(options: LogoutOptions = {}): Promise<LoggedOut> {
    checkLogout(options);
    const { local = false, signal } = options;
    const { outcome } = await this.run("logout", { local }, { signal });
    return loggedOutOf(outcome);
  }

  /**
   * Calls the listener when anybody has signed in or out or renewed this session, this program included. Watching keeps
   * no process alive.
   */
  on(event: "change", listener: ChangeListener): this {
    if (event !== "change") throw invalid("there is no event but `change`");
    if (typeof listener !== "function") throw invalid("the listener must be a function");
    this.#listeners.add(listener);
    if (!this.#watching && !this.#options.signal?.aborted) {
      this.#watching = this.watch(() => this.changed());
      this.changed();
    }
    return this;
  }

  /** Takes a listener back. */
  off(_event: "change", listener: ChangeListener): this {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this.close();
    return this;
  }

  /** Stops watching for changes. */
  close(): void {
    this.#watching?.close();
    this.#watching = undefined;
    this.#known = undefined;
    this.#listeners.clear();
  }

  /**
   * What sends requests.
   *
   * @internal
   */
  protected get fetches(): typeof globalThis.fetch {
    return this.#options.fetch ?? globalThis.fetch;
  }

  /** @internal */
  protected signals(options: CallOptions): (AbortSignal | undefined)[] {
    return [this.#options.signal, options.signal];
  }

  /** @internal */
  protected throwIfAborted(options: CallOptions): void {
    throwIfAborted(this.signals(options));
  }

  /**
   * Something may have changed.
   *
   * @internal
   */
  protected changed(): void {
    if (this.#watching) this.#looking = this.#looking.then(() => this.#look());
  }

  /** Tells the listeners, if what they can know has changed. */
  async #look(): Promise<void> {
    let status: Status;
    try {
      status = await this.status();
    } catch {
      // What cannot be read now is read at the next change.
      return;
    }
    const { loggedIn, method, account, provider, store, expiresAt, lastRefresh } = status;
    const known = JSON.stringify([loggedIn, method, account, provider, store, expiresAt, lastRefresh]);
    const before = this.#known;
    if (!this.#watching || known === before) return;
    this.#known = known;
    // The first look only finds out what is to change.
    if (before === undefined) return;
    for (const listener of [...this.#listeners]) {
      // A listener that fails fails for itself.
      Promise.resolve(status)
        .then(listener)
        .catch(() => {});
    }
  }
}

/** That the provider gives no other token now is no reason to keep what the resource has answered from its reader. */
function nothingIfUnavailable(error: unknown): undefined {
  if (!(error instanceof UnavailableError)) throw error;
}

/** What a flow has ended with, which is what it was begun for. */
export function wanted<Kind extends keyof Outcomes>(outcome: wire.Outcome, kind: Kind): Outcomes[Kind] {
  if (kind in outcome) return (outcome as unknown as Outcomes)[kind];
  throw misused("unexpected_event", `a flow for ${kind} has ended as another one`);
}
