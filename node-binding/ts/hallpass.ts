// The package in one class.
import type * as wire from "../types.js";
import { type Host, drive } from "./driver.js";
import { HallpassError, UnavailableError, errorOf, misused } from "./errors.js";
import { fly, throwIfAborted } from "./flights.js";
import { type Around, NodeHost } from "./host.js";
import { type Native, type Opened, type Opening, type Possibility, library } from "./native.js";
import {
  type CallOptions,
  type HallpassOptions,
  type LoginOptions,
  type LogoutOptions,
  type StatusOptions,
  type TokenOptions,
  checkHallpass,
  checkLogin,
  checkLogout,
  checkStatus,
  checkToken,
} from "./options.js";
import { type FetchInit, type FetchInput, ResourceRequest } from "./resource.js";
import { type LoggedIn, type LoggedOut, type Status, Token, loggedInOf, loggedOutOf, statusOf } from "./results.js";
import type { Wish } from "./wish.js";
import { Watching } from "./watching.js";

/** What is heard of a home: who is signed in now. */
export type ChangeListener = (status: Status) => unknown;

/** A home whose configuration has been read, and that configuration as it crosses into the core. */
interface Home extends Opened {
  json: string;
}

/** How a flow is run. */
interface Running extends CallOptions {
  opens?: boolean;
  onPrompt?: HallpassOptions["onPrompt"];
  /** Whether everybody who asks for the same can have the same answer. */
  shared?: boolean;
}

/**
 * What an editor does in place of this machine.
 *
 * @internal
 */
export interface Internals {
  /** In the extension host of an editor the environment may be the workspace's: it must not move a token. */
  editor?: boolean;
  /** Performs the effects of a flow. */
  host?: (native: Native, around: Around) => Host;
  /** Tells of changes, where these are no files. */
  watch?: (changed: () => void) => { close(): void };
}

/**
 * The credentials of one home: sign a person in, get an access token that is still good, sign out.
 *
 * ```ts
 * const hallpass = new Hallpass({ origins: ["https://api.example.com"], onPrompt: (prompt) => show(prompt) });
 * if (!(await hallpass.status()).loggedIn) await hallpass.login();
 * const response = await hallpass.fetch("https://api.example.com/me");
 * ```
 *
 * The login is shared with the `hallpass` program, with the Codex CLI and with every other process that uses the same
 * home: whoever refreshes does it under one lock, and the others find what came of it.
 */
export class Hallpass {
  readonly #options: Readonly<HallpassOptions>;
  readonly #internals: Internals;
  readonly #origins: ReadonlySet<string>;
  readonly #listeners = new Set<ChangeListener>();
  #home: Home | undefined;
  #watching: { close(): void } | undefined;
  #known: string | undefined;
  /** One look after the other, so that the last word is the latest. */
  #looking: Promise<void> = Promise.resolve();

  /** Touches nothing yet: the home is found and its `config.toml` read by the first call. */
  constructor(options?: HallpassOptions);
  /** @internal */
  constructor(options: HallpassOptions, internals: Internals);
  constructor(options: HallpassOptions = {}, internals: Internals = {}) {
    checkHallpass(options);
    this.#options = { ...options };
    this.#internals = internals;
    this.#origins = new Set((options.origins ?? []).map((origin) => new URL(origin).origin));
    options.signal?.addEventListener("abort", () => this.close(), { once: true });
  }

  /** The folder that holds the login. */
  get home(): string {
    return this.#opened().home;
  }

  /**
   * Signs a person in, the way that can work here. The session that was there before is given up once the new one is
   * saved, not earlier.
   */
  async login(options: LoginOptions = {}): Promise<LoggedIn> {
    checkLogin(options);
    this.#throwIfAborted(options);
    // Whatever has been written to config.toml in the meantime counts for a new login.
    const home = this.#opened({ anew: true, makes: true });
    const ways =
      options.method === undefined ? (JSON.parse(library().ways(home.json)) as Possibility[]) : [chosen(options)];
    for (const way of ways) {
      try {
        return await this.#loginBy(way, options);
      } catch (error) {
        if (!(error instanceof HallpassError) || way.unless === null || error.code !== way.unless) throw error;
      }
    }
    throw misused("no_way", "there is no way to sign in here");
  }

