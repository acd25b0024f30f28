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
/** The options there are, and what each must be. */
export type Rules = Readonly<Record<string, readonly [test: Test, what: string]>>;

export const text: Test = (value) => typeof value === "string" && value !== "";
export const texts: Test = (value) => Array.isArray(value) && value.every(text);
export const truth: Test = (value) => typeof value === "boolean";
export const callable: Test = (value) => typeof value === "function";
const signal: Test = (value) => value instanceof AbortSignal;
export const object = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const SIGNAL = { signal: [signal, "an AbortSignal"] } as const;

const TOKEN: Rules = {
  minTtl: [(value) => typeof value === "number" && value >= 0 && Number.isFinite(value), "a number of seconds"],
  refresh: [truth, "true or false"],
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
  check(options, { check: [truth, "true or false"], ...SIGNAL }, "the options of status");
export const checkLogout = (options: LogoutOptions): void =>
  check(options, { local: [truth, "true or false"], ...SIGNAL }, "the options of logout");

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Refuses what a token must not be sent to. */
export function checkOrigin(origin: string): void {
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
