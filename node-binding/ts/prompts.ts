// What a person is told in the middle of a login. Getters, so that no log and no inspection shows what is in them.
import type { Prompt as Wire } from "../types.js";

/** What a person is to do next: narrow it by its `kind`. */
export type Prompt = BrowserPrompt | DeviceCodePrompt;

/** What answers a prompt. */
export interface Answers {
  paste(text: string): void;
  switchToDeviceCode(): void;
}

type Of<Kind extends "browser" | "user_code"> = Extract<Wire, Record<Kind, unknown>>[Kind];

/** Go to a page and consent there. */
export class BrowserPrompt {
  readonly kind = "browser";
  /** Whether the page is being opened here; else the person opens it. */
  readonly opens: boolean;
  readonly #prompt: Of<"browser">;
  readonly #answers: Answers;

  constructor(prompt: Of<"browser">, opens: boolean, answers: Answers) {
    this.#prompt = prompt;
    this.opens = opens;
    this.#answers = answers;
  }

  /** The page. */
  get url(): string {
    return this.#prompt.authorization_url;
  }

  /** Where the browser will come back to. */
  get redirectUri(): string {
    return this.#prompt.redirect_uri;
  }

  /** Whether a device code can be had instead. */
  get canSwitch(): boolean {
    return this.#prompt.can_switch;
  }

  /** Hands in the address that a browser on another machine ended on, or the code in it. */
  paste(text: string): void {
    this.#answers.paste(text);
  }

  /** Goes on with a device code. */
  switchToDeviceCode(): void {
    this.#answers.switchToDeviceCode();
  }
}

/** Enter a code on a page, on any device. */
export class DeviceCodePrompt {
  readonly kind = "device_code";
  readonly #prompt: Of<"user_code">;

  constructor(prompt: Of<"user_code">) {
    this.#prompt = prompt;
  }

  /** The code. */
  get userCode(): string {
    return this.#prompt.user_code;
  }

  /** The page to enter it on. */
  get verificationUri(): string {
    return this.#prompt.verification_uri;
  }

  /** The same page with the code filled in, for a link or a QR code. */
  get verificationUriComplete(): string | null {
    return this.#prompt.verification_uri_complete;
  }

  /** When the code stops working. */
  get expiresAt(): Date {
    return new Date(this.#prompt.expires_at);
  }
}
