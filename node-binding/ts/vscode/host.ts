// The host in an editor: pages may come back through the editor, and credentials may be sealed.
import * as vscode from "vscode";
import type { Effect, Event, Slot } from "../../types.js";
import { Inbox, NodeHost } from "../all.js";
import type { Around } from "../host.js";
import type { Native } from "../native.js";
import type { Answers } from "../prompts.js";
import type { Wish } from "../wish.js";
import { type Seal, sealedSize } from "./seal.js";

/** What the editor does in place of this machine. */
export interface Editor {
  /** Where the browser comes back to through the editor, if it does. */
  callback?: Callback | undefined;
  /** Seals what is kept in files, if it is sealed. */
  slots?: SealedSlots | undefined;
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
    const sealed = slots?.perform(effect, (effect) => super.perform(effect, wish));
    return sealed ?? callback?.perform(effect, wish) ?? super.perform(effect, wish);
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
    // On the web the query comes as the browser had it. What has no state is no code that a person has pasted.
    if (vscode.env.uiKind === vscode.UIKind.Web) return this.paste(`?${uri.query}`);
    // Elsewhere the editor has decoded it: it is encoded again, so that a `+` stays one.
    const pairs = uri.query.split("&").map((pair) => {
      const [name = "", ...value] = pair.split("=");
      return `${encodeURIComponent(name)}=${encodeURIComponent(value.join("="))}`;
    });
    this.paste(`?${pairs.join("&")}`);
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

/** The slots of a home that hold secrets: sealed, in the files that they are in all the same. */
export class SealedSlots {
  readonly #seal: Seal;
  readonly #home: string;

  /** @param home tells homes that have the same seal apart */
  constructor(seal: Seal, home: string) {
    this.#seal = seal;
    this.#home = home;
  }

  /** Performs what reads or writes one of them, by way of who performs it unsealed: nothing where the effect does not. */
  perform(effect: Effect, files: (effect: Effect) => string | Promise<string>): Promise<string> | undefined {
    const event = this.#perform(effect, files);
    return event?.catch((error: unknown) => {
      if (!(error instanceof Unsealable)) throw error;
      const detail = "the editor's secret storage does not work";
      return JSON.stringify({ store_failed: { kind: "other", detail } } satisfies Event);
    });
  }

  #perform(effect: Effect, files: (effect: Effect) => string | Promise<string>): Promise<string> | undefined {
    if ("load" in effect && isSealed(effect.load)) return this.#load(effect.load, files);
    if ("save" in effect && isSealed(effect.save.slot)) {
      const { slot, contents } = effect.save;
      return this.#close(contents, slot).then((contents) => files({ save: { slot, contents } }));
    }
    if ("reserve" in effect && effect.reserve.place === "file") {
      const { place, intent, size } = effect.reserve;
      return this.#close(intent, { parked: place }).then((intent) =>
        files({ reserve: { place, intent, size: sealedSize(size) } }),
      );
    }
    return undefined;
  }

  async #load(slot: Slot, files: (effect: Effect) => string | Promise<string>): Promise<string> {
    // Also where there is nothing to open: a login must not find out at its end that it cannot be sealed.
    await this.#seal.prepare().catch(unsealable);
    const answer = await files({ load: slot });
    const event = JSON.parse(answer) as Event;
    if (typeof event === "string" || !("loaded" in event) || event.loaded === null) return answer;
    // What this editor cannot open is nobody's here: a login replaces it.
    const loaded = await this.#seal.open(event.loaded, this.#name(slot)).catch(unsealable);
    return JSON.stringify({ loaded } satisfies Event);
  }

  #close(contents: string, slot: Slot): Promise<string> {
    return this.#seal.close(contents, this.#name(slot)).catch(unsealable);
  }

  #name(slot: Slot): string {
    return `${this.#home} ${JSON.stringify(slot)}`;
  }
}

/** That the secret storage does not work. What it says of itself may hold anything. */
class Unsealable extends Error {}

function unsealable(): never {
  throw new Unsealable();
}

/** Whether a slot is a file that would tell a token to whoever reads it. */
function isSealed(slot: Slot): boolean {
  return typeof slot === "object" && !("proof" in slot) && Object.values(slot).includes("file");
}
