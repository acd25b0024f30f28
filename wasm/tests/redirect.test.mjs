// A login by redirect: what is in the address, what waits in the tab, and what is made of an answer that is not ours.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { REDIRECT_URI, ORIGIN, Tab, failure, shows } from "./page.mjs";
import { API } from "./server.mjs";

let tab;
beforeEach(() => (tab = new Tab()));

/** A tab that is away at the authorization server: where it went. */
async function away(options) {
  const page = await tab.load(`${ORIGIN}/`);
  return page.leave(await page.create(options));
}

test("a person signs in, and nothing of it is left in the page", async () => {
  const url = await away();
  assert.equal(tab.storage.size, 1);
  const page = await tab.load(`${tab.server.consent(url)}&keep=this%20one#there`);
  const creating = page.create();
  assert.equal(page.url.href, `${REDIRECT_URI}?keep=this%20one#there`, "before anything else happens");
  const hallpass = await creating;
  const loggedIn = await hallpass.handleRedirect();
  assert.equal(loggedIn.status.account.email, "ada@example.com");
  assert.deepEqual([loggedIn.status.store, loggedIn.status.location], ["memory", "memory"]);
  assert.equal(tab.storage.size, 0);
  assert.equal(await hallpass.handleRedirect(), loggedIn, "the same answer for who asks again");
  const token = await hallpass.token();
  assert.ok(token.accessToken.startsWith("canary-access"));
  assert.ok(!shows([loggedIn, token, hallpass, tab.seen]));
});

test("what waits in the tab is what core gave, and holds no address that a code could be sent to", async () => {
  await away();
  const [[key, value]] = tab.storage;
  assert.equal(key, "hallpass https://id.example app");
  assert.deepEqual(Object.keys(JSON.parse(value)).sort(), ["issuer", "redirect_uri", "seed", "version"]);
});

test("a page that was loaded for something else says nothing, and its address stays", async () => {
  for (const url of [`${ORIGIN}/`, REDIRECT_URI, `${REDIRECT_URI}?code=of-a-book`, `${ORIGIN}/other?code=a&state=b`]) {
    const page = await tab.load(url);
    const hallpass = await page.create();
    assert.equal(await hallpass.handleRedirect(), undefined, url);
    assert.equal(page.url.href, url);
  }
});

test("an answer that nobody waits for is an error, and the app goes on", async () => {
  const page = await tab.load(`${REDIRECT_URI}?code=x&state=y`);
  const hallpass = await page.create();
  const error = await failure(hallpass.handleRedirect());
  assert.deepEqual([error.code, error.name], ["no_login_waits", "MisusedError"]);
  assert.match(error.help, /login\(\)/);
  assert.equal(page.url.href, REDIRECT_URI);
  assert.equal((await hallpass.status()).loggedIn, false);
  assert.deepEqual(tab.server.asked, []);
});

const changes = {
  "another state": [(url) => tab.server.consent(url, { state: "another" }), "foreign_redirect"],
  "a foreign issuer": [(url) => tab.server.consent(url, { iss: "https://evil.example" }), "issuer_mismatch"],
  "no issuer although one is promised": [(url) => tab.server.consent(url, { iss: undefined }), "issuer_missing"],
  "a refusal": [(url) => tab.server.consent(url, { code: undefined, error: "access_denied" }), "access_denied"],
  "a forged code": [(url) => tab.server.consent(url, { code: "forged" }), "refused"],
};
for (const [what, [answer, code]] of Object.entries(changes)) {
  test(`${what} ends the login with ${code}`, async () => {
    const url = await away();
    const page = await tab.load(answer(url));
    const hallpass = await page.create();
    const error = await failure(hallpass.handleRedirect());
    assert.equal(error.code, code);
    assert.ok(error.help, "it says what helps");
    assert.ok(!shows(error));
    assert.equal(tab.storage.size, 0);
    assert.equal((await hallpass.status()).loggedIn, false);
    const asked = tab.server.asked.filter((line) => line === "POST /token");
    assert.equal(asked.length, code === "refused" ? 1 : 0);
  });
}

const tampered = {
  "no JSON": () => "{",
  nothing: () => "",
  "another version": (kept) => JSON.stringify({ ...JSON.parse(kept), version: 99 }),
  "another issuer": (kept) => JSON.stringify({ ...JSON.parse(kept), issuer: "https://evil.example" }),
  "another seed": (kept) => JSON.stringify({ ...JSON.parse(kept), seed: Array(32).fill(7) }),
  "another redirect URI": (kept) =>
    JSON.stringify({ ...JSON.parse(kept), redirect_uri: "https://evil.example/callback" }),
  "an endpoint": (kept) => JSON.stringify({ ...JSON.parse(kept), token_endpoint: "https://evil.example/token" }),
};
for (const [what, change] of Object.entries(tampered)) {
  test(`what waited in the tab was changed: ${what}`, async () => {
    const url = await away();
    const [[key, value]] = tab.storage;
    tab.storage.set(key, change(value));
    const page = await tab.load(tab.server.consent(url));
    const hallpass = await page.create();
    const outcome = await hallpass.handleRedirect().catch((error) => error);
    assert.ok(tab.server.asked.every((line) => !line.includes("evil")));
    assert.equal(tab.storage.size, 0);
    if (what === "an endpoint") return assert.equal(outcome.status.loggedIn, true, "it is not even looked at");
    assert.ok(outcome.code && outcome.help, String(outcome));
    assert.ok(!tab.server.asked.includes("POST /token"));
    assert.equal((await hallpass.status()).loggedIn, false);
  });
}

