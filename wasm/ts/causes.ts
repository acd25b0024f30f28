// Why a `fetch` of a browser failed. It says next to nothing itself: that a server is down and that it does not let
// this origin ask it are one and the same error.
import type { Diagnosis } from "../../node-binding/ts/sending.js";
import type { HttpRequest } from "../../node-binding/types.js";

/** For so long a server may take to show that it is there, in milliseconds. */
const PATIENCE = 3000;

/** Whether nothing can be sent there: the one case in which a browser knows. */
export function isOffline(url: string): boolean {
  return navigator.onLine === false && !/^https?:\/\/(localhost|127\.|\[::1\])/.test(url);
}

/** What may be the reason. Where asking once more does no harm, a request whose answer nobody sees tells more. */
export async function diagnose(
  fetch: typeof globalThis.fetch,
  { method, url }: HttpRequest,
  signal: AbortSignal,
): Promise<Diagnosis> {
  const refused = `it does not let pages of ${location.origin} ask it (CORS)`;
  if (method !== "GET" || signal.aborted) return { detail: `it does not answer, or ${refused}` };
  return {
    detail: (await answers(fetch, url, signal))
      ? `it answers, but ${refused}`
      : "it does not answer, or this page's policy forbids to ask it",
  };
}

/** Whether anything answers there before long. Whatever the function does, this does not fail and is not late. */
function answers(fetch: typeof globalThis.fetch, url: string, signal: AbortSignal): Promise<boolean> {
  const asking = new AbortController();
  return new Promise<boolean>((resolve) => {
    const stop = (): void => resolve(false);
    const timer = setTimeout(stop, PATIENCE);
    signal.addEventListener("abort", stop, { once: true, signal: asking.signal });
    asking.signal.addEventListener("abort", () => clearTimeout(timer));
    // No redirect is kept from being followed: in this mode that would be an error, whoever answers.
    const how = { mode: "no-cors", credentials: "omit", cache: "no-store", signal: asking.signal } as const;
    Promise.resolve(fetch(url, how)).then(() => resolve(true), stop);
  })
    .catch(() => false)
    .finally(() => asking.abort());
}
