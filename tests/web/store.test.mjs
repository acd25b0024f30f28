// What is kept in the browser, and what becomes of it when the browser does not keep it.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { HOW } from "./chromium.mjs";
import { peer } from "./servers.mjs";
import { Stage } from "./stage.mjs";
import { until } from "./until.mjs";

const kept = { store: "indexeddb" };

/** Runs `work(store, key, value)` over everything in every database of the page; answers what it answers. */
const everything = (work) => `(async () => {
  const promised = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const found = [];
  for (const { name } of await indexedDB.databases()) {
    const database = await promised(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      const read = database.transaction(store).objectStore(store);
      const [keys, values] = await Promise.all([promised(read.getAllKeys()), promised(read.getAll())]);
      for (const [index, key] of keys.entries()) {
        const write = database.transaction(store, "readwrite").objectStore(store);
        found.push(await (${work})(write, key, values[index], promised));
      }
    }
    database.close();
  }
  return found;
})()`;

/** Every byte and every character in a value. */
const spelled = `(store, key, value) => {
  const seen = new Set();
  const spell = (value) => {
    if (value instanceof CryptoKey) return JSON.stringify({ extractable: value.extractable, type: value.type });
    if (value instanceof ArrayBuffer) value = new Uint8Array(value);
    if (ArrayBuffer.isView(value)) return Array.from(value, (byte) => String.fromCharCode(byte)).join("");
    if (typeof value !== "object" || value === null || seen.has(value)) return String(value);
    seen.add(value);
    return Object.entries(value).map(([name, inner]) => name + ":" + spell(inner)).join("\\n");
  };
  return spell(key) + "=" + spell(value);
}`;

test("what is kept is encrypted, with a key that nobody can take away", async (t) => {
  const stage = await Stage.set(t, { start: peer, settings: kept });
  const page = await stage.signedIn();
  await stage.value(page, () => app.hallpass.token({ refresh: true }));
  const contents = await page.evaluate(everything(spelled));
  const [{ body }] = stage.server.requests;
  for (const secret of [body.access_token, body.refresh_token, body.id_token]) {
    assert.ok(secret, "the server has told it");
    stage.keepsSecret(secret);
  }
  assert.ok(contents.length > 0, "something is kept");
  await stage.assertDiscreet(contents);
  assert.match(contents.join("\n"), /"extractable":false/);
  assert.doesNotMatch(contents.join("\n"), /"extractable":true,"type":"(secret|private)"/);
});

for (const [what, change] of [
  [
    "overwritten with nonsense",
    `(store, key, value, promised) => {
      if (value instanceof CryptoKey || value?.privateKey) return;
      return promised(store.put({ nonsense: "canary" }, key));
    }`,
  ],
  [
    "changed by one bit",
    `(store, key, value, promised) => {
      const flip = (value) => {
        if (value instanceof ArrayBuffer) value = new Uint8Array(value);
        if (ArrayBuffer.isView(value) && value.length > 0) value[value.length - 1] ^= 1;
        else if (typeof value === "object" && !(value instanceof CryptoKey)) Object.values(value ?? {}).forEach(flip);
      };
      flip(value);
      return promised(store.put(value, key));
    }`,
  ],
  [
    "without its key",
    `(store, key, value, promised) => (value instanceof CryptoKey ? promised(store.delete(key)) : undefined)`,
  ],
]) {
  test(`a store that is ${what} is an error with advice, and a login gets over it`, async (t) => {
    const stage = await Stage.set(t, { settings: kept });
    const page = await stage.signedIn();
    await page.evaluate(everything(change));
    await page.reload();
    await stage.ready(page);
    const { value, error } = await stage.call(page, () => app.hallpass.token().then(() => "a token"));
    assert.ok(error?.code && error.help, JSON.stringify(error ?? value));
    assert.match(error.code, /^(corrupt_credentials|store_unreadable|not_logged_in)$/);
    await stage.signedIn(page);
    await stage.value(page, () => app.hallpass.token({ refresh: true }));
    await page.reload();
    await stage.ready(page);
    assert.equal(await stage.value(page, async () => (await app.hallpass.status()).loggedIn), true);
  });
}

test("a database that a later version has made is left alone", async (t) => {
  const stage = await Stage.set(t, { settings: kept });
  const page = await stage.signedIn();
  await page.goto(`${stage.site.origin}/module.html`);
  await page.evaluate(async () => {
    for (const { name, version } of await indexedDB.databases()) {
      await new Promise((resolve, reject) => {
        const request = indexedDB.open(name, version + 7);
        request.onsuccess = () => resolve(request.result.close());
        request.onerror = () => reject(request.error);
      });
    }
  });
  await page.goto(stage.site.origin);
  await stage.ready(page);
  const { error } = await stage.call(page, () => app.hallpass.status().then(({ loggedIn }) => loggedIn));
  assert.ok(error?.code && error.help, JSON.stringify(error ?? "no error"));
  const memory = await stage.value(page, async () => {
    const other = await app.create({ store: "memory" });
    return (await other.status()).loggedIn;
  });
  assert.equal(memory, false, "the application goes on");
});

