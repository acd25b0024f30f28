// Texts that only this extension can read: the key is in the editor's secret storage.
//
// The texts themselves are not. Each window keeps a copy of that storage, which hears of what another window has
// written a moment later, or, on the web, never: a window that has taken the lock would refresh with a token that another
// one has just spent. A key never changes, and files are the same for everybody.
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { SecretStorage } from "vscode";

const ALGORITHM = "aes-256-gcm";
const [KEY, NONCE, TAG] = [32, 12, 16];

/** How much larger than `size` bytes something is once it is sealed, at the most. */
export function sealedSize(size: number): number {
  return Math.ceil(((size + NONCE + TAG) * 4) / 3) + 16;
}

/** Seals texts and opens them again. */
export class Seal {
  readonly #secrets: SecretStorage;
  readonly #name: string;
  #minting: Promise<Buffer> | undefined;

  /** @param name of the key in the secret storage */
  constructor(secrets: SecretStorage, name: string) {
    this.#secrets = secrets;
    this.#name = name;
  }

  /** Makes the key, if there is none: early, so that windows which are opened later find it. */
  async prepare(): Promise<void> {
    await this.#key();
  }

  /**
   * The text, sealed: JSON on one line.
   *
   * @param what the text is: it opens as nothing else
   */
  async close(text: string, what: string): Promise<string> {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv(ALGORITHM, await this.#key(), nonce).setAAD(Buffer.from(what));
    const sealed = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return JSON.stringify({ sealed: sealed.toString("base64url") });
  }

  /** The text in it; nothing where that was sealed with another key, as something else, or not at all. */
  async open(sealed: string, what: string): Promise<string | null> {
    const key = await this.#key();
    try {
      const bytes = Buffer.from((JSON.parse(sealed) as { sealed: string }).sealed, "base64url");
      const end = bytes.length - TAG;
      const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE), { authTagLength: TAG });
      decipher.setAAD(Buffer.from(what)).setAuthTag(bytes.subarray(end));
      return decipher.update(bytes.subarray(NONCE, end), undefined, "utf8") + decipher.final("utf8");
    } catch {
      return null;
    }
  }

  /** Asked for each time: where two windows have made one at once, the later one is everybody's. */
  async #key(): Promise<Buffer> {
    const stored = Buffer.from((await this.#secrets.get(this.#name)) ?? "", "base64url");
    if (stored.length === KEY) return stored;
    return (this.#minting ??= this.#mint().finally(() => (this.#minting = undefined)));
  }

  async #mint(): Promise<Buffer> {
    const key = randomBytes(KEY);
    await this.#secrets.store(this.#name, key.toString("base64url"));
    return key;
  }
}
