// Worker mode: the tokens are where scripts of the page are not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hostile, ransack } from "./hostile.mjs";
import { embedded, peer } from "./servers.mjs";
import { Site } from "./site.mjs";
import { Stage } from "./stage.mjs";

const me = async () => {
  const response = await app.hallpass.fetch(`${app.settings.issuer}/me`);
  return { status: response.status, hasBody: (await response.text()).length > 2 };
};

async function bySignInWindow(stage, page) {
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.click("#popup")]);
  await stage.consents(popup);
  const { value, error } = await page.evaluate(() => app.login);
  assert.equal(value?.status.loggedIn, true, JSON.stringify(error));
}

async function byDeviceCode(stage, page) {
  await page.evaluate(() => {
    app.login = app.outcome(app.hallpass.loginWithDeviceCode({ onPrompt: (prompt) => void app.prompts.push(prompt) }));
  });
  await page.waitForFunction(() => app.prompts.length > 0);
  const { verificationUri, userCode } = await page.evaluate(() => {
    const { verificationUri, userCode } = app.prompts[0];
    return { verificationUri, userCode };
  });
  const elsewhere = await stage.context.newPage();
  await elsewhere.goto(verificationUri);
  await stage.consents(elsewhere, { userCode });
  await elsewhere.close();
  const { value, error } = await page.evaluate(() => app.login);
  assert.equal(value?.status.loggedIn, true, JSON.stringify(error));
}

/** Every token that the server gives from now on, with what it is. */
function tokensOf({ server }) {
  const known = [];
  server.settings.leaving = ({ body: { access_token, refresh_token, id_token } }) => {
    const given = [
      ["access token", access_token],
      ["refresh token", refresh_token],
      ["identity token", id_token],
    ];
    known.push(...given.filter(([, token]) => token));
  };
  return known;
}

const SIGN_IN = {
  "in a window": bySignInWindow,
  "by a redirect": (stage, page) => stage.signedIn(page),
  "with a device code": byDeviceCode,
};

for (const [worker, ...ways] of [
  ["dedicated", "in a window", "by a redirect", "with a device code"],
  ["shared", "in a window", "by a redirect"],
]) {
  for (const way of ways) {
    const signIn = SIGN_IN[way];
    test(`signed in ${way}, a ${worker} worker asks for the page and renews the token`, async (t) => {
      const stage = await Stage.set(t, { start: peer, server: { accessTokenSeconds: 60 }, settings: { worker } });
      const page = await stage.tab();
      await signIn(stage, page);
      stage.server.requests.length = 0;
      assert.deepEqual(await stage.value(page, me), { status: 200, hasBody: true });
      assert.deepEqual(
        stage.server.requests.map(({ grant, status }) => [grant, status]),
        [["refresh_token", 200]],
        "it has renewed the token",
      );
      const refusal = await stage.refused(page, "token_stays_in_worker", () => app.hallpass.token());
      assert.ok(refusal.help);
      await stage.value(page, () => app.hallpass.logout());
      await page.waitForFunction(() => app.changes.some(({ loggedIn }) => !loggedIn));
      await stage.refused(page, "not_logged_in", me);
    });
  }
}

test("a request goes out with what the page has given it, and comes back whole", async (t) => {
  const stage = await Stage.set(t, { start: embedded, settings: { worker: "dedicated" } });
  const api = await Site.start({ issuer: stage.server.issuer });
  t.after(() => api.stop());
  stage.site.settings.origins.push(api.origin);
  let seen;
  api.server.prependListener("request", (request) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on(
      "end",
      () => (seen = { method: request.method, headers: request.headers, body: Buffer.concat(parts).toString() }),
    );
  });
  const shared = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "authorization, content-type, x-mine",
    "access-control-allow-methods": "PUT",
    "access-control-expose-headers": "x-yours",
  };
  api.answers.set("/things", { status: 201, headers: { ...shared, "x-yours": "7" }, body: "made" });
  const page = await stage.tab();
  await bySignInWindow(stage, page);
  const answer = await stage.value(
    page,
    async (url) => {
      const headers = { "content-type": "text/plain", "x-mine": "5" };
      const response = await app.hallpass.fetch(url, { method: "PUT", headers, body: "a thing" });
      return { status: response.status, yours: response.headers.get("x-yours"), body: await response.text() };
    },
    `${api.origin}/things`,
  );
  assert.deepEqual(answer, { status: 201, yours: "7", body: "made" });
  assert.equal(seen.method, "PUT");
  assert.equal(seen.body, "a thing");
  assert.equal(seen.headers["x-mine"], "5");
  assert.match(seen.headers.authorization, /^Bearer /);
});

