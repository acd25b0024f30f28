// Hears of it when anybody signs in or out or renews a session: the files of the home change.
import { type FSWatcher, existsSync, statSync, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** What a login, a logout and a refresh write. */
const FILES = ["auth.json", "hallpass.json"];

/** How long to wait for the rest of what belongs together, in milliseconds. */
const SETTLING = 100;

/** How often a home is looked at where the operating system tells of no changes, in milliseconds. */
const GLANCE = 2000;

/** Watches a home, which needs not exist yet. It keeps no process alive. */
export class Watching {
  readonly #home: string;
  readonly #changed: () => void;
  #watchers: FSWatcher[] = [];
  #glancing: NodeJS.Timeout | undefined;
  #settling: NodeJS.Timeout | undefined;
  #seen = "";

  constructor(home: string, changed: () => void) {
    this.#home = home;
    this.#changed = changed;
    this.#seen = this.#look();
    this.#begin();
  }

  /** Stops. */
  close(): void {
    this.#end();
    clearTimeout(this.#settling);
  }

  #begin(): void {
    try {
      if (existsSync(this.#home)) {
        this.#watch(this.#home, (name) => name === null || FILES.includes(name));
      }
      // The home itself may come, go, and be another one afterwards.
      const above = dirname(this.#home);
      if (existsSync(above)) this.#watch(above, (name) => name === null || name === basename(this.#home), true);
      if (this.#watchers.length > 0) return;
    } catch {
      // No more can be watched here, or nothing at all.
    }
    this.#end();
    this.#glancing = setInterval(() => this.#glance(), GLANCE);
    this.#glancing.unref();
  }

  #watch(folder: string, concerns: (name: string | null) => boolean, again = false): void {
    const watcher = watch(folder, { persistent: false }, (_, name) => {
      if (!concerns(name)) return;
      if (again) {
        this.#end();
        this.#begin();
      }
      this.#settle();
    });
    // A folder that goes away is looked for again by the one above it.
    watcher.on("error", () => watcher.close());
    this.#watchers.push(watcher);
  }

  #end(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
    clearInterval(this.#glancing);
    this.#glancing = undefined;
  }

  /** Tells once it is quiet: a file that is replaced makes several changes of one. */
  #settle(): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(this.#changed, SETTLING);
    this.#settling.unref();
  }

  #glance(): void {
    const seen = this.#look();
    if (seen !== this.#seen) this.#settle();
    this.#seen = seen;
  }

  /** Which files are there now. */
  #look(): string {
    return FILES.map((name) => {
      const found = statSync(`${this.#home}/${name}`, { throwIfNoEntry: false, bigint: true });
      return found ? `${found.ino}:${found.mtimeNs}:${found.size}` : "";
    }).join(" ");
  }
}
