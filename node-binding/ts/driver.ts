// The loop of every TypeScript shell. It decides nothing, and no word of a host is in here: the browser package runs
// the same loop.
import type { Effect, LogLine, Message, Outcome } from "../types.js";
import { HallpassError, errorOf, hostFailed } from "./errors.js";
import { Wish } from "./wish.js";

/** What the loop needs of a `Flow`. */
export interface Steps {
  start(request: string, now: number, seed: Uint8Array): string;
  step(now: number, event: string): string;
}

/** Who performs effects. */
export interface Host {
  /**
   * Performs one effect and answers with the JSON of an `Event`. Failing is an event too: what is thrown all the same
   * ends the flow, once it has released what it holds.
   *
   * @param wish present where the effect may be given up, and then answered with `"cancelled"`, when it is made
   */
  perform(effect: Effect, wish: Wish | undefined): string | Promise<string>;
  /** 32 bytes from a cryptographic generator. */
  seed(): Uint8Array;
  /** Hears what the flow says about itself; no secret is in it. */
  log(line: LogLine): void;
}

/** The JSON of the event that says that an effect was given up. */
export const CANCELLED = '"cancelled"';

/** The JSON of no event: whoever hears it releases what it holds, and ends. */
const NOTHING = "null";

/**
 * Runs a flow to its end. As long as the host answers at once, so does this, up to its promise.
 *
 * @param first the JSON of the `Message` that the flow began with
 */
export async function drive(flow: Steps, first: string, host: Host, wish = new Wish()): Promise<Outcome> {
  let message = JSON.parse(first) as Message;
  let thrown: { cause: unknown } | undefined;
  while ("perform" in message) {
    const { effect, log, interruptible } = message.perform;
    for (const line of log) host.log(line);
    let event = CANCELLED;
    try {
      if (!interruptible || !wish.take()) {
        const answer = host.perform(effect, interruptible ? wish : undefined);
        event = typeof answer === "string" ? answer : await answer;
        if (event === CANCELLED) wish.take();
      }
    } catch (cause) {
      thrown ??= { cause };
      event = NOTHING;
    }
    message = JSON.parse(flow.step(Date.now(), event)) as Message;
  }
  if ("ok" in message.done) return message.done.ok;
  if (thrown === undefined) throw errorOf(message.done.error);
  if (thrown.cause instanceof HallpassError) throw thrown.cause;
  throw hostFailed(thrown.cause);
}
