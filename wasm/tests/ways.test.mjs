// Where there is no window, no module, no network or no use for any of them: device codes, extensions, what fails.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, test } from "node:test";
import { ORIGIN, REDIRECT_URI, Tab, failure, scripts, shows } from "./page.mjs";
import { API, ISSUER } from "./server.mjs";

let tab;
beforeEach(() => (tab = new Tab()));
const start = async (options) => (await tab.load(`${ORIGIN}/`)).create(options);

test("a device code is shown, and waited for", async () => {
  const hallpass = await start();
  tab.server.pending = true;
  const prompts = [];
  const onPrompt = (prompt) => {
    prompts.push(prompt);
    tab.server.pending = false;
  };
  const loggedIn = await hallpass.loginWithDeviceCode({ onPrompt });
  assert.equal(loggedIn.status.loggedIn, true);
  assert.deepEqual(
    prompts.map(({ kind, userCode }) => [kind, userCode]),
    [["device_code", "ABCD-EFGH"]],
  );
  assert.ok(!shows(prompts));
});

test("a device code that nobody can be shown is refused before it is asked for", async () => {
  const error = await failure((await start()).loginWithDeviceCode());
  assert.deepEqual([error.code, error.name], ["no_prompt", "MisusedError"]);
  assert.deepEqual(tab.server.asked, []);
});

for (const [what, onPrompt] of [
  [
    "throws",
    () => {
      throw new Error("no screen");
    },
  ],
  [
    "fails later",
    async () => {
      throw new Error("no screen");
    },
  ],
]) {
  test(`a prompt that ${what} ends the login`, async () => {
    tab.server.pending = true;
    const error = await failure((await start({ onPrompt })).loginWithDeviceCode());
    assert.deepEqual([error.code, error.cause.message], ["host_failed", "no screen"]);
  });
}

/** What an extension's service worker has: no window, and no place to keep anything but a database. */
function extension() {
  for (const name of ["document", "window", "history", "sessionStorage", "open", "close", "location"])
    delete globalThis[name];
  globalThis.location = new URL("chrome-extension://abcdefgh/worker.js");
}

test("an extension launches the page, and says where it has come back to", async () => {
  const page = await tab.load(`${ORIGIN}/`);
  extension();
  const hallpass = await page.create();
  assert.equal(await hallpass.handleRedirect(), undefined);
  const loggedIn = await hallpass.login({ launch: async (url) => tab.server.consent(url) });
  assert.equal(loggedIn.status.loggedIn, true);
  assert.equal((await hallpass.fetch(`${API}/me`)).status, 200);
  assert.equal((await failure(hallpass.login())).code, "no_window");
  assert.equal((await failure(hallpass.login({ popup: true }))).code, "no_window");
});

test("a launch that the person ends, or that comes back with something else", async () => {
  const page = await tab.load(`${ORIGIN}/`);
  extension();
  const hallpass = await page.create();
  const ways = [
    [
      async () => {
        throw new Error("The user did not approve access.");
      },
      "popup_closed",
    ],
    [() => undefined, "popup_closed"],
    [async () => `${REDIRECT_URI}?code=a&state=b`, "foreign_redirect"],
    [async () => "https://elsewhere.example/", "foreign_redirect"],
    [async () => "no address", "foreign_redirect"],
  ];
  for (const [launch, code] of ways) {
    const error = await failure(hallpass.login({ launch }));
    assert.deepEqual([error.code, Boolean(error.help)], [code, true], String(launch));
  }
});

test("a launch that nobody waits for any more signs nobody in", async () => {
  const page = await tab.load(`${ORIGIN}/`);
  extension();
  const hallpass = await page.create();
  const controller = new AbortController();
  const launch = async (url) => {
    controller.abort();
    await new Promise(setImmediate);
    return tab.server.consent(url);
  };
  assert.equal((await failure(hallpass.login({ launch, signal: controller.signal }))).name, "AbortError");
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(!tab.server.asked.includes("POST /token"));
  assert.equal((await hallpass.status()).loggedIn, false);
});

test("the module cannot be loaded: an error that says why, and the next call tries again", async () => {
  const page = await tab.load(`${ORIGIN}/`);
  const bytes = readFileSync(new URL("../pkg/hallpass_web_bg.wasm", import.meta.url));
  const served = (type, status = 200) => new Response(bytes, { status, headers: { "content-type": type } });
  const ways = [
    [served("text/html"), /MIME|application\/wasm/i],
    [served("application/wasm", 404), /404|status|ok/i],
    [new Uint8Array([0, 97, 115, 109, 9]), /./],
    [new URL("https://unreachable.invalid/hallpass.wasm"), /./],
  ];
  for (const [module, why] of ways) {
    const error = await failure(page.create({ module }));
    assert.deepEqual([error.code, error.name], ["module_failed", "LocalError"]);
    assert.match(error.message, why);
    assert.match(error.help, /wasm-unsafe-eval/);
  }
  const { WebAssembly } = globalThis;
  globalThis.WebAssembly = undefined;
  assert.match((await failure(page.create())).message, /no WebAssembly/);
  globalThis.WebAssembly = WebAssembly;
  assert.equal((await (await page.create({ module: served("application/wasm") })).status()).loggedIn, false);
});

test("a page that is not served securely", async () => {
  const page = await tab.load(`${ORIGIN}/`);
  const { crypto } = globalThis;
  Object.defineProperty(globalThis, "crypto", {
    value: { getRandomValues: crypto.getRandomValues },
    configurable: true,
  });
  const error = await failure(page.create());
  Object.defineProperty(globalThis, "crypto", { value: crypto, configurable: true });
  assert.match(error.message, /https/);
});

