// Signing in by a redirect of the whole page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { embedded, peer } from "./servers.mjs";
import { Stage } from "./stage.mjs";

/** Where the page is, without its origin. */
const place = (page) => page.evaluate(() => location.href.slice(location.origin.length));

/** A tab on its way: the person has the server's page before them. */
async function onTheWay(stage, tab) {
  const page = tab ?? (await stage.tab());
  await page.click("#redirect");
  await page.waitForURL(`${stage.server.issuer}/**`);
  return page;
}

/** The redirect that the server answers the person with, which the site lets come to nothing. */
async function redirected(stage, page) {
  const arrived = page.waitForRequest(`${stage.site.origin}/callback?**`);
  stage.site.answers.set("/callback", { status: 204, body: "" });
  // The person sees nothing happen, and waits.
  stage.consents(page).catch(() => {});
  const request = await arrived;
  await request.response();
  stage.site.answers.delete("/callback");
  return new URL(request.url());
}

/** Comes back with another answer than the server's; answers what the application heard. */
async function comesBack(stage, url, page) {
  page ??= await stage.context.newPage();
  await page.goto(String(url));
  return stage.ready(page);
}

const suspended = (page) => page.evaluate(() => ({ ...sessionStorage }));

for (const [name, start] of [
  ["the embedded server", embedded],
  ["oidc-provider", peer],
]) {
  test(`a person signs in at ${name}, calls the API, renews the token and signs out`, async (t) => {
    const stage = await Stage.set(t, { start });
    const page = await stage.signedIn();
    assert.equal(await place(page), "/callback", "the URL is clean");
    assert.deepEqual(await suspended(page), {}, "nothing is left of the flow");

    const me = await stage.value(page, async () => {
      const response = await app.hallpass.fetch(`${app.settings.issuer}/me`);
      return { status: response.status, body: await response.json() };
    });
    assert.equal(me.status, 200);
    assert.ok(me.body.sub, JSON.stringify(me.body));
    assert.equal(stage.asked.length, 0, "the token was still good");

    const renewed = await stage.value(page, async () => {
      const before = (await app.hallpass.token()).accessToken;
      const { accessToken, origin } = await app.hallpass.token({ refresh: true });
      return { origin, isAnother: accessToken !== before };
    });
    assert.deepEqual(renewed, { origin: "refreshed", isAnother: true });

    const { loggedIn } = await stage.value(page, () => app.hallpass.status());
    assert.equal(loggedIn, true);
    const { revocation } = await stage.value(page, () => app.hallpass.logout());
    assert.equal(revocation, "revoked");
    await stage.refused(page, "not_logged_in", () => app.hallpass.token());
  });
}

test("what else is in the address stays there, and a second question has the same answer", async (t) => {
  const stage = await Stage.set(t);
  const page = await onTheWay(stage);
  const answer = await redirected(stage, page);
  const { value } = await comesBack(stage, `${answer}&tab=2#part`, page);
  assert.equal(value?.status.loggedIn, true);
  assert.equal(await place(page), "/callback?tab=2#part");
  const again = await stage.value(page, () => app.hallpass.handleRedirect());
  assert.equal(again?.status.loggedIn, true);
});

test("the address is clean before anything else runs", async (t) => {
  const stage = await Stage.set(t);
  const page = await onTheWay(stage);
  const answer = await redirected(stage, page);
  await page.addInitScript(() => {
    const { fetch } = globalThis;
    globalThis.fetch = (...request) => {
      (globalThis.seen ??= []).push(location.search);
      return fetch(...request);
    };
  });
  assert.equal((await comesBack(stage, answer, page)).value?.status.loggedIn, true);
  const seen = await page.evaluate(() => globalThis.seen.filter((search) => /code|state/.test(search)));
  assert.deepEqual(seen, [], "a request went out while the code was in the address");
});

test("a person who says no is back in the application, with the reason", async (t) => {
  const stage = await Stage.set(t);
  const page = await onTheWay(stage);
  await stage.consents(page, { denies: true });
  await page.waitForURL(`${stage.site.origin}/**`);
  const { error } = await stage.ready(page);
  assert.equal(error?.code, "access_denied");
  assert.equal(await place(page), "/callback");
  await stage.signedIn(page);
});

test("who goes back and who loads the page anew can begin again", async (t) => {
  const stage = await Stage.set(t);
  const page = await onTheWay(stage);
  await page.goBack();
  assert.deepEqual(await stage.ready(page), { value: undefined }, "the way back is no answer");
  await onTheWay(stage, page);
  await page.reload();
  await stage.consents(page);
  await page.waitForURL(`${stage.site.origin}/**`);
  assert.equal((await stage.ready(page)).value?.status.loggedIn, true);
  // What came of it is not asked for twice.
  await page.reload();
  assert.deepEqual(await stage.ready(page), { value: undefined });
  await page.goBack();
  await page.goForward();
  assert.equal((await stage.ready(page)).error, undefined);
});

