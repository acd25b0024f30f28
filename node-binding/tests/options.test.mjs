// What callers get wrong is named, and never repeated.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Hallpass, MisusedError } from "hallpass";
import { Stage, embedded } from "./stage.mjs";

for (const [options, message] of [
  [null, /the options of Hallpass must be an object/],
  ["home", /the options of Hallpass must be an object/],
  [{ homes: "x" }, /the options of Hallpass have no `homes`/],
  [{ home: 5 }, /`home` must be a path/],
  [{ home: "" }, /`home` must be a path/],
  [{ provider: [] }, /`provider` must be a name or an object/],
  [{ provider: {} }, /`provider` needs an `issuer`/],
  [{ provider: { issuer: "https://id.example.com" } }, /`provider` needs a `clientId`/],
  [{ provider: { issuer: "https://id.example.com", clientId: "x", clientSecret: "canary" } }, /have no `clientSecret`/],
  [{ provider: { issuer: "https://id.example.com", clientId: "x", scopes: "openid" } }, /`scopes` must be a list/],
  [{ provider: { issuer: "https://id.example.com", clientAuthentication: "canary" } }, /`clientAuthentication` must be/],
  [{ store: "drawer" }, /`store` must be "file", "keyring", "auto" or "ephemeral"/],
  [{ origins: "https://api.example.com" }, /`origins` must be a list/],
  [{ fetch: {} }, /`fetch` must be a function/],
  [{ onPrompt: true }, /`onPrompt` must be a function/],
  [{ log: console }, /`log` must be a function/],
  [{ signal: {} }, /`signal` must be an AbortSignal/],
  [{ __proto__: null, toString: 1 }, /have no `toString`/],
]) {
  test(`the options ${inspect(options)}`, () => {
    assert.throws(
      () => new Hallpass(options),
      (error) => {
        assert.ok(error instanceof MisusedError);
        assert.equal(error.code, "invalid_option");
        assert.match(error.message, message);
        assert.ok(!inspect(error).includes("canary"));
        return true;
      },
    );
  });
}

for (const [method, options, message] of [
  ["token", { minTtl: "300" }, /`minTtl` must be a number of seconds/],
  ["token", { minTtl: Number.NaN }, /`minTtl` must be a number/],
  ["token", { minTtl: -1 }, /`minTtl` must be a number/],
  ["token", { rejected: 5 }, /`rejected` must be a token/],
  ["token", 300, /the options of token must be an object/],
  ["token", { ttl: 1 }, /the options of token have no `ttl`/],
  ["login", { method: "password" }, /`method` must be "browser"/],
  ["login", { method: { apiKey: 5 } }, /`method` must be/],
  ["login", { method: { apiKey: "canary", accessToken: "canary" } }, /`method` must be/],
  ["status", { check: 1 }, /`check` must be true or false/],
  ["logout", { local: "yes" }, /`local` must be true or false/],
]) {
  test(`${method}(${inspect(options)})`, async () => {
    await assert.rejects(new Hallpass({ home: "/nonexistent/x" })[method](options), (error) => {
      assert.equal(error.code, "invalid_option");
      assert.match(error.message, message);
      assert.ok(!inspect(error).includes("canary"));
      return true;
    });
  });
}

test("what config.toml does not know, and a home that is none, are errors with help", async (t) => {
  const stage = await Stage.set(t, embedded);
  await assert.rejects(stage.hallpass({ provider: "acme" }).status(), { code: "invalid_value", message: /`acme`/ });
  await assert.rejects(stage.hallpass({ home: "/dev/null" }).status(), { code: "no_home" });
});

test("a device code without anybody to show it to is refused before anything is sent", async (t) => {
  const stage = await Stage.set(t, embedded);
  const fetch = () => assert.fail("a request was sent");
  const hallpass = stage.hallpass({ onPrompt: undefined, fetch });
  await assert.rejects(hallpass.login({ method: "device_code" }), { code: "no_prompt" });
  await assert.rejects(hallpass.login({ method: "browser", openBrowser: false }), { code: "no_prompt" });
});

test("a client's secret is sent as the provider's options say, or refused before anything is sent", async (t) => {
  const stage = await Stage.set(t, embedded);
  const issuer = "http://127.0.0.1:9";
  const endpoints = ["authorization", "token", "device_authorization"].map((name) => [`${name}_endpoint`, `${issuer}/${name}`]);
  const sent = [];
  const fetch = async (url, { body }) => {
    if (url.includes("/.well-known/")) return Response.json({ issuer, ...Object.fromEntries(endpoints) });
    sent.push(body);
    return Response.json({ error: "invalid_client" }, { status: 401 });
  };
  const login = (clientAuthentication) => {
    const provider = { issuer, clientId: "c", clientAuthentication };
    const hallpass = stage.hallpass({ provider, fetch, onPrompt: () => {} });
    return hallpass.login({ method: "device_code", clientSecret: "s3cr3t" });
  };
  await assert.rejects(login(undefined), { code: "not_applicable", message: /`client_authentication`/ });
  assert.equal(sent.length, 0);
  await assert.rejects(login("client_secret_post"), { code: "client_refused" });
  assert.match(sent[0], /client_secret=s3cr3t/);
});

test("a key is stored and handed out, and shows nowhere", async (t) => {
  const stage = await Stage.set(t, embedded);
  const hallpass = stage.hallpass({ provider: undefined });
  const { status } = await hallpass.login({ method: { apiKey: "sk-canary-0123456789" } });
  assert.equal(status.method, "apikey");
  const token = await hallpass.token();
  assert.equal(token.accessToken, "sk-canary-0123456789");
  for (const thing of [hallpass, token, status])
    assert.ok(!inspect(thing, { depth: 9, showHidden: true }).includes("canary"));
  assert.ok(!JSON.stringify(token).includes("canary"));
});

test("a login that belongs to this process alone leaves no file", async (t) => {
  const stage = await Stage.set(t, embedded);
  const hallpass = stage.hallpass({ store: "ephemeral" });
  await hallpass.login({ method: "browser", openBrowser: false });
  assert.equal((await hallpass.token()).origin, "stored");
  assert.equal(stage.record(), undefined);
  assert.equal((await stage.hallpass({ store: "ephemeral" }).status()).loggedIn, true);
});

test("a token that the environment gives is taken as it is now", async (t) => {
  const stage = await Stage.set(t, embedded);
  const hallpass = stage.hallpass({ provider: undefined });
  t.after(() => delete process.env.CODEX_ACCESS_TOKEN);
  for (const token of ["at-canary-first", "at-canary-second"]) {
    process.env.CODEX_ACCESS_TOKEN = token;
    const given = await hallpass.token({ minTtl: 0 }).then((token) => token.accessToken, (error) => error.code);
    assert.equal(given, token);
  }
});
