// What of a message may be shown. A text is shown where its key is known to be harmless, and is else a row of dots: a
// key that nobody has thought of hides what it holds.

/** Keys whose texts tell nothing that is secret. */
const HARMLESS = new Set(
  `method status url name issuer client_id client_authentication redirect_uri path kind message help detail reach
  store level blame token_type scope error error_description grant_type response_type code_challenge_method
  token_type_hint verification_uri dialect origin reply auth_mode email
  authorization_endpoint token_endpoint revocation_endpoint device_authorization_endpoint userinfo_endpoint jwks_uri
  expires_in expires_at last_refresh account_id plan provider location previous revocation why listening
  content-type date retry-after cache-control accept www-authenticate`.split(/\s+/),
);

/** What the name of an error looks like. */
const WORD = /^[a-z]+(?:_[a-z]+){0,4}$/;
/** Texts that tell nothing under any key: effects and events without a body, places, locks. */
const PLAIN = new Set(
  `locked unlocked saved slept reserved presented replied switched cancelled timed_out file keyring ephemeral transaction
  commit minting sidecar new_proof not_sent unanswered get post put delete`.split(/\s+/),
);

/** The same value without its secrets. */
export function redacted(value: unknown, key = "", beside?: object): unknown {
  if (typeof value === "string") return redactedText(value, key, beside);
  if (Array.isArray(value)) {
    const [name, content] = value as unknown[];
    // A header is a pair of its name and its value.
    if (value.length === 2 && typeof name === "string" && typeof content === "string" && key === "headers")
      return [name, redactedText(content, name.toLowerCase())];
    if (value.length > 16 && value.every((item) => typeof item === "number")) return hidden(value.length);
    return value.map((item) => redacted(item, key));
  }
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, redacted(inner, name, value)]));
  return value;
}

function redactedText(text: string, key: string, beside?: object): unknown {
  if (key === "url" || key === "redirect_uri" || key === "target" || key === "authorization_url")
    return withoutQuery(text);
  // The name of an error; beside anything else a code is one that can be spent.
  if (key === "code" && beside && "message" in beside && WORD.test(text)) return text;
  const body = redactedBody(text);
  if (body !== undefined) return body;
  return HARMLESS.has(key) || PLAIN.has(text) ? text : hidden(text.length);
}

/** JSON and forms are shown by their keys. */
function redactedBody(text: string): unknown {
  if (text.startsWith("{")) {
    try {
      return redacted(JSON.parse(text));
    } catch {
      return undefined;
    }
  }
  if (!/^[\w.-]+=[^\s&]*(?:&[\w.-]+=[^\s&]*)+$/.test(text)) return undefined;
  return Object.fromEntries([...new URLSearchParams(text)].map(([name, value]) => [name, redacted(value, name)]));
}

function withoutQuery(url: string): string {
  const [path = "", query = ""] = url.split("?");
  if (query === "") return path;
  const names = [...new URLSearchParams(query).keys()];
  return `${path}?${names.map((name) => `${name}=…`).join("&")}`;
}

function hidden(length: number): string {
  return length === 0 ? "" : `••• (${length})`;
}
