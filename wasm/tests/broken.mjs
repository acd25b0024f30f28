// Breaks the host in one place after another and sees whether a fast test notices: `node tests/broken.mjs [FILE]`, once
// `./test` is content. `tests/web/mutate` does the same in a browser.
import { spawnSync } from "node:child_process";
import { tryAll } from "../../tests/mutations/ways.mjs";

const ways = [
  ["wasm/ts/arriving.ts", "history.replaceState(", "void (", "redirect", "nothing of it is left"],
  ["wasm/ts/arriving.ts", 'query.has("state") && ', "", "redirect", "loaded for something else"],
  ["wasm/ts/suspended.ts", "sessionStorage.removeItem(PREFIX + name);", "", "redirect", "nothing of it is left"],
  ["wasm/ts/hallpass.ts", "if (suspended === undefined && waiting().length > 0) return undefined;", "", "redirect", "of two providers"],
  ["wasm/ts/hallpass.ts", "if (popup) waiting().forEach(take);", "", "popup", "does not get in the way"],
  ["wasm/ts/away.ts", "persisted && resolve(CANCELLED)", "persisted", "redirect", "back button"],
  ["wasm/ts/popup.ts", "document.hasFocus()", "true", "popup", "closes ends the login"],
  ["wasm/ts/popup.ts", "if (isAnswer) this.#answer", "this.#answer", "popup", "changes nothing"],
  ["wasm/ts/handing.ts", "origin !== location.origin || ", "", "popup", "nobody of another origin"],
  ["wasm/ts/handing.ts", "offered, location.origin", 'offered, "*"', "popup", "hands its address over"],
  [
    "wasm/ts/database.ts",
    ", additionalData: new TextEncoder().encode(name)",
    "",
    "store",
    "no value stands for another",
  ],
  ["wasm/ts/database.ts", "length: 256 }, false", "length: 256 }, true", "store", "cannot be taken out"],
  ["wasm/ts/database.ts", "this.#opening = undefined;\n      throw", "throw", "store", "a store that is denied"],
  ["wasm/ts/store.ts", ".padEnd(effect.reserve.size)", "", "store", "reserves room"],
  [
    "wasm/ts/store.ts",
    "if (suspended === undefined) return newKey();",
    "return newKey();",
    "possession",
    "survives its page",
  ],
  [
    "wasm/ts/locks.ts",
    "if (navigator.locks) return new WebLock(name);",
    "return new Turns();",
    "store",
    "make one of it",
  ],
  ["wasm/ts/leasing.ts", "held.until < Date.now()", "false", "leasing", "silent for too long"],
  ["wasm/ts/leasing.ts", "held.holder === holder || ", "true || ", "leasing", "one holds it at a time"],
  ["wasm/ts/causes.ts", 'method !== "GET"', "false", "ways", "not sent again"],
  ["wasm/ts/causes.ts", " || signal.aborted", "", "ways", "nothing more is asked"],
  ["wasm/ts/causes.ts", "deadline: PATIENCE", "deadline: 60_000", "ways", "neither fails nor is late"],
  ["wasm/ts/causes.ts", ', redirect: "follow"', "", "ways", "neither fails nor is late"],
  ["wasm/ts/host.ts", "!isOffline(request.url)", "true", "ways", "offline"],
  ["wasm/ts/module.ts", "loading = undefined;", "", "ways", "the next call tries again"],
  ["wasm/ts/worker.ts", "purpose.text === text", "true", "worker", "cannot widen"],
  ["wasm/ts/worker.ts", "adopt(clientOptions(options), module &&", "void (module &&", "worker", "begun for nothing else"],
  ["wasm/ts/worker.ts", 'asked.call !== "login"', "false", "worker", "whatever it says"],
  ["wasm/ts/worker.ts", "!/^https?:$|-extension:$/.test(source.protocol)", "false", "worker", "was not told"],
  ["wasm/ts/worker.ts", ".sort(([one], [other]) => (one < other ? -1 : 1))", "", "worker", "whatever order"],
  ["wasm/ts/worker.ts", "checkHallpass(options, CLIENT, WHAT);", "checkHallpass(options);", "worker", "no use to a worker"],
  ["wasm/ts/worker.ts", "checkHallpass(options, { ...CLIENT, module", "void ({ module", "worker", "no use to a worker"],
  ["wasm/ts/worker.ts", "present.delete(port)", "{}", "worker", "told nothing"],
  ["wasm/ts/remote.ts", "() => this.#attend(false)", "() => {}", "worker", "told nothing"],
  ["wasm/ts/remote.ts", "if (isPresent) this.#hear", "if (false) this.#hear", "worker", "told nothing"],
  ["wasm/ts/remote.ts", "engine.#refused.abort();", "", "worker", "not listened to"],
  ["wasm/ts/remote.ts", "post({ abort: true });", "", "worker", "let go, there too"],
  ["node-binding/ts/client.ts", "new Token(", "Object.assign(this, ", "redirect", "nothing of it is left"],
];

const root = new URL("../..", import.meta.url);
tryAll(ways, {
  sources: root,
  tests: new URL(".", import.meta.url),
  build: () => spawnSync("wasm/bundle", { cwd: root }),
  options: ["--test-force-exit", "--test-timeout=20000"],
});