const failing = async (hallpass) => {
  const error = await failure(hallpass.login({ popup: true }));
  assert.deepEqual([error.code, error.retryable], ["network", true]);
  return error.message;
};
const fails = () => {
  throw new TypeError("Failed to fetch canary");
};

test("a server that lets nobody ask is told from one that is down, where that does no harm", async () => {
  const modes = [];
  const fetch = async (url, { mode }) => {
    modes.push(mode);
    if (mode !== "no-cors") fails();
    return new Response(null);
  };
  assert.match(await failing(await start({ fetch })), /it answers, but .* https:\/\/app\.example .*CORS/);
  assert.deepEqual(modes, [undefined, "no-cors"]);
  assert.match(await failing(await start({ fetch: async () => fails() })), /does not answer/);
});

test("what finds out why neither fails nor is late, whatever the function does", async (t) => {
  const hallpass = (probe) => start({ fetch: (_, init) => (init.mode === "no-cors" ? probe(init) : fails()) });
  assert.match(await failing(await hallpass(fails)), /does not answer/);
  assert.match(await failing(await hallpass(() => undefined)), /does not answer/);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let asked;
  const silent = (init) => ((asked = init), t.mock.timers.tick(3000), new Promise(() => {}));
  assert.match(await failing(await hallpass(silent)), /does not answer/);
  const { redirect, credentials, cache, signal } = asked;
  assert.deepEqual([redirect, credentials, cache, signal.aborted], ["follow", "omit", "no-store", true]);
});

test("whoever gives up is let go at once, and nothing more is asked to find out why", async () => {
  const modes = [];
  const controller = new AbortController();
  const { signal } = controller;
  const fetch = (_, { mode, signal: own }) => {
    modes.push(mode);
    queueMicrotask(() => controller.abort());
    return new Promise((_resolve, reject) => own.addEventListener("abort", () => reject(own.reason)));
  };
  const login = async (options) => failure((await start(options)).login({ launch: () => undefined, signal }));
  assert.equal((await login({ fetch })).name, "AbortError");
  await new Promise(setImmediate);
  assert.deepEqual(modes, [undefined]);
});

test("whoever gives up while it is found out why is let go at once", async () => {
  const controller = new AbortController();
  let asked;
  const fetch = (_, { mode, signal }) => {
    if (mode !== "no-cors") fails();
    asked = signal;
    queueMicrotask(() => controller.abort());
    return new Promise(() => {});
  };
  const login = (await start({ fetch })).login({ launch: () => undefined, signal: controller.signal });
  assert.equal((await failure(login)).name, "AbortError");
  await new Promise(setImmediate);
  assert.ok(asked.aborted);
});

test("a request that may have been sent is not sent again to find out", async () => {
  const hallpass = await start();
  const login = hallpass.login({ popup: true });
  const asked = [];
  const { fetch } = tab.server;
  void login.catch(() => {});
  const page = await tab.load(`${ORIGIN}/`);
  const other = await page.create({
    fetch: async (url, init) => {
      asked.push(`${init.method ?? "GET"} ${url}`);
      return String(url).endsWith("/token") ? fails() : fetch(url, init);
    },
  });
  const message = await failure(other.login({ launch: async (url) => tab.server.consent(url) }));
  assert.match(message.message, /does not answer, or .*CORS/);
  assert.deepEqual(asked, [`GET ${ISSUER}/.well-known/openid-configuration`, `POST ${ISSUER}/token`]);
});

test("offline nothing is sent, and it is said", async () => {
  const hallpass = await start();
  navigator.onLine = false;
  assert.match(await failing(hallpass), /offline/);
  assert.deepEqual(tab.server.asked, []);
});

test("options that cannot be meant are named, and no value is quoted", async () => {
  const page = await tab.load(`${ORIGIN}/`);
  const wrong = [
    [{ isuer: "canary" }, /no `isuer`/],
    [{ issuer: 7 }, /`issuer` must be/],
    [{ clientId: undefined }, /must be `clientId`/],
    [{ redirectUri: "canary" }, /`redirectUri` must be a URL/],
    [{ store: "localStorage" }, /"memory" or "indexeddb"/],
    [{ origins: ["http://api.example"] }, /https/],
    [{ origins: "https://api.example" }, /a list/],
    [{ scopes: "openid" }, /a list/],
  ];
  for (const [options, message] of wrong) {
    const error = await failure(page.create(options));
    assert.equal(error.code, "invalid_option");
    assert.match(error.message, message);
    assert.ok(!shows(error));
  }
  const hallpass = await page.create({ redirectUri: undefined });
  assert.match((await failure(hallpass.login())).message, /needs `redirectUri`/);
  assert.match(
    (await failure(page.create({ issuer: "canary" }).then((each) => each.login({ popup: true })))).message,
    /issuer/,
  );
});

test("endpoints and further parameters reach the provider", async () => {
  const hallpass = await start({
    endpoints: { authorization: `${ISSUER}/authorize`, token: `${ISSUER}/token`, namesIssuer: true },
    authorizationParameters: { audience: "api" },
    scopes: ["a", "b"],
  });
  let asked;
  await hallpass.login({ launch: async (url) => tab.server.consent((asked = url)) });
  const { searchParams } = new URL(asked);
  assert.deepEqual([searchParams.get("audience"), searchParams.get("scope")], ["api", "a b"]);
  assert.deepEqual(tab.server.asked, ["POST /token"], "nothing is discovered");
});

test("all entrances share one set of classes", async () => {
  const folder = scripts();
  await tab.load(`${ORIGIN}/`);
  const [index, core] = await Promise.all(["index", "core"].map((name) => import(`${folder}/${name}.js`)));
  const error = await failure(core.load(new Uint8Array(4)));
  assert.ok(error instanceof index.LocalError);
  assert.equal(typeof core.Flow, "function");
});
