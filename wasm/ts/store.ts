// The slots of core on a shelf, and the keys that tokens are bound to.
import type { Effect, Event, Key, Slot, StoreTrouble } from "../../node-binding/types.js";
import { type KeyPair, type Shelf, failure, keysOf } from "./shelf.js";

/** How the key of a login survives its page. */
export interface Survival {
  /** Where it lies in the meantime. */
  shelf: Shelf;
  /** The JSON of the login that has come back, if this is one. */
  suspended: string | undefined;
}

/** So many logins may wait at a time; the keys of older ones are let go. */
const WAITING = 5;

/** What an error of the database means to core, by its name. */
const TROUBLES: Readonly<Record<string, StoreTrouble>> = {
  QuotaExceededError: "full",
  SecurityError: "denied",
  NotAllowedError: "denied",
  InvalidStateError: "denied",
  TimeoutError: "timed_out",
  DataError: "unreadable",
};

/** For one flow: what lies on the shelf is everybody's, the key of a new login is its own. */
export class Store {
  readonly #shelf: Shelf;
  readonly #survival: Survival | undefined;
  readonly #changed: () => void;
  #newKey: KeyPair | undefined;

  /**
   * @param survival of a login whose page is left
   * @param changed is called when the record has been written
   */
  constructor(shelf: Shelf, survival: Survival | undefined, changed: () => void) {
    this.#shelf = shelf;
    this.#survival = survival;
    this.#changed = changed;
  }

  /** Performs what concerns a slot or a key: nothing where the effect concerns none. */
  perform(effect: Effect): Promise<string> | undefined {
    const event = this.#perform(effect);
    return event?.then(JSON.stringify, (error: unknown) => {
      const name = error instanceof Error || error instanceof DOMException ? error.name : "Error";
      const detail = `the browser's database says ${name}`;
      const kind = TROUBLES[name] ?? "other";
      const failed: Event = "sign" in effect ? { sign_failed: { detail } } : { store_failed: { kind, detail } };
      return JSON.stringify(failed);
    });
  }

  /** Keeps the key of a login while its page is away. */
  async suspend(suspended: string): Promise<void> {
    if (!this.#survival || !this.#newKey) return;
    const pair = { ...this.#newKey, flow: await hash(suspended) };
    await this.#survival.shelf.change("flow", (waiting) => [...waiting.slice(1 - WAITING), pair]);
  }

  #perform(effect: Effect): Promise<Event> | undefined {
    if ("load" in effect) return this.#load(effect.load);
    if ("save" in effect) return this.#save(effect.save.slot, effect.save.contents);
    if ("remove" in effect) return this.#remove(effect.remove);
    // The room that the answer will need is claimed by writing as much: what is sealed cannot be compressed.
    if ("reserve" in effect) return this.#reserve(effect.reserve.intent.padEnd(effect.reserve.size));
    return "sign" in effect ? this.#sign(effect.sign.key, effect.sign.input) : undefined;
  }

  async #load(slot: Slot): Promise<Event> {
    if (slot === "new_proof") return { loaded: (this.#newKey ??= await this.#makeKey())?.jwk ?? null };
    const name = nameOf(slot);
    const value = await this.#shelf.get(name);
    return { loaded: (typeof value === "string" ? value : keysOf(value).at(-1)?.jwk) ?? null };
  }

  /** The key of this login: a new one, or the one it had before its page was left. Without one it goes on, too. */
  async #makeKey(): Promise<KeyPair | undefined> {
    if (!this.#survival) return newKey();
    const { shelf, suspended } = this.#survival;
    // A shelf that is not to be had is found out while the login can still go without a key.
    await shelf.get("flow");
    if (suspended === undefined) return newKey();
    const flow = await hash(suspended);
    let kept: KeyPair | undefined;
    await shelf.change("flow", (waiting) => {
      kept = waiting.find((pair) => pair.flow === flow);
      return waiting.filter((pair) => pair !== kept);
    });
    return kept;
  }

  async #save(slot: Slot, contents: string): Promise<Event> {
    const name = nameOf(slot);
    if (name === "proof") {
      const kept = keysOf(await this.#shelf.get(name));
      const pair = [this.#newKey, ...kept].find((pair) => pair?.jwk === contents);
      if (!pair) throw failure("NotFoundError");
      // The one before it stays: a session that is being replaced is still to be revoked.
      await this.#shelf.put(name, [...kept.filter((other) => other !== pair).slice(-1), pair]);
    } else await this.#shelf.put(name, contents);
    if (name === "record") this.#changed();
    return "saved";
  }

  async #remove(slot: Slot): Promise<Event> {
    const removed = await this.#shelf.delete(nameOf(slot));
    if (nameOf(slot) === "record") this.#changed();
    return { removed };
  }

  async #reserve(contents: string): Promise<Event> {
    await this.#shelf.put("parked", contents);
    return "reserved";
  }

  async #sign(key: Key, input: string): Promise<Event> {
    const pair =
      key === "new_proof"
        ? this.#newKey
        : keysOf(await this.#shelf.get("proof")).find(({ jwk }) => "proof" in key && jwk === key.proof.public);
    if (!pair) return { sign_failed: { detail: "this browser does not have it any more" } };
    const how = { name: "ECDSA", hash: "SHA-256" };
    const signature = await crypto.subtle.sign(how, pair.key, new TextEncoder().encode(input));
    const base64 = btoa(String.fromCharCode(...new Uint8Array(signature)));
    return { signed: base64.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "") };
  }
}

/** A slot by the name of its kind: there is one place here. */
function nameOf(slot: Slot): string {
  return typeof slot === "string" ? slot : (Object.keys(slot)[0] ?? "");
}

/** A key pair of P-256 whose private half cannot be taken out. */
async function newKey(): Promise<KeyPair> {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  const { crv, kty, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return { jwk: JSON.stringify({ crv, kty, x, y }), key: pair.privateKey };
}

/** What tells one suspended login from another, and nothing about it. */
async function hash(suspended: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(suspended))).join();
}
