// Where the texts and keys of a login lie, by name: in memory, or in a database.

/** A key pair that signs, whose private half cannot be taken out, and its public half as a JWK. */
export interface KeyPair {
  jwk: string;
  key: CryptoKey;
  /** The hash of the login that it waits for, while the page of that is away. */
  flow?: string;
}

/** What lies under a name. */
export type Value = string | KeyPair[];

/** Named places. What cannot be done is thrown. */
export interface Shelf {
  /** What is there. */
  get(name: string): Promise<Value | undefined>;
  /** Puts it there, whole or not at all, in place of what was there. */
  put(name: string, value: Value): Promise<void>;
  /** Puts other keys there, with nobody in between. */
  change(name: string, change: (keys: KeyPair[]) => KeyPair[]): Promise<void>;
  /** Takes it away; whether there was anything. */
  delete(name: string): Promise<boolean>;
  /** Where that is, for a person. */
  readonly location: string;
}

/** The memory of this page, or of this worker. */
export class Memory implements Shelf {
  readonly location = "memory";
  readonly #values = new Map<string, Value>();

  async get(name: string): Promise<Value | undefined> {
    return this.#values.get(name);
  }

  async put(name: string, value: Value): Promise<void> {
    this.#values.set(name, value);
  }

  async change(name: string, change: (keys: KeyPair[]) => KeyPair[]): Promise<void> {
    this.#values.set(name, change(keysOf(this.#values.get(name))));
  }

  async delete(name: string): Promise<boolean> {
    return this.#values.delete(name);
  }
}

/** A failure of a shelf: its name alone is told. */
export function failure(name: string): DOMException {
  return new DOMException("", name);
}

/** The keys there, if keys are there. */
export function keysOf(value: unknown): KeyPair[] {
  return Array.isArray(value) ? value : [];
}
