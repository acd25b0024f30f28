// How a browser goes to the authorization server, and how it comes back.
import { CANCELLED } from "../../node-binding/ts/driver.js";
import { failed } from "../../node-binding/ts/errors.js";
import type { Wish } from "../../node-binding/ts/wish.js";
import type { Event } from "../../node-binding/types.js";
import type { LoginOptions } from "./options.js";
import { keep, take } from "./suspended.js";

/** One login in a browser, as far as it is about windows. */
export interface Away {
  /** Whether this page is left for it. */
  readonly leaves: boolean;
  /** Goes to the page where the person signs in. */
  go?(url: string): void;
  /**
   * Waits for the next address that the browser has come back to: the JSON of `called`, or of what ends the wait.
   *
   * @param until when the wait ends, in milliseconds
   * @param suspend says what of the flow must survive the page
   */
  next(until: number, suspend: () => Promise<string>, wish: Wish | undefined): Promise<string>;
  /** Hears whether the last address was the answer to this login. */
  judged?(isAnswer: boolean): void;
  /** The login has ended, whichever way. */
  end?(): void;
}

/** The event that an address is, for core to judge. */
export function called({ pathname, search, host }: URL): string {
  return JSON.stringify({ called: { method: "GET", target: pathname + search, host } } satisfies Event);
}

/** The page itself goes away; another one comes back. */
export class Redirect implements Away {
  readonly leaves = true;
  readonly #name: string;
  readonly #over = new AbortController();
  #url = "";

  /** @param name under which the login waits */
  constructor(name: string) {
    this.#name = name;
  }

  go(url: string): void {
    this.#url = url;
  }

  async next(_until: number, suspend: () => Promise<string>, wish: Wish | undefined): Promise<string> {
    await keep(this.#name, suspend());
    const { signal } = this.#over;
    return new Promise((resolve) => {
      const stop = (): void => {
        take(this.#name);
        this.end();
        resolve(CANCELLED);
      };
      wish?.listen(stop);
      // Shown again as it was, by the button that goes back: this login is not waited for any more.
      addEventListener("pageshow", ({ persisted }) => persisted && resolve(CANCELLED), { signal });
      if (!signal.aborted) location.assign(this.#url);
    });
  }

  end(): void {
    this.#over.abort();
  }
}

/** One address is there, and no other will come. */
export class Returned implements Away {
  readonly leaves = true;
  #answer: Promise<string> | undefined;

  constructor(url: URL) {
    this.#answer = Promise.resolve(called(url));
  }

  next(): Promise<string> {
    const answer = this.#answer ?? Promise.reject(strayed());
    this.#answer = undefined;
    return answer;
  }
}

/** Somebody else opens the page, and says where it has come back to. */
export class Launched implements Away {
  readonly leaves = false;
  readonly #launch: NonNullable<LoginOptions["launch"]>;
  #url: string | undefined;

  constructor(launch: NonNullable<LoginOptions["launch"]>) {
    this.#launch = launch;
  }

  go(url: string): void {
    this.#url = url;
  }

  next(_until: number, _suspend: () => Promise<string>, wish: Wish | undefined): Promise<string> {
    const url = this.#url;
    this.#url = undefined;
    return new Promise((resolve, reject) => {
      if (url === undefined) return reject(strayed());
      wish?.listen(() => resolve(CANCELLED));
      new Promise<string | undefined>((back) => back(this.#launch(url)))
        .then(
          (back) => (back ? resolve(called(new URL(back))) : reject(closed())),
          (cause: unknown) => reject(closed(cause)),
        )
        .catch(() => reject(strayed()));
    });
  }
}

/** The person has closed the window of a login. */
export function closed(cause?: unknown): Error {
  return failed(
    "declined",
    "popup_closed",
    "the window was closed before the sign-in was finished",
    "sign in again",
    cause,
  );
}

function strayed(): Error {
  return failed(
    "misbehaved",
    "foreign_redirect",
    "the browser has come back with the answer to another sign-in than the one that was begun here",
    "sign in again, in one tab",
  );
}
