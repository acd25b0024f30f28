// A home and a server for one test, and the ways to use them: the package, the command line, further processes.
import assert from "node:assert/strict";
import { fork, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { Hallpass } from "hallpass";
import { startAuthorizationServer } from "../../tests/peers/authorization-server.mjs";
import { Person } from "../../tests/peers/person.mjs";

export const BINARY =
  process.env.HALLPASS_BIN ?? fileURLToPath(new URL("../../target/debug/hallpass", import.meta.url));
const SCOPES = ["openid", "email", "offline_access"];

/** The server of `hallpass demo --serve`. */
export async function embedded() {
  const child = spawn(BINARY, ["demo", "--serve", "--port", "0"], { stdio: ["ignore", "pipe", "ignore"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const issuer = line.replace(/^issuer /, "");
    return { issuer, clientId: "hallpass", stop: () => child.kill() };
  }
  throw new Error("the embedded server has not started");
}

/** npm's oidc-provider. */
export async function peer(options = { accessTokenSeconds: 3600, jwtAccessTokens: true }) {
  return { ...(await startAuthorizationServer(options)), clientId: "public" };
}

export class Stage {
  constructor(server) {
    this.server = server;
    this.folder = mkdtempSync(join(tmpdir(), "hallpass-node-"));
    this.home = join(this.folder, "home");
    mkdirSync(this.home, { mode: 0o700 });
    this.person = new Person();
    this.shown = [];
    this.logged = [];
  }

  /** A stage that goes when the test ends. */
  static async set(t, start = embedded, options) {
    const server = await start(options);
    const stage = new Stage(server);
    t.after(async () => {
      await server.stop();
      rmSync(stage.folder, { recursive: true, force: true, maxRetries: 5 });
    });
    return stage;
  }

  get options() {
    const { issuer, clientId } = this.server;
    return { home: this.home, provider: { issuer, clientId, scopes: SCOPES } };
  }

  hallpass(options = {}) {
    return new Hallpass({
      ...this.options,
      origins: [this.server.issuer],
      onPrompt: (prompt) => this.prompted(prompt),
      log: (line) => this.logged.push(line),
      ...options,
    });
  }

  /** The person does as they are told, and says nothing about it. */
  prompted(prompt) {
    this.shown.push(prompt);
    const visit =
      prompt.kind === "browser"
        ? this.person.visit(prompt.url)
        : this.person.visit(prompt.verificationUri, { userCode: prompt.userCode });
    visit.then(
      (page) => (this.page = page),
      () => {},
    );
  }

  async signedIn(options) {
    const hallpass = this.hallpass(options);
    await hallpass.login({ method: "browser", openBrowser: false });
    if (this.server.requests) this.server.requests.length = 0;
    return hallpass;
  }

  get recordFile() {
    return join(this.home, "auth.json");
  }

  record() {
    return existsSync(this.recordFile) ? JSON.parse(readFileSync(this.recordFile, "utf8")) : undefined;
  }

  /** Makes the stored access token one that has expired, for everybody who reads it. */
  expire() {
    const record = this.record();
    const [head, body, signature] = record.tokens.access_token.split(".");
    const claims = { ...JSON.parse(Buffer.from(body, "base64url")), exp: 1_000_000_000 };
    record.tokens.access_token = [head, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
    writeFileSync(this.recordFile, JSON.stringify(record));
  }

  get environment() {
    return {
      PATH: process.env.PATH,
      HOME: this.folder,
      CODEX_HOME: this.home,
      HALLPASS_HOME: join(this.folder, "profiles"),
    };
  }

  /** Runs the command line. */
  async cli(...args) {
    const child = spawn(BINARY, args, { env: this.environment, stdio: ["ignore", "pipe", "pipe"] });
    return ended(child);
  }

  /** Runs a script of tests/children in a process of its own; the options go to it as JSON. */
  child(script, { options = {}, env = {} } = {}) {
    const file = new URL(`children/${script}`, import.meta.url);
    const child = fork(file, [JSON.stringify({ ...this.options, ...options })], {
      env: { ...this.environment, HALLPASS_BIN: BINARY, ...env },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    return Object.assign(ended(child), { child });
  }

  /** Whatever must never be shown. */
  secrets() {
    const tokens = Object.values(this.record()?.tokens ?? {}).filter((value) => typeof value === "string");
    const told = this.shown.flatMap((prompt) => (prompt.kind === "browser" ? [prompt.url] : [prompt.userCode]));
    return [...tokens, ...told].filter((secret) => secret.length > 6);
  }

  /** Nothing that can be printed, logged or thrown shows a secret. */
  assertDiscreet(...things) {
    const secrets = this.secrets();
    assert.notEqual(secrets.length, 0);
    for (const thing of [...things, this.logged, this.shown]) {
      const stack = thing instanceof Error ? String(thing.stack) : "";
      const texts = [inspect(thing, { depth: 9, showHidden: true }), JSON.stringify(thing) ?? "", stack, String(thing)];
      for (const secret of secrets) assert.ok(!texts.join("\n").includes(secret), "a secret is shown");
    }
  }
}

async function ended(child) {
  const result = { stdout: "", stderr: "" };
  child.stdout.on("data", (data) => (result.stdout += data));
  child.stderr.on("data", (data) => (result.stderr += data));
  [result.code, result.signal] = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (...how) => resolve(how));
  });
  return result;
}

/** Waits until something holds: for what other processes do in their own time. */
export async function until(holds, what, seconds = 20) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    const value = await holds();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`it never came to pass that ${what}`);
}
