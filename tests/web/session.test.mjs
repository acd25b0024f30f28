// A session in several tabs, with clocks, networks and machines as they are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { embedded, peer } from "./servers.mjs";
import { Stage } from "./stage.mjs";
import { until } from "./until.mjs";

const DAY = 24 * 3600 * 1000;
const kept = { store: "indexeddb" };
/** A token that will not do for five minutes: whoever asks must renew it. */
const short = { accessTokenSeconds: 60 };

/** What a call of `token` tells about itself. */
const token = async () => {
  const { origin, warnings } = await app.hallpass.token();
  return { origin, warnings: warnings.map(({ code }) => code) };
};
const whoIsThere = async () => (await app.hallpass.status()).loggedIn;

const statuses = (stage) => stage.server.requests.filter(({ path }) => path === "/token").map(({ status }) => status);

for (const [name, start] of [
  ["the embedded server", embedded],
  ["oidc-provider", peer],
]) {
  test(`a second tab has the session of ${name}, and hears of its end`, async (t) => {
    const stage = await Stage.set(t, { start, settings: kept });
    const one = await stage.signedIn();
    const other = await stage.tab();
    assert.equal(await stage.value(other, whoIsThere), true);
    assert.deepEqual(await stage.value(other, token), { origin: "stored", warnings: [] });
    assert.equal(stage.asked.length, 0);
    await one.reload();
    await stage.ready(one);
    assert.equal(await stage.value(one, whoIsThere), true, "a page that is loaded anew is signed in");

    await stage.value(one, () => app.hallpass.logout());
    await other.waitForFunction(() => app.changes.some(({ loggedIn }) => !loggedIn));
    await stage.refused(other, "not_logged_in", token);
    await stage.signedIn(one);
    await other.waitForFunction(() => app.changes.at(-1).loggedIn);
    assert.equal(await stage.value(other, whoIsThere), true);
  });
}

test("what is in memory is one tab's alone, and gone when it is loaded anew", async (t) => {
  const stage = await Stage.set(t);
  const page = await stage.signedIn();
  assert.equal(await stage.value(await stage.tab(), whoIsThere), false);
  assert.equal(await stage.value(page, whoIsThere), true);
  const kept = await page.evaluate(async () => [
    (await indexedDB.databases()).length,
    localStorage.length,
    sessionStorage.length,
  ]);
  assert.deepEqual(kept, [0, 0, 0]);
  await page.reload();
  await stage.ready(page);
  assert.equal(await stage.value(page, whoIsThere), false);
});

for (const [what, shift] of [
  ["ahead", DAY],
  ["behind", -DAY],
]) {
  test(`a clock that is a day ${what} costs at most one refresh`, async (t) => {
    const stage = await Stage.set(t, { settings: kept });
    await stage.context.addInitScript((shift) => {
      const real = Date;
      globalThis.Date = class extends real {
        constructor(...given) {
          super(...(given.length > 0 ? given : [real.now() + shift]));
        }
        static now() {
          return real.now() + shift;
        }
      };
    }, shift);
    const page = await stage.signedIn();
    const status = await stage.value(page, async () => {
      for (let call = 0; call < 3; call++) await app.hallpass.token();
      return (await app.hallpass.fetch(`${app.settings.issuer}/me`)).status;
    });
    assert.equal(status, 200);
    assert.ok(stage.asked.length <= 1, `${stage.asked.length} requests`);
  });
}

test("offline nothing is lost, and online again the session goes on", async (t) => {
  const stage = await Stage.set(t, { start: peer, server: short, settings: kept });
  const page = await stage.signedIn();
  await stage.context.setOffline(true);
  assert.deepEqual((await stage.value(page, token)).origin, "stored", "a token that still works is used");
  const error = await stage.refused(page, "network", () => app.hallpass.token({ refresh: true }));
  assert.ok(error.help && error.retryable, JSON.stringify(error));
  assert.deepEqual(statuses(stage), [], "nothing has arrived");
  await stage.context.setOffline(false);
  const renewed = () => stage.call(page, async () => (await app.hallpass.token({ refresh: true })).origin);
  await until(async () => (await renewed()).value === "refreshed", "the token is renewed");
});

