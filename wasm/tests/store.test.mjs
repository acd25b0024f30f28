// The store that outlives the page: what lies in it, what protects it, and what is said where it does not work.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import "fake-indexeddb/auto";
import { IDBFactory, IDBObjectStore } from "fake-indexeddb";
import { ORIGIN, Tab, failure, shows } from "./page.mjs";
import { CANARY } from "./server.mjs";

const NAME = "hallpass https://id.example app";
let tab;
beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  tab = new Tab();
});

const kept = { store: "indexeddb" };

async function signedIn(options = kept) {
  const first = await tab.load(`${ORIGIN}/`);
  const url = await first.leave(await first.create(options));
  const page = await tab.load(tab.server.consent(url));
  const hallpass = await page.create(options);
  return { page, hallpass, loggedIn: await hallpass.handleRedirect() };
}

function database(act, mode = "readwrite") {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction("slots", mode);
      const request = act(transaction.objectStore("slots"));
      transaction.oncomplete = () => (opening.result.close(), resolve(request?.result));
    };
  });
}
const names = () => database((store) => store.getAllKeys());

test("a login outlives its page, and another page finds it", async () => {
  const { loggedIn } = await signedIn();
  assert.deepEqual([loggedIn.status.store, loggedIn.status.location], ["indexeddb", `IndexedDB, ${NAME}`]);
  const other = await (await tab.load(`${ORIGIN}/other`)).create(kept);
  assert.equal((await other.status()).account.email, "ada@example.com");
  assert.equal((await other.token()).origin, "stored");
});

test("what lies there is sealed with a key that cannot be taken out", async () => {
  await signedIn();
  assert.deepEqual((await names()).sort(), ["key", "record", "sidecar"]);
  const values = await database((store) => store.getAll());
  const bytes = values.flatMap(({ data }) => (data ? [Buffer.from(data).toString("latin1")] : []));
  assert.equal(bytes.length, 2);
  assert.ok(bytes.every((text) => !text.includes(CANARY) && !text.includes("access_token")));
  assert.equal(values.filter((value) => value instanceof CryptoKey && !value.extractable).length, 1);
  const { iv } = await database((store) => store.get("record"));
  assert.equal(iv.length, 12);
});

test("no two writes are sealed alike, and no value stands for another", async () => {
  const { hallpass } = await signedIn();
  const before = await database((store) => store.get("record"));
  await hallpass.token({ refresh: true });
  assert.notDeepEqual((await database((store) => store.get("record"))).iv, before.iv);
  const sidecar = await database((store) => store.get("sidecar"));
  await database((store) => store.put(sidecar, "record"));
  const error = await failure(hallpass.token());
  assert.equal(error.code, "store_unreadable");
});

test("a refresh reserves room under the lock, and two pages make one of it", async () => {
  const { hallpass, page } = await signedIn();
  const other = await (await tab.load(`${ORIGIN}/other`)).create(kept);
  page.install();
  tab.server.asked = [];
  let during;
  tab.server.instead["/token"] = async () => {
    during = [[...tab.locks.held], await names(), (await database((store) => store.get("parked"))).data.byteLength];
  };
  const tokens = await Promise.all([hallpass, other].map((each) => each.token({ refresh: true })));
  assert.deepEqual(tokens.map(({ origin }) => origin).sort(), ["adopted", "refreshed"]);
  assert.equal(tab.server.asked.filter((line) => line === "POST /token").length, 1);
  const [held, there, size] = during;
  assert.deepEqual(held, [NAME]);
  assert.ok(there.includes("parked"));
  assert.ok(size >= 64 * 1024, `${size} bytes are reserved`);
  assert.equal(tab.locks.held.size, 0);
});

test("another page hears of a change, and asks nobody", async () => {
  const { hallpass, page } = await signedIn();
  const other = await (await tab.load(`${ORIGIN}/other`)).create(kept);
  page.install();
  const heard = new Promise((resolve) => other.on("change", resolve));
  await other.status();
  tab.server.asked = [];
  await hallpass.logout({ local: true });
  assert.equal((await heard).loggedIn, false);
  assert.deepEqual(tab.server.asked, []);
  other.close();
});

