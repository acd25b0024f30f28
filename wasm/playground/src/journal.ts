// What the server has seen, asked for again and again while anybody looks.
import { element, make, timeOfDay } from "./page.js";
import { type Journal, journal } from "./server.js";

const PAUSE = 1200;
/** How many lines are kept. */
const MOST = 60;

export class JournalView {
  readonly #list = element("journal");
  readonly #requests = element("requests");
  #next = 0;
  #asking: Promise<void> = Promise.resolve();
  tokenRequests = 0;

  readonly #heard: (journal: Journal) => void;

  /** @param heard is told each answer */
  constructor(heard: (journal: Journal) => void) {
    this.#heard = heard;
    setInterval(() => document.visibilityState === "visible" && void this.look(), PAUSE);
    void this.look();
  }

  /** Asks now. */
  look(): Promise<void> {
    this.#asking = this.#asking.then(() => this.#look());
    return this.#asking;
  }

  async #look(): Promise<void> {
    try {
      const answer = await journal(this.#next);
      const { token_requests, next, entries } = answer;
      this.#heard(answer);
      // A server that was started anew begins at nothing.
      const isNew = next < this.#next;
      this.#next = isNew ? 0 : next;
      this.tokenRequests = token_requests;
      this.#requests.textContent = String(token_requests);
      element("requests-word").textContent = token_requests === 1 ? "token request" : "token requests";
      if (isNew) this.#list.replaceChildren();
      for (const { at, text } of entries)
        this.#list.prepend(make("li", { class: "new" }, make("time", { text: timeOfDay(at) }), make("span", { text })));
      while (this.#list.children.length > MOST) this.#list.lastElementChild?.remove();
      element("no-journal").hidden = this.#list.children.length > 0;
    } catch {
      // The server was stopped; the next call says so.
    }
  }
}
