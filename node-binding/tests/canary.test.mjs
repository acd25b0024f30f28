// No secret shows, whatever is called and however it goes: not in an answer, an error, a log, the output of this
// process or the environment of a child. Secret is what goes to the server and comes from it, and what callers hand in.
import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { CLIENT_SECRET } from "../../tests/peers/authorization-server.mjs";
import { Stage, peer, until } from "./stage.mjs";

/** What of a request or an answer is secret, by its name. */
const NAMES =
  /^(access_token|refresh_token|id_token|code|code_verifier|client_secret|device_code|token|state|nonce|code_challenge)$/;

/** A home whose requests are listened to, and whose server can be made to fail. */
class Listener {
  secrets = new Set();
  shown = [];
  fault = undefined;

  static async set(t) {
    const listener = new Listener();
    listener.stage = await Stage.set(t, peer);
    for (const stream of [process.stdout, process.stderr]) {
      const { write } = stream;
      stream.write = function (chunk, ...rest) {
        listener.shown.push(String(chunk));
        return write.call(this, chunk, ...rest);
      };
      t.after(() => (stream.write = write));
    }
    return listener;
  }

  hallpass(options) {
    return this.stage.hallpass({
      fetch: (url, init) => this.fetch(url, init),
      log: (line) => this.show(line),
      onPrompt: (prompt) => this.prompted(prompt),
      ...options,
    });
  }

  prompted(prompt) {
    this.show(prompt);
    if (prompt.kind === "browser") this.#learn(new URL(prompt.url).searchParams);
    else this.secrets.add(prompt.userCode);
    this.stage.prompted(prompt);
  }

  async fetch(url, init) {
    const body = String(init.body ?? "");
    this.#learn(new URLSearchParams(body));
    const authorization = new Headers(init.headers).get("authorization");
    if (authorization) this.secrets.add(authorization.split(" ").at(-1));
    if (this.fault && init.method === "POST") return this.fault(body, () => this.#send(url, init));
    return this.#send(url, init);
  }

  async #send(url, init) {
    const response = await globalThis.fetch(url, init);
    const text = await response.clone().text();
    try {
      this.#learn(Object.entries(JSON.parse(text)));
    } catch {
      // No secrets that have names.
    }
    return response;
  }

  #learn(pairs) {
    for (const [name, value] of pairs)
      if (NAMES.test(name) && String(value).length > 6) this.secrets.add(String(value));
  }

  /** Whatever somebody may print. */
  show(thing) {
    const stack = thing instanceof Error ? `${thing.stack} ${thing.cause?.stack}` : "";
    this.shown.push(inspect(thing, { depth: 9, showHidden: true, getters: false }), JSON.stringify(thing) ?? "", stack);
    this.shown.push(String(thing), `${Object.keys(Object(thing))}`);
  }

  /** Shows what comes of a call, be it an answer or an error; the answer. */
  async outcome(call) {
    try {
      const answer = await call();
      this.show(answer);
      return answer;
    } catch (error) {
      this.show(error);
      return undefined;
    }
  }

  assertNothing() {
    assert.notEqual(this.secrets.size, 0);
    for (const secret of this.secrets) {
      const forms = [secret, encodeURIComponent(secret), new URLSearchParams({ x: secret }).toString().slice(2)];
      for (const form of [...forms, Buffer.from(secret).toString("base64")]) {
        const where = this.shown.find((text) => text.includes(form));
        if (where !== undefined) assert.fail(`a secret is shown: ${where.replaceAll(form, "<SECRET>").slice(0, 500)}`);
      }
    }
  }
}

const browser = { method: "browser", openBrowser: false };

test("when all goes well", async (t) => {
  const listener = await Listener.set(t);
  const hallpass = listener.hallpass();
  hallpass.on("change", (status) => listener.show(status));
  for (const method of ["browser", "device_code"]) {
    await listener.outcome(() => hallpass.login({ ...browser, method }));
    const token = await listener.outcome(() => hallpass.token());
    assert.ok(token.accessToken);
    await listener.outcome(() => hallpass.token({ minTtl: 10 }));
    await listener.outcome(() => hallpass.token({ refresh: true }));
    const other = await listener.outcome(() => hallpass.token({ rejected: token.accessToken }));
    assert.notEqual(other.accessToken, token.accessToken);
    await listener.outcome(() => hallpass.status());
    await listener.outcome(() => hallpass.status({ check: true }));
    await listener.outcome(() => hallpass.fetch(`${listener.stage.server.issuer}/me`));
    listener.show(hallpass);
    listener.show(hallpass.home);
    await listener.outcome(() => hallpass.logout({ local: method === "browser" }));
  }
  hallpass.close();
  assert.ok(listener.secrets.size > 15, `${listener.secrets.size} secrets`);
  listener.assertNothing();
});

const faults = {
  "the fetch throws what it was to send": (body) => {
    throw new Error(`cannot send ${body}`, { cause: new TypeError(body) });
  },
  "the server refuses, and repeats what came": async (body) =>
    Response.json({ error: "invalid_grant", error_description: body, error_uri: body }, { status: 400 }),
  "the server refuses in words of its own": async (body) => Response.json({ error: body }, { status: 400 }),
  "the server fails, and repeats what came": async (body) => new Response(body, { status: 500 }),
  "the server answers with a page": async (body) => new Response(`<html>${body}</html>`),
  "the server answers in another shape": async (body) => Response.json([body, { access_token: [body] }]),
  "the server points elsewhere": async (body) =>
    new Response(null, { status: 307, headers: { location: `https://elsewhere.example/?${body}` } }),
  "the answer is cut off": async (_, send) => {
    const text = await (await send()).text();
    return new Response(text.slice(0, -10), { headers: { "content-type": "application/json" } });
  },
  "the fetch answers with no Response": async (_, send) => ({ secret: await (await send()).text() }),
};

