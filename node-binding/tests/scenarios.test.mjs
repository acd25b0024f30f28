// The same scenarios against the embedded authorization server and against npm's oidc-provider.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { DeclinedError, LoginRequiredError, MisusedError, RefusedError } from "hallpass";
import { Flow } from "hallpass/core";
import { Stage, embedded, peer, until } from "./stage.mjs";

for (const [name, start] of [
  ["embedded", embedded],
  ["oidc-provider", peer],
]) {
  const scenario = (what, run) =>
    test(`${name}: ${what}`, { timeout: 60_000 }, async (t) => run(await Stage.set(t, start), t));

  scenario("a person signs in with a browser, and every process knows", async (stage) => {
    const hallpass = stage.hallpass();
    assert.equal((await hallpass.status()).loggedIn, false);
    const { status, previous } = await hallpass.login({ method: "browser", openBrowser: false });
    assert.equal(status.loggedIn, true);
    assert.equal(status.method, "oauth");
    assert.equal(status.store, "file");
    assert.equal(status.location, stage.recordFile);
    assert.equal(previous, null);

    const token = await hallpass.token();
    assert.equal(token.accessToken, stage.record().tokens.access_token);
    assert.equal(token.origin, "stored");
    assert.ok(token.expiresAt > new Date());
    const { accessToken, expiresAt } = token;
    assert.equal(typeof accessToken, "string");
    assert.ok(expiresAt instanceof Date);

    const { stdout, code } = await stage.cli("token");
    assert.deepEqual([code, stdout], [0, `${accessToken}\n`]);
    stage.assertDiscreet(hallpass, token, status);
  });

  scenario("a person signs in with a device code", async (stage) => {
    const hallpass = stage.hallpass();
    const { status } = await hallpass.login({ method: "device_code" });
    assert.equal(status.loggedIn, true);
    assert.equal(stage.shown[0].kind, "device_code");
    assert.ok(stage.shown[0].expiresAt > new Date());
    stage.assertDiscreet(hallpass);
  });

  scenario("in the middle of a browser login the person takes a device code", async (stage) => {
    const hallpass = stage.hallpass({
      onPrompt: (prompt) => (prompt.kind === "browser" ? prompt.switchToDeviceCode() : stage.prompted(prompt)),
    });
    await hallpass.login({ method: "browser", openBrowser: false });
    assert.equal((await hallpass.status()).loggedIn, true);
  });

  scenario("the address of a browser elsewhere is pasted", async (stage) => {
    const hallpass = stage.hallpass({
      onPrompt: async (prompt) => {
        stage.shown.push(prompt);
        const lastHop = await stage.person.visitUntil(prompt.url, prompt.redirectUri);
        prompt.paste(lastHop);
      },
    });
    await hallpass.login({ method: "browser", openBrowser: false });
    assert.equal((await hallpass.status()).loggedIn, true);
  });

  scenario(
    "the surroundings choose the way, and another is taken where the server does not offer it",
    async (stage, t) => {
      surround(t, { CI: "1", BROWSER: undefined });
      await stage.hallpass().login();
      assert.deepEqual(
        stage.shown.map(({ kind }) => kind),
        ["device_code"],
      );
      const fetch = async (url, init) => {
        const response = await globalThis.fetch(url, init);
        if (!String(url).includes("/.well-known/")) return response;
        const { device_authorization_endpoint, ...metadata } = await response.json();
        return Response.json(metadata);
      };
      await stage.hallpass({ fetch }).login();
      assert.deepEqual(
        stage.shown.map(({ kind }) => kind),
        ["device_code", "browser"],
      );
      assert.equal(stage.shown[1].opens, false);
      await assert.rejects(stage.hallpass({ onPrompt: undefined }).login(), {
        code: "no_prompt",
        message: /because this is a CI job/,
      });
    },
  );

  scenario("a person who says no is believed", async (stage) => {
    stage.person.denies = true;
    const login = stage.hallpass().login({ method: "browser", openBrowser: false });
    await assert.rejects(login, (error) => {
      assert.ok(error instanceof RefusedError);
      assert.deepEqual([error.code, error.name, error.retryable], ["access_denied", "RefusedError", false]);
      return true;
    });
    assert.equal(stage.record(), undefined);
  });

  scenario("without a login there is no token", async (stage) => {
    await assert.rejects(stage.hallpass().token(), (error) => {
      assert.ok(error instanceof LoginRequiredError);
      assert.deepEqual([error.code, error.help, error.retryable], ["not_logged_in", "run `hallpass login`", false]);
      return true;
    });
  });

  scenario("a refresh rotates, and the next one uses the successor", async (stage) => {
    const hallpass = await stage.signedIn();
    const before = stage.record().tokens;
    const token = await hallpass.token({ refresh: true });
    assert.equal(token.origin, "refreshed");
    assert.notEqual(token.accessToken, before.access_token);
    assert.notEqual(stage.record().tokens.refresh_token, before.refresh_token);
    await hallpass.token({ refresh: true });
    assert.equal((await stage.cli("token", "--refresh")).code, 0);
  });

  scenario("fifty calls at once are one refresh", async (stage) => {
    let sent = 0;
    const fetch = (url, init) => {
      if (init.method === "POST") sent += 1;
      return globalThis.fetch(url, init);
    };
    const hallpass = await stage.signedIn({ fetch });
    stage.expire();
    sent = 0;
    const tokens = await Promise.all(Array.from({ length: 50 }, () => hallpass.token()));
    assert.equal(new Set(tokens.map(({ accessToken }) => accessToken)).size, 1);
    assert.equal(sent, 1);
  });

  scenario("an auth.json that is replaced between two calls counts", async (stage) => {
    const hallpass = await stage.signedIn();
    const first = (await hallpass.token()).accessToken;
    assert.equal((await stage.cli("token", "--refresh")).code, 0);
    const second = (await hallpass.token()).accessToken;
    assert.notEqual(second, first);
    assert.equal(second, stage.record().tokens.access_token);
  });

  scenario("a record that another tool is writing keeps nobody else waiting", async (stage) => {
    const hallpass = await stage.signedIn();
    const whole = readFileSync(stage.recordFile);
    writeFileSync(stage.recordFile, whole.subarray(0, whole.length / 2));
    const status = hallpass.status();
    // The rest is written by what has its turn only if the call gives it one.
    setImmediate(() => writeFileSync(stage.recordFile, whole));
    assert.equal((await status).loggedIn, true);
  });

  scenario("a logout ends the session at the server and here", async (stage) => {
    const hallpass = await stage.signedIn();
    const outcome = await hallpass.logout();
    assert.deepEqual(outcome, { wasLoggedIn: true, revocation: "revoked", failures: [], warnings: [] });
    assert.equal(stage.record(), undefined);
    assert.equal((await stage.cli("status")).code, 1);
    assert.equal((await hallpass.logout({ local: true })).wasLoggedIn, false);
  });

  scenario("what others do in this home is heard of", async (stage) => {
    const hallpass = await stage.signedIn();
    const heard = [];
    hallpass.on("change", (status) => heard.push(status));
    await until(() => hallpass.status(), "the watching begins");
    await stage.cli("token", "--refresh");
    await until(() => heard.length === 1, "the refresh is heard of");
    assert.equal(heard[0].loggedIn, true);
    await stage.cli("logout");
    await until(() => heard.at(-1)?.loggedIn === false, "the logout is heard of");
    hallpass.close();
  });

  scenario("a login that is aborted leaves nothing behind, at whatever step", async (stage, t) => {
    const steps = await count(() => stage.hallpass().login({ method: "browser", openBrowser: false }));
    assert.ok(steps > 8, `there are ${steps} steps`);
    for (let step = 1; step <= steps; step++) {
      await stage.hallpass().logout({ local: true });
      const hallpass = stage.hallpass();
      const { aborted } = await abortAt(t, step, (signal) =>
        hallpass.login({ method: "browser", openBrowser: false, signal }),
      );
      // The lock is free and the home is whole: somebody signed in, or nobody.
      const { loggedIn } = await hallpass.status();
      if (!aborted) assert.equal(loggedIn, true);
      const { code } = await stage.cli("status");
      assert.equal(code, loggedIn ? 0 : 1);
    }
  });

  scenario("a refresh that is aborted costs no session, at whatever step", async (stage, t) => {
    const hallpass = await stage.signedIn();
    const steps = await count(() => hallpass.token({ refresh: true }));
    assert.ok(steps > 8, `there are ${steps} steps`);
    for (let step = 1; step <= steps; step++) {
      await abortAt(t, step, (signal) => hallpass.token({ refresh: true, signal }));
      const { accessToken } = await hallpass.token({ refresh: true });
      assert.equal(accessToken, stage.record().tokens.access_token);
    }
  });

  scenario("an aborted signal is refused at once", async (stage) => {
    const hallpass = await stage.signedIn();
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    const refused = (promise) => assert.rejects(promise, (error) => error === reason);
    await refused(hallpass.token({ signal }));
    await refused(hallpass.status({ signal }));
    await refused(hallpass.logout({ signal }));
    await refused(hallpass.login({ signal }));
    await refused(hallpass.fetch(`${stage.server.issuer}/me`, { signal }));
    await refused(stage.hallpass({ signal }).token());
    assert.equal((await hallpass.status()).loggedIn, true);
  });

  scenario("a caller who leaves takes nobody along", async (stage) => {
    const hallpass = await stage.signedIn();
    stage.expire();
    const controller = new AbortController();
    const [gone, here] = [hallpass.token({ signal: controller.signal }), hallpass.token()];
    controller.abort();
    await assert.rejects(gone, { name: "AbortError" });
    assert.equal((await here).origin, "refreshed");
  });

  scenario("what a callback throws is an error of that login, and no lock is held after it", async (stage) => {
    for (const onPrompt of [
      () => {
        throw new Error("no window");
      },
      () => Promise.reject(new Error("no window")),
    ]) {
      const login = stage.hallpass({ onPrompt }).login({ method: "browser", openBrowser: false });
      await assert.rejects(login, (error) => {
        assert.ok(error instanceof MisusedError, String(error));
        assert.deepEqual([error.code, error.cause.message], ["host_failed", "no window"]);
        return true;
      });
    }
    await stage.signedIn();
  });

  scenario("a login that nobody finishes can be given up", async (stage) => {
    const controller = new AbortController();
    const hallpass = stage.hallpass({ onPrompt: () => setTimeout(() => controller.abort(), 50) });
    const login = hallpass.login({ method: "browser", openBrowser: false, signal: controller.signal });
    await assert.rejects(login, { name: "AbortError" });
    assert.equal(new DeclinedError({ code: "x", message: "y", retryable: false }).name, "DeclinedError");
    await stage.signedIn();
  });
}

/** Another environment, for one test. */
function surround(t, variables) {
  const before = { ...process.env };
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  t.after(() => {
    for (const name of Object.keys(variables)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  });
}

/** How many turns a flow takes. */
async function count(run) {
  const { step } = Flow.prototype;
  let steps = 0;
  Flow.prototype.step = function (...args) {
    steps += 1;
    return step.apply(this, args);
  };
  try {
    await run();
    return steps;
  } finally {
    Flow.prototype.step = step;
  }
}

/** Aborts a flow as it takes a certain turn, and waits until it has ended. */
async function abortAt(t, turn, run) {
  const { step } = Flow.prototype;
  const controller = new AbortController();
  const ended = [];
  let steps = 0;
  Flow.prototype.step = function (...args) {
    steps += 1;
    if (steps === turn) controller.abort();
    const message = step.apply(this, args);
    if (message.startsWith('{"done"')) ended.push(message);
    return message;
  };
  try {
    const aborted = await run(controller.signal).then(
      () => false,
      (error) => {
        if (error.name !== "AbortError") throw error;
        return true;
      },
    );
    await until(() => ended.length > 0, `the flow that was aborted at turn ${turn} ends`);
    return { aborted };
  } finally {
    Flow.prototype.step = step;
  }
}
