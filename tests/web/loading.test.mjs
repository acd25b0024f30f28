// Pages, browsers and servers that are not as the package needs them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { HOW } from "./chromium.mjs";
import { peer } from "./servers.mjs";
import { Site } from "./site.mjs";
import { Stage } from "./stage.mjs";

/** Where the site serves the module itself. */
async function moduleOf(stage) {
  const page = await stage.context.newPage();
  const asked = page.waitForRequest((request) => new URL(request.url()).pathname.endsWith(".wasm"));
  await page.goto(stage.site.origin);
  const { pathname } = new URL((await asked).url());
  await stage.ready(page);
  await page.close();
  return pathname;
}

/** A page that could not load it: it says so, goes on, and can load it as soon as it is there. */
async function failsAndRecovers(stage, mend) {
  const page = await stage.tab();
  const { error } = await page.evaluate(() => app.start);
  assert.equal(error?.code, "module_failed", JSON.stringify(error ?? "it was loaded"));
  assert.ok(error.message && error.help, "it says what to do");
  assert.match(await page.textContent("#who"), /^module_failed/, "the application goes on");
  await stage.refused(page, "module_failed", () => app.create());
  if (!mend) return;
  mend();
  const loggedIn = await stage.value(page, async () => {
    app.hallpass = await app.create();
    return (await app.hallpass.status()).loggedIn;
  });
  assert.equal(loggedIn, false);
}

for (const [what, answer] of [
  ["is not there", { status: 404, body: "Not found", headers: { "content-type": "text/plain" } }],
  [
    "is a page of HTML, as a server for one page answers",
    { body: "<!doctype html>", headers: { "content-type": "text/html" } },
  ],
  ["is nothing", { body: "" }],
  ["is sent as some bytes", { headers: { "content-type": "application/octet-stream" } }],
  ["is cut off", { body: Buffer.from("\0asm\x01\0\0\0\x01\x07\x60", "latin1") }],
]) {
  test(`a module that ${what} is an error with advice`, async (t) => {
    const stage = await Stage.set(t);
    const pathname = await moduleOf(stage);
    stage.context = await anotherContext(stage);
    stage.site.answers.set(pathname, { ...answer, headers: { "cache-control": "no-store", ...answer.headers } });
    await failsAndRecovers(stage, () => stage.site.answers.delete(pathname));
  });
}

/** A context that has nothing in its cache. */
async function anotherContext(stage) {
  const browser = stage.context.browser();
  await stage.context.close();
  const context = await browser.newContext();
  context.setDefaultTimeout(20_000);
  return context;
}

test("a policy that forbids WebAssembly is named", async (t) => {
  const stage = await Stage.set(t);
  stage.site.scripts = stage.site.scripts.replace(" 'wasm-unsafe-eval'", "");
  const page = await stage.tab();
  const { error } = await page.evaluate(() => app.start);
  assert.equal(error?.code, "module_failed");
  assert.match(error.message + error.help, /wasm-unsafe-eval/);
});

for (const [what, take] of [
  ["WebAssembly", () => delete globalThis.WebAssembly],
  ["cryptography", () => Object.defineProperty(globalThis.crypto, "subtle", { value: undefined })],
]) {
  test(`a browser without ${what} is named`, async (t) => {
    const stage = await Stage.set(t, { settings: { store: "indexeddb" } });
    await stage.context.addInitScript(take);
    const page = await stage.tab();
    const { error } = await page.evaluate(async () => {
      const { error } = await app.start;
      return error ? { error } : app.outcome(app.hallpass.login());
    });
    assert.ok(error?.code && error.help, JSON.stringify(error ?? "no error"));
  });
}

test("a page that is no secure context is named", async (t) => {
  const browser = await chromium.launch({
    ...HOW,
    args: [...HOW.args, "--host-resolver-rules=MAP app.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
  });
  t.after(() => browser.close());
  const stage = await Stage.set(t, { context: await browser.newContext(), settings: { store: "indexeddb" } });
  const page = await stage.context.newPage();
  await page.goto(stage.site.origin.replace("127.0.0.1", "app.test"));
  assert.equal(await page.evaluate(() => globalThis.isSecureContext), false);
  await stage.ready(page);
  const { error } = await page.evaluate(async () => {
    const { error } = await app.start;
    return error ? { error } : app.outcome(app.hallpass.login());
  });
  assert.ok(error?.code && error.help, JSON.stringify(error ?? "no error"));
});

test("a browser without locks takes turns as well as it can", async (t) => {
  const stage = await Stage.set(t, {
    start: peer,
    server: { accessTokenSeconds: 60 },
    settings: { store: "indexeddb" },
  });
  await stage.context.addInitScript(() => Object.defineProperty(Navigator.prototype, "locks", { value: undefined }));
  const one = await stage.signedIn();
  const other = await stage.tab();
  stage.server.settings.accessTokenSeconds = 3600;
  const tokens = await Promise.all(
    [one, other].map((page) => stage.value(page, async () => (await app.hallpass.token()).accessToken)),
  );
  stage.keepsSecret(...tokens);
  assert.equal(tokens[0], tokens[1]);
  assert.equal(stage.server.requests.length, 1);
});

test("a server that pages may not ask is named as such", async (t) => {
  const stage = await Stage.set(t, { start: peer, server: { sharesWithPages: false } });
  const page = await stage.tab();
  await page.click("#redirect");
  await stage.consents(page);
  await page.waitForURL(`${stage.site.origin}/**`);
  const { error } = await stage.ready(page);
  assert.equal(error?.code, "network");
  assert.match(error.message + error.help, /CORS|origin/);
  assert.match(await page.textContent("#who"), /^network/, "the application goes on");
  stage.server.settings.sharesWithPages = true;
  await stage.signedIn(page);
});

/** A server that answers, and lets no page of another origin see what. */
async function aloof() {
  const server = await Site.start({ issuer: "https://aloof.example" });
  const issuer = server.origin;
  const announced = { issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` };
  server.answers.set("/.well-known/openid-configuration", { body: JSON.stringify(announced) });
  return { issuer, clientId: "page", stop: () => server.stop() };
}

test("a server that no page may ask anything is named before anybody leaves", async (t) => {
  const stage = await Stage.set(t, { start: aloof });
  const page = await stage.tab();
  const error = await stage.refused(page, "network", () => app.hallpass.login());
  assert.match(error.message + error.help, /CORS/);
  assert.equal(new URL(page.url()).origin, stage.site.origin);
});

for (const [what, options, name] of [
  ["no issuer", { issuer: undefined }, /issuer/],
  ["a store of another name", { store: "cookie" }, /store/],
  ["origins that are no list", { origins: "https://api.example" }, /origins/],
  ["a client id that is no text", { clientId: 7 }, /clientId|client_id/],
]) {
  test(`options with ${what} are refused by name`, async (t) => {
    const stage = await Stage.set(t);
    const page = await stage.tab();
    const { error } = await page.evaluate(
      ([options, missing]) =>
        app.outcome(app.create({ ...options, ...Object.fromEntries(missing.map((name) => [name, undefined])) })),
      [options, Object.keys(options).filter((key) => options[key] === undefined)],
    );
    assert.ok(error?.code, "it is an error");
    assert.match(error.message, name);
  });
}
