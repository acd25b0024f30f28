// How long the access token is good, as a dial that empties.
import { element } from "./page.js";

/** An access token's time. */
export interface Life {
  /** When it was issued and when it expires, in milliseconds since the Unix epoch. */
  from: number;
  until: number;
}

/** Shows the time that is left, each second anew. */
export class Countdown {
  #life: Life | undefined;
  #refused = false;
  readonly #dial = element("countdown");
  readonly #arc = element<SVGCircleElement>("dial");
  readonly #time = element("time");

  constructor() {
    setInterval(() => this.#show(), 1000);
  }

  /** Another token, or none. */
  set(life: Life | undefined): void {
    if (life?.until !== this.#life?.until) this.#refused = false;
    this.#life = life;
    this.#show();
  }

  /** The server takes it no more, whatever the token says. */
  refuse(): void {
    this.#refused = this.#life !== undefined;
    this.#show();
  }

  #show(): void {
    const left = this.#life ? Math.max(0, this.#life.until - Date.now()) : 0;
    const share = this.#life ? left / Math.max(1, this.#life.until - this.#life.from) : 0;
    const isOver = this.#life !== undefined && (this.#refused || left === 0);
    this.#dial.classList.toggle("low", share < 0.2);
    this.#dial.classList.toggle("over", isOver);
    this.#dial.classList.toggle("refused", this.#refused);
    this.#dial.classList.toggle("empty", this.#life === undefined);
    this.#arc.style.strokeDasharray = `${isOver ? 100 : share * 100} 100`;
    this.#time.textContent = !this.#life ? "–" : this.#refused ? "refused" : clock(left);
    const words = !this.#life
      ? "no token"
      : isOver
        ? "the access token is good no more"
        : `the access token is good for ${spoken(left)}`;
    if (this.#dial.getAttribute("aria-label") !== words) this.#dial.setAttribute("aria-label", words);
  }
}

function clock(milliseconds: number): string {
  const total = Math.ceil(milliseconds / 1000);
  return `${Math.floor(total / 60)}:${String(total % 60).padStart(2, "0")}`;
}

function spoken(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000);
  return minutes < 1 ? "less than a minute" : minutes === 1 ? "a minute" : `${minutes} minutes`;
}
