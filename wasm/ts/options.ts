// What a page may ask for, and what core is told of it.
import type { Configuration, LogLine } from "../../node-binding/types.js";
import {
  COMMON,
  type CallOptions,
  FUNCTION,
  ORIGINS,
  PROMPT,
  type Rules,
  SIGNAL,
  TEXT,
  TRUTH,
  check,
  checkClient,
  invalid,
  object,
  text,
  texts,
} from "../../node-binding/ts/checking.js";
import type { DeviceCodePrompt } from "../../node-binding/ts/prompts.js";
import type { Source } from "./module.js";

/** Whom to sign in with, and where the login is kept. */
export interface HallpassOptions extends ClientOptions {
  /** Sends requests, to the provider and for `fetch`. Without it that is the global `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
  /** Tells the person the code of a device login. What it throws ends that login. */
  onPrompt?: ((prompt: DeviceCodePrompt) => unknown) | undefined;
  /** Hears what is decided and why; no secret is in it. What it throws is ignored. */
  log?: ((line: LogLine) => unknown) | undefined;
  /** Aborts every call, and ends the watching for changes. */
  signal?: AbortSignal | undefined;
  /** The WebAssembly module, where the file beside this script cannot be loaded. */
  module?: Source | undefined;
  /** A worker that runs `hallpass-web/worker`: tokens are kept there, and never come here. */
  worker?: Worker | SharedWorker | undefined;
}

/** What does not differ between a page and its worker. */
export interface ClientOptions {
  /** The issuer identifier: an https URL (http on loopback). */
  issuer: string;
  /** The client identifier of this page at the provider: a public client. */
  clientId: string;
  /** Where the browser comes back to after a login: a page of this origin that calls `handleRedirect`. */
  redirectUri?: string | undefined;
  /** The scope to ask for. Without it that is `openid profile email offline_access`. */
  scopes?: readonly string[] | undefined;
  /** The endpoints, of a provider that announces none. */
  endpoints?: EndpointOptions | undefined;
  /** Further parameters of the authorization request, such as `audience`. */
  authorizationParameters?: Readonly<Record<string, string>> | undefined;
  /** Whether tokens are bound to a key where the server offers that (DPoP, RFC 9449): yes, unless it is `false`. */
  dpop?: boolean | undefined;
  /** Whether authorization requests are pushed where the server offers that (RFC 9126): yes, unless it is `false`. */
  pushedAuthorization?: boolean | undefined;
  /**
   * Where the login is kept: in memory, until the page is left (the default), or in a database of this origin,
   * encrypted with a key that cannot be taken out. Any script of the page can use what lies there.
   */
  store?: "memory" | "indexeddb" | undefined;
  /** The origins that `fetch` may send the token to, such as `https://api.example.com`. */
  origins?: readonly string[] | undefined;
}

/** The endpoints of an authorization server. */
export interface EndpointOptions {
  /** Where a browser login begins. */
  authorization?: string | undefined;
  /** Where tokens are had. */
  token: string;
  /** Where tokens are revoked. */
  revocation?: string | undefined;
  /** Where a device login begins. */
  deviceAuthorization?: string | undefined;
  /** Where authorization requests are put first. */
  pushedAuthorization?: string | undefined;
  /** The algorithms with which the server takes proofs of possession. */
  dpopAlgorithms?: readonly string[] | undefined;
  /** Whether the redirect names its issuer (RFC 9207). */
  namesIssuer?: boolean | undefined;
}

/** How to sign in in a browser. */
export interface LoginOptions extends CallOptions {
  /** In a window of its own. Without it this page is left, and `handleRedirect` ends the login when it comes back. */
  popup?: boolean | undefined;
  /**
   * Opens the page, and answers with the address that the browser has come back to: where there is no window, such as
   * in the service worker of an extension (`chrome.identity.launchWebAuthFlow`).
   */
  launch?: ((url: string) => string | undefined | Promise<string | undefined>) | undefined;
}

/** How to sign in with a code that is entered elsewhere. */
export interface DeviceCodeOptions extends CallOptions {
  /** As in `HallpassOptions`, for this login. */
  onPrompt?: ((prompt: DeviceCodePrompt) => unknown) | undefined;
}

/** What does not differ between a page and its worker. */
export const CLIENT: Rules = {
  issuer: [text, "a URL"],
  clientId: TEXT,
  redirectUri: [isUrl, "a URL"],
  scopes: [texts, "a list of texts"],
  endpoints: [object, "an object"],
  authorizationParameters: [object, "an object"],
  dpop: TRUTH,
  pushedAuthorization: TRUTH,
  store: [(value) => value === "memory" || value === "indexeddb", '"memory" or "indexeddb"'],
  ...ORIGINS,
};
const HALLPASS: Rules = {
  ...CLIENT,
  ...COMMON,
  module: [() => true, "a module"],
  worker: [object, "a Worker or a SharedWorker"],
};

/** Refuses options that cannot be meant: those of a page, or those that its worker was handed. */
export function checkHallpass(options: HallpassOptions, rules = HALLPASS, what = "the options of Hallpass"): void {
  checkClient(options, rules, what);
  for (const name of ["issuer", "clientId"] as const)
    if (options[name] === undefined) throw invalid(`there must be \`${name}\``);
}

export const checkLogin = (options: LoginOptions): void =>
  check(options, { popup: TRUTH, launch: FUNCTION, ...SIGNAL }, "the options of login");
export const checkDeviceCode = (options: DeviceCodeOptions): void =>
  check(options, { ...PROMPT, ...SIGNAL }, "the options of loginWithDeviceCode");

/** The configuration as it crosses into core. Both stores are to core what a file is: only this host knows which. */
export function configurationOf(options: ClientOptions): Configuration {
  const { issuer, clientId, endpoints, authorizationParameters = {} } = options;
  return {
    provider: {
      name: nameOf(issuer),
      issuer,
      client_id: clientId,
      scopes: [...(options.scopes ?? ["openid", "profile", "email", "offline_access"])],
      endpoints:
        endpoints === undefined ? null : (snake(endpoints) as NonNullable<Configuration["provider"]["endpoints"]>),
      authorization_parameters: Object.entries(authorizationParameters),
      dpop: options.dpop ?? true,
      pushed_authorization: options.pushedAuthorization ?? true,
    },
    store: "file",
  };
}

/** The issuer's host, where it has one: core says what is wrong with one that has none. */
function nameOf(issuer: string): string {
  return isUrl(issuer) ? new URL(issuer).host : issuer;
}

/** Whether a value is an address, and an absolute one. */
export function isUrl(value: unknown): boolean {
  try {
    return text(value) && new URL(value as string) !== undefined;
  } catch {
    return false;
  }
}

/** The same members, named as core names them. */
function snake(options: object): object {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}
