// The address that this page was loaded with, where it is the answer to a login.

/** What an authorization server adds to a redirect URI (RFC 6749, section 4.1.2; RFC 9207; OpenID Session Management). */
const ADDED = new Set(["code", "state", "iss", "error", "error_description", "error_uri", "session_state"]);

let arrived: URL | undefined;

/**
 * The address with the answer to a login, if that is what this page was loaded with. The page's own address loses the
 * answer at once: no other script, no log and no referrer is to see it. What else it says stays.
 *
 * @param redirectUri where answers come to; any address where it is not given
 */
export function arrival(redirectUri?: string): URL | undefined {
  if (typeof document === "undefined") return undefined;
  const url = new URL(location.href);
  const own = redirectUri === undefined ? url : new URL(redirectUri);
  const { searchParams: query } = url;
  const isAnswer = query.has("state") && (query.has("code") || query.has("error"));
  if (isAnswer && own.origin === url.origin && own.pathname === url.pathname) {
    arrived = url;
    const kept = url.search
      .slice(1)
      .split("&")
      .filter((part) => !ADDED.has([...new URLSearchParams(part).keys()][0] ?? ""));
    history.replaceState(history.state, "", url.pathname + (kept.length > 0 ? `?${kept.join("&")}` : "") + url.hash);
  }
  return arrived;
}

/** Lets go of the address: it answers one login. */
export function forgetArrival(): void {
  arrived = undefined;
}
