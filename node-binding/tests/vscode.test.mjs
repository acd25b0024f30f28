// The provider for VS Code, in an editor of one's own making; `tests/run vscode` has a real one.
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { Stage, embedded, peer, until } from "./stage.mjs";

const require = createRequire(import.meta.url);

/** As much of the editor as the provider uses. */
class Editor {
  opened = [];
  messages = [];
  progress = [];
  cancellation = new EventEmitter();
  state = new EventEmitter();
  env = {
    uiKind: 1,
    remoteName: undefined,
    uriScheme: "vscode",
    openExternal: async (url) => (this.opened.push(url), this.whenOpened?.(url), true),
    asExternalUri: async (uri) => uri,
    clipboard: { writeText: async (text) => void (this.copied = text) },
  };
  window = {
    withProgress: (_, task) => {
      const onCancellationRequested = (listener) => (this.cancellation.on("wish", listener), { dispose: () => {} });
      return task({ report: ({ message }) => this.progress.push(message) }, { onCancellationRequested });
    },
    showInformationMessage: async (message, ...rest) => (this.messages.push(message), this.answer?.(message, rest)),
    showInputBox: async () => this.typed,
    onDidChangeWindowState: (listener) => (
      this.state.on("x", listener),
      { dispose: () => this.state.off("x", listener) }
    ),
    registerUriHandler: (handler) => ((this.uriHandler = handler), { dispose: () => {} }),
  };
  authentication = {
    registerAuthenticationProvider: (id, label, provider, options) => {
      this.registered = { id, label, provider, options };
      return { dispose: () => {} };
    },
  };
  UIKind = { Desktop: 1, Web: 2 };
  ProgressLocation = { Notification: 15 };
  CancellationError = class CancellationError extends Error {};
  EventEmitter = class {
    #emitter = new EventEmitter();
    event = (listener) => (this.#emitter.on("x", listener), { dispose: () => this.#emitter.off("x", listener) });
    fire = (value) => this.#emitter.emit("x", value);
    dispose() {}
  };
  Uri = {
    parse: (text) => {
      const query = text.split("?")[1] ?? "";
      // As it is on the desktop, and as it is on the web.
      return {
        query: editor.env.uiKind === 1 ? decodeURIComponent(query) : query,
        toString: (raw) => (raw ? text : encodeURI(text)),
      };
    },
  };
}

const editor = new Editor();
const { _load } = Module;
Module._load = function (name, ...rest) {
  return name === "vscode" ? editor : _load.call(this, name, ...rest);
};
const { registerHallpassProvider } = require("hallpass/vscode");

/** An extension's context, in a window of the same editor. */
function contextIn(stage, secrets = new Secrets()) {
  const globalStorageUri = { fsPath: join(stage.folder, "storage") };
  return { subscriptions: [], globalStorageUri, secrets, extension: { id: "acme.tool" } };
}

class Secrets {
  #values = new Map();
  #emitter = new EventEmitter();
  get = async (key) => this.#values.get(key);
  store = async (key, value) => (this.#values.set(key, value), void this.#emitter.emit("x", { key }));
  delete = async (key) => (this.#values.delete(key), void this.#emitter.emit("x", { key }));
  onDidChange = (listener) => (this.#emitter.on("x", listener), { dispose: () => this.#emitter.off("x", listener) });
  /** What a window knows of it that was opened now. */
  copy() {
    const copy = new Secrets();
    copy.#values = new Map(this.#values);
    return copy;
  }
  get size() {
    return this.#values.size;
  }
}

async function set(t, start = embedded, options = {}, secrets) {
  const stage = await Stage.set(t, start);
  Object.assign(editor, {
    opened: [],
    messages: [],
    progress: [],
    copied: undefined,
    answer: undefined,
    whenOpened: undefined,
  });
  Object.assign(editor.env, { uiKind: 1, remoteName: undefined, asExternalUri: async (uri) => uri });
  const context = contextIn(stage, secrets);
  const provider = registerHallpassProvider(context, { id: "acme", label: "Acme", ...stage.options, ...options });
  const changes = [];
  provider.onDidChangeSessions((change) => changes.push(change));
  t.after(() => context.subscriptions.forEach((one) => one.dispose()));
  editor.whenOpened = (url) => void stage.person.visit(url);
  return { stage, provider, changes, context };
}

test("a login in the browser is a session, for the editor and for the command line", async (t) => {
  const { stage, provider, changes } = await set(t);
  assert.deepEqual(editor.registered.options, { supportsMultipleAccounts: true });
  assert.deepEqual(await provider.getSessions([]), []);
  const session = await provider.createSession(["openid"]);
  assert.equal(session.accessToken, stage.record().tokens.access_token);
  assert.deepEqual(session.scopes, ["openid"]);
  assert.match(session.account.label, /@/);
  assert.equal(editor.opened.length, 1);
  const { stdout } = await stage.cli("status", "--json");
  assert.equal(JSON.parse(stdout).account.email, session.account.label);
  assert.deepEqual(
    changes.map(({ added, removed }) => [added.length, removed.length]),
    [[1, 0]],
  );

  // Silent and offline: the editor asks so at its start.
  await stage.server.stop();
  const [listed] = await provider.getSessions();
  assert.deepEqual([listed.id, listed.accessToken], [session.id, ""]);
});

test("a session is fresh when it is handed out, and gone where only a login helps", async (t) => {
  const { stage, provider } = await set(t);
  const { accessToken } = await provider.createSession([]);
  stage.expire();
  const [session] = await provider.getSessions([]);
  assert.notEqual(session.accessToken, accessToken);
  assert.equal(session.accessToken, stage.record().tokens.access_token);
});

test("a logout by the command line takes the session away, and a login brings it", async (t) => {
  const { stage, provider, changes } = await set(t);
  const session = await provider.createSession([]);
  assert.equal((await stage.cli("logout")).code, 0);
  await until(() => changes.at(-1)?.removed.length === 1, "the logout is heard of");
  assert.equal(changes.at(-1).removed[0].id, session.id);
  assert.deepEqual(await provider.getSessions([]), []);
  await stage.signedIn();
  await until(() => changes.at(-1)?.added.length === 1, "the login is heard of");
});

test("who comes back to the window finds who is signed in now, in a store that tells of no changes", async (t) => {
  const { stage, provider, changes } = await set(t, embedded, { store: "ephemeral" });
  assert.deepEqual(await provider.getSessions(), []);
  await stage.signedIn({ store: "ephemeral" });
  editor.state.emit("x", { focused: false });
  editor.state.emit("x", { focused: true });
  await until(() => changes.at(-1)?.added.length === 1, "the login is heard of");
  assert.equal(changes.length, 1);
});

test("a second account gets a home of its own, and each signs out by itself", async (t) => {
  const { stage, provider, context } = await set(t, peer);
  const alice = await provider.createSession([]);
  stage.person.name = "bob";
  stage.person.forget();
  const bob = await provider.createSession([]);
  assert.notEqual(bob.account.id, alice.account.id);
  assert.equal((await provider.getSessions([])).length, 2);
  assert.deepEqual(
    (await provider.getSessions([], { account: bob.account })).map(({ id }) => id),
    [bob.id],
  );
  // Another window finds both.
  const other = registerHallpassProvider(
    { ...context, subscriptions: [] },
    { id: "acme", label: "Acme", ...stage.options },
  );
  assert.equal((await other.getSessions()).length, 2);
  other.dispose();
  await provider.removeSession(bob.id);
  assert.deepEqual(
    (await provider.getSessions([])).map(({ id }) => id),
    [alice.id],
  );
  // The same person again has one session, and it is the one that others share.
  stage.person.name = "alice";
  stage.person.forget();
  const again = await provider.createSession([]);
  assert.equal(again.id, alice.id);
  assert.equal((await provider.getSessions([])).length, 1);
  assert.equal(existsSync(join(stage.folder, "storage", "hallpass", "acme", "account-1", "auth.json")), false);
});

test("a login can be cancelled while it waits", async (t) => {
  const { provider } = await set(t);
  editor.whenOpened = () => editor.cancellation.emit("wish");
  await assert.rejects(provider.createSession([]), editor.CancellationError);
  assert.deepEqual(await provider.getSessions([]), []);
});

test("in a remote window a code is shown, copied, and entered elsewhere", async (t) => {
  const { stage, provider } = await set(t);
  Object.assign(editor.env, { uiKind: 2, remoteName: "ssh" });
  editor.answer = (message, rest) => (message.startsWith("Your code is") ? rest.at(-1) : undefined);
  editor.whenOpened = (url) => void stage.person.visit(url, { userCode: editor.copied });
  await provider.createSession([]);
  assert.ok(editor.messages.some((message) => message === `Your code is ${editor.copied}`));
  assert.ok(editor.progress.some((message) => message.includes(editor.copied)));
});

for (const [where, uiKind] of [
  ["remote", 1],
  ["web", 2],
]) {
  test(`in a ${where} window the browser comes back through the editor, where the provider knows it`, async (t) => {
    const { stage, provider } = await set(t, peer, { uriHandler: true });
    Object.assign(editor.env, { uiKind, remoteName: "ssh" });
    editor.env.asExternalUri = async () => editor.Uri.parse("http://127.0.0.1:1/callback");
    editor.whenOpened = async (url) => {
      const back = await stage.person.visitUntil(url, "http://127.0.0.1:1/callback");
      editor.uriHandler.handleUri(editor.Uri.parse(back));
    };
    const session = await provider.createSession([]);
    assert.equal(session.accessToken, stage.record().tokens.access_token);
  });
}

test("what is sealed with a key in the editor's secret storage is shared by its windows alone, and refreshed once", async (t) => {
  const secrets = new Secrets();
  const { stage, provider, context } = await set(t, peer, { store: "secrets" }, secrets);
  stage.server.settings.accessTokenSeconds = 60;
  // A window that is opened later, and never hears of what is stored after that.
  const late = registerHallpassProvider(
    { ...context, secrets: secrets.copy(), subscriptions: [] },
    { id: "acme", label: "Acme", ...stage.options, store: "secrets" },
  );
  t.after(() => late.dispose());
  const heard = [];
  late.onDidChangeSessions((change) => heard.push(change));
  const { accessToken } = await provider.createSession([]);
  await until(() => heard.at(-1)?.added.length === 1, "the login is heard of in the other window");
  assert.equal(stage.record(), undefined);
  const files = readdirSync(context.globalStorageUri.fsPath, { recursive: true, withFileTypes: true });
  const texts = files
    .filter((file) => file.isFile())
    .map((file) => readFileSync(join(file.parentPath, file.name), "utf8"));
  assert.ok(texts.some((text) => text.includes("sealed")));
  const { refresh_token } = stage.server.requests.at(-1).params;
  for (const secret of [accessToken, refresh_token].filter(Boolean)) assert.ok(!texts.join().includes(secret));

  stage.server.settings.accessTokenSeconds = 3600;
  stage.server.requests.length = 0;
  const tokens = await Promise.all([provider, late, provider, late].map((one) => one.getSessions([])));
  assert.equal(new Set(tokens.map(([session]) => session.accessToken)).size, 1);
  assert.notEqual(tokens[0][0].accessToken, accessToken);
  assert.equal(stage.server.requests.length, 1);
  await provider.removeSession(tokens[0][0].id);
  assert.deepEqual(await late.getSessions([]), []);
});

test("where the key is gone nobody is signed in, and a login begins anew", async (t) => {
  const secrets = new Secrets();
  const { stage, provider, context } = await set(t, peer, { store: "secrets" }, secrets);
  await provider.createSession([]);
  const options = { id: "acme", label: "Acme", ...stage.options, store: "secrets" };
  const later = registerHallpassProvider({ ...context, secrets: new Secrets(), subscriptions: [] }, options);
  t.after(() => later.dispose());
  assert.deepEqual(await later.getSessions([]), []);
  const { accessToken } = await later.createSession([]);
  assert.equal((await later.getSessions([]))[0].accessToken, accessToken);
});

test("a secret storage that does not work is an error of the login, with no secret in it", async (t) => {
  const secrets = new Secrets();
  const { stage, provider } = await set(t, peer, { store: "secrets" }, secrets);
  secrets.get = () => Promise.reject(new Error("canary"));
  assert.deepEqual(await provider.getSessions([]), []);
  await assert.rejects(provider.createSession([]), (error) => {
    assert.ok(!inspect(error, { depth: 9 }).includes("canary"));
    return error.code === "store_failed" || assert.fail(error);
  });
  assert.equal(stage.server.requests.length, 0);
});

test("no secret is in what the editor is told, in a message or in an error", async (t) => {
  const shown = [];
  const secrets = new Set();
  let repeats = false;
  const fetch = async (url, init) => {
    const response = await globalThis.fetch(url, init);
    if (init.method !== "POST") return response;
    for (const text of [...new URLSearchParams(init.body).values()]) if (text.length > 30) secrets.add(text);
    const answer = await response
      .clone()
      .json()
      .catch(() => ({}));
    for (const name of ["access_token", "refresh_token", "id_token", "device_code"])
      if (answer[name]) secrets.add(answer[name]);
    return repeats
      ? Response.json({ error: "invalid_grant", error_description: init.body }, { status: 400 })
      : response;
  };
  const { stage, provider, changes } = await set(t, peer, { fetch, log: (line) => shown.push(line) });
  const show = (error) => shown.push(error, error.stack, JSON.stringify(error), String(error));
  for (const redirect of ["loopback", "device-code"]) {
    repeats = true;
    const other = await set(t, embedded, { ...stage.options, redirect, fetch, log: (line) => shown.push(line) });
    editor.answer = (message, rest) => (message.startsWith("Your code is") ? rest.at(-1) : undefined);
    editor.whenOpened = (url) => void stage.person.visit(url, { userCode: editor.copied });
    await assert.rejects(other.provider.createSession([]), (error) => (show(error), true));
    shown.push(other.changes, editor.progress);
  }
  repeats = false;
  editor.whenOpened = (url) => void stage.person.visit(url);
  await provider.createSession([]);
  const [{ id }] = await provider.getSessions();
  shown.push(await provider.getSessions(), provider);
  repeats = true;
  stage.expire();
  shown.push(await provider.getSessions([]).catch(show));
  await provider.removeSession(id).catch(show);
  shown.push(changes, editor.messages);
  const text = inspect(shown, { depth: 12, showHidden: true, maxArrayLength: null, maxStringLength: null });
  assert.ok(secrets.size > 5, `${secrets.size} secrets`);
  for (const secret of secrets) assert.ok(!text.includes(secret), "a secret is shown");
});

test("a home that cannot be read is no session and no failure of the editor's start", async (t) => {
  const { stage, provider } = await set(t);
  mkdirSync(stage.recordFile);
  assert.deepEqual(await provider.getSessions(), []);
});