test("a network that goes in the middle of a refresh costs the session nothing, where the server had not begun", async (t) => {
  const stage = await Stage.set(t, { start: peer, server: short, settings: kept });
  const page = await stage.signedIn();
  const { settings } = stage.server;
  await new Promise((resolve) => {
    settings.arriving = async () => {
      await stage.context.setOffline(true);
      resolve();
      throw new Error("the request is lost");
    };
    page.evaluate(() => (app.renewing = app.outcome(app.hallpass.token())));
  });
  settings.arriving = undefined;
  settings.accessTokenSeconds = 3600;
  await stage.context.setOffline(false);
  const { value, error } = await page.evaluate(async () => {
    const { value, error } = await app.renewing;
    return { value: value?.origin, error };
  });
  assert.ok(value || error.retryable, JSON.stringify(error));
  await until(async () => (await stage.call(page, token)).value?.origin === "stored", "a good token is there");
  assert.equal(statuses(stage).filter((status) => status === 200).length, 1);
  await stage.value(page, () => app.hallpass.token({ refresh: true }));
});

test("an answer that is lost with the network is named, and a login puts it right", async (t) => {
  const stage = await Stage.set(t, { start: peer, server: { accessTokenSeconds: 3600 }, settings: kept });
  const page = await stage.signedIn();
  const { settings } = stage.server;
  settings.leaving = async () => {
    settings.leaving = undefined;
    await stage.context.setOffline(true);
    await stage.context.setOffline(false);
  };
  const { value, error } = await stage.call(page, async () => (await app.hallpass.token({ refresh: true })).origin);
  assert.equal(error?.code, "rotation_lost", value);
  assert.ok(error.help);
  await stage.signedIn(page);
  assert.equal(await stage.value(page, whoIsThere), true);
});

test("a tab that is put to sleep while it renews keeps its turn, and both have the token in the end", async (t) => {
  const stage = await Stage.set(t, { start: peer, server: short, settings: kept });
  const sleeper = await stage.signedIn();
  const other = await stage.tab();
  const { settings } = stage.server;
  settings.accessTokenSeconds = 3600;
  let awake;
  const asleep = new Promise((resolve) => {
    const waiting = new Promise((wake) => (awake = wake));
    settings.leaving = async () => {
      settings.leaving = undefined;
      const session = await stage.context.newCDPSession(sleeper);
      await session.send("Page.setWebLifecycleState", { state: "frozen" });
      resolve(session);
      await waiting;
    };
  });
  await sleeper.evaluate(() => void (app.renewing = app.hallpass.token()));
  const session = await asleep;
  await other.evaluate(() => {
    app.state = "waiting";
    app.renewing = app.hallpass.token().finally(() => (app.state = "done"));
  });
  await until(() => holders(other).then(({ pending }) => pending > 0), "the other tab waits for its turn");
  awake();
  // The answer is there, and the tab sleeps on: nobody takes its place.
  await until(() => statuses(stage).length === 1, "the server has answered");
  assert.equal(await other.evaluate(() => app.state), "waiting");
  await session.send("Page.setWebLifecycleState", { state: "active" });
  const tokens = await Promise.all(
    [sleeper, other].map((page) => page.evaluate(async () => (await app.renewing).accessToken)),
  );
  stage.keepsSecret(...tokens);
  assert.equal(tokens[0], tokens[1]);
  assert.deepEqual(statuses(stage), [200]);
});

/** How many hold a lock of this origin, and how many wait for one. */
function holders(page) {
  return page.evaluate(async () => {
    const { held, pending } = await navigator.locks.query();
    return { held: held.length, pending: pending.length };
  });
}

for (const [what, moment, end] of [
  ["before the server has begun", "arriving", { statuses: [200] }],
  ["after the server has renewed the token", "leaving", { code: "rotation_lost" }],
]) {
  test(`a tab that is closed while it renews, ${what}, keeps nobody waiting`, async (t) => {
    const stage = await Stage.set(t, { start: peer, server: short, settings: kept });
    const closed = await stage.signedIn();
    const other = await stage.tab();
    const { settings } = stage.server;
    settings.accessTokenSeconds = 3600;
    await new Promise((resolve) => {
      settings[moment] = async () => {
        settings[moment] = undefined;
        resolve();
        await closed.close();
        throw new Error("nobody is there any more");
      };
      closed.evaluate(() => void app.hallpass.token());
    });
    const begun = Date.now();
    const { value, error } = await stage.call(other, () => app.hallpass.token({ minTtl: 300, refresh: true }).then(() => 1));
    assert.ok(Date.now() - begun < 15_000, "it waits for the lock of a tab that is gone");
    if (end.code) {
      assert.equal(error?.code, end.code);
      await stage.signedIn(other);
    } else {
      assert.equal(value, 1, JSON.stringify(error));
    }
    await stage.value(other, () => app.hallpass.token({ refresh: true }));
  });
}
