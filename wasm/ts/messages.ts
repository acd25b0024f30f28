// What a page and its worker say to each other. A token is in none of it.
import type { Ran } from "../../node-binding/ts/client.js";
import type { Whereabouts } from "../../node-binding/ts/results.js";
import type { Blame, Failure, LogLine } from "../../node-binding/types.js";
import { CLIENT, HallpassError, classes, errorOf } from "./all.js";
import type { UserCode } from "./engine.js";
import type { ClientOptions, HallpassOptions } from "./options.js";

/** What a page asks for. */
export type Call =
  /** The first one says what the worker is for; every other one has to say the same. */
  | { call: "create"; options: ClientOptions; module: string | undefined }
  | { call: "login"; method: "browser" | "device_code"; leaves: boolean; suspended: string | undefined }
  | { call: "status"; check: boolean }
  | { call: "logout"; local: boolean }
  | ({ call: "fetch"; url: string; method: string; headers: [string, string][]; body: ArrayBuffer | null } & How);

/** How a request of a page is to be sent. */
export type How = Pick<Request, "redirect" | "credentials" | "cache">;

/** What a page says in the middle of a call: what its window has come back with, or that nobody waits any more. */
export type Aside = { event: string } | { abort: true };

/** Whether a page is there to be told what concerns every page. */
export type Presence = { isPresent: boolean };

/** What a worker says to the page: about one call, or to whom it concerns. */
export type Said = { id: string } & (Answered | Asked);
export type News = { log: LogLine } | { changed: true };

/** How a call has ended. What is no `HallpassError` is a `TypeError`, as of `fetch`. */
export type Answered = { ok: unknown } | { error: Failure | string };

/** What only a page can do. */
export type Asked =
  { go: string } | { next: number; suspended: string | undefined } | { judged: boolean } | { prompt: UserCode };

/** What a flow has ended with, without what cannot be sent. */
export interface Sent {
  outcome: Ran<"login" | "status" | "logout">["outcome"];
  whereabouts: Whereabouts;
}

/** An answer of `fetch`. */
export interface SentResponse {
  url: string;
  status: number;
  statusText: string;
  headers: [string, string][];
  body: ReadableStream<Uint8Array<ArrayBuffer>> | ArrayBuffer | null;
}

/** What is the same for a page and its worker: nothing in it is a function. */
export function clientOptions(options: HallpassOptions): ClientOptions {
  return Object.fromEntries(
    Object.keys(CLIENT).flatMap((name) => {
      const value = options[name as keyof ClientOptions];
      return value === undefined ? [] : [[name, value]];
    }),
  ) as unknown as ClientOptions;
}

/** An error as it is sent. */
export function sent(error: unknown): Failure | string {
  if (!(error instanceof HallpassError)) return error instanceof Error ? error.message : "it failed";
  const { code, message, help, retryable, constructor } = error;
  const [blame = "misused"] = (Object.keys(classes) as Blame[]).filter((blame) => classes[blame] === constructor);
  return { code, message, retryable, blame, ...(help === undefined ? {} : { help }) };
}

/** An error that was sent. */
export function received(error: Failure | string): Error {
  return typeof error === "string" ? new TypeError(error) : errorOf(error);
}
