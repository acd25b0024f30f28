// The package in one class.
import { invalid } from "../../node-binding/ts/checking.js";
import { failed, misused } from "../../node-binding/ts/errors.js";
import { DeviceCodePrompt } from "../../node-binding/ts/prompts.js";
import { type LoggedIn, loggedInOf } from "../../node-binding/ts/results.js";
import { arrival, forgetArrival } from "./arriving.js";
import { Launched, Redirect, Returned } from "./away.js";
import { type Engine, EngineClient, type SigningIn } from "./engine.js";
import { hand } from "./handing.js";
import { type Internals, LocalEngine } from "./local.js";
import { load } from "./module.js";
import {
  type DeviceCodeOptions,
  type HallpassOptions,
  type LoginOptions,
  checkDeviceCode,
  checkHallpass,
  checkLogin,
} from "./options.js";
import { Popup } from "./popup.js";
import { take, waiting } from "./suspended.js";

/**
 * The login of one client at one provider: sign a person in, send requests in their name, sign out.
 *
 * ```ts
 * const hallpass = await Hallpass.create({ issuer, clientId, redirectUri, origins: ["https://api.example.com"] });
 * await hallpass.handleRedirect();
 * if (!(await hallpass.status()).loggedIn) await hallpass.login();
 * const response = await hallpass.fetch("https://api.example.com/me");
 * ```
 */
export class Hallpass extends EngineClient {
  readonly #options: HallpassOptions;
  #handled: Promise<LoggedIn | undefined> | undefined;

  private constructor(options: HallpassOptions, engine: Engine) {
    super(options, engine);
    this.#options = options;
  }

  /**
   * Loads the module, once for the page. Where the page was loaded with the answer to a login, its address loses that
   * before anything else happens.
   */
  static create(options: HallpassOptions): Promise<Hallpass>;
  /** @internal */
  static create(options: HallpassOptions, internals: Internals): Promise<Hallpass>;
  static async create(options: HallpassOptions, internals: Internals = {}): Promise<Hallpass> {
    checkHallpass(options);
    if (options.redirectUri !== undefined) arrival(options.redirectUri);
    if (options.worker) {
      // Most pages have no worker, and those that have one can load more.
      const { RemoteEngine } = await import("./remote.js");
      return new Hallpass({ ...options }, await RemoteEngine.to(options.worker, options));
    }
    await load(options.module);
    return new Hallpass({ ...options }, new LocalEngine(options, internals));
  }

  /**
   * Ends the login that this page was loaded for, if it was. Call it wherever `redirectUri` leads to. In the window of a
   * `popup` it hands the address to the page that opened it, and closes the window.
   *
   * @returns who is signed in now; `undefined` where this page was loaded for something else
   */
  handleRedirect(): Promise<LoggedIn | undefined> {
    return (this.#handled ??= this.#arrived());
  }

  /**
   * Signs a person in: leaves this page for the authorization server, and comes back at `redirectUri`. The promise stays
   * open, since the page goes; it is rejected if that cannot be, or if the person comes back with the back button. With
   * `popup` the page stays.
   */
  async login(options: LoginOptions = {}): Promise<LoggedIn> {
    checkLogin(options);
    this.throwIfAborted(options);
    const { launch, popup, signal } = options;
    const { redirectUri } = this.#options;
    if (redirectUri === undefined) throw invalid("a login in a browser needs `redirectUri`");
    if (!launch && typeof document === "undefined") {
      throw misused("no_window", "there is no page here", "pass `launch`");
    }
    if (!launch && new URL(redirectUri).origin !== location.origin) {
      throw invalid(
        "`redirectUri` must be a page of this origin",
        "or pass `launch`, which says what it came back with",
      );
    }
    // A window inherits what waits in this tab, and must not take that for what it was opened for.
    if (popup) waiting().forEach(take);
    const away = launch ? new Launched(launch) : popup ? new Popup() : new Redirect(this.#name);
    return this.#signIn("browser", { signal, away });
  }

  /** Signs a person in with a code that they enter on any device: `onPrompt` shows it. */
  async loginWithDeviceCode(options: DeviceCodeOptions = {}): Promise<LoggedIn> {
    checkDeviceCode(options);
    const { signal, onPrompt = this.#options.onPrompt } = options;
    if (!onPrompt) throw misused("no_prompt", "there is no `onPrompt`, which shows the code", "pass `onPrompt`");
    return this.#signIn("device_code", { signal, show: (code) => onPrompt(new DeviceCodePrompt(code)) });
  }

  /** Under which a login waits in this tab. */
  get #name(): string {
    const { issuer, clientId } = this.#options;
    return `${issuer} ${clientId}`;
  }

  async #signIn(method: string, running: SigningIn): Promise<LoggedIn> {
    try {
      const { outcome, locate } = await this.run("login", { method }, running);
      return loggedInOf(outcome, locate);
    } finally {
      running.away?.end?.();
    }
  }

  async #arrived(): Promise<LoggedIn | undefined> {
    const url = this.#options.redirectUri === undefined ? undefined : arrival(this.#options.redirectUri);
    if (!url) return undefined;
    const suspended = take(this.#name);
    // Another provider's login may wait in this tab: the answer is left to that.
    if (suspended === undefined && waiting().length > 0) return undefined;
    forgetArrival();
    if (suspended !== undefined) return this.#signIn("browser", { away: new Returned(url), suspended });
    if (await hand(url)) {
      close();
      return undefined;
    }
    throw failed(
      "misused",
      "no_login_waits",
      "the browser has come back from a sign-in that was not begun in this tab",
      "call `login()` to begin again",
    );
  }
}
