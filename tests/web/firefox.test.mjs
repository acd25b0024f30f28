// The same in Firefox.
import assert from "node:assert/strict";
import { after, before, beforeEach, afterEach, test } from "node:test";
import { Firefox, consents } from "./firefox.mjs";
import { embedded, peer } from "./servers.mjs";
import { Site } from "./site.mjs";
import { until } from "./until.mjs";

const TABS = 4;
const scopes = ["openid", "email", "offline_access"];

let firefox, server, site, opened;

before(async () => (firefox = await Firefox.launched()));
after(() => firefox.close());
beforeEach(() => (opened = []));
afterEach(async () => {
  for (const tab of opened) await tab.close().catch(() => {});
  await site?.stop();
  await server?.stop();
});

async function begin(start, options, settings) {
  server = await start(options);
  const { issuer, clientId } = server;
  site = await Site.start({ issuer, clientId, scopes, origins: [issuer], ...settings });
}

async function open() {
  const tab = await firefox.tab(site.origin);
  opened.push(tab);
  await ready(tab);
  return tab;
}

/** What the application of the page began with. */
function ready(tab) {
  return tab.waitFor((origin) => location.origin === origin && globalThis.app?.start, site.origin);
}

async function signedIn() {
  const tab = await open();
  await tab.evaluate(() => document.querySelector("#redirect").click());
  await tab.waitFor((issuer) => location.origin === issuer, server.issuer);
  await consents(tab, server.issuer);
  const { value, error } = await ready(tab);
  assert.equal(value?.status.loggedIn, true, JSON.stringify(error));
  assert.equal(await tab.evaluate(() => location.href), `${site.origin}/callback`);
  return tab;
}

for (const [name, start] of [
  ["the embedded server", embedded],
  ["oidc-provider", peer],
]) {
  test(`a person signs in at ${name}, calls the API and renews the token`, async () => {
    await begin(start);
    const tab = await signedIn();
    const used = await tab.evaluate(async () => {
      const { status } = await app.hallpass.fetch(`${app.settings.issuer}/me`);
      const { origin } = await app.hallpass.token({ refresh: true });
      return { status, origin };
    });
    assert.deepEqual(used, { status: 200, origin: "refreshed" });
  });

  test(`a person signs in at ${name} in a window of its own`, async () => {
    await begin(start);
    const tab = await open();
    const known = new Set((await firefox.tabs()).map(({ context }) => context));
    await tab.evaluate(() => document.querySelector("#popup").click());
    const popup = await until(
      async () =>
        (await firefox.tabs()).find(({ context, url }) => !known.has(context) && url.startsWith(server.issuer)),
      "a window opens",
    );
    await consents(popup, server.issuer);
    const { value, error } = await tab.evaluate(() => app.login);
    assert.equal(value?.status.loggedIn, true, JSON.stringify(error));
    await until(
      async () => !(await firefox.tabs()).some(({ context }) => context === popup.context),
      "the window closes",
    );
  });
}

test(`${TABS} tabs with one expired session refresh once`, async () => {
  await begin(peer, { accessTokenSeconds: 60 }, { store: "indexeddb" });
  const tabs = [await signedIn()];
  while (tabs.length < TABS) tabs.push(await open());
  server.settings.accessTokenSeconds = 3600;
  server.requests.length = 0;
  const tokens = await Promise.all(
    tabs.map((tab) => tab.evaluate(async () => (await app.hallpass.token()).accessToken)),
  );
  assert.deepEqual(
    server.requests.map(({ status }) => status),
    [200],
  );
  assert.deepEqual([...new Set(tokens)], [server.requests[0].body.access_token]);
});
