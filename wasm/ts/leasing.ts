// A lock for browsers without Web Locks: best effort. Whoever holds it writes down until when, in a database, and
// writes that anew as long as it holds it. A page that is frozen for longer loses it and does not know.
import { broadcast, listen } from "./channels.js";
import type { Mutex, Release } from "./locks.js";

/** For so long a holder may be silent, in milliseconds: longer than a request may take, with time to save. */
const TERM = 60_000;
/** How often a holder writes, and how often those who wait look, in milliseconds. */
const RENEWAL = 5_000;
const GLANCE = 500;

const SHELF = "lease";

/** Who holds a lock, and until when. */
interface Held {
  holder: string;
  until: number;
}

/** The lock of this name in IndexedDB. */
export class Lease implements Mutex {
  readonly #name: string;

  constructor(name: string) {
    this.#name = `${name} lease`;
  }

  async take(signal: AbortSignal): Promise<Release | undefined> {
    const holder = crypto.randomUUID();
    const database = await open(this.#name);
    let look = (): void => {};
    const channel = listen(this.#name, () => look());
    const end = (): void => {
      channel.close();
      database.close();
    };
    try {
      while (!(await write(database, holder, Date.now() + TERM))) {
        if (signal.aborted) return void end();
        await new Promise<void>((looked) => {
          look = looked;
          setTimeout(look, GLANCE);
          signal.addEventListener("abort", look, { once: true });
        });
      }
    } catch (error) {
      end();
      throw error;
    }
    const renewing = setInterval(() => void write(database, holder, Date.now() + TERM).catch(() => {}), RENEWAL);
    return () => {
      clearInterval(renewing);
      write(database, holder, 0)
        .then(() => broadcast(this.#name, 0))
        .catch(() => {})
        .finally(end);
    };
  }
}

/** Writes, in one transaction, that this holder holds it until then, unless another one does. Whether it was written. */
function write(database: IDBDatabase, holder: string, until: number): Promise<boolean> {
  const transaction = database.transaction(SHELF, "readwrite");
  const store = transaction.objectStore(SHELF);
  let isOurs = false;
  const reading = store.get(0) as IDBRequest<Held | undefined>;
  reading.onsuccess = () => {
    const held = reading.result;
    isOurs = held === undefined || held.holder === holder || held.until < Date.now();
    if (isOurs) store.put({ holder, until } satisfies Held, 0);
  };
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(isOurs);
    transaction.onabort = () => reject(transaction.error);
  });
}

function open(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => void opening.result.createObjectStore(SHELF);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}
