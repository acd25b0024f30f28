// The Node host: HTTP by the `fetch` of the program, everything else by the native library.
import type { Effect, LogLine, Prompt as WirePrompt } from "../types.js";
import { diagnose } from "./causes.js";
import type { Host } from "./driver.js";
import { misused } from "./errors.js";
import { type Native, library } from "./native.js";
import { type Answers, BrowserPrompt, DeviceCodePrompt, type Prompt } from "./prompts.js";
import { send } from "./sending.js";
import { sleep } from "./waiting.js";
import type { Wish } from "./wish.js";

/** What a program brings along. */
export interface Around {
  fetch: typeof globalThis.fetch;
  onPrompt: ((prompt: Prompt) => unknown) | undefined;
  openUrl: ((url: string) => unknown) | undefined;
  log: ((line: LogLine) => unknown) | undefined;
  /** Whether the page of a browser login is opened here. */
  opens: boolean;
}

/** Performs the effects of one flow. */
export class NodeHost implements Host {
  readonly #native: Native;
  readonly #around: Around;
  /** What a callback has thrown after it had returned. */
  #failed: { cause: unknown } | undefined;
  #fail: (() => void) | undefined;

  constructor(native: Native, around: Around) {
    this.#native = native;
    this.#around = around;
  }

  perform(effect: Effect, wish: Wish | undefined): string | Promise<string> {
    if (wish) this.#raise();
    if ("http" in effect) return send(this.#around.fetch, effect.http, wish, diagnose);
    if ("load" in effect) return this.#native.loadAtOnce(JSON.stringify(effect.load)) ?? this.#perform(effect, wish);
    if ("sleep" in effect) return sleep(effect.sleep.milliseconds, wish);
    if ("present" in effect) return this.#present(effect.present, effect, wish);
    return this.#perform(effect, wish);
  }

  seed(): Uint8Array {
    return library().seed();
  }

  log(line: LogLine): void {
    if (!this.#around.log) return;
    try {
      this.#around.log(line);
    } catch {
      // A log that fails is no reason for a login or a refresh to fail.
    }
  }

  async #perform(effect: Effect, wish: Wish | undefined): Promise<string> {
    const native = this.#native;
    const forget = wish?.listen(() => native.cancel());
    this.#fail = wish && (() => native.cancel());
    try {
      const event = await native.perform(JSON.stringify(effect));
      if (wish) this.#raise();
      return event;
    } finally {
      this.#fail = undefined;
      forget?.();
    }
  }

  async #present(prompt: WirePrompt, effect: Effect, wish: Wish | undefined): Promise<string> {
    const { onPrompt, openUrl, opens } = this.#around;
    if ("user_code" in prompt) {
      if (!onPrompt) throw nobodyToTell("a device code must be shown to the person");
      this.#call(onPrompt, new DeviceCodePrompt(prompt.user_code));
    } else {
      if (onPrompt) this.#call(onPrompt, new BrowserPrompt(prompt.browser, opens, this.answers()));
      if (opens && openUrl) this.#call(openUrl, prompt.browser.authorization_url);
    }
    // The native side opens a page where nobody else does, and ends what is left of a browser login before a code.
    const event = await this.#perform(effect, wish);
    const notices = this.#native.notices();
    for (const message of notices) this.log({ level: "notice", message });
    if (notices.length > 0 && !onPrompt) throw nobodyToTell(notices.join("; "));
    return event;
  }

  /** How a person answers a prompt. */
  protected answers(): Answers {
    const native = this.#native;
    return { paste: (text) => native.enter(text), switchToDeviceCode: () => native.enter("d") };
  }

  /** Throws what a callback has thrown, once: never where it would cost what a server has granted. */
  #raise(): void {
    const failed = this.#failed;
    this.#failed = undefined;
    if (failed) throw failed.cause;
  }

  /** Calls what the program gave, and waits for nobody: the answer to a prompt comes another way. */
  #call<Argument>(callback: (argument: Argument) => unknown, argument: Argument): void {
    Promise.resolve(callback(argument)).then(undefined, (cause: unknown) => {
      this.#failed ??= { cause };
      this.#fail?.();
    });
  }
}

function nobodyToTell(why: string): Error {
  return misused(
    "no_prompt",
    `${why}, and there is no \`onPrompt\``,
    "pass `onPrompt`, which tells the person what to do",
  );
}
