// What callers may ask for, and what is said where it cannot be.
import type { LogLine, StoreMode } from "../types.js";
import {
  COMMON,
  type CallOptions,
  FUNCTION,
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
} from "./checking.js";
import type { Prompt } from "./prompts.js";

/** What a `Hallpass` may be told; each has a default. */
export interface HallpassOptions {
  /** The home that holds the login: a folder. Without it that is the one that the `hallpass` program would choose. */
  home?: string | undefined;
  /** The profile that holds the login, by its name; the first login makes it. */
  profile?: string | undefined;
  /** Whom to sign in with: a name that `config.toml` knows, or an issuer. Without it that is OpenAI. */
  provider?: string | ProviderOptions | undefined;
  /** Where a login is kept. Without it that is what `config.toml` says, else the file. */
  store?: StoreMode | undefined;
  /** The origins that `fetch` may send the token to, such as `https://api.example.com`. */
  origins?: readonly string[] | undefined;
  /** Sends requests, to the provider and for `fetch`. Without it that is the global `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
  /** Tells the person what to do next in a login. What it throws ends that login. */
  onPrompt?: ((prompt: Prompt) => unknown) | undefined;
  /** Opens the page of a browser login. Without it that is the desktop's browser. What it throws ends that login. */
  openUrl?: ((url: string) => unknown) | undefined;
  /** Hears what is decided and why; no secret is in it. What it throws is ignored. */
  log?: ((line: LogLine) => unknown) | undefined;
  /** Aborts every call, and ends the watching for changes. */
  signal?: AbortSignal | undefined;
}

/** A provider that `config.toml` does not know, or that is to be found at another issuer. */
export interface ProviderOptions {
  /** Its name; with an issuer and no client id, that of a known provider which is moved to the issuer. */
  name?: string | undefined;
  /** The issuer identifier: an https URL (http on loopback). */
  issuer: string;
  /** The client identifier. */
  clientId?: string | undefined;
  /** How the client sends its secret, if it has one: `login` is told the secret itself. */
  clientAuthentication?: "none" | "client_secret_basic" | "client_secret_post" | undefined;
  /** The scope to ask for. */
  scopes?: readonly string[] | undefined;
}

/** How to sign in. */
export interface LoginOptions extends CallOptions {
  /** The way. Without it the surroundings decide: a browser where one can come back here, else a device code. */
  method?: "browser" | "device_code" | { apiKey: string } | { accessToken: string } | undefined;
  /** Whether the page of a browser login is opened here. Without it the surroundings decide. */
  openBrowser?: boolean | undefined;
  /** The client's secret, for a provider whose client has one; it is kept in the store. */
  clientSecret?: string | undefined;
  /** As in `HallpassOptions`, for this login. */
  onPrompt?: ((prompt: Prompt) => unknown) | undefined;
}

const HALLPASS: Rules = {
  home: [text, "a path"],
  profile: [text, "a name"],
  provider: [(value) => text(value) || object(value), "a name or an object with an issuer"],
  store: [
    (value) => ["file", "keyring", "auto", "ephemeral"].includes(value as string),
    '"file", "keyring", "auto" or "ephemeral"',
  ],
  openUrl: FUNCTION,
  ...COMMON,
};
const PROVIDER: Rules = {
  name: [text, "a name"],
  issuer: [text, "a URL"],
  clientId: TEXT,
  clientAuthentication: [
    (value) => ["none", "client_secret_basic", "client_secret_post"].includes(value as string),
    '"none", "client_secret_basic" or "client_secret_post"',
  ],
  scopes: [texts, "a list of texts"],
};
const LOGIN: Rules = {
  method: [isMethod, '"browser", "device_code", { apiKey } or { accessToken }'],
  openBrowser: TRUTH,
  clientSecret: TEXT,
  ...PROMPT,
  ...SIGNAL,
};

export function checkHallpass(options: HallpassOptions): void {
  checkClient(options, HALLPASS, "the options of Hallpass");
  const { provider } = options;
  if (object(provider)) {
    check(provider, PROVIDER, "the options of a provider");
    if (provider.issuer === undefined) throw invalid("`provider` needs an `issuer`");
    if (provider.clientId === undefined && provider.name === undefined) {
      throw invalid("`provider` needs a `clientId`", "or the `name` of a known provider, which is moved to the issuer");
    }
  }
}

export const checkLogin = (options: LoginOptions): void => check(options, LOGIN, "the options of login");

function isMethod(value: unknown): boolean {
  if (value === "browser" || value === "device_code") return true;
  if (!object(value)) return false;
  const [[name, secret] = [], ...others] = Object.entries(value);
  return others.length === 0 && (name === "apiKey" || name === "accessToken") && text(secret);
}
