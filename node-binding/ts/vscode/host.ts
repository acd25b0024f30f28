// The host in an editor: pages may come back through the editor, and credentials may lie in its secret storage.
import type * as vscode from "vscode";
import type { Effect, Event, Slot } from "../../types.js";
import { Inbox, NodeHost } from "../all.js";
import type { Around } from "../host.js";
import type { Native } from "../native.js";
import type { Answers } from "../prompts.js";
import type { Wish } from "../wish.js";

/** What the editor does in place of this machine. */
export interface Editor {
  /** Where the browser comes back to through the editor, if it does. */
  callback?: Callback | undefined;
  /** Where the slots of the home are kept, if not in files. */
  slots?: SecretSlots | undefined;
}

/** Performs the effects of one flow. */
export class EditorHost extends NodeHost {
  readonly #editor: Editor;

  constructor(native: Native, around: Around, editor: Editor) {
    super(native, around);
    this.#editor = editor;
  }

  override perform(effect: Effect, wish: Wish | undefined): string | Promise<string> {
    const { callback, slots } = this.#editor;
    return slots?.perform(effect) ?? callback?.perform(effect, wish) ?? super.perform(effect, wish);
  }

  protected override answers(): Answers {
    return this.#editor.callback ?? super.answers();
  }
}

/** A redirect that comes back through the editor's URI handler, for one login. */
export class Callback implements Answers {
  readonly #redirectUri: string;
  readonly #inbox = new Inbox();

  constructor(redirectUri: vscode.Uri) {
    this.#redirectUri = redirectUri.toString(true);
  }

  /** Hands in a URI that the editor was opened with. */
  handle(uri: vscode.Uri): void {
    // The editor has decoded the query: it is encoded again, so that a `+` stays one.
    const pairs = uri.query.split("&").map((pair) => {
      const [name = "", ...value] = pair.split("=");
      return `${encodeURIComponent(name)}=${encodeURIComponent(value.join("="))}`;
    });
    this.paste(pairs.join("&"));
  }

  paste(text: string): void {
    this.#inbox.hear(JSON.stringify({ pasted: text } satisfies Event));
  }

  switchToDeviceCode(): void {
    this.#inbox.hear(JSON.stringify("switched" satisfies Event));
  }

  /** Performs what a listener would: nothing where it would not. */
  perform(effect: Effect, wish: Wish | undefined): string | Promise<string> | undefined {
    if ("listen" in effect) return JSON.stringify({ listening: { redirect_uri: this.#redirectUri } } satisfies Event);
    if ("reply" in effect) return JSON.stringify("replied" satisfies Event);
    return "await" in effect ? this.#inbox.next(effect.await.until - Date.now(), wish, "timed_out") : undefined;
  }
}

/** The slots of a home in the editor's secret storage, under the locks that the home has all the same. */
export class SecretSlots {
  readonly #secrets: vscode.SecretStorage;
  readonly #prefix: string;

  constructor(secrets: vscode.SecretStorage, prefix: string) {
    this.#secrets = secrets;
    this.#prefix = prefix;
  }

  /** Whether this is the name of one of the slots. */
  owns(key: string): boolean {
    return key.startsWith(this.#prefix);
  }

  /** Performs what concerns a slot: nothing where the effect concerns none. */
  perform(effect: Effect): Promise<string> | undefined {
    const event = this.#perform(effect);
    return event?.then(
      (event) => JSON.stringify(event),
      // What the storage says of itself may hold anything.
      () =>
        JSON.stringify({
          store_failed: { kind: "other", detail: "the editor's secret storage does not work" },
        } satisfies Event),
    );
  }

  #perform(effect: Effect): Promise<Event> | undefined {
    // A key that nobody can take out is nothing for a store of texts: a login does without.
    if ("load" in effect && effect.load === "new_proof") return Promise.resolve({ loaded: null });
    if ("load" in effect && isKept(effect.load)) return this.#load(effect.load);
    if ("save" in effect && isKept(effect.save.slot)) return this.#save(effect.save.slot, effect.save.contents);
    if ("remove" in effect && isKept(effect.remove)) return this.#remove(effect.remove);
    const parked = "reserve" in effect ? { parked: effect.reserve.place } : undefined;
    return parked && isKept(parked) && "reserve" in effect ? this.#reserve(parked, effect.reserve.intent) : undefined;
  }

  async #load(slot: Slot): Promise<Event> {
    return { loaded: (await this.#secrets.get(this.#key(slot))) ?? null };
  }

  async #save(slot: Slot, contents: string): Promise<Event> {
    await this.#secrets.store(this.#key(slot), contents);
    return "saved";
  }

  async #reserve(slot: Slot, intent: string): Promise<Event> {
    await this.#secrets.store(this.#key(slot), intent);
    return "reserved";
  }

  async #remove(slot: Slot): Promise<Event> {
    const removed = (await this.#secrets.get(this.#key(slot))) !== undefined;
    await this.#secrets.delete(this.#key(slot));
    return { removed };
  }

  #key(slot: Slot): string {
    return this.#prefix + (typeof slot === "string" ? slot : Object.entries(slot).flat().join("."));
  }
}

/** Whether a slot would be a file of the home. */
function isKept(slot: Slot): boolean {
  return slot === "sidecar" || (typeof slot === "object" && !("proof" in slot) && Object.values(slot).includes("file"));
}
