// What the tokens of the credential say: their claims, which this page's person may know. The tokens are not kept.
import type { Effect, Event } from "../../../node-binding/types.js";
import { element, make } from "./page.js";

export type Claims = Readonly<Record<string, unknown>>;

/** The claims of a credential. */
export interface Credential {
  access: Claims;
  id: Claims;
}

/** The times among the claims (RFC 7519, section 4.1). */
const TIMES = new Set(["exp", "iat", "nbf", "auth_time"]);
/** What has a value that is nobody's business, were it a real server. */
const HIDDEN = new Set(["jti", "nonce"]);

/**
 * The credential in what a flow stores or reads, if there is one; `null` where it removes one.
 */
export function credentialIn(message: Effect | Event): Credential | null | undefined {
  if (typeof message === "string") return undefined;
  if ("remove" in message) return isRecord(message.remove) ? null : undefined;
  const text =
    "save" in message && isRecord(message.save.slot)
      ? message.save.contents
      : "loaded" in message
        ? message.loaded
        : undefined;
  if (typeof text !== "string" || !text.startsWith("{")) return undefined;
  try {
    const { tokens } = JSON.parse(text) as { tokens?: { access_token?: string; id_token?: string } };
    return tokens ? { access: claimsOf(tokens.access_token), id: claimsOf(tokens.id_token) } : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(slot: unknown): boolean {
  return typeof slot === "object" && slot !== null && "record" in slot;
}

/** The claims of a token, nobody having verified them. */
function claimsOf(token: string | undefined): Claims {
  const [, payload] = token?.split(".") ?? [];
  if (payload === undefined) return {};
  const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)) as Claims;
}

/** Shows them. */
export function showClaims(credential: Credential | undefined): void {
  element("no-claims").hidden = credential !== undefined;
  element("claims").replaceChildren(
    ...(credential ? [titled("Access token", credential.access), titled("ID token", credential.id)] : []),
  );
}

function titled(title: string, claims: Claims): HTMLElement {
  const list = make("dl");
  for (const [name, value] of Object.entries(claims)) {
    const text = HIDDEN.has(name) ? "•••" : TIMES.has(name) ? timeOf(Number(value)) : textOf(value);
    list.append(make("dt", { text: name }), make("dd", { text }));
  }
  return make("div", {}, make("h3", { text: title }), list);
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join(", ") : typeof value === "object" ? JSON.stringify(value) : String(value);
}

function timeOf(at: number): string {
  return new Date(at * 1000).toLocaleTimeString([], { hour12: false });
}
