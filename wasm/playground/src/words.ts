// What a flow asks and hears, in a few words.
import type { Effect, Event } from "../../../node-binding/types.js";

/** A slot, for a person: `the record`, `the sidecar`. */
const SLOTS: Record<string, string> = {
  record: "the credential",
  sidecar: "the note beside it",
  parked: "the parked answer",
  client: "the client's secret",
  proof: "the key",
  new_proof: "a new key",
};

type Tagged = Record<string, unknown>;

/** What is to be done. */
export function effectInWords(effect: Effect): string {
  const [name, body] = tagged(effect);
  switch (name) {
    case "http":
      return `${String(body["method"]).toUpperCase()} ${pathOf(String(body["url"]))}`;
    case "load":
      return `load ${slot(body)}`;
    case "save":
      return `save ${slot(body["slot"])}`;
    case "remove":
      return `remove ${slot(body)}`;
    case "reserve":
      return "claim room for the answer, and note that it is asked for";
    case "lock":
      return `take the ${String(body["lock"])} lock`;
    case "unlock":
      return `give back the ${String(body)} lock`;
    case "sleep":
      return `wait ${seconds(Number(body["milliseconds"]))}`;
    case "listen":
      return "be ready for the redirect";
    case "await":
      return "wait for the browser to come back";
    case "reply":
      return "tell the waiting browser";
    case "present":
      return "user_code" in body ? "show the person a code" : "show the person where to sign in";
    case "sign":
      return "sign with the key";
    default:
      return name;
  }
}

/** What happened. */
export function eventInWords(event: Event): string {
  const [name, body] = tagged(event);
  switch (name) {
    case "responded":
      return `answered ${String(body["status"])}`;
    case "request_failed":
      return `no answer: ${reach(body["reach"])}`;
    case "loaded":
      return body === null || Object.keys(Object(body)).length === 0 ? "nothing there" : "loaded";
    case "listening":
      return "ready for the redirect";
    case "called":
    case "pasted":
      return "the browser is back";
    case "store_failed":
    case "lock_failed":
    case "listen_failed":
    case "sign_failed":
      return name.replace("_", " ");
    default:
      return name.replaceAll("_", " ");
  }
}

function reach(told: unknown): string {
  if (told === "not_sent") return "nothing was sent";
  return told === "unanswered" ? "sent, but nothing came back" : "it broke off";
}

function slot(told: unknown): string {
  return SLOTS[tagged(told)[0]] ?? tagged(told)[0];
}

/** `"name"` or `{ name: body }`. */
function tagged(value: unknown): [string, Tagged] {
  if (typeof value === "string") return [value, {}];
  const [name = "", body] = Object.entries(Object(value))[0] ?? [];
  return [name, body as Tagged];
}

function pathOf(url: string): string {
  try {
    return new URL(url).pathname;
  } catch {
    return url;
  }
}

/** A duration, for a person. */
export function seconds(milliseconds: number): string {
  return milliseconds < 1000
    ? `${Math.round(milliseconds)} ms`
    : `${(milliseconds / 1000).toFixed(1).replace(/\.0$/, "")} s`;
}
