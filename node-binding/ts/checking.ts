// What the methods of both packages may be told, and what is said where it cannot be. No word of a host in here.
import { misused } from "./errors.js";

/** What every method may be told. */
export interface CallOptions {
  /** Aborts this call. */
  signal?: AbortSignal | undefined;
}

/** What a token must be good for. */
export interface TokenOptions extends CallOptions {
  /** For how many more seconds it must be good: 300 unless said otherwise. */
  minTtl?: number | undefined;
  /** A new one, although the stored one may still be good. */
  refresh?: boolean | undefined;
  /** Another one than this, which a server has answered with a 401. */
  rejected?: string | undefined;
}

/** What to say about who is signed in. */
export interface StatusOptions extends CallOptions {
  /** Ask the server too. */
  check?: boolean | undefined;
}

/** How to log out. */
export interface LogoutOptions extends CallOptions {
  /** Revoke nothing at the server. */
  local?: boolean | undefined;
}

/** Whether a value can be meant. */
export type Test = (value: unknown) => boolean;
/** How to tell, and what to say of a value that cannot. */
export type Rule = readonly [test: Test, what: string];
/** The options there are, and what each must be. */
export type Rules = Readonly<Record<string, Rule>>;

export const text: Test = (value) => typeof value === "string" && value !== "";
export const texts: Test = (value) => Array.isArray(value) && value.every(text);
export const object = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const TEXT: Rule = [text, "a text"];
export const TRUTH: Rule = [(value) => typeof value === "boolean", "true or false"];
export const FUNCTION: Rule = [(value) => typeof value === "function", "a function"];

export const SIGNAL: Rules = { signal: [(value) => value instanceof AbortSignal, "an AbortSignal"] };
export const PROMPT: Rules = { onPrompt: FUNCTION };
export const ORIGINS: Rules = { origins: [texts, "a list of origins"] };

/** What a `Hallpass` of either package may be told. */
export const COMMON: Rules = { ...ORIGINS, fetch: FUNCTION, log: FUNCTION, ...PROMPT, ...SIGNAL };

const TOKEN: Rules = {
  minTtl: [(value) => typeof value === "number" && value >= 0 && Number.isFinite(value), "a number of seconds"],
  refresh: TRUTH,
  rejected: [text, "a token"],
  ...SIGNAL,
};

/** Refuses what cannot be meant, and names it. No value is quoted: it may be a secret in the wrong place. */
export function check(options: unknown, rules: Rules, what: string): void {
  if (!object(options)) throw invalid(`${what} must be an object`);
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (!rule) throw invalid(`${what} have no \`${name}\``, `there are ${Object.keys(rules).join(", ")}`);
    const [test, meaning] = rule;
    if (value !== undefined && !test(value)) throw invalid(`\`${name}\` must be ${meaning}`);
  }
}

export const checkToken = (options: TokenOptions): void => check(options, TOKEN, "the options of token");
export const checkStatus = (options: StatusOptions): void =>
  check(options, { check: TRUTH, ...SIGNAL }, "the options of status");
export const checkLogout = (options: LogoutOptions): void =>
  check(options, { local: TRUTH, ...SIGNAL }, "the options of logout");

/** Refuses options of a `Hallpass` that cannot be meant. */
export function checkClient(options: { origins?: readonly string[] | undefined }, rules: Rules, what: string): void {
  check(options, rules, what);
  options.origins?.forEach(checkOrigin);
}

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Refuses what a token must not be sent to. */
function checkOrigin(origin: string): void {
  let url: URL | undefined;
  try {
    url = new URL(origin);
  } catch {
    // Said below.
  }
  if (!url || url.origin !== origin.replace(/\/$/, "")) {
    throw invalid(
      "`origins` must be origins: a scheme, a host and perhaps a port",
      "for instance https://api.example.com",
    );
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && LOOPBACK.has(url.hostname))) {
    throw invalid(
      "`origins` must be https: a token that is sent in the clear is everybody's",
      "http is for loopback addresses",
    );
  }
}

/** A value that cannot be meant. */
export function invalid(message: string, help?: string): Error {
  return misused("invalid_option", message, help);
}
