// HTTP by way of a `fetch`: what happened is an event, whatever the function does. No word of a host in here.
import type { Event, HttpRequest, Reach } from "../types.js";
import { CANCELLED } from "./driver.js";
import type { Wish } from "./wish.js";

/** The largest body of an answer. */
const MOST = 1024 * 1024;

/** What a host makes of an error that its `fetch` has thrown. */
export interface Diagnosis {
  /** Whether not a byte can have left. */
  isUnsent?: boolean;
  /** Why, in words that quote nothing: what an unknown function throws may hold the request. */
  detail: string;
}

/** Says why no answer to a request came, unless by the signal nobody wants to know any more. */
export type Diagnose = (error: unknown, request: HttpRequest, signal: AbortSignal) => Diagnosis | Promise<Diagnosis>;

/** What a request ended with, before anything was heard of it. */
type Stop = "cancelled" | "late";

/**
 * Sends a request once and follows no redirect: the JSON of `responded`, `request_failed` or `cancelled`.
 *
 * @param diagnose says why no answer came
 */
export async function send(
  fetch: typeof globalThis.fetch,
  request: HttpRequest,
  wish: Wish | undefined,
  diagnose: Diagnose,
): Promise<string> {
  const controller = new AbortController();
  let stop: (why: Stop) => void = () => {};
  const stopped = new Promise<Stop>((resolve) => (stop = resolve));
  const forget = wish?.listen(() => stop("cancelled"));
  const timer = setTimeout(() => stop("late"), Math.min(request.deadline, 2 ** 31 - 1));
  const progress: { reach: Reach } = { reach: "unanswered" };
  try {
    // A function that does not listen to its signal is left behind.
    const end = await Promise.race([exchange(fetch, request, controller.signal, diagnose, progress), stopped]);
    if (end === "cancelled") return CANCELLED;
    if (end === "late") return failed(progress.reach, `no answer within ${request.deadline / 1000} s`);
    return end;
  } finally {
    clearTimeout(timer);
    forget?.();
    controller.abort();
  }
}

/**
 * Sends and receives: the JSON of `responded` or `request_failed`.
 *
 * @param progress says how far it has got
 */
async function exchange(
  fetch: typeof globalThis.fetch,
  request: HttpRequest,
  signal: AbortSignal,
  diagnose: Diagnose,
  progress: { reach: Reach },
): Promise<string> {
  const { method, url, headers, body } = request;
  // Not "error": that would make a redirect look like a network that is down, and core has words for it.
  const how = { redirect: "manual", credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer" } as const;
  try {
    const response: unknown = await fetch(url, { method, headers, body, ...how, signal });
    if (!isResponse(response))
      return failed(progress.reach, "the `fetch` that was given answered with something else than a Response");
    // A browser shows nothing of a redirect, not even its status.
    const status = response.type === "opaqueredirect" ? 302 : response.status;
    progress.reach = { broken: status };
    const whole = await text(response);
    if (whole === undefined) return failed(progress.reach, "the answer is larger than 1 MiB");
    return JSON.stringify({ responded: { status, headers: [...response.headers], body: whole } } satisfies Event);
  } catch (error) {
    const { isUnsent, detail } = await diagnose(error, request, signal);
    if (isUnsent && progress.reach === "unanswered") progress.reach = "not_sent";
    return failed(progress.reach, detail);
  }
}

function isResponse(value: unknown): value is Response {
  if (typeof value !== "object" || value === null) return false;
  const { status, headers } = value as Partial<Response>;
  return Number.isInteger(status) && typeof headers?.[Symbol.iterator] === "function";
}

/** The body, unless it is too large. What is not UTF-8 is replaced. */
async function text(response: Response): Promise<string | undefined> {
  if (!response.body) return "";
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const reader = response.body.getReader();
  let whole = "";
  for (let size = 0; ;) {
    const { done, value } = await reader.read();
    if (done) return whole + decoder.decode();
    size += value.byteLength;
    if (size > MOST) {
      reader.cancel().catch(() => {});
      return undefined;
    }
    whole += decoder.decode(value, { stream: true });
  }
}

function failed(reach: Reach, detail: string): string {
  return JSON.stringify({ request_failed: { reach, detail } } satisfies Event);
}
