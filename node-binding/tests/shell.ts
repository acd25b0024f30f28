// Compiled, never run: the types must lead an author of a shell to every case.
import { Flow, type Effect, type Ending, type Event, type Message, type Request, type Suspension } from "hallpass/core";

const request: Request = {
  login: {
    configuration: { provider: { name: "example", issuer: "https://id.example", client_id: "tool" } },
    method: "browser",
  },
};

/** The whole of a shell. */
export async function run(perform: (effect: Effect) => Promise<Event>): Promise<Ending> {
  const flow = new Flow();
  let message: Message = JSON.parse(
    flow.start(JSON.stringify(request), Date.now(), crypto.getRandomValues(new Uint8Array(32))),
  );
  while ("perform" in message) {
    const event = await perform(message.perform.effect);
    message = JSON.parse(flow.step(Date.now(), JSON.stringify(event)));
  }
  return message.done;
}

/** A union is narrowed by its keys, down to what nobody has thought of. */
export async function perform(effect: Effect): Promise<Event> {
  if ("http" in effect) {
    const { method, url, headers, body } = effect.http;
    const response = await fetch(url, { method, headers, body, redirect: "manual" });
    return { responded: { status: response.status, headers: [...response.headers], body: await response.text() } };
  }
  if ("load" in effect) return { loaded: effect.load === "sidecar" ? null : "…" };
  if ("save" in effect) return effect.save.contents.length > 4096 ? { store_failed: { kind: "full", detail: "" } } : "saved";
  if ("remove" in effect) return { removed: true };
  if ("lock" in effect) return effect.lock.lock === "transaction" ? "locked" : { lock_failed: { kind: "busy", detail: "" } };
  if ("unlock" in effect) return "unlocked";
  if ("reserve" in effect) return "reserved";
  if ("sleep" in effect) return "slept";
  if ("listen" in effect) return { listening: { redirect_uri: `http://127.0.0.1:${effect.listen.ports[0]}` } };
  if ("await" in effect) return "timed_out";
  if ("reply" in effect) return effect.reply === "signed_in" ? "replied" : "cancelled";
  if ("present" in effect) return "browser" in effect.present ? "presented" : "cancelled";
  if ("run" in effect) return { run_failed: { detail: effect.run.program } };
  if ("sign" in effect) return { sign_failed: { detail: effect.sign.algorithm } };
  const nothing: never = effect;
  return nothing;
}

/** What an ending says to a person. */
export function words(ending: Ending): string {
  if ("error" in ending) return [ending.error.message, ending.error.help ?? ""].join("\n");
  if ("token" in ending.ok) return ending.ok.token.origin;
  return "done";
}

export function suspended(flow: Flow): Suspension {
  return JSON.parse(flow.suspend());
}

// @ts-expect-error: there is no such event
export const wrong: Event = "exploded";
// @ts-expect-error: a login says how
export const incomplete: Request = { login: { configuration: request.login.configuration } };