  /**
   * An access token that is good for at least five more minutes. It is refreshed if it must be, by this process or by
   * another one that was faster.
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
    const { outcome } = await this.#run("token", { need }, { signal, shared: true });
    return new Token(wanted(outcome, "token"));
  }

  /**
   * As `fetch`, with the token in the request. It goes to `origins` and nowhere else, redirects included; a 401 is
   * answered with another token, once. A body that is a stream is not sent twice.
   */
  async fetch(input: FetchInput, init?: FetchInit): Promise<Response> {
    const request = new ResourceRequest(this.#origins, this.#fetch, input, init);
    const signal = init?.signal ?? undefined;
    return request.send({
      usable: () => this.token({ signal }),
      instead: (rejected) => this.token({ rejected, signal }).catch(nothingIfUnavailable),
      proof: async (token, method, url, nonce) => {
        const body = { access_token: token.accessToken, method, url, nonce };
        return wanted((await this.#run("proof", body, { signal })).outcome, "proof").header;
      },
    });
  }

  /** Who is signed in, as far as this machine knows: nobody is asked, unless `check` says so. */
  async status(options: StatusOptions = {}): Promise<Status> {
    checkStatus(options);
    const { check = false, signal } = options;
    const { outcome, native } = await this.#run("status", { check }, { signal });
    return statusOf(wanted(outcome, "status"), (place) => native.location(JSON.stringify(place)));
  }

  /** Revokes the session at the server, as far as that works, and deletes it here. */
  async logout(options: LogoutOptions = {}): Promise<LoggedOut> {
    checkLogout(options);
    const { local = false, signal } = options;
    this.#throwIfAborted(options);
    this.#opened({ anew: true, makes: false });
    const { outcome } = await this.#run("logout", { local }, { signal });
    return loggedOutOf(wanted(outcome, "logout"));
  }

  /**
   * Calls the listener when anybody has signed in or out or renewed the session of this home, this program included.
   * Watching keeps no process alive; a login that lies in a keyring is heard of where Hallpass writes it.
   */
  on(event: "change", listener: ChangeListener): this {
    if (event !== "change") throw misused("invalid_option", "there is no event but `change`");
    if (typeof listener !== "function") throw misused("invalid_option", "the listener must be a function");
    this.#listeners.add(listener);
    if (!this.#watching && !this.#options.signal?.aborted) {
      const changed = () => this.#changed();
      this.#watching = this.#internals.watch?.(changed) ?? new Watching(this.home, changed);
      this.#changed();
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

  get #fetch(): typeof globalThis.fetch {
    return this.#options.fetch ?? globalThis.fetch;
  }

  #loginBy(way: Possibility, options: LoginOptions): Promise<LoggedIn> {
    const { signal, clientSecret = null, onPrompt = this.#options.onPrompt, openBrowser = way.opens } = options;
    if (!onPrompt && (way.method === "device_code" || (way.method === "browser" && !openBrowser))) {
      const why = way.because === null ? "" : `, because ${way.because}`;
      const message = `the person must be told what to do next${why}, and there is no \`onPrompt\``;
      throw misused("no_prompt", message, "pass `onPrompt`, which shows an address or a code");
    }
    const body = { method: way.method, store: this.#options.store ?? null, client_secret: clientSecret };
    const running = this.#run("login", body, { signal, opens: openBrowser, onPrompt });
    return running.then(({ outcome, native }) =>
      loggedInOf(wanted(outcome, "login"), (place) => native.location(JSON.stringify(place))),
    );
  }

  /** Runs a flow to its end. */
  async #run(kind: string, body: object, running: Running): Promise<{ outcome: wire.Outcome; native: Native }> {
    this.#throwIfAborted(running);
    const home = this.#opened();
    const { opens = false, onPrompt, signal, shared } = running;
    const request = `{"${kind}":{"configuration":${home.json},${JSON.stringify(body).slice(1)}}`;
    const { Flow, Native } = library();
    const { log, openUrl } = this.#options;
    const native = new Native(home.home, home.encrypts, opens && !openUrl);
    const around = { fetch: this.#fetch, onPrompt, openUrl, log, opens };
    const host = this.#internals.host?.(native, around) ?? new NodeHost(native, around);
    const key = shared ? `${home.home}\n${request}` : undefined;
    const begin = (wish: Wish) => drive(new Flow(), request, host, wish).finally(() => native.finish());
    const outcome = await fly(key, begin, [this.#options.signal, signal]);
    if (kind === "login" || kind === "logout") this.#changed();
    return { outcome, native };
  }

  #throwIfAborted(options: CallOptions): void {
    throwIfAborted([this.#options.signal, options.signal]);
  }

  /** The home and its configuration, read when it is needed first and when it is to be read anew. */
  #opened(reading: { anew: boolean; makes: boolean } = { anew: false, makes: false }): Home {
    if (this.#home && !reading.anew && !isVolatile(this.#home.configuration.environment)) return this.#home;
    const { home = null, profile = null, provider, store = null } = this.#options;
    const wanted = provider === undefined ? null : wantedOf(provider);
    const asked = {
      home,
      profile,
      makes: reading.makes,
      provider: wanted,
      store,
      editor: this.#internals.editor ?? false,
    };
    const opening = JSON.parse(library().open(JSON.stringify(asked))) as Opening;
    if ("error" in opening) throw errorOf(opening.error);
    return (this.#home = { ...opening.ok, json: JSON.stringify(opening.ok.configuration) });
  }

  /** Something may have changed. */
  #changed(): void {
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

/** Whether variables and files have a say in what is used: these are read again for each flow. */
function isVolatile({ variables = {}, files = {} }: wire.Environment = {}): boolean {
  return Object.keys(variables).length + Object.keys(files).length > 0;
}

/** That the provider gives no other token now is no reason to keep what the resource has answered from its reader. */
function nothingIfUnavailable(error: unknown): undefined {
  if (!(error instanceof UnavailableError)) throw error;
}

function chosen({ method, openBrowser }: LoginOptions): Possibility {
  const way = { opens: openBrowser ?? method === "browser", because: null, unless: null };
  if (typeof method !== "object") return { ...way, method: method ?? "browser" };
  return { ...way, method: "apiKey" in method ? { api_key: method.apiKey } : { access_token: method.accessToken } };
}

function wantedOf(provider: NonNullable<HallpassOptions["provider"]>): object {
  if (typeof provider === "string") return { named: provider };
  const { name = null, issuer, clientId = null, scopes = null } = provider;
  return { at: { name, issuer, client_id: clientId, scopes } };
}

/** What each kind of flow ends with. */
interface Outcomes {
  login: wire.LoggedIn;
  token: wire.Token;
  logout: wire.LoggedOut;
  status: wire.Status;
  proof: wire.Proof;
}

function wanted<Kind extends keyof Outcomes>(outcome: wire.Outcome, kind: Kind): Outcomes[Kind] {
  if (kind in outcome) return (outcome as unknown as Outcomes)[kind];
  throw misused("unexpected_event", `a flow for ${kind} has ended as another one`);
}
