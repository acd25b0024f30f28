// Signing in in a window of its own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { embedded, peer } from "./servers.mjs";
import { Stage } from "./stage.mjs";
import { until } from "./until.mjs";

/** Clicks, and answers the window that opens. */
async function opened(page) {
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.click("#popup")]);
  return popup;
}

const ended = (page) => page.evaluate(() => app.login);

for (const [name, start] of [
  ["the embedded server", embedded],
  ["oidc-provider", peer],
]) {
  test(`a person signs in at ${name} while the page stays`, async (t) => {
    const stage = await Stage.set(t, { start });
    const page = await stage.tab();
    await page.evaluate(() => (globalThis.stays = true));
    const popup = await opened(page);
    await stage.consents(popup);
    const { value, error } = await ended(page);
    assert.equal(error, undefined);
    assert.equal(value.status.loggedIn, true);
    await until(() => popup.isClosed(), "the window closes");
    assert.equal(await page.evaluate(() => globalThis.stays), true);
    assert.equal((await stage.value(page, () => app.hallpass.status())).loggedIn, true);
  });
}

test("a page that does nothing else takes the answer", async (t) => {
  const stage = await Stage.set(t);
  stage.site.settings.redirectUri = `${stage.site.origin}/auth/callback`;
  const page = await stage.tab();
  const popup = await opened(page);
  await stage.consents(popup);
  const { value, error } = await ended(page);
  assert.equal(value?.status.loggedIn, true, JSON.stringify(error));
  await until(() => popup.isClosed(), "the window closes");
});

test("a server that cuts the window off from its opener is no obstacle", async (t) => {
  const stage = await Stage.set(t);
  // As with Cross-Origin-Opener-Policy: same-origin, which loopback addresses may send as well.
  await stage.context.route(`${stage.server.issuer}/authorize**`, async (route) => {
    const response = await route.fetch({ maxRedirects: 0 });
    const headers = { ...response.headers(), "cross-origin-opener-policy": "same-origin" };
    await route.fulfill({ response, headers });
  });
  const page = await stage.tab();
  const popup = await opened(page);
  await stage.consents(popup);
  const { value, error } = await ended(page);
  assert.equal(error, undefined);
  assert.equal(value.status.loggedIn, true);
});

test("a window that the browser blocks is an error with advice", async (t) => {
  const stage = await Stage.set(t);
  await stage.context.addInitScript(() => {
    globalThis.onload = async () => {
      await globalThis.app.start;
      globalThis.app.login = globalThis.app.outcome(globalThis.app.hallpass.login({ popup: true }));
    };
  });
  const page = await stage.tab();
  await page.waitForFunction(() => globalThis.app.login);
  const { error } = await ended(page);
  assert.equal(error?.code, "popup_blocked");
  assert.ok(error.help);
  const popup = await opened(page);
  await stage.consents(popup);
  assert.equal((await ended(page)).value?.status.loggedIn, true, "a click opens it");
});

test("a window that the person closes ends the login", async (t) => {
  const stage = await Stage.set(t);
  const page = await stage.tab();
  const popup = await opened(page);
  await popup.waitForURL(`${stage.server.issuer}/**`);
  await popup.close();
  const { error } = await ended(page);
  assert.equal(error?.code, "popup_closed");
  assert.equal(stage.asked.length, 0);
  const another = await opened(page);
  await stage.consents(another);
  assert.equal((await ended(page)).value?.status.loggedIn, true);
});

test("a person who says no in the window is heard", async (t) => {
  const stage = await Stage.set(t);
  const page = await stage.tab();
  const popup = await opened(page);
  await stage.consents(popup, { denies: true });
  assert.equal((await ended(page)).error?.code, "access_denied");
  await until(() => popup.isClosed(), "the window closes");
});

test("messages of others change nothing", async (t) => {
  const stage = await Stage.set(t);
  const page = await stage.tab();
  const popup = await opened(page);
  await popup.waitForURL(`${stage.server.issuer}/**`);

  // What an answer looks like, from a login of our own that somebody else could have made.
  const other = await stage.tab();
  const forgeries = await other.evaluate(() => {
    const url = `${location.origin}/callback?code=forged-code-7&state=forged-state-7`;
    return [url, { url }, ...["arrived", "taken"].map((hallpass) => ({ hallpass, id: "forged", url }))];
  });
  // From the server's own page, which is the opener's other end but of another origin.
  await popup.evaluate((forgeries) => {
    for (const forgery of forgeries) globalThis.opener?.postMessage(forgery, "*");
  }, forgeries);
  const refused = () =>
    page.evaluate(() => app.logged.filter((line) => /is not the answer/.test(JSON.stringify(line))).length);
  // Long enough for what is heard to be judged.
  await stage.value(page, () => app.hallpass.status());
  assert.equal(await refused(), 0, "a page of another origin was heard");
  // From a script of the same page, and from another tab.
  await page.evaluate((forgeries) => {
    for (const forgery of forgeries) globalThis.postMessage(forgery, "*");
  }, forgeries);
  await other.evaluate((forgeries) => {
    const channel = new BroadcastChannel("hallpass redirect");
    for (const forgery of forgeries) channel.postMessage(forgery);
  }, forgeries);
  const forger = await stage.context.newPage();
  await forger.goto(`${stage.site.origin}/callback?code=forged-code-7&state=forged-state-7`);
  await stage.ready(forger);
  assert.ok((await refused()) > 0, "what comes from this origin is judged, and refused");
  assert.equal(stage.asked.length, 0, "a forged code was sent");

  await stage.consents(popup);
  const { value, error } = await ended(page);
  assert.equal(error, undefined);
  assert.equal(value.status.loggedIn, true, "the real answer counts");
});