/**
 * Lets the site keep so many bytes and no more. Comes before anything is written: what the browser has granted once it
 * does not look up again for a while.
 */
async function limit(stage, bytes) {
  // The limit lasts as long as this page stays where it is.
  const page = await stage.context.newPage();
  await page.goto(`${stage.site.origin}/module.html`);
  const session = await stage.context.newCDPSession(page);
  const { origin } = stage.site;
  const allow = (quotaSize) => session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize });
  await allow(bytes);
  return { allow, lift: () => allow(undefined) };
}

/** Fills what room there is; answers how much is taken then. */
async function fill() {
  const opening = indexedDB.open("filling");
  const database = await new Promise((resolve, reject) => {
    opening.onupgradeneeded = () => opening.result.createObjectStore("room", { autoIncrement: true });
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  for (let written = true; written;) {
    const writing = database.transaction("room", "readwrite");
    // What is random cannot be compressed.
    writing.objectStore("room").put(crypto.getRandomValues(new Uint8Array(64 * 1024)));
    written = await new Promise((resolve) => {
      writing.oncomplete = () => resolve(true);
      writing.onabort = () => resolve(false);
    });
  }
  database.close();
  return (await navigator.storage.estimate()).usage;
}

test("where there is no room nothing is sent, and the token that is there is used", async (t) => {
  const stage = await Stage.set(t, { start: peer, server: { accessTokenSeconds: 60 }, settings: kept });
  const { allow, lift } = await limit(stage, 2_000_000);
  const page = await stage.signedIn();
  // There is room to note what is to be done, and none for what a server may answer.
  await allow((await stage.value(page, fill)) + 40_000);
  const stored = await stage.value(page, async () => (await app.hallpass.token()).origin);
  assert.equal(stored, "stored");
  const error = await stage.refused(page, "store_full", () => app.hallpass.token({ refresh: true }));
  assert.ok(error.help);
  assert.deepEqual(stage.server.requests, [], "a token was spent that could not be kept");
  await lift();
  await until(async () => {
    const { value } = await stage.call(page, async () => (await app.hallpass.token({ refresh: true })).origin);
    return value === "refreshed";
  }, "the token is renewed");
});

test("where there is no room a login says so, and the application goes on", async (t) => {
  const stage = await Stage.set(t, { settings: kept });
  const { lift } = await limit(stage, 1);
  const page = await stage.tab();
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.click("#popup")]);
  await stage.consents(popup);
  const { error } = await page.evaluate(() => app.login);
  assert.equal(error?.code, "store_full");
  assert.ok(error.help);
  await lift();
  await stage.signedIn(page);
});

test("a browser that lets sites keep nothing is named, and memory does in its place", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hallpass-web-"));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  mkdirSync(join(folder, "Default"));
  const blocked = { profile: { default_content_setting_values: { cookies: 2 } } };
  writeFileSync(join(folder, "Default", "Preferences"), JSON.stringify(blocked));
  const context = await chromium.launchPersistentContext(folder, { ...HOW, headless: true });
  const stage = await Stage.set(t, { settings: kept, context });
  const page = await stage.context.newPage();
  await page.goto(stage.site.origin);
  const denied = await page.evaluate(() => {
    try {
      return typeof sessionStorage;
    } catch (error) {
      return error.name;
    }
  });
  assert.equal(denied, "SecurityError", "the browser denies it");
  await stage.ready(page);

  const { error } = await stage.call(page, async () => (await app.hallpass.token()).origin);
  // Chromium says no more than that something is wrong.
  assert.match(error?.code, /^store_(denied|failed)$/);
  assert.match(error.help, /allow this site/);
  await page.evaluate(async () => void (app.hallpass = await app.create({ store: "memory" })));
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.click("#popup")]);
  await stage.consents(popup);
  const { value, error: failure } = await page.evaluate(() => app.login);
  assert.equal(value?.status.loggedIn, true, JSON.stringify(failure));
  // A redirect cannot be come back from where nothing is kept.
  const { error: refusal } = await stage.call(page, () => app.hallpass.login());
  assert.ok(refusal?.code && refusal.help, JSON.stringify(refusal ?? "it went away"));
});