describe("when a request fails", { concurrency: true }, () => {
  for (const [what, fault] of Object.entries(faults)) {
    test(what, async (t) => {
      const listener = await Listener.set(t);
      const hallpass = listener.hallpass();
      for (const method of ["browser", "device_code"]) {
        listener.fault = fault;
        await listener.outcome(() => hallpass.login({ ...browser, method, signal: AbortSignal.timeout(20_000) }));
      }
      listener.fault = undefined;
      await hallpass.login(browser);
      const { accessToken } = await hallpass.token();
      listener.fault = fault;
      for (const call of [
        () => hallpass.token({ refresh: true }),
        () => hallpass.token({ rejected: accessToken }),
        () => hallpass.status({ check: true }),
        () => hallpass.fetch(`${listener.stage.server.issuer}/me`, { method: "POST", body: "x" }),
        () => hallpass.fetch("https://elsewhere.example/"),
        () => hallpass.logout(),
      ]) {
        await listener.outcome(call);
      }
      assert.ok(listener.secrets.size > 8, `${listener.secrets.size} secrets`);
      listener.assertNothing();
    });
  }
});

test("what callers hand in, where it is right and where it is wrong", async (t) => {
  const listener = await Listener.set(t);
  const { stage } = listener;
  const known = `issuer = "${stage.server.issuer}"\nclient_id = "basic"\nclient_authentication = "client_secret_basic"\n`;
  writeFileSync(join(stage.home, "config.toml"), `[hallpass.providers.acme]\n${known}`);
  const wrong = "canary secret of a client";
  const key = "sk-canary-0123456789";
  for (const secret of [CLIENT_SECRET, wrong, key, "canary-rejected-token"]) listener.secrets.add(secret);
  const hallpass = listener.hallpass({ provider: "acme" });
  await listener.outcome(() => hallpass.login({ ...browser, clientSecret: wrong }));
  await listener.outcome(() => hallpass.login({ ...browser, clientSecret: CLIENT_SECRET }));
  assert.ok(stage.record());
  await listener.outcome(() => hallpass.token({ refresh: true }));
  await listener.outcome(() => hallpass.token({ rejected: "canary-rejected-token" }));
  await listener.outcome(() => hallpass.logout());

  const openai = listener.hallpass({ provider: undefined });
  for (const method of [
    { apiKey: key },
    { accessToken: `at-canary.${key}` },
    { accessToken: "canary in no known shape" },
  ]) {
    listener.secrets.add(Object.values(method)[0]);
    await listener.outcome(() => openai.login({ method }));
    await listener.outcome(() => openai.token());
    await listener.outcome(() => openai.status());
    await listener.outcome(() => openai.token({ rejected: key }));
    await listener.outcome(() => openai.logout({ local: true }));
  }
  // In the wrong place, or of the wrong type.
  for (const options of [
    { apiKey: key },
    { method: key },
    { method: { apiKey: [key] } },
    { clientSecret: { key } },
    key,
  ]) {
    await listener.outcome(() => openai.login(options));
    await listener.outcome(() => openai.token(options));
    await listener.outcome(async () => listener.hallpass(options));
    await listener.outcome(async () => listener.hallpass({ provider: Object(options), log: options }).status());
    await listener.outcome(async () => listener.hallpass({ origins: [key] }));
  }
  await listener.outcome(() => hallpass.fetch("https://api.example.com/", { headers: { authorization: key } }));
  listener.assertNothing();
});

test("an address that is pasted shows nowhere, and no child has a secret in its environment", async (t) => {
  const listener = await Listener.set(t);
  const { stage } = listener;
  const pasted = "http://127.0.0.1:1/callback?code=canary-of-a-code&state=canary-of-a-state";
  const hallpass = listener.hallpass({
    onPrompt: async (prompt) => {
      listener.show(prompt);
      prompt.paste(pasted);
      const back = await stage.person.visitUntil(prompt.url, prompt.redirectUri);
      listener.secrets.add(new URL(back).searchParams.get("code"));
      prompt.paste(back);
    },
  });
  for (const secret of ["canary-of-a-code", "canary-of-a-state"]) listener.secrets.add(secret);
  await listener.outcome(() => hallpass.login(browser));
  assert.ok(stage.record());

  // The desktop's browser is a program of its own; what it is given to open is all that it learns.
  const [program, seen] = [join(stage.folder, "browser"), join(stage.folder, "seen")];
  writeFileSync(program, `#!/bin/sh\n{ env; echo "$#"; } > "${seen}.new"\nmv "${seen}.new" "${seen}"\n`);
  chmodSync(program, 0o700);
  const before = process.env.BROWSER;
  process.env.BROWSER = program;
  t.after(() => (before === undefined ? delete process.env.BROWSER : (process.env.BROWSER = before)));
  await listener.outcome(() => listener.hallpass().login({ method: "browser", openBrowser: true }));
  const environment = await until(() => {
    try {
      return readFileSync(seen, "utf8");
    } catch {
      return undefined;
    }
  }, "a browser is started");
  listener.shown.push(environment);
  listener.assertNothing();
});
