// Tokens that are kept by a worker: what a page gets of them, and what a hostile script in the page does not.
import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { beforeEach, test } from "node:test";
import { MessageChannel, Worker as Thread } from "node:worker_threads";
import { ORIGIN, Tab, failure, scripts } from "./page.mjs";
import { API, CANARY } from "./server.mjs";

const MODULE = `${ORIGIN}/hallpass.wasm`;

/** A worker as a page has it, whose every word is written down. */
class Worker extends EventTarget {
  heard = [];
  said = [];
  #calls = new Map();

  static async start(t, purpose, isShared = false) {
    const worker = new Worker();
    const { port1, port2 } = new MessageChannel();
    const workerData = { control: port2, script: `${scripts()}/worker.js`, purpose, isShared };
    worker.thread = new Thread(new URL("worker.thread.mjs", import.meta.url), { workerData, transferList: [port2] });
    worker.control = port1;
    port1.on("message", ({ id, value, ...seen }) => (Object.assign(worker, seen), worker.#calls.get(id)(value)));
    [worker.refusal] = await once(worker.thread, "message");
    worker.thread.on("message", (data) => {
      worker.heard.push(structuredClone(data.ok?.body ? { ...data, ok: { ...data.ok, body: "…" } } : data));
      worker.dispatchEvent(new MessageEvent("message", { data }));
    });
    t.after(() => worker.thread.terminate());
    return worker;
  }

  /** A shared worker as one more page has it. */
  connect() {
    const { port1, port2 } = new MessageChannel();
    this.thread.postMessage({ port: port2 }, [port2]);
    return Object.assign(new EventTarget(), { port: port1 });
  }

  postMessage(message) {
    this.said.push(message);
    this.thread.postMessage(message);
  }

  /** Asks the server in the worker. */
  server(call, ...args) {
    const id = crypto.randomUUID();
    this.control.postMessage({ call, args, id });
    return new Promise((resolve) => this.#calls.set(id, resolve));
  }

  /** Says something as a script of the page could, and hears the answer. */
  async say(message) {
    const id = crypto.randomUUID();
    const answered = new Promise((resolve) => {
      const hear = ({ data }) => {
        if (data.id !== id || !("ok" in data || "error" in data)) return;
        this.removeEventListener("message", hear);
        resolve(data);
      };
      this.addEventListener("message", hear);
    });
    this.postMessage({ id, ...message });
    return answered;
  }
}

let tab;
beforeEach(() => (tab = new Tab()));

async function signedIn(t) {
  const worker = await Worker.start(t);
  const first = await tab.load(`${ORIGIN}/`);
  const options = { worker, fetch: undefined, module: MODULE };
  const url = await first.leave(await first.create(options));
  // A worker dies with its page: here the next page goes on with the same one, which remembers nothing of the login.
  const page = await tab.load(await worker.server("consent", url));
  const hallpass = await page.create(options);
  return { worker, page, options, hallpass, loggedIn: await hallpass.handleRedirect() };
}

const told = (worker) => JSON.stringify(worker.heard);
const isTold = (worker) => ["access", "refresh", "code"].some((kind) => told(worker).includes(`${CANARY}-${kind}`));

test("a person signs in by redirect, and the page is told everything but the tokens", async (t) => {
  const { worker, hallpass, loggedIn } = await signedIn(t);
  assert.equal(loggedIn.status.account.email, "ada@example.com");
  assert.ok(loggedIn.status.expiresAt instanceof Date);
  assert.equal((await hallpass.status()).store, "memory");
  assert.ok(!isTold(worker), told(worker));
  assert.equal(tab.storage.size, 0);
});

test("requests go through the worker, with what a body was", async (t) => {
  const { hallpass, worker } = await signedIn(t);
  const form = new FormData();
  form.set("a", "b");
  const bodies = [
    ["text", "x"],
    ["form", new URLSearchParams({ c: "d" })],
    ["parts", form],
    ["bytes", new Uint8Array([120])],
  ];
  for (const [what, body] of bodies) {
    const response = await hallpass.fetch(`${API}/echo`, { method: "POST", body });
    const answer = await response.json();
    assert.equal(response.url, "", "what the server in the worker made");
    assert.match(answer.body, /^x$|^c=d$|name="a"/, what);
    assert.equal(answer.method, "POST");
  }
  assert.equal((await (await hallpass.fetch(new Request(`${API}/me`))).json()).body, "");
  await worker.server("expire");
  assert.equal((await hallpass.fetch(`${API}/me`)).status, 200, "renewed there");
  assert.equal((await failure(hallpass.fetch("https://evil.example/"))).code, "origin_not_allowed");
  assert.ok(!isTold(worker));
});

test("a token is not handed out", async (t) => {
  const { hallpass } = await signedIn(t);
  for (const options of [{}, { refresh: true }, { minTtl: 1 }]) {
    const error = await failure(hallpass.token(options));
    assert.deepEqual([error.code, error.name], ["token_stays_in_worker", "MisusedError"]);
  }
});

test("a hostile script cannot widen what the worker is for", async (t) => {
  const { worker, page, options, hallpass } = await signedIn(t);
  for (const change of [
    { origins: [API, "https://evil.example"] },
    { issuer: "https://evil.example" },
    { clientId: "evil" },
    { redirectUri: "https://evil.example/callback" },
    { endpoints: { token: "https://evil.example/token" } },
    { store: "indexeddb" },
  ]) {
    const error = await failure(page.create({ ...options, ...change }));
    assert.equal(error?.code, "worker_configured", JSON.stringify(change));
  }
  const error = await failure(page.create({ ...options, module: "https://evil.example/hallpass.wasm" }));
  assert.equal(error.code, "worker_configured");
  assert.equal((await page.create({ ...options }).then((again) => again.status())).loggedIn, true);
  assert.equal((await hallpass.fetch(`${API}/me`)).status, 200);
});

test("the same options are the same in whatever order they are named", async (t) => {
  const worker = await Worker.start(t);
  const page = await tab.load(`${ORIGIN}/`);
  const endpoints = { authorization: `${API}/a`, token: `${API}/t` };
  const authorizationParameters = { audience: "api", prompt: "login" };
  const options = { worker, fetch: undefined, module: MODULE, endpoints, authorizationParameters };
  await page.create(options);
  const turned = (value) => Object.fromEntries(Object.entries(value).reverse());
  await page.create({
    ...turned({ ...page.options, ...options }),
    endpoints: { revocation: undefined, ...turned(endpoints) },
    authorizationParameters: turned(authorizationParameters),
  });
  for (const other of [
    { endpoints: { authorization: endpoints.token, token: endpoints.authorization } },
    { authorizationParameters: { ...authorizationParameters, audience: "other" } },
    { authorizationParameters: {} },
  ])
    assert.equal((await failure(page.create({ ...options, ...other })))?.code, "worker_configured");
});

test("options that are no use to a worker are refused, by its script and by its page", async (t) => {
  const purpose = { issuer: "https://id.example", clientId: "app" };
  for (const [name, value] of Object.entries({ log: true, signal: {}, worker: {}, onPrompt: 0, fetch: "x", store: 1 })) {
    const worker = await Worker.start(t, { ...purpose, [name]: value });
    assert.equal(worker.refusal.code, "invalid_option", name);
    assert.match(worker.refusal.message, name === "store" ? /^`store` must be/ : /^the options of a worker have no `/);
    const answer = await worker.say({ call: "create", options: { ...purpose, [name]: value }, module: MODULE });
    assert.equal(answer.error.code, "invalid_option", name);
  }
  const worker = await Worker.start(t, { ...purpose, module: "hallpass.wasm" });
  assert.match(worker.refusal.message, /`module` must be an absolute URL/);
});

test("a worker that refuses a page is not listened to any more, and not ended", async (t) => {
  const { worker, page, options } = await signedIn(t);
  const listened = () => [
    ...["message", "error"].map((type) => getEventListeners(worker, type).length),
    page.listeners.size,
  ];
  const before = listened();
  for (const [more, code] of [
    [{ issuer: "https://evil.example" }, "worker_configured"],
    [{ module: new Uint8Array(8) }, "invalid_option"],
    [{ fetch: globalThis.fetch }, "invalid_option"],
  ]) {
    assert.equal((await failure(page.create({ ...options, ...more })))?.code, code);
    assert.deepEqual(listened(), before);
  }
  assert.equal((await failure(page.create({ ...options, signal: AbortSignal.abort() }))).name, "AbortError");
  assert.deepEqual(listened(), before);
  assert.ok(before.every((count) => count > 0));
  assert.equal((await (await page.create(options)).status()).loggedIn, true, "it lives on");
});

test("a page that is not there is told nothing, and looks when it is shown again", async (t) => {
  const worker = await Worker.start(t, undefined, true);
  const told = async (page) => {
    await worker.server("expire");
    return worker.pages[page].told.filter((message) => "changed" in message).length;
  };
  const there = [];
  for (let count = 0; count < 3; count += 1) {
    const page = await tab.load(`${ORIGIN}/`);
    const shared = worker.connect();
    there.push({ page, shared, hallpass: await page.create({ worker: shared, fetch: undefined, module: MODULE }) });
  }
  const [kept, other, gone] = there;
  t.after(() => there.forEach(({ shared }) => shared.port.close()));
  const heard = new Promise((resolve) => kept.hallpass.on("change", resolve));
  await kept.hallpass.status();
  kept.page.dispatch("pagehide", { persisted: true });
  gone.shared.port.close();
  while (!worker.pages?.[2].isGone) await worker.server("expire");
  await other.hallpass.loginWithDeviceCode({ onPrompt() {} });
  assert.ok((await told(1)) > 0);
  assert.deepEqual([await told(0), await told(2)], [0, 0]);
  kept.page.dispatch("pageshow", { persisted: false });
  kept.page.dispatch("pageshow", { persisted: true });
  assert.equal((await heard).loggedIn, true, "it has looked");
  await other.hallpass.logout({ local: true });
  assert.ok((await told(0)) > 0, "and hears again");
});

test("a worker whose script says what it is for is begun for nothing else, whoever comes first", async (t) => {
  const page = await tab.load(`${ORIGIN}/`);
  // What can be sent to a worker says what it is for.
  const purpose = Object.fromEntries(Object.entries(page.options).filter(([, value]) => typeof value !== "function"));
  const worker = await Worker.start(t, { ...purpose, module: MODULE });
  const options = { worker, fetch: undefined, module: MODULE };
  for (const change of [{ origins: ["https://evil.example"] }, { issuer: "https://evil.example" }, { module: undefined }]) {
    const error = await failure(page.create({ ...options, ...change }));
    assert.equal(error?.code, "worker_configured", JSON.stringify(change));
  }
  assert.equal((await (await page.create(options)).status()).loggedIn, false);
});

test("a hostile script that speaks to the worker itself gets no token, whatever it says", async (t) => {
  const { worker } = await signedIn(t);
  const said = [
    { call: "token" },
    { call: "token", need: "fresh" },
    { call: "proof" },
    { call: "export" },
    { call: "run", kind: "token", body: { need: "fresh" } },
    { call: "constructor" },
    { call: "__proto__" },
    { call: "fetch", url: "https://evil.example/", method: "GET", headers: [], body: null },
    { call: "fetch", url: `${API}@evil.example/`, method: "GET", headers: [], body: null },
    { call: "fetch", url: "//evil.example", method: "GET", headers: [], body: null },
    { call: "fetch", url: { href: `${API}/me` }, method: "GET", headers: [], body: null },
    { call: "status", check: { configuration: {} }, configuration: { provider: { issuer: "https://evil.example" } } },
    { call: "create", options: { origins: ["https://evil.example"] } },
    { call: "create", options: null },
    { call: "login", method: "browser", leaves: true, suspended: { length: 1e9 } },
    { call: "login", method: { toString: "x" }, leaves: "yes", suspended: ["{}"] },
    { call: "fetch", url: `${API}/me`, method: 7, headers: {}, body: null },
    { call: "fetch", url: `${API}/me`, method: "GET", headers: [["a"]], body: null },
  ];
  for (const message of said) {
    const answer = await worker.say(message);
    assert.ok(answer.error || message.call === "status", JSON.stringify([message, answer]));
  }
  assert.ok(!isTold(worker), told(worker));
  assert.ok((await worker.server("expire"), worker.asked).every((line) => !line.includes("evil")));
});

test("what a hostile script can do: ask in the person's name where the app may, sign in and out", async (t) => {
  const { worker } = await signedIn(t);
  const answer = await worker.say({ call: "fetch", url: `${API}/me`, method: "GET", headers: [], body: null });
  assert.equal(answer.ok.status, 200);
  assert.equal((await worker.say({ call: "logout", local: true })).ok.outcome.was_logged_in, true);
  assert.ok(!isTold(worker));
});

test("a call that is aborted is let go, there too", async (t) => {
  const { hallpass, worker } = await signedIn(t);
  const shown = new Promise((resolve) => {
    const controller = new AbortController();
    const login = failure(
      hallpass.loginWithDeviceCode({
        signal: controller.signal,
        onPrompt: (prompt) => resolve({ prompt, controller, login }),
      }),
    );
  });
  const { prompt, controller, login } = await shown;
  assert.deepEqual([prompt.userCode, prompt.verificationUri], ["ABCD-EFGH", "https://id.example/activate"]);
  assert.ok(prompt.expiresAt > new Date());
  controller.abort();
  assert.equal((await login).name, "AbortError");
  const begun = worker.said.find(({ method }) => method === "device_code");
  assert.deepEqual(worker.said.at(-1), { id: begun.id, abort: true });
  const error = await failure(hallpass.fetch(`${API}/me`, { signal: AbortSignal.abort() }));
  assert.equal(error.name, "AbortError");
});

test("a window is the page's, and what it comes back with goes to the worker", async (t) => {
  const { worker, page, options } = await signedIn(t);
  const hallpass = await page.create(options);
  const login = hallpass.login({ popup: true });
  const [popup] = page.opened;
  const url = await worker.server("consent", await popup.went);
  page.dispatch("message", {
    origin: ORIGIN,
    source: { postMessage() {} },
    data: { hallpass: "arrived", id: "w", url },
  });
  assert.equal((await login).previous, "revoked");
  assert.ok(popup.closed);
  const again = page.create(options).then((hallpass) => hallpass.login({ popup: true }));
  const closing = failure(again);
  while (page.opened.length < 2) await new Promise(setImmediate);
  await page.opened[1].went;
  page.opened[1].closed = true;
  assert.equal((await closing).code, "popup_closed");
});

test("the page hears of changes", async (t) => {
  const { hallpass } = await signedIn(t);
  const heard = new Promise((resolve) => hallpass.on("change", resolve));
  await hallpass.status();
  await hallpass.logout();
  assert.equal((await heard).loggedIn, false);
});

test("a worker that was not told what it is for does nothing", async (t) => {
  const worker = await Worker.start(t);
  assert.equal((await worker.say({ call: "status" })).error.code, "worker_unconfigured");
  const bad = { issuer: "https://id.example", clientId: "app", origins: ["http://evil.example"] };
  assert.equal((await worker.say({ call: "create", options: bad })).error.code, "invalid_option");
  for (const module of ["blob:https://app.example/1", "data:application/wasm;base64,AA"]) {
    const options = { issuer: "https://id.example", clientId: "app" };
    assert.equal((await worker.say({ call: "create", options, module })).error.code, "invalid_option");
  }
  const page = await tab.load(`${ORIGIN}/`);
  for (const more of [{ module: new Uint8Array(8) }, { fetch: globalThis.fetch }]) {
    const error = await failure(page.create({ worker, fetch: undefined, module: MODULE, ...more }));
    assert.equal(error.code, "invalid_option");
  }
  for (const odd of [null, 7, "create", [], {}]) worker.postMessage(odd);
  assert.equal((await worker.say({ call: "status" })).error.code, "worker_unconfigured", "it lives on");
});

test("a worker that is something else, and one that fails, are named", async (t) => {
  const page = await tab.load(`${ORIGIN}/`);
  const worker = Object.assign(new EventTarget(), { postMessage() {} });
  const isHeard = () => getEventListeners(worker, "error").length > 0;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  for (const [end, message] of [
    [() => t.mock.timers.tick(30_000), /does not answer/],
    [() => worker.dispatchEvent(new Event("error")), /cannot be loaded/],
  ]) {
    const creating = failure(page.create({ worker, fetch: undefined, module: undefined }));
    while (!isHeard()) await new Promise(setImmediate);
    await new Promise(setImmediate);
    end();
    const error = await creating;
    assert.deepEqual([error.code, error.name], ["module_failed", "LocalError"]);
    assert.match(error.message, message);
    assert.match(error.help, /hallpass-web\/worker/);
    assert.ok(!isHeard());
  }
});
