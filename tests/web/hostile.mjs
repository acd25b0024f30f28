// A hostile script in the page, there before any other: it looks at everything that a page can look at.

/** Runs in the page; whatever it has seen lies in `loot`. */
export function hostile() {
  const loot = (globalThis.loot = []);
  const { apply, construct, ownKeys, getOwnPropertyDescriptor } = Reflect;
  const push = Array.prototype.push;
  const note = (text) => apply(push, loot, [text]);
  const decoder = new TextDecoder("latin1");
  const decode = TextDecoder.prototype.decode;
  const text = async (response) => note(await apply(Response.prototype.text, response, []));
  const responses = Response.prototype.clone;

  /** Every text in a value, however deep. */
  const look = (value, depth = 0, seen = new Set()) => {
    if (typeof value === "string") return note(value);
    if (typeof value !== "object" || value === null || depth > 8 || seen.has(value)) return;
    seen.add(value);
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      return note(apply(decode, decoder, [value]));
    }
    if (value instanceof Headers || value instanceof URLSearchParams || value instanceof Map) {
      return look([...value], depth + 1, seen);
    }
    if (value instanceof Request) return look([value.url, value.headers], depth + 1, seen);
    if (value instanceof URL) return note(value.href);
    for (const key of ownKeys(value)) {
      const property = getOwnPropertyDescriptor(value, key);
      note(String(key));
      try {
        look("value" in property ? property.value : apply(property.get, value, []), depth + 1, seen);
      } catch {
        // A getter that throws tells nothing.
      }
    }
  };

  /** What goes into a function, and what comes out of it. */
  const tap = (owner, name) => {
    const original = owner?.[name];
    if (typeof original !== "function") return;
    owner[name] = function (...given) {
      look(given);
      const result = new.target ? construct(original, given, original) : apply(original, this, given);
      if (result instanceof Promise) {
        Promise.prototype.then.call(
          result,
          (value) => {
            look(value);
            if (value instanceof Response) text(apply(responses, value, [])).catch(() => {});
          },
          () => {},
        );
      } else look(result);
      return result;
    };
    Object.setPrototypeOf(owner[name], original);
    owner[name].prototype = original.prototype;
  };

  for (const [owner, ...names] of [
    [globalThis, "fetch", "postMessage", "structuredClone", "atob", "btoa", "encodeURIComponent", "decodeURIComponent"],
    [globalThis, "Worker", "SharedWorker", "BroadcastChannel", "MessageChannel", "Request", "Blob"],
    [XMLHttpRequest.prototype, "open", "send", "setRequestHeader"],
    [Worker.prototype, "postMessage"],
    [MessagePort.prototype, "postMessage"],
    [BroadcastChannel.prototype, "postMessage"],
    [Storage.prototype, "setItem", "getItem"],
    [IDBObjectStore.prototype, "put", "add", "get"],
    [History.prototype, "replaceState", "pushState"],
    [JSON, "parse", "stringify"],
    [SubtleCrypto.prototype, "encrypt", "decrypt", "digest", "sign", "importKey", "exportKey", "deriveBits"],
    [TextDecoder.prototype, "decode"],
    [TextEncoder.prototype, "encode"],
    [Headers.prototype, "set", "append", "get"],
    [URLSearchParams.prototype, "set", "append", "get"],
    [Response.prototype, "text", "json", "arrayBuffer"],
    [String.prototype, "concat", "slice", "split", "replace"],
    [Array.prototype, "push", "join"],
    [Map.prototype, "set"],
    [Reflect, "apply", "construct"],
    [WebAssembly, "instantiate", "instantiateStreaming", "compile", "compileStreaming"],
  ]) {
    for (const name of names) if (owner !== Array.prototype || name !== "push") tap(owner, name);
  }

  // Whoever listens to messages listens to these.
  for (const target of [Worker, MessagePort, BroadcastChannel, globalThis.Window, SharedWorker]) {
    const { prototype } = target;
    const add = EventTarget.prototype.addEventListener;
    prototype.addEventListener = function (type, listener, options) {
      const heard = function (event) {
        look([event.data, event.ports]);
        return typeof listener === "function" ? apply(listener, this, [event]) : listener.handleEvent(event);
      };
      return apply(add, this, [type, type === "message" ? heard : listener, options]);
    };
    const handler = getOwnPropertyDescriptor(prototype, "onmessage");
    if (!handler) continue;
    Object.defineProperty(prototype, "onmessage", {
      ...handler,
      set(listener) {
        return apply(handler.set, this, [
          (event) => {
            look(event.data);
            return apply(listener, this, [event]);
          },
        ]);
      },
    });
  }

  // Objects that are made without these members inherit them from here.
  for (const name of [
    "refresh_token",
    "refreshToken",
    "access_token",
    "accessToken",
    "tokens",
    "body",
    "authorization",
    "wasm",
  ]) {
    Object.defineProperty(Object.prototype, name, {
      configurable: true,
      get: () => undefined,
      set(value) {
        look(value);
        Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
      },
    });
  }
}

/** What it finds when it comes late: every place where something is kept, and every member of the package. */
export async function ransack() {
  const found = [];
  const seen = new Set();
  const walk = (value, depth) => {
    if (typeof value === "string") return void found.push(value);
    if ((typeof value !== "object" && typeof value !== "function") || value === null || depth > 6 || seen.has(value))
      return;
    seen.add(value);
    for (let owner = value; owner && owner !== Object.prototype; owner = Object.getPrototypeOf(owner)) {
      for (const key of Reflect.ownKeys(owner)) {
        try {
          walk(value[key], depth + 1);
        } catch {
          // A getter that throws tells nothing.
        }
      }
    }
  };
  walk(globalThis.app.hallpass, 0);
  walk(Object.entries(sessionStorage), 0);
  walk(Object.entries(localStorage), 0);
  for (const { name } of await indexedDB.databases()) found.push(name);
  return found;
}
