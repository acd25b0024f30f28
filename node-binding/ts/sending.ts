// HTTP by way of a `fetch`: what happened is an event, whatever the function does. No word of a host in here.
import type { Event, HttpRequest, Reach } from "../types.js";
import { CANCELLED } from "./driver.js";
import type { Wish } from "./wish.js";

/** The largest body of an answer. */
const MOST = 1024 * 1024;

/** The codes of the failures after which not a byte can have left: nobody was there to take one. */
const NOBODY_THERE = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"]);

/** What a request ended with, before anything was heard of it. */
type Stop = "cancelled" | "late";

/** Sends a request once and follows no redirect: the JSON of `responded`, `request_failed` or `cancelled`. */
export async function send(
  fetch: typeof globalThis.fetch,
  request: HttpRequest,
  wish: Wish | undefined,
): Promise<string> {
  const controller = new AbortController();
  let stop: (why: Stop) => void = () => {};
  const stopped = new Promise<Stop>((resolve) => (stop = resolve));
  const forget = wish?.listen(() => stop("cancelled"));
  const timer = setTimeout(() => stop("late"), Math.min(request.deadline, 2 ** 31 - 1));
  // A function that does not listen to its signal is left behind.
  const exchange = new Exchange(fetch, request, controller.signal);
  try {
    const end = await Promise.race([exchange.run(), stopped]);
    if (end === "cancelled") return CANCELLED;
    if (end === "late") return failed(exchange.reach, `no answer within ${request.deadline / 1000} s`);
    return end;
  } finally {
    clearTimeout(timer);
    forget?.();
    controller.abort();
  }
}

class Exchange {
  /** How far it has got. */
  reach: Reach = "unanswered";
  readonly #fetch: typeof globalThis.fetch;
  readonly #request: HttpRequest;
  readonly #signal: AbortSignal;

  constructor(fetch: typeof globalThis.fetch, request: HttpRequest, signal: AbortSignal) {
    this.#fetch = fetch;
    this.#request = request;
    this.#signal = signal;
  }

  async run(): Promise<string> {
    const { method, url, headers, body } = this.#request;
    try {
      const fetch = this.#fetch;
      const how = { redirect: "manual", credentials: "omit", cache: "no-store", signal: this.#signal } as const;
      const response: unknown = await fetch(url, { method, headers, body, ...how });
      return await this.#receive(response);
    } catch (error) {
      if (NOBODY_THERE.has(codeOf(error)) && this.reach === "unanswered") this.reach = "not_sent";
      return failed(this.reach, describe(error));
    }
  }

  async #receive(response: unknown): Promise<string> {
    if (!isResponse(response))
      return failed(this.reach, "the `fetch` that was given answered with something else than a Response");
    // A browser shows nothing of a redirect, not even its status.
    const status = response.type === "opaqueredirect" ? 302 : response.status;
    this.reach = { broken: status };
    const body = await text(response);
    if (body === undefined) return failed(this.reach, "the answer is larger than 1 MiB");
    return JSON.stringify({ responded: { status, headers: [...response.headers], body } } satisfies Event);
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

/** The code of the cause: `fetch` hides it, and where a name has several addresses there are several causes. */
function codeOf(error: unknown): string {
  for (let cause = error; typeof cause === "object" && cause !== null; cause = (cause as { cause?: unknown }).cause) {
    const { code } = cause as { code?: unknown };
    if (typeof code === "string") return code;
  }
  return "";
}

/** In words that quote nothing: what an unknown function throws may hold the request. */
function describe(error: unknown): string {
  switch (codeOf(error)) {
    case "ECONNREFUSED":
      return "the connection was refused";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "its name cannot be resolved";
    case "ECONNRESET":
    case "EPIPE":
    case "UND_ERR_SOCKET":
      return "the connection was reset";
    case "ETIMEDOUT":
    case "UND_ERR_CONNECT_TIMEOUT":
      return "the connection was not made in time";
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return "its certificate is from an authority that is not trusted here; NODE_EXTRA_CA_CERTS names one to trust";
    case "CERT_HAS_EXPIRED":
      return "its certificate has expired, or the clock of this machine is wrong";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return "its certificate is for another host";
    default: {
      const code = codeOf(error);
      return /^[A-Z0-9_]{1,64}$/.test(code) ? `fetch failed (${code})` : "fetch failed";
    }
  }
}
