// A session in several tabs, with clocks, networks and machines as they are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { embedded, peer } from "./servers.mjs";
import { Stage } from "./stage.mjs";
import { until } from "./until.mjs";

const DAY = 24 * 3600 * 1000;
const kept = { store: "indexeddb" };
/** A token that will not do for five minutes: whoever asks must renew it, and can use it where that fails. */
const short = { accessTokenSeconds: 60 };
/** A token that is as good as expired. */
const spent = { accessTokenSeconds: 5 };

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

/** Here a browser cannot send a request again of its own accord, as it does where a connection that it knows breaks. */
const sentOnce = { ...spent, reusesConnections: false };

/** Takes the network away while the server has a request, once; it comes back when the page has noticed. */
function cutOff(stage, moment) {
  const { settings } = stage.server;
  settings[moment] = async (exchange) => {
    settings[moment] = undefined;
    settings.accessTokenSeconds = 3600;
    await stage.context.setOffline(true);
    stage.context.once("requestfailed", () => stage.context.setOffline(false));
    exchange.req.socket.destroy();
    if (moment === "arriving") throw new Error("the request is lost");
  };
}

test("a network that goes in the middle of a refresh costs nothing, where the server had not begun", async (t) => {
  const stage = await Stage.set(t, { start: peer, server: sentOnce, settings: kept });
  const page = await stage.signedIn();
  cutOff(stage, "arriving");
  assert.equal((await stage.value(page, token)).origin, "refreshed");
  assert.deepEqual(statuses(stage), [200]);
  await stage.value(page, () => app.hallpass.token({ refresh: true }));
});

test("an answer that is lost with the network is named, and a login puts it right", async (t) => {
  const stage = await Stage.set(t, { start: peer, server: sentOnce, settings: kept });
  const page = await stage.signedIn();
  cutOff(stage, "leaving");
  const error = await stage.refused(page, "rotation_lost", token);
  assert.ok(error.help);
  await stage.signedIn(page);
  await stage.value(page, () => app.hallpass.token({ refresh: true }));
});

test("a tab that falls asleep while it renews keeps its turn, and both have the token in the end", async (t) => {
  const stage = await Stage.set(t, { start: peer, server: short, settings: kept });
  const sleeper = await stage.signedIn();
  const other = await stage.tab();
  const { settings } = stage.server;
  settings.accessTokenSeconds = 3600;
  let answer;
  let answered = false;
  const waits = new Promise((resolve) => (answer = resolve));
  const asleep = new Promise((resolve) => {
    settings.leaving = async ({ res }) => {
      settings.leaving = undefined;
      res.once("finish", () => (answered = true));
      resolve(await asleepNow(stage, sleeper));
      await waits;
    };
  });
  await sleeper.evaluate(() => void (app.renewing = app.hallpass.token()));
  const awake = await asleep;
  await other.evaluate(() => {
    app.state = "waiting";
    app.renewing = app.hallpass.token().finally(() => (app.state = "done"));
  });
  const both = { held: 1, pending: 1 };
  await until(async () => isDeepStrictEqual(await holders(other), both), "the other tab waits for its turn");
  answer();
  await until(() => answered, "the server has answered");
  // The answer is there, and the tab sleeps on: nobody takes its place.
  assert.equal(await other.evaluate(() => app.state), "waiting");
  assert.deepEqual(await holders(other), both);
  await awake();
  const tokens = await Promise.all(
    [sleeper, other].map((page) => page.evaluate(async () => (await app.renewing).accessToken)),
  );
  stage.keepsSecret(...tokens);
  assert.equal(tokens[0], tokens[1]);
  assert.deepEqual(statuses(stage), [200]);
});

/** Puts a page to sleep: nothing in it runs, and what it holds it holds on to. Answers how to wake it up. */
async function asleepNow(stage, page) {
  const session = await stage.context.newCDPSession(page);
  await session.send("Debugger.enable");
  const paused = new Promise((resolve) => session.once("Debugger.paused", resolve));
  await session.send("Debugger.pause");
  // It stops with the next thing that it does.
  page.evaluate(() => 0).catch(() => {});
  await paused;
  return () => session.send("Debugger.resume");
}

/** How many hold a lock of this origin, and how many wait for one. */
function holders(page) {
  return page.evaluate(async () => {
    const { held, pending } = await navigator.locks.query();
    return { held: held.length, pending: pending.length };
  });
}

/** Has a page renew the token, and closes it when its request has got so far. */
const closing = {
  async leaving(_stage, page) {
    await page.evaluate(async () => {
      const held = new Promise(() => {});
      const sending = (url, init) => (init?.method === "POST" ? ((app.sends = true), held) : fetch(url, init));
      const hallpass = await app.create({ fetch: sending });
      void hallpass.token();
    });
    await page.waitForFunction(() => app.sends);
    await page.close();
  },
  arriving: (stage, page) => closingAt(stage, "arriving", page),
  answered: (stage, page) => closingAt(stage, "leaving", page),
};

function closingAt({ server: { settings } }, moment, page) {
  return new Promise((resolve) => {
    settings[moment] = async () => {
      settings[moment] = undefined;
      await page.close();
      resolve();
      throw new Error("nobody is there any more");
    };
    page.evaluate(() => void app.hallpass.token());
  });
}

for (const [what, moment, code] of [
  ["before its request has left", "leaving"],
  ["before the server has begun", "arriving"],
  ["after the server has renewed the token", "answered", "rotation_lost"],
]) {
  test(`a tab that is closed while it renews, ${what}, keeps nobody waiting`, async (t) => {
    const stage = await Stage.set(t, { start: peer, server: spent, settings: kept });
    const closed = await stage.signedIn();
    const other = await stage.tab();
    stage.server.settings.accessTokenSeconds = 3600;
    await closing[moment](stage, closed);
    const begun = Date.now();
    const { value, error } = await stage.call(other, token);
    assert.ok(Date.now() - begun < 20_000, "it waits for the lock of a tab that is gone");
    assert.equal(error?.code, code);
    if (code) await stage.signedIn(other);
    else assert.equal(value.origin, "refreshed");
    await stage.value(other, () => app.hallpass.token({ refresh: true }));
  });
}