test("a server that wants requests pushed first is given them", async (t) => {
  const stage = await Stage.set(t, { start: peer, server: { pushed: "required" } });
  const page = await stage.tab();
  await page.click("#redirect");
  await page.waitForURL((url) => url.origin === stage.server.issuer);
  assert.deepEqual(
    stage.server.requests.map(({ path, status }) => [path, status]),
    [["/request", 201]],
  );
  await stage.consents(page);
  await page.waitForURL(`${stage.site.origin}/**`);
  assert.equal((await stage.ready(page)).value?.status.loggedIn, true);
});

test("an answer that comes twice is used once", async (t) => {
  const stage = await Stage.set(t);
  const page = await onTheWay(stage);
  const answer = await redirected(stage, page);
  assert.equal((await comesBack(stage, answer, page)).value?.status.loggedIn, true);
  stage.asked.length = 0;
  await page.goto("about:blank");
  const { error } = await comesBack(stage, answer, page);
  assert.equal(error?.code, "no_login_waits");
  assert.equal(stage.asked.length, 0, "the code was sent again");
  assert.equal(await place(page), "/callback");
});

test("two tabs sign in beside each other", async (t) => {
  const stage = await Stage.set(t);
  const one = await onTheWay(stage);
  const other = await onTheWay(stage);
  for (const page of [other, one]) {
    await stage.consents(page);
    await page.waitForURL(`${stage.site.origin}/**`);
    assert.equal((await stage.ready(page)).value?.status.loggedIn, true);
  }
});

test("the answer to another tab's login is refused, and that login can go on", async (t) => {
  const stage = await Stage.set(t);
  const victim = await onTheWay(stage);
  const attacker = await onTheWay(stage);
  const foreign = await redirected(stage, attacker);
  const { value, error } = await comesBack(stage, foreign, victim);
  assert.equal(value, undefined);
  assert.equal(error?.code, "foreign_redirect", JSON.stringify(value));
  assert.ok(error.help);
  assert.equal(stage.asked.length, 0, "the code of another login was sent");
  assert.equal(await place(victim), "/callback");
  await stage.signedIn(victim);
});

test("a forged answer to a page without a login is no login", async (t) => {
  const stage = await Stage.set(t);
  const { error } = await comesBack(stage, `${stage.site.origin}/callback?code=forged-code-1&state=forged-state-1`);
  assert.equal(error?.code, "no_login_waits");
  assert.ok(error.help);
  assert.equal(stage.asked.length, 0);
});

for (const [what, change] of [
  ["of another server (RFC 9207)", (answer) => answer.searchParams.set("iss", "https://evil.example")],
  ["with another state", (answer) => answer.searchParams.set("state", "another-state-of-40-characters-0000000000")],
]) {
  test(`an answer ${what} is refused and its code not sent`, async (t) => {
    const stage = await Stage.set(t);
    const page = await onTheWay(stage);
    const answer = await redirected(stage, page);
    change(answer);
    stage.keepsSecret(answer.searchParams.get("code"));
    const { value, error } = await comesBack(stage, answer, page);
    assert.equal(value, undefined);
    assert.ok(error?.code && error.message, "it is an error");
    assert.ok(error.help, `${error.code} has advice`);
    assert.equal(stage.asked.length, 0, "the code was sent");
    assert.equal(await place(page), "/callback");
    await stage.signedIn(page);
  });
}

test("a code without a state is no answer", async (t) => {
  const stage = await Stage.set(t);
  const page = await onTheWay(stage);
  const answer = await redirected(stage, page);
  answer.searchParams.delete("state");
  answer.searchParams.set("code", "a coupon of the application's own");
  assert.deepEqual(await comesBack(stage, answer, page), { value: undefined });
  assert.equal(stage.asked.length, 0, "the code was sent");
  await stage.signedIn(page);
});

for (const [what, change] of [
  ["cut off", (text) => text.slice(0, text.length / 2)],
  ["no JSON", () => "canary-of-a-tampered-flow"],
  ["of another shape", () => '{"state":7}'],
  ["of another version", (text) => text.replace(/"version":\d+/, '"version":99')],
  ["for another redirect URI", (text) => text.replace("/callback", "/elsewhere")],
  [
    "with another seed",
    (text) => text.replace(/"seed":\[\d+/, (start) => (start.endsWith("[7") ? '"seed":[8' : '"seed":[7')),
  ],
]) {
  test(`a kept flow that is ${what} is an error, and the application goes on`, async (t) => {
    const stage = await Stage.set(t);
    const page = await onTheWay(stage);
    const answer = await redirected(stage, page);
    // A page of the same site in the same tab, which may be anybody's.
    await page.goto(`${stage.site.origin}/module.html`);
    const kept = Object.entries(await suspended(page));
    assert.equal(kept.length, 1, "one key holds what must survive");
    const [key, text] = kept[0];
    const changed = change(text);
    assert.notEqual(changed, text, `there is nothing to change`);
    await page.evaluate(([key, text]) => sessionStorage.setItem(key, text), [key, changed]);
    const { value, error } = await comesBack(stage, answer, page);
    assert.equal(value, undefined);
    assert.ok(error?.code && error.help, JSON.stringify(error ?? "no error"));
    assert.ok(!JSON.stringify(error).includes("canary"), "the error repeats what was there");
    assert.deepEqual(await suspended(page), {}, "it is gone");
    assert.equal(await place(page), "/callback");
    await stage.signedIn(page);
  });
}
