// Many processes, threads and programs with one session.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { Stage, embedded, peer, until } from "./stage.mjs";

const ROUNDS = Number(process.env.HALLPASS_ROUNDS ?? 5);

/** A session whose access token will not do, so that whoever asks must refresh. */
async function expired(t) {
  const stage = await Stage.set(t, peer, { accessTokenSeconds: 60, jwtAccessTokens: true });
  await stage.signedIn();
  stage.server.settings.accessTokenSeconds = 3600;
  return stage;
}

test(
  `8 processes, 8 programs and 4 threads refresh once, ${ROUNDS} times`,
  { timeout: ROUNDS * 120_000 },
  async (t) => {
    for (let round = 0; round < ROUNDS; round++) {
      const stage = await expired(t);
      const processes = Array.from({ length: 8 }, () => stage.child("token.mjs"));
      const threads = Array.from({ length: 4 }, () => {
        return new Worker(new URL("children/worker.mjs", import.meta.url), { workerData: stage.options });
      });
      const others = [...processes.map(({ child }) => child), ...threads];
      const answers = others.map((other) => {
        return new Promise((resolve, reject) => {
          other.on("message", (message) => message.accessToken && resolve(message.accessToken));
          other.on("error", reject);
          other.on("exit", (code) => code && reject(new Error(`it ended with ${code}`)));
        });
      });
      await Promise.all(others.map((other) => once(other, "message")));
      for (const { child } of processes) child.send("go");
      for (const thread of threads) thread.postMessage("go");
      const programs = Array.from({ length: 8 }, () => stage.cli("token"));

      const tokens = new Set(await Promise.all(answers));
      for (const { code, stdout, stderr } of await Promise.all(programs)) {
        assert.equal(code, 0, stderr);
        tokens.add(stdout.trimEnd());
      }
      assert.deepEqual([...tokens], [stage.record().tokens.access_token], `round ${round + 1}`);
      assert.deepEqual(
        stage.server.requests.map(({ status }) => status),
        [200],
        "one request was sent",
      );
      assert.equal((await stage.cli("token", "--refresh")).code, 0, "the family is alive");
      await Promise.all(processes);
    }
  },
);

test("the workers of a cluster refresh once", { timeout: 60_000 }, async (t) => {
  const stage = await expired(t);
  const { stdout, stderr } = await stage.child("cluster.mjs");
  assert.equal(stdout.trim(), "1", stderr);
  assert.equal(stage.server.requests.length, 1);
});

test("a wait for the lock leaves Node's pool alone", { timeout: 60_000 }, async (t) => {
  const stage = await expired(t);
  const holder = spawn("flock", [`${stage.home}/hallpass.lock`, "-c", "echo held; read line"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  const env = { UV_THREADPOOL_SIZE: "1", PAGE: `${stage.server.issuer}/.well-known/openid-configuration` };
  const run = stage.child("pool.mjs", { env });
  const messages = [];
  run.child.on("message", (message) => messages.push(message));
  await until(() => messages.length > 0, "the page is there while the lock is not", 15);
  assert.deepEqual(messages, [{ status: 200 }]);
  holder.stdin.end("\n");
  const { code, stderr } = await run;
  assert.equal(code, 0, stderr);
  assert.deepEqual(messages[1], { tokens: 1 });
});

test("a process that ends before it sends costs nothing", { timeout: 60_000 }, async (t) => {
  const stage = await Stage.set(t, peer);
  const hallpass = await stage.signedIn();
  assert.equal((await stage.child("exit.mjs", { env: { EXIT: "before" } })).code, 7);
  const { accessToken } = await hallpass.token();
  assert.equal((await stage.cli("token")).stdout, `${accessToken}\n`);
});

test("a process that ends before it saves is named in the error", { timeout: 120_000 }, async (t) => {
  const stage = await Stage.set(t, peer, { accessTokenSeconds: 3600, jwtAccessTokens: true });
  const hallpass = await stage.signedIn();
  stage.expire();
  assert.equal((await stage.child("exit.mjs", { env: { EXIT: "after" } })).code, 7);
  await assert.rejects(hallpass.token(), (error) => {
    assert.equal(error.code, "rotation_lost", error.message);
    return true;
  });
  // A login puts it right.
  await hallpass.login({ method: "browser", openBrowser: false });
  await hallpass.token();
});

test("a thread that is ended in the middle gives its lock back", { timeout: 60_000 }, async (t) => {
  const stage = await expired(t);
  const script = `
    const { workerData, parentPort } = require("node:worker_threads");
    const { Hallpass } = require("hallpass");
    const fetch = (url, init) => {
      if (init.method !== "POST") return globalThis.fetch(url, init);
      parentPort.postMessage("asked");
      return new Promise(() => {});
    };
    new Hallpass({ ...workerData, fetch }).token();
    setInterval(() => {}, 1000);`;
  const worker = new Worker(script, { eval: true, workerData: stage.options });
  await once(worker, "message");
  await worker.terminate();
  const { code, stderr } = await stage.cli("token");
  assert.equal(code, 0, stderr);
});

test("a browser that is started inherits no secret", { timeout: 60_000 }, async (t) => {
  const stage = await Stage.set(t, embedded);
  await stage.signedIn();
  const [seen, browser] = [join(stage.folder, "seen"), join(stage.folder, "browser.sh")];
  writeFileSync(browser, `#!/bin/sh\nenv >${seen}.new\nmv ${seen}.new ${seen}\n`, { mode: 0o755 });
  const run = stage.child("login.mjs", {
    env: { BROWSER: browser, CODEX_AUTH_JSON: "canary-1", OPENAI_API_KEY: "canary-2" },
  });
  const { code, stdout } = await run;
  assert.deepEqual([code, stdout.trim()], [0, "AbortError"]);
  const environment = readFileSync(seen, "utf8");
  assert.ok(environment.includes("BROWSER="));
  for (const secret of ["canary", ...stage.secrets()])
    assert.ok(!environment.includes(secret), "a secret is inherited");
});

test("a home that another user owns is named", { timeout: 60_000 }, async (t) => {
  const stage = await Stage.set(t, embedded);
  await stage.signedIn();
  chmodSync(stage.folder, 0o755);
  const script = `
    const { Hallpass } = require(process.env.PACKAGE);
    const hallpass = new Hallpass({ home: process.env.HOME_OF_ANOTHER });
    hallpass.token().catch((error) => console.log(error.code, error.message));`;
  // Copied to where everybody can read it.
  const copy = join(stage.folder, "package");
  for (const part of ["dist", "package.json", "hallpass.node"]) {
    cpSync(new URL(`../${part}`, import.meta.url), join(copy, part), { recursive: true });
  }
  const env = { ...stage.environment, PACKAGE: copy, HOME_OF_ANOTHER: stage.home };
  const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", process.execPath, "-e", script];
  const { stdout, stderr } = await promisify(execFile)("setpriv", nobody, { env, cwd: "/" });
  assert.match(stdout, /^[a-z_]+ .*config\.toml: Permission denied/, stderr);
});
