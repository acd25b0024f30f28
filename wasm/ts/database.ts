// A shelf in IndexedDB, which all pages and workers of this origin share. What lies on it is sealed.
import { type KeyPair, type Shelf, type Value, failure, keysOf } from "./shelf.js";

const SHELF = "slots";
/** Where the key lies that seals the others. */
const SEAL = "key";
const ALGORITHM = "AES-GCM";

/** For so long the browser may take to open a database, in milliseconds. */
const PATIENCE = 10_000;

/** A text that was sealed. */
interface Sealed {
  iv: BufferSource;
  data: BufferSource;
}

/** A database, which is opened when it is needed first. */
export class Database implements Shelf {
  readonly location: string;
  readonly #name: string;
  #opening: Promise<IDBDatabase> | undefined;

  constructor(name: string) {
    this.#name = name;
    this.location = `IndexedDB, ${name}`;
  }

  async get(name: string): Promise<Value | undefined> {
    const value: unknown = await this.#transact("readonly", (store) => store.get(name));
    if (value === undefined || Array.isArray(value)) return value as Value | undefined;
    const key = await this.#key();
    try {
      const { iv, data } = value as Sealed;
      return new TextDecoder().decode(await crypto.subtle.decrypt(how(name, iv), key, data));
    } catch {
      // What stands beside the record counts as damaged: core begins it anew. A login replaces the rest.
      if (name === "sidecar" || name === "parked") return "";
      throw failure("DataError");
    }
  }

  async put(name: string, value: Value): Promise<void> {
    const sealed = typeof value === "string" ? await this.#sealed(name, value) : value;
    await this.#transact("readwrite", (store) => store.put(sealed, name));
  }

  async change(name: string, change: (keys: KeyPair[]) => KeyPair[]): Promise<void> {
    await this.#transact("readwrite", (store) => {
      const reading = store.get(name);
      reading.onsuccess = () => void store.put(change(keysOf(reading.result)), name);
      return reading;
    });
  }

  async delete(name: string): Promise<boolean> {
    let count = 0;
    await this.#transact("readwrite", (store) => {
      const counting = store.count(name);
      counting.onsuccess = () => (count = counting.result);
      return store.delete(name);
    });
    return count > 0;
  }

  async #sealed(name: string, text: string): Promise<Sealed> {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    return { iv, data: await crypto.subtle.encrypt(how(name, iv), await this.#key(), new TextEncoder().encode(text)) };
  }

  /** The key of this database, which cannot be taken out. Whoever comes first makes it. */
  async #key(): Promise<CryptoKey> {
    const found: unknown = await this.#transact("readonly", (store) => store.get(SEAL));
    if (found instanceof CryptoKey) return found;
    const made = await crypto.subtle.generateKey({ name: ALGORITHM, length: 256 }, false, ["encrypt", "decrypt"]);
    let key = made;
    await this.#transact("readwrite", (store) => {
      const finding = store.get(SEAL);
      finding.onsuccess = () => {
        if (finding.result instanceof CryptoKey) key = finding.result;
        else store.put(made, SEAL);
      };
      return finding;
    });
    return key;
  }

  /** One transaction: when this resolves, what it has written is on the disk. */
  async #transact<Result>(
    mode: IDBTransactionMode,
    act: (store: IDBObjectStore) => IDBRequest<Result>,
  ): Promise<Result> {
    const database = await (this.#opening ??= this.#open());
    const transaction = database.transaction(SHELF, mode, { durability: "strict" });
    const request = act(transaction.objectStore(SHELF));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? failure("AbortError"));
    });
  }

  #open(): Promise<IDBDatabase> {
    return new Promise<IDBDatabase>((resolve, reject) => {
      if (!globalThis.indexedDB) throw failure("SecurityError");
      const late = (): void => reject(failure("TimeoutError"));
      const timer = setTimeout(late, PATIENCE);
      const opening = indexedDB.open(this.#name, 1);
      opening.onupgradeneeded = () => void opening.result.createObjectStore(SHELF);
      opening.onblocked = late;
      opening.onerror = () => (clearTimeout(timer), reject(opening.error));
      opening.onsuccess = () => {
        clearTimeout(timer);
        const database = opening.result;
        // Somebody wants it gone, or it is gone: it is opened again when it is needed again.
        database.onversionchange = database.onclose = () => {
          database.close();
          this.#opening = undefined;
        };
        resolve(database);
      };
    }).catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
  }
}

function how(name: string, iv: BufferSource): AesGcmParams {
  return { name: ALGORITHM, iv, additionalData: new TextEncoder().encode(name) };
}
