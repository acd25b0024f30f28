// The package in the service worker of an extension.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { HOW } from "./chromium.mjs";
import { consents } from "./person.mjs";
import { embedded } from "./servers.mjs";

const root = (path) => fileURLToPath(new URL(path, import.meta.url));
const REDIRECT = "http://127.0.0.1:1/callback";

/** Lays an extension down, with the package in it. */
function installed(folder) {
  const at = join(folder, "extension");
  cpSync(root("extension"), at, { recursive: true });
  const { files, exports } = JSON.parse(readFileSync(root("../../wasm/package.json"), "utf8"));
  for (const part of files) cpSync(root(`../../wasm/${part}`), join(at, "hallpass-web", part), { recursive: true });
  const module = readdirSync(join(at, "hallpass-web"), { recursive: true }).find((name) => name.endsWith(".wasm"));
  const background = join(at, "background.js");
  const index = exports["."].default.slice(2);
  writeFileSync(background, readFileSync(background, "utf8").replace("INDEX", index).replace("MODULE", module));
  return at;
}

test("an extension's service worker signs a person in, calls an API and renews the token", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hallpass-extension-"));
  const server = await embedded();
  const at = installed(folder);
  const { args, ...how } = HOW;
  const context = await chromium.launchPersistentContext(join(folder, "profile"), {
    ...how,
    headless: true,
    args: [...args, `--disable-extensions-except=${at}`, `--load-extension=${at}`],
  });
  t.after(async () => {
    await context.close();
    server.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  });
  const [background = await context.waitForEvent("serviceworker")] = context.serviceWorkers();
  const { issuer, clientId } = server;
  const settings = { issuer, clientId, redirectUri: REDIRECT, store: "indexeddb", origins: [issuer] };
  await background.evaluate((settings) => globalThis.begin(settings), settings);

  await background.evaluate(() => void globalThis.signIn());
  const url = await waited(background, () => globalThis.launched?.url);
  const page = await context.newPage();
  let answer;
  await page.route(`${REDIRECT}**`, (route) => {
    answer = route.request().url();
    return route.fulfill({ body: "back" });
  });
  await page.goto(url);
  await consents(page, issuer);
  await page.waitForURL(`${REDIRECT}**`);
  const loggedIn = await background.evaluate(async (answer) => {
    globalThis.launched.resolve(answer);
    return (await globalThis.login).status.loggedIn;
  }, answer);
  assert.equal(loggedIn, true);

  const used = await background.evaluate(async (issuer) => {
    const { hallpass } = globalThis;
    const { origin } = await hallpass.token({ refresh: true });
    return { origin, status: (await hallpass.fetch(`${issuer}/me`)).status };
  }, issuer);
  assert.deepEqual(used, { origin: "refreshed", status: 200 });

  // What it keeps is there when the browser starts the worker anew.
  const again = await background.evaluate(async (settings) => {
    await globalThis.begin(settings);
    return (await globalThis.hallpass.status()).loggedIn;
  }, settings);
  assert.equal(again, true);
  assert.equal(
    await background.evaluate(() => globalThis.hallpass.logout().then(({ revocation }) => revocation)),
    "revoked",
  );
});

async function waited(worker, work) {
  for (let attempt = 0; attempt < 500; attempt++) {
    const value = await worker.evaluate(work);
    if (value) return value;
  }
  throw new Error("the service worker does not get there");
}
