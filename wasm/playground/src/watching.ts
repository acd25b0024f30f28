// A `Flow` that tells what passes through it, without its secrets.
import type { Effect, Event, Message, Outcome } from "../../../node-binding/types.js";
import { placesOf } from "./machines.js";
import { redacted } from "./redaction.js";
import type { TracedFlow } from "./traced.js";
import type { End, Kind, Turn } from "./turn.js";
import { effectInWords, eventInWords } from "./words.js";

/** Hears each turn. */
export type Watcher = (turn: Turn) => void;

/** What is told besides, and to nobody but this page: the claims of a credential are in what is stored. */
export type Glimpse = (message: Effect | Event) => void;

/** A class that does what `Flow` does, and tells the watcher. */
export function watched(Flow: new () => TracedFlow, tab: string, watcher: Watcher, glimpse: Glimpse = () => {}) {
  let count = 0;
  return class WatchedFlow {
    readonly #flow = new Flow();
    readonly #id = `${tab}.${Date.now().toString(36)}.${(count += 1)}`;
    #kind: Kind = "token";
    #asked = performance.now();

    start(request: string, now: number, seed: Uint8Array): string {
      this.#kind = (Object.keys(JSON.parse(request) as object)[0] ?? "token") as Kind;
      return this.#tell(undefined, () => this.#flow.start(request, now, seed));
    }

    step(now: number, event: string): string {
      return this.#tell(event, () => this.#flow.step(now, event));
    }

    suspend(): string {
      return this.#flow.suspend();
    }

    resume(suspended: string, request: string, now: number): string {
      this.#kind = "login";
      return this.#tell(undefined, () => this.#flow.resume(suspended, request, now));
    }

    free(): void {
      this.#flow.free();
    }

    #tell(said: string | undefined, turn: () => string): string {
      const waited = performance.now() - this.#asked;
      const answer = turn();
      this.#asked = performance.now();
      try {
        this.#watch(said, answer, waited);
      } catch (error) {
        // Who watches must not disturb.
        console.error("the playground could not show a turn", error);
      }
      return answer;
    }

    #watch(said: string | undefined, answer: string, waited: number): void {
      const message = JSON.parse(answer) as Message;
      const event = said === undefined ? undefined : (JSON.parse(said) as Event | null);
      const perform = "perform" in message ? message.perform : undefined;
      if (event) glimpse(event);
      if (perform) glimpse(perform.effect);
      watcher({
        flow: this.#id,
        tab,
        kind: this.#kind,
        at: Date.now(),
        waited: said === undefined ? 0 : waited,
        event: event ? { words: eventInWords(event), detail: redacted(event) } : undefined,
        effect: perform && { words: effectInWords(perform.effect), detail: redacted(perform.effect) },
        end: "done" in message ? endOf(message.done) : undefined,
        places: placesOf(JSON.parse(this.#flow.states()) as string[]),
        log: perform?.log ?? [],
      });
    }
  };
}

function endOf(ending: { ok: Outcome } | { error: { code: string; message: string } }): End {
  if ("error" in ending) {
    const { code, message } = ending.error;
    return { ok: false, words: `${code}: ${message}`, detail: redacted(ending) };
  }
  return { ok: true, words: outcomeInWords(ending.ok), detail: redacted(ending) };
}

function outcomeInWords(outcome: Outcome): string {
  if ("token" in outcome) {
    const origins: Record<string, string> = {
      stored: "the stored token is good",
      adopted: "another tab had just renewed it",
      refreshed: "a new token",
    };
    return origins[outcome.token.origin] ?? outcome.token.origin;
  }
  if ("login" in outcome) return "signed in, and saved";
  if ("logout" in outcome) return "signed out";
  if ("status" in outcome) return outcome.status.logged_in ? "somebody is signed in" : "nobody is signed in";
  return "done";
}