test("the lock that another page does not give back is waited for with a deadline", async () => {
  const { hallpass } = await signedIn();
  await database((store) => store.delete("parked"));
  let give;
  void navigator.locks.request(
    NAME,
    { signal: new AbortController().signal },
    () => new Promise((resolve) => (give = resolve)),
  );
  const controller = new AbortController();
  const waiting = failure(hallpass.token({ refresh: true, signal: controller.signal }));
  const login = failure(hallpass.logout({ signal: controller.signal }));
  await new Promise((resolve) => setTimeout(resolve, 50));
  controller.abort();
  assert.equal((await waiting).name, "AbortError");
  assert.equal((await login).name, "AbortError");
  give();
  assert.equal((await hallpass.token({ refresh: true })).origin, "refreshed");
});

/** Has the database fail from now on. */
function breaks(t, method, error) {
  const whole = IDBObjectStore.prototype[method];
  IDBObjectStore.prototype[method] = function () {
    throw new DOMException("canary-words of the browser", error);
  };
  t.after(() => (IDBObjectStore.prototype[method] = whole));
}

test("a full store: nothing is spent that could not be kept", async (t) => {
  const { hallpass } = await signedIn();
  tab.server.asked = [];
  breaks(t, "put", "QuotaExceededError");
  const error = await failure(hallpass.token({ refresh: true }));
  assert.equal(error.code, "store_full");
  assert.match(error.help, /memory/);
  assert.ok(!shows(error));
  assert.ok(!tab.server.asked.includes("POST /token"));
  assert.equal((await hallpass.token()).origin, "stored", "what is still good is used");
});

test("a store that is denied is found out before a person has signed in", async () => {
  const page = await tab.load(`${ORIGIN}/`);
  const hallpass = await page.create(kept);
  for (const [broken, code] of [
    [
      () => {
        throw new DOMException("no", "SecurityError");
      },
      "store_denied",
    ],
    [
      () => {
        throw new DOMException("no", "InvalidStateError");
      },
      "store_denied",
    ],
    [
      () => {
        const opening = {};
        queueMicrotask(() => ((opening.error = new DOMException("canary", "UnknownError")), opening.onerror()));
        return opening;
      },
      "store_failed",
    ],
  ]) {
    globalThis.indexedDB = { open: broken };
    const error = await failure(hallpass.login({ popup: true }));
    assert.equal(error.code, code);
    assert.ok(error.help && !shows(error));
    assert.ok(page.opened.at(-1).closed);
  }
  globalThis.indexedDB = undefined;
  assert.equal((await failure(hallpass.status())).code, "store_denied");
  globalThis.indexedDB = new IDBFactory();
  assert.equal((await hallpass.status()).loggedIn, false, "the next call tries again");
});

test("what was damaged is named, and a login replaces it", async () => {
  const { hallpass } = await signedIn();
  for (const damage of [5, { iv: 1, data: 2 }, { iv: new Uint8Array(12), data: new Uint8Array(40) }]) {
    await database((store) => store.put(damage, "record"));
    const error = await failure(hallpass.token());
    assert.deepEqual([error.code, error.name], ["store_unreadable", "LocalError"]);
    await database((store) => store.put(damage, "sidecar"));
  }
  const page = await tab.load(`${ORIGIN}/`);
  const url = await page.leave(await page.create(kept));
  const back = await (await tab.load(tab.server.consent(url))).create(kept);
  assert.equal((await back.handleRedirect()).status.loggedIn, true);
});

test("a key that is lost is a store that cannot be read", async () => {
  const { hallpass } = await signedIn();
  await database((store) => store.delete("key"));
  assert.equal((await failure(hallpass.token())).code, "store_unreadable");
});

test("a page that was closed in mid-refresh leaves an intent, and the next one waits before it sends again", async () => {
  const { hallpass } = await signedIn();
  tab.server.instead["/token"] = () => new Promise(() => {});
  const controller = new AbortController();
  void failure(hallpass.token({ refresh: true, signal: controller.signal }));
  while (!tab.server.asked.includes("POST /token") || !(await names()).includes("parked"))
    await new Promise(setImmediate);
  // The browser gives back what a closed page has held.
  tab.locks = new tab.locks.constructor();
  tab.server.asked = [];
  const next = await (await tab.load(`${ORIGIN}/next`)).create(kept);
  const token = await next.token();
  assert.equal(token.origin, "stored", "what is still good is used meanwhile");
  assert.deepEqual(tab.server.asked, []);
});

test("after a logout there is nothing to use", async () => {
  const { hallpass } = await signedIn();
  await hallpass.logout();
  assert.ok(!(await names()).includes("record"));
  assert.equal((await failure(hallpass.token())).code, "not_logged_in");
});
