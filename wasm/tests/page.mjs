// A page of a browser, as far as the package sees one: one at a time, in this process.
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { API, CANARY, ISSUER, Server } from "./server.mjs";

export const ORIGIN = "https://app.example";
export const REDIRECT_URI = `${ORIGIN}/callback`;
const MODULE = await WebAssembly.compile(readFileSync(new URL("../pkg/hallpass_web_bg.wasm", import.meta.url)));

const folder = mkdtempSync(join(tmpdir(), "hallpass-web-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
let loads = 0;

/** A copy of the scripts, for one page. */
export function scripts() {
  const copy = join(folder, String((loads += 1)));
  const dist = new URL("../dist", import.meta.url);
  cpSync(dist, copy, { recursive: true, filter: (path) => !/types$|wasm$/.test(path) });
  return copy;
}

/** A tab, which outlives its pages: what is kept for it, the database and the locks of its browser. */
export class Tab {
  server = new Server();
  storage = new Map();
  locks = new Locks();
  /** Everything that was told or shown to anybody. */
  seen = [];

  /** Loads a page: fresh scripts, fresh globals. */
  async load(url, { opener = null } = {}) {
    const page = new Page(this, url, opener);
    page.install();
    page.scripts = scripts();
    page.hallpass = await import(join(page.scripts, "index.js"));
    return page;
  }
}

export class Page {
  listeners = new Map();
  opened = [];
  closed = false;
  left;

  constructor(tab, url, opener) {
    this.tab = tab;
    this.url = new URL(url);
    this.opener = opener;
  }

  install() {
    const page = this;
    const { storage } = this.tab;
    const items = {
      getItem: (key) => storage.get(key) ?? null,
      setItem: (key, value) => {
        if (page.storageIsFull) throw new DOMException("full", "QuotaExceededError");
        storage.set(key, value);
      },
      removeItem: (key) => storage.delete(key),
    };
    const location = {
      get href() {
        return page.url.href;
      },
      origin: this.url.origin,
      assign: (url) => {
        page.left = url;
        page.leaving?.(url);
      },
    };
    const globals = {
      window: { opener: this.opener },
      document: { hasFocus: () => true },
      location,
      history: { state: { of: "the app" }, replaceState: (_state, _title, url) => (page.url = new URL(url, page.url)) },
      sessionStorage: new Proxy(items, {
        ownKeys: () => [...storage.keys()],
        getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
      }),
      navigator: { onLine: true, locks: this.tab.locks },
      open: (url) => this.#open(url),
      close: () => (page.closed = true),
      addEventListener: (type, listener, { signal } = {}) => {
        this.listeners.set(listener, type);
        signal?.addEventListener("abort", () => this.listeners.delete(listener));
      },
      removeEventListener: (_type, listener) => this.listeners.delete(listener),
    };
    for (const [name, value] of Object.entries(globals)) {
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
  }

  get options() {
    return {
      issuer: ISSUER,
      clientId: "app",
      redirectUri: REDIRECT_URI,
      origins: [API],
      fetch: this.tab.server.fetch,
      module: MODULE,
      log: (line) => this.tab.seen.push(line),
    };
  }

  async create(options = {}) {
    return this.hallpass.Hallpass.create({ ...this.options, ...options });
  }

  /** Where a login by redirect leaves for. */
  async leave(hallpass) {
    return new Promise((resolve, reject) => {
      this.leaving = resolve;
      hallpass.login().catch(reject);
    });
  }

  dispatch(type, event) {
    for (const [listener, heard] of this.listeners) if (heard === type) listener(event);
  }

  #open(url) {
    if (this.blocksPopups) return null;
    const popup = {
      closed: false,
      url,
      close: () => (popup.closed = true),
      location: { replace: (to) => ((popup.url = to), popup.gone?.(to)) },
    };
    popup.went = new Promise((resolve) => (popup.gone = resolve));
    this.opened.push(popup);
    return popup;
  }
}

/** `navigator.locks`, for what is used of it. */
class Locks {
  #tails = new Map();
  held = new Set();

  request(name, { signal }, act) {
    const before = this.#tails.get(name) ?? Promise.resolve();
    const given = new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      before.then(() => {
        if (signal.aborted) return;
        this.held.add(name);
        resolve(Promise.resolve(act()).finally(() => this.held.delete(name)));
      });
    });
    this.#tails.set(
      name,
      before.then(() => given.catch(() => {})),
    );
    return given;
  }
}

/** What a failed call tells. */
export const failure = (promise) =>
  promise.then(
    () => undefined,
    (error) => error,
  );

/** Whether a secret is in anything that this shows, however it is looked at. */
export function shows(value) {
  const texts = [
    inspect(value, { depth: 10, showHidden: true, getters: false }),
    String(value),
    JSON.stringify(value) ?? "",
  ];
  return texts.some((text) => text.includes(CANARY));
}