test("of two providers with one redirect URI the one whose login waits takes the answer", async () => {
  const url = await away();
  const page = await tab.load(tab.server.consent(url));
  const other = await page.create({ clientId: "another" });
  assert.equal(await other.handleRedirect(), undefined);
  const hallpass = await page.create();
  assert.equal((await hallpass.handleRedirect()).status.loggedIn, true);
});

test("a reload in mid-flow finds a clean address and nothing that waits", async () => {
  const url = await away();
  const page = await tab.load(tab.server.consent(url));
  const hallpass = await page.create();
  const handling = hallpass.handleRedirect();
  const again = await tab.load(page.url.href);
  assert.equal(await (await again.create()).handleRedirect(), undefined);
  assert.equal((await handling).status.loggedIn, true);
});

test("the back button ends the wait", async () => {
  const page = await tab.load(`${ORIGIN}/`);
  const hallpass = await page.create();
  const login = failure(hallpass.login());
  await new Promise((resolve) => (page.leaving = resolve));
  page.dispatch("pageshow", { persisted: true });
  assert.equal((await login).code, "cancelled");
  assert.equal((await hallpass.status()).loggedIn, false);
});

test("where nothing can wait in the tab the page is not left", async () => {
  const page = await tab.load(`${ORIGIN}/`);
  page.storageIsFull = true;
  const error = await failure((await page.create()).login());
  assert.deepEqual([error.code, error.name], ["session_storage", "LocalError"]);
  assert.equal(page.left, undefined);
});

test("a redirect URI of another origin is refused before the page is left", async () => {
  const page = await tab.load("https://elsewhere.example/");
  const hallpass = await page.create();
  for (const options of [{}, { popup: true }]) {
    const error = await failure(hallpass.login(options));
    assert.equal(error.code, "invalid_option");
    assert.match(error.message, /of this origin/);
  }
  assert.deepEqual([page.left, page.opened.length], [undefined, 0]);
});

test("where a page has no channel to others it goes without", async (t) => {
  const { BroadcastChannel } = globalThis;
  t.after(() => (globalThis.BroadcastChannel = BroadcastChannel));
  globalThis.BroadcastChannel = class {
    constructor() {
      throw new DOMException("denied", "SecurityError");
    }
  };
  const url = await away();
  const page = await tab.load(tab.server.consent(url));
  const hallpass = await page.create();
  assert.equal((await hallpass.handleRedirect()).status.loggedIn, true);
  const heard = new Promise((resolve) => hallpass.on("change", resolve));
  await hallpass.status();
  await hallpass.logout();
  assert.equal((await heard).loggedIn, false, "what this page does itself it hears all the same");
});

test("a login that is aborted is let go", async () => {
  const page = await tab.load(`${ORIGIN}/`);
  const hallpass = await page.create();
  const controller = new AbortController();
  const login = failure(hallpass.login({ signal: controller.signal }));
  await new Promise((resolve) => (page.leaving = resolve));
  controller.abort();
  assert.equal((await login).name, "AbortError");
});

test("a token is renewed after a 401, and goes nowhere else", async () => {
  const url = await away();
  const page = await tab.load(tab.server.consent(url));
  const hallpass = await page.create();
  await hallpass.handleRedirect();
  assert.equal((await hallpass.fetch(`${API}/me`)).status, 200);
  tab.server.expire();
  const response = await hallpass.fetch(new Request(`${API}/me`, { method: "POST", body: "x" }));
  assert.deepEqual(await response.json(), { method: "POST", body: "x", type: "text/plain;charset=UTF-8" });
  assert.equal((await failure(hallpass.fetch("https://evil.example/"))).code, "origin_not_allowed");
  tab.server.instead["/moved"] = () => ({ type: "opaqueredirect", status: 0, headers: new Headers(), body: null });
  assert.equal((await failure(hallpass.fetch(`${API}/moved`))).code, "redirected");
});

test("a logout ends it", async () => {
  const url = await away();
  const page = await tab.load(tab.server.consent(url));
  const hallpass = await page.create();
  await hallpass.handleRedirect();
  const heard = new Promise((resolve) => hallpass.on("change", resolve));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await hallpass.logout()).revocation, "revoked");
  assert.equal((await heard).loggedIn, false);
  hallpass.close();
  const error = await failure(hallpass.token());
  assert.deepEqual([error.code, error.help], ["not_logged_in", "call `login()`"]);
});
