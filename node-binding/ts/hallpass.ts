// The package in one class.
import type * as wire from "../types.js";
import { Client, type Outcomes, type Ran, type Running, wanted } from "./client.js";
import { type Host, drive } from "./driver.js";
import { HallpassError, errorOf, misused } from "./errors.js";
import { fly } from "./flights.js";
import { type Around, NodeHost } from "./host.js";
import { type Native, type Opened, type Opening, type Possibility, library } from "./native.js";
import { type HallpassOptions, type LoginOptions, checkHallpass, checkLogin } from "./options.js";
import { type LoggedIn, loggedInOf } from "./results.js";
import type { Wish } from "./wish.js";
import { Watching } from "./watching.js";

/** A home whose configuration has been read, and that configuration as it crosses into the core. */
interface Home extends Opened {
  json: string;
}

/** How a login is run. */
interface SigningIn extends Running {
  opens?: boolean;
  onPrompt?: HallpassOptions["onPrompt"];
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
export class Hallpass extends Client {
  readonly #options: Readonly<HallpassOptions>;
  readonly #internals: Internals;
  #home: Home | undefined;

  /** Touches nothing yet: the home is found and its `config.toml` read by the first call. */
  constructor(options?: HallpassOptions);
  /** @internal */
  constructor(options: HallpassOptions, internals: Internals);
  constructor(options: HallpassOptions = {}, internals: Internals = {}) {
    checkHallpass(options);
    super({ ...options });
    this.#options = { ...options };
    this.#internals = internals;
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
    this.throwIfAborted(options);
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

  #loginBy(way: Possibility, options: LoginOptions): Promise<LoggedIn> {
    const { signal, clientSecret = null, onPrompt = this.#options.onPrompt, openBrowser = way.opens } = options;
    if (!onPrompt && (way.method === "device_code" || (way.method === "browser" && !openBrowser))) {
      const why = way.because === null ? "" : `, because ${way.because}`;
      const message = `the person must be told what to do next${why}, and there is no \`onPrompt\``;
      throw misused("no_prompt", message, "pass `onPrompt`, which shows an address or a code");
    }
    const body = { method: way.method, store: this.#options.store ?? null, client_secret: clientSecret };
    const running: SigningIn = { signal, opens: openBrowser, onPrompt };
    return this.run("login", body, running).then(({ outcome, locate }) => loggedInOf(outcome, locate));
  }

  /** @internal */
  protected override async run<Kind extends keyof Outcomes>(
    kind: Kind,
    body: object,
    running: SigningIn,
  ): Promise<Ran<Kind>> {
    this.throwIfAborted(running);
    const home = this.#opened({ anew: kind === "logout", makes: false });
    const { opens = false, onPrompt, shared } = running;
    const request = `{"${kind}":{"configuration":${home.json},${JSON.stringify(body).slice(1)}}`;
    const { Flow, Native } = library();
    const { log, openUrl } = this.#options;
    const native = new Native(home.home, home.encrypts, opens && !openUrl);
    const around = { fetch: this.fetches, onPrompt, openUrl, log, opens };
    const host = this.#internals.host?.(native, around) ?? new NodeHost(native, around);
    const key = shared ? `${home.home}\n${request}` : undefined;
    const begin = (wish: Wish) => {
      const flow = new Flow();
      return drive(flow, flow.start(request, Date.now(), host.seed()), host, wish).finally(() => native.finish());
    };
    const outcome = wanted(await fly(key, begin, this.signals(running)), kind);
    if (kind === "login" || kind === "logout") this.changed();
    return { outcome, locate: (store) => ({ store, location: native.location(JSON.stringify(store)) }) };
  }

  /** @internal */
  protected override watch(changed: () => void): { close(): void } {
    return new Watching(this.home, changed);
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
}

/** Whether variables and files have a say in what is used: these are read again for each flow. */
function isVolatile({ variables = {}, files = {} }: wire.Environment = {}): boolean {
  return Object.keys(variables).length + Object.keys(files).length > 0;
}

function chosen({ method, openBrowser }: LoginOptions): Possibility {
  const way = { opens: openBrowser ?? method === "browser", because: null, unless: null };
  if (typeof method !== "object") return { ...way, method: method ?? "browser" };
  return { ...way, method: "apiKey" in method ? { api_key: method.apiKey } : { access_token: method.accessToken } };
}

function wantedOf(provider: NonNullable<HallpassOptions["provider"]>): object {
  if (typeof provider === "string") return { named: provider };
  const { name = null, issuer, clientId = null, clientAuthentication = null, scopes = null } = provider;
  return { at: { name, issuer, client_id: clientId, client_authentication: clientAuthentication, scopes } };
}
