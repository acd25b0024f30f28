// The browser host: performs what core asks for, with what a page or a worker has.
import type { Effect, Event, HttpRequest, LogLine, Prompt } from "../../node-binding/types.js";
import type { Host } from "../../node-binding/ts/driver.js";
import { misused } from "../../node-binding/ts/errors.js";
import { send } from "../../node-binding/ts/sending.js";
import { sleep } from "../../node-binding/ts/waiting.js";
import type { Wish } from "../../node-binding/ts/wish.js";
import type { Away } from "./away.js";
import { diagnose, isOffline } from "./causes.js";
import type { UserCode } from "./engine.js";
import { type Mutex, type Release, lock } from "./locks.js";
import type { Store } from "./store.js";

/** What one flow is performed with. */
export interface Around {
  store: Store;
  mutex: Mutex;
  redirectUri: string | undefined;
  fetch: typeof globalThis.fetch;
  away: Away | undefined;
  show: ((code: UserCode) => unknown) | undefined;
  log: ((line: LogLine) => unknown) | undefined;
  /** What of the flow must survive its page. */
  suspend(): Promise<string>;
}

/** Performs the effects of one flow. */
export class BrowserHost implements Host {
  readonly #around: Around;
  #release: Release | undefined;
  /** An address was handed in, and nobody has said yet what it is worth. */
  #isJudging = false;
  /** What a callback has thrown after it had returned. */
  #thrown: { cause: unknown } | undefined;

  constructor(around: Around) {
    this.#around = around;
  }

  perform(effect: Effect, wish: Wish | undefined): string | Promise<string> {
    if (wish && this.#thrown) throw this.#thrown.cause;
    if (this.#isJudging) this.#judged(effect);
    if ("http" in effect) return this.#send(effect.http, wish);
    if ("sleep" in effect) return sleep(effect.sleep.milliseconds, wish);
    if ("lock" in effect)
      return effect.lock.lock === "transaction" ? this.#lock(effect.lock.deadline, wish) : '"locked"';
    if ("unlock" in effect) return this.#unlock(effect.unlock === "transaction");
    if ("listen" in effect) return this.#listen();
    if ("present" in effect) return this.#present(effect.present);
    if ("await" in effect) return this.#await(effect.await.until, wish);
    if ("reply" in effect) return '"replied"';
    const event = this.#around.store.perform(effect);
    if (event === undefined) throw misused("unexpected_event", "a browser runs no commands");
    return event;
  }

  /** Gives back what a flow still holds that has not come to its end. */
  finish(): void {
    this.#release?.();
    this.#release = undefined;
  }

  seed(): Uint8Array {
    return crypto.getRandomValues(new Uint8Array(32));
  }

  log(line: LogLine): void {
    try {
      this.#around.log?.(line);
    } catch {
      // A log that fails is no reason for a login or a refresh to fail.
    }
  }

  #send(request: HttpRequest, wish: Wish | undefined): string | Promise<string> {
    const { fetch } = this.#around;
    if (!isOffline(request.url)) return send(fetch, request, wish, (_, ...how) => diagnose(fetch, ...how, wish));
    const failure: Event = { request_failed: { reach: "not_sent", detail: "this browser is offline" } };
    return JSON.stringify(failure);
  }

  async #lock(deadline: number, wish: Wish | undefined): Promise<string> {
    const { event, release } = await lock(this.#around.mutex, deadline, wish);
    this.#release = release;
    return event;
  }

  #unlock(isHeld: boolean): string {
    if (isHeld) this.finish();
    return '"unlocked"';
  }

  #listen(): string {
    const { redirectUri } = this.#around;
    const event: Event =
      redirectUri === undefined
        ? { listen_failed: { detail: "there is no `redirectUri`" } }
        : { listening: { redirect_uri: redirectUri } };
    return JSON.stringify(event);
  }

  #present(prompt: Prompt): string {
    const { away, show } = this.#around;
    if ("browser" in prompt) away?.go?.(prompt.browser.authorization_url);
    // The answer comes another way: nobody waits for this.
    else Promise.resolve(show?.(prompt.user_code)).catch((cause: unknown) => (this.#thrown = { cause }));
    return '"presented"';
  }

  async #await(until: number, wish: Wish | undefined): Promise<string> {
    const { away, suspend } = this.#around;
    const event = (await away?.next(until, suspend, wish)) ?? '"timed_out"';
    this.#isJudging = true;
    return event;
  }

  /** What core does after it has been handed an address says what it thinks of it. */
  #judged(effect: Effect): void {
    this.#isJudging = false;
    const isStray = "reply" in effect && (effect.reply === "bad_request" || effect.reply === "not_found");
    this.#around.away?.judged?.(!isStray);
  }
}
