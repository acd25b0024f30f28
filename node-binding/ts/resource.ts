// Requests with the token in them: to the origins that were named, and nowhere else.
import { failed, misused } from "./errors.js";
import type { Token } from "./results.js";

/** What `fetch` takes, in whatever way the program around knows it (the DOM's types, or Node's). */
export type FetchInput = Parameters<typeof globalThis.fetch>[0];
export type FetchInit = NonNullable<Parameters<typeof globalThis.fetch>[1]>;
type Body = NonNullable<FetchInit["body"]>;

/** The most redirects that are followed, as in `fetch`. */
const MOST = 20;

/** Where tokens come from. */
export interface Tokens {
  usable(): Promise<Token>;
  /** Another token than this one; none where there can be none now. */
  instead(rejected: string): Promise<Token | undefined>;
  /** A proof of possession for one request (RFC 9449), for a token that is bound to a key. */
  proof(token: Token, method: string, url: string, nonce: string | null): Promise<string>;
}

/** One request, until it is answered by something else than a redirect. */
export class ResourceRequest {
  readonly #origins: ReadonlySet<string>;
  readonly #fetch: typeof globalThis.fetch;
  readonly #init: FetchInit;
  readonly #redirect: NonNullable<FetchInit["redirect"]>;
  #url: URL;
  #method: string;
  #headers: Headers;
  #body: Body | null;
  /** A request whose body is not read yet. */
  #unread: Request | undefined;

  constructor(origins: ReadonlySet<string>, fetch: typeof globalThis.fetch, input: FetchInput, init: FetchInit = {}) {
    const asked = input instanceof Request ? input : undefined;
    const { method, headers, body, redirect, ...rest } = init;
    const signal = rest.signal ?? asked?.signal;
    this.#origins = origins;
    this.#fetch = fetch;
    this.#init = signal ? { ...rest, signal } : rest;
    this.#redirect = redirect ?? asked?.redirect ?? "follow";
    this.#url = new URL(asked ? asked.url : String(input));
    this.#method = (method ?? asked?.method ?? "GET").toUpperCase();
    this.#headers = new Headers(headers ?? asked?.headers);
    this.#body = body ?? null;
    if (body === undefined && asked && !/^(GET|HEAD)$/.test(this.#method)) this.#unread = asked;
    this.#checkOrigin();
  }

  /** Sends it, with one recovery on a 401: by then somebody else may have renewed the token, and else it is now. */
  async send(tokens: Tokens): Promise<Response> {
    // Not as a stream, which is sent once, and which not every browser knows.
    const whole = await this.#unread?.arrayBuffer();
    if (whole?.byteLength) this.#body = whole;
    let token = await tokens.usable();
    let recovered = false;
    let nonce: string | null = null;
    for (let hops = 0; ;) {
      const isBound = token.tokenType.toLowerCase() === "dpop";
      const proof = isBound ? await tokens.proof(token, this.#method, this.#url.href, nonce) : undefined;
      const response = await this.#once(token, proof);
      // A resource that wants a nonce in the proof gives it away with its no (RFC 9449, section 9).
      const wanted = isBound && response.status === 401 ? response.headers.get("dpop-nonce") : null;
      if (wanted !== null && nonce === null && !isOnce(this.#body)) {
        nonce = wanted;
        await discard(response);
        continue;
      }
      if (response.status === 401 && !recovered) {
        recovered = true;
        const other = await tokens.instead(token.accessToken);
        // Without another token the 401 is the answer; who sends a stream sends it again, or does not.
        if (!other || isOnce(this.#body)) return response;
        token = other;
        await discard(response);
        continue;
      }
      if (response.type === "opaqueredirect" && this.#redirect !== "manual") throw opaque(this.#url);
      const location = isRedirect(response.status) ? response.headers.get("location") : null;
      if (location === null || this.#redirect === "manual") return response;
      await discard(response);
      hops += 1;
      const { origin } = this.#url;
      this.#follow(location, response.status, hops);
      // Whoever gave a nonce is the only one to see it (RFC 9449, section 9).
      if (this.#url.origin !== origin) nonce = null;
    }
  }

  #once(token: Token, proof: string | undefined): Promise<Response> {
    const fetch = this.#fetch;
    const headers = new Headers(this.#headers);
    headers.set("authorization", `${token.tokenType} ${token.accessToken}`);
    if (proof !== undefined) headers.set("dpop", proof);
    const init: FetchInit & { duplex?: "half" } = { ...this.#init, method: this.#method, headers, redirect: "manual" };
    if (this.#body !== null) init.body = this.#body;
    if (isOnce(this.#body)) init.duplex = "half";
    return fetch(this.#url.href, init);
  }

  /** As `fetch` follows a redirect, but never to where the token may not go. */
  #follow(location: string, status: number, hops: number): void {
    if (this.#redirect === "error") throw new TypeError("fetch failed: the answer is a redirect");
    if (hops > MOST) throw new TypeError("fetch failed: too many redirects");
    const becomesGet = status === 303 ? this.#method !== "HEAD" : status < 303 && this.#method === "POST";
    if (becomesGet) {
      this.#method = "GET";
      this.#body = null;
      for (const name of ["type", "length", "encoding", "language", "location"])
        this.#headers.delete(`content-${name}`);
    }
    if (isOnce(this.#body))
      throw new TypeError("fetch failed: the answer is a redirect, and a stream is not sent twice");
    this.#url = new URL(location, this.#url);
    this.#checkOrigin();
  }

  #checkOrigin(): void {
    const { origin } = this.#url;
    if (this.#origins.has(origin)) return;
    const allowed = this.#origins.size > 0 ? `only to ${[...this.#origins].join(", ")}` : "nowhere yet";
    throw misused(
      "origin_not_allowed",
      `the token is not sent to ${origin}: it may go ${allowed}`,
      "name the origin in `origins`",
    );
  }
}

/** In a browser a redirect that must not be followed blindly cannot be followed at all. */
function opaque({ origin }: URL): Error {
  const message = `${origin} answers with a redirect, and a browser tells nobody where to`;
  return failed("misbehaved", "redirected", message, "ask for the address that it leads to");
}

/** Whether a body can be read only once. */
function isOnce(body: Body | null): boolean {
  return body instanceof ReadableStream || (typeof body === "object" && body !== null && Symbol.asyncIterator in body);
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => {});
}