test("tabs that share a worker share its session, and refresh once", async (t) => {
  const stage = await Stage.set(t, { start: peer, server: { accessTokenSeconds: 60 }, settings: { worker: "shared" } });
  const first = await stage.tab();
  await bySignInWindow(stage, first);
  const tabs = [first];
  while (tabs.length < 12) tabs.push(await stage.tab());
  stage.server.settings.accessTokenSeconds = 3600;
  stage.server.requests.length = 0;
  const answers = await Promise.all(tabs.map((tab) => stage.value(tab, me)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.deepEqual(
    stage.server.requests.map(({ status }) => status),
    [200],
  );
  await first.close();
  assert.equal((await stage.value(tabs[1], me)).status, 200, "the session outlives the tab that began it");
});

test("a tab that is kept for the way back is told nothing, and looks when it is shown again", async (t) => {
  const stage = await Stage.set(t, { start: embedded, settings: { worker: "shared" } });
  const kept = await stage.tab();
  const other = await stage.tab();
  await kept.evaluate(() => {
    app.told = [];
    app.worker.port.addEventListener("message", ({ data }) => app.told.push(...Object.keys(data)));
    dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
  });
  await bySignInWindow(stage, other);
  await other.waitForFunction(() => app.changes.some(({ loggedIn }) => loggedIn));
  // Its own answer comes after whatever else it was told.
  assert.equal(await stage.value(kept, async () => (await app.hallpass.status()).loggedIn), true);
  assert.deepEqual(await kept.evaluate(() => app.told), ["id", "ok"]);
  await kept.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
  await kept.waitForFunction(() => app.changes.some(({ loggedIn }) => loggedIn));
});

for (const way of ["in a window", "by a redirect"]) {
  const signIn = SIGN_IN[way];
  test(`a hostile script that was there first sees no token of a login ${way}`, async (t) => {
    const stage = await Stage.set(t, {
      start: peer,
      server: { accessTokenSeconds: 60 },
      settings: { worker: "dedicated" },
    });
    await stage.context.addInitScript(hostile);
    const page = await stage.tab();
    const known = tokensOf(stage);
    await signIn(stage, page);
    await stage.value(page, me);
    assert.ok(known.length >= 5, "the server has given tokens, and renewed them");
    const loot = [...(await page.evaluate(() => globalThis.loot)), ...(await page.evaluate(ransack))];
    assert.ok(loot.length > 50, "the script has seen what there is");
    assert.ok(
      loot.some((text) => text.includes("/me")),
      "it has seen the request",
    );
    for (const [what, secret] of known)
      assert.ok(!loot.some((text) => text.includes(secret)), `it has seen the ${what}`);
  });
}

test("what a hostile script can do, and what it cannot", async (t) => {
  const stage = await Stage.set(t, { settings: { worker: "dedicated" } });
  const page = await stage.tab();
  await bySignInWindow(stage, page);
  const evil = await Site.start({ issuer: stage.server.issuer });
  t.after(() => evil.stop());
  const stolen = [];
  evil.server.prependListener("request", ({ headers }) => stolen.push(headers.authorization));
  evil.answers.set("/", {
    headers: { "access-control-allow-origin": "*", "access-control-allow-headers": "*" },
    body: "",
  });

  // It can ask the API in the person's name, as long as the page is open: that is what the page itself does.
  assert.deepEqual(await stage.value(page, me), { status: 200, hasBody: true });

  // It cannot ask elsewhere, nor have the allowed origins widened,
  const elsewhere = async (url) => (await app.hallpass.fetch(url)).status;
  await stage.refused(page, "origin_not_allowed", elsewhere, evil.origin);
  const widened = await stage.call(
    page,
    async (origin) => {
      const { worker, settings, Hallpass } = app;
      const redirectUri = `${location.origin}/callback`;
      const origins = [...settings.origins, origin];
      const other = await Hallpass.create({ ...settings, redirectUri, origins, worker });
      return (await other.fetch(origin)).status;
    },
    evil.origin,
  );
  assert.equal(widened.error?.code, "worker_configured", JSON.stringify(widened));
  // nor send the worker somewhere by way of a redirect.
  stage.site.answers.set("/away", { status: 302, headers: { location: evil.origin }, body: "" });
  stage.site.settings.origins.push(stage.site.origin);
  const away = await stage.tab();
  await bySignInWindow(stage, away);
  const { error } = await stage.call(away, elsewhere, `${stage.site.origin}/away`);
  assert.ok(error, "a redirect to elsewhere is no answer");
  assert.deepEqual(stolen.filter(Boolean), [], "the token went elsewhere");
});

test("whatever is said to the worker itself gets no token out of it", async (t) => {
  const stage = await Stage.set(t, { start: peer, settings: { worker: "dedicated" } });
  const known = tokensOf(stage);
  const page = await stage.tab();
  await bySignInWindow(stage, page);
  const evil = await Site.start({ issuer: stage.server.issuer });
  t.after(() => evil.stop());
  const stolen = [];
  evil.server.prependListener("request", ({ headers, url }) => stolen.push(`${url} ${headers.authorization}`));
  const heard = await stage.value(
    page,
    async (origin) => {
      const fetching = { call: "fetch", method: "GET", headers: [], body: null };
      const calls = [
        { call: "token", need: "fresh" },
        { call: "token", need: { usable: { minimum_lifetime: 0 } } },
        { call: "proof", access_token: "", method: "GET", url: origin, nonce: null },
        { call: "constructor" },
        { call: "__proto__" },
        { call: "create", options: { ...app.settings, worker: undefined, origins: [origin] } },
        { call: "create", options: { ...app.settings, worker: undefined, issuer: origin } },
        { ...fetching, url: origin },
        { ...fetching, url: `${app.settings.issuer}@${origin.slice(7)}` },
        { ...fetching, url: `${app.settings.issuer}/me`, headers: [["authorization", "Bearer mine"]] },
        { call: "status", check: true, configuration: { provider: { issuer: origin } } },
        { call: "login", method: "access_token" },
      ];
      const answers = new Map();
      const all = new Promise((resolve) => {
        app.worker.addEventListener("message", ({ data }) => {
          const texts = answers.get(data.id) ?? [];
          answers.set(data.id, [...texts, JSON.stringify(data)]);
          if (calls.every((_call, index) => answers.has(`forged ${index}`))) resolve();
        });
      });
      for (const [index, call] of calls.entries()) app.worker.postMessage({ id: `forged ${index}`, ...call });
      for (const nonsense of [null, 7, "text", [], { id: {} }, { event: "x" }, { id: 1, abort: true }]) {
        app.worker.postMessage(nonsense);
      }
      await all;
      return [...answers.values()].flat();
    },
    evil.origin,
  );
  assert.ok(known.length >= 3, "the server has given tokens");
  for (const [what, secret] of known) assert.ok(!heard.join("\n").includes(secret), `it has given away the ${what}`);
  assert.deepEqual(stolen, []);
  assert.deepEqual(await stage.value(page, me), { status: 200, hasBody: true }, "it works on");
});

test("what a page does to its prototypes is no way to a token", async (t) => {
  const stage = await Stage.set(t, { settings: { worker: "dedicated" } });
  const page = await stage.tab();
  await bySignInWindow(stage, page);
  const evil = await Site.start({ issuer: stage.server.issuer });
  t.after(() => evil.stop());
  const stolen = [];
  evil.server.prependListener("request", ({ headers, url }) => stolen.push(`${url} ${headers.authorization}`));
  await page.evaluate((origin) => {
    Object.prototype.origins = [origin];
    Object.prototype.issuer = origin;
    Object.prototype.redirect = "follow";
    Set.prototype.has = () => true;
    Array.prototype.includes = () => true;
    Object.defineProperty(URL.prototype, "origin", { get: () => origin });
  }, evil.origin);
  const { error } = await stage.call(page, async (url) => (await app.hallpass.fetch(url)).status, `${evil.origin}/`);
  assert.ok(error, "it was asked");
  assert.deepEqual(stolen, []);
});
