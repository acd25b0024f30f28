// Why a `fetch` of a browser failed. It says next to nothing itself: that a server is down and that it does not let
// this origin ask it are one and the same error.
import { type Diagnosis, send } from "../../node-binding/ts/sending.js";
import type { Wish } from "../../node-binding/ts/wish.js";
import type { HttpRequest } from "../../node-binding/types.js";

/** For so long a server may take to show that it is there, in milliseconds. */
const PATIENCE = 3000;

/** Whether nothing can be sent there: the one case in which a browser knows. */
export function isOffline(url: string): boolean {
  return navigator.onLine === false && !/^https?:\/\/(localhost|127\.|\[::1\])/.test(url);
}

/**
 * What may be the reason. Where asking once more does no harm, a request whose answer nobody sees tells more.
 *
 * @param signal that of the request, which is aborted where nobody waits for its answer any more
 */
export async function diagnose(
  fetch: typeof globalThis.fetch,
  request: HttpRequest,
  signal: AbortSignal,
  wish: Wish | undefined,
): Promise<Diagnosis> {
  const refused = `it does not let pages of ${location.origin} ask it (CORS)`;
  if (request.method !== "GET" || signal.aborted) return { detail: `it does not answer, or ${refused}` };
  // In this mode a browser takes it for an error, whoever answers, if redirects are not to be followed.
  const unseen: typeof fetch = (url, how) => fetch(url, { ...how, mode: "no-cors", redirect: "follow" });
  const heard = await send(unseen, { ...request, deadline: PATIENCE }, wish, () => ({ detail: "" }));
  return {
    detail: heard.startsWith('{"responded"')
      ? `it answers, but ${refused}`
      : "it does not answer, or this page's policy forbids to ask it",
  };
}
