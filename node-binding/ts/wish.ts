// The wish that a flow stops. No word of a host in here.

/** Wished for at most once, and delivered at most once: at the first moment at which the flow may be stopped. */
export class Wish {
  #state: "none" | "wished" | "delivered" = "none";
  readonly #listeners = new Set<() => void>();

  /** Wishes that the flow stops. */
  make(): void {
    if (this.#state !== "none") return;
    this.#state = "wished";
    for (const listener of [...this.#listeners]) listener();
  }

  /** Delivers the wish; whether there was one. */
  take(): boolean {
    if (this.#state !== "wished") return false;
    this.#state = "delivered";
    return true;
  }

  /** Calls the listener when the wish is made. The answer takes it back. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    if (this.#state === "wished") listener();
    return () => void this.#listeners.delete(listener);
  }
}
