// Why a `fetch` of a browser failed. It says next to nothing itself: that a server is down and that it does not let
// this origin ask it are one and the same error.
import type { Diagnosis } from "../../node-binding/ts/sending.js";

/** Whether nothing can be sent there: the one case in which a browser knows. */
export function isOffline(url: string): boolean {
  return navigator.onLine === false && !/^https?:\/\/(localhost|127\.|\[::1\])/.test(url);
}

/** What may be the reason. Where asking once more does no harm, a request whose answer nobody sees tells more. */
export async function diagnose(fetch: typeof globalThis.fetch, method: string, url: string): Promise<Diagnosis> {
  const refused = `it does not let pages of ${location.origin} ask it (CORS)`;
  if (method !== "GET") return { detail: `it does not answer, or ${refused}` };
  const how = { mode: "no-cors", credentials: "omit", cache: "no-store" } as const;
  const answers = await fetch(url, how).then(
    () => true,
    () => false,
  );
  return {
    detail: answers ? `it answers, but ${refused}` : "it does not answer, or this page's policy forbids to ask it",
  };
}
