// A login in a window of its own.
import { CANCELLED } from "../../node-binding/ts/driver.js";
import { failed } from "../../node-binding/ts/errors.js";
import { Inbox } from "../../node-binding/ts/waiting.js";
import type { Wish } from "../../node-binding/ts/wish.js";
import { type Away, called, closed } from "./away.js";
import { type Handed, hear } from "./handing.js";

const LOOKS = "popup,width=500,height=680";

/** How often the window is looked at, in milliseconds. */
const GLANCE = 500;

/** So many glances in a row must find the window gone and this page in front. */
const GLANCES = 4;

/** A window, opened at once: later the browser would not let it open. */
export class Popup implements Away {
  readonly leaves = false;
  readonly #window: Window;
  readonly #inbox = new Inbox();
  readonly #stop: () => void;
  /** How to answer what is in the inbox, and what was taken out of it last. */
  readonly #answers: (() => void)[] = [];
  #answer: (() => void) | undefined;

  constructor() {
    const opened = open("about:blank", "_blank", LOOKS);
    if (!opened) {
      const help =
        "call `login` while a click is being handled, before anything is awaited, or sign in without `popup`";
      throw failed("local", "popup_blocked", "the browser has blocked the window of the sign-in", help);
    }
    this.#window = opened;
    this.#stop = hear((handed, answer) => this.#hear(handed, answer));
  }

  go(url: string): void {
    this.#window.location.replace(url);
  }

  next(until: number, _suspend: () => Promise<string>, wish: Wish | undefined): Promise<string> {
    return new Promise((resolve, reject) => {
      let gone = 0;
      const glancing = setInterval(() => {
        // A window that its server has cut off from this page looks closed; but then it is in front, not this page.
        gone = this.#window.closed && document.hasFocus() ? gone + 1 : 0;
        if (gone === GLANCES) reject(closed());
      }, GLANCE);
      this.#inbox
        .next(until - Date.now(), wish, "timed_out")
        .then((event) => {
          this.#answer = event.startsWith("{") ? this.#answers.shift() : undefined;
          resolve(event);
        })
        .finally(() => clearInterval(glancing));
    });
  }

  judged(isAnswer: boolean): void {
    if (isAnswer) this.#answer?.();
  }

  end(): void {
    this.#stop();
    // Whoever still waits for it stops looking.
    this.#inbox.hear(CANCELLED);
    this.#window.close();
  }

  #hear(handed: Handed, answer: (handed: Handed) => void): void {
    if (handed.hallpass !== "arrived") return;
    this.#answers.push(() => answer({ hallpass: "taken", id: handed.id }));
    this.#inbox.hear(called(new URL(handed.url)));
  }
}
