// What windows of one editor share, and how a login comes back to a window that is on the web: in a real editor.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startAuthorizationServer } from "../peers/authorization-server.mjs";
import { Editor } from "./editor.mjs";

// For people to look at.
const pictures = fileURLToPath(new URL("../../target/test-logs/vscode", import.meta.url));

let server, editor, first, second;
/** Whatever must show nowhere. */
const secrets = new Set();

before(async () => {
  mkdirSync(pictures, { recursive: true });
  server = await startAuthorizationServer({
    jwtAccessTokens: true,
    // No address that an editor on the web takes for one of the machine it runs on, and opens by way of its server.
    host: "127.0.0.2",
    // The address of a window's server, which is known once the window is.
    mayReturn: (uri) => new RegExp(`^http://127\\.0\\.0\\.1:${editor.port}/[^/]+/callback\\?`).test(uri),
  });
  editor = await Editor.start((folder) => ({ "hallpassProbe.issuer": server.issuer, "hallpassProbe.folder": folder }));
  first = await Window.open("first");
  second = await Window.open("second");
});
after(async () => {
  await editor?.stop();
  await server?.stop();
});

/** A window, and the extension in it. */
class Window {
  static async open(name) {
    const window = new Window();
    window.name = name;
    window.page = await editor.window(name);
    window.door = await until(() => {
      try {
        return readFileSync(join(editor.folder, "doors", name), "utf8");
      } catch {
        return undefined;
      }
    }, `the extension is activated in the ${name} window`);
    return window;
  }

  /** Has the extension do something; what it fails with is thrown. */
  async ask(what, wanted = {}) {
    const response = await fetch(`http://127.0.0.1:${this.door}`, {
      method: "POST",
      body: JSON.stringify({ what, ...wanted }),
    });
    const { ok, error } = await response.json();
    for (const { accessToken } of Array.isArray(ok) ? ok : [ok ?? {}]) if (accessToken) secrets.add(accessToken);
    if (error) throw Object.assign(new Error(error.message), error);
    return ok;
  }

  /** The sessions, with tokens that are good now. */
  sessions(kind) {
    return this.ask("sessions", { kind, scopes: [] });
  }

  /** Waits until the editor has been told that so many sessions are there. */
  async knows(kind, count) {
    await until(async () => {
      const changes = await this.ask("changes", { kind });
      return changes.reduce((sum, { added, removed }) => sum + added - removed, 0) === count;
    }, `the ${this.name} window knows of ${count} sessions (${kind})`);
  }

  /** Begins to sign in, as the editor's dialog offers it: the session to come. */
  async signIn(kind, options = { createIfNone: true }) {
    const asked = this.ask("getSession", { kind, options });
    asked.catch(() => {});
    await this.page.locator(".monaco-dialog-box").getByRole("button", { name: "Allow" }).click();
    return { asked };
  }

  /** The page that the editor opens, once it has asked whether it may. */
  async opened() {
    const [browser] = await Promise.all([
      editor.context.waitForEvent("page"),
      this.page
        .locator(".monaco-dialog-box", { hasText: "to open the external website" })
        .getByRole("button", { name: "Open", exact: true })
        .click(),
    ]);
    return browser;
  }

  /** Signs in to the end. */
  async signedIn(kind, name) {
    const { asked } = await this.signIn(kind);
    await consent(await this.opened(), name);
    return asked;
  }

  /** Opens the menu of accounts, with the session in view. */
  async accounts(account) {
    await this.page
      .locator(".activitybar .action-label[aria-label^='Accounts'], .activitybar [aria-label='Accounts']")
      .first()
      .click();
    const entry = this.page.locator(".context-view, .shadow-root-host").getByText(account).first();
    await entry.waitFor();
    return entry;
  }

  picture(name) {
    return this.page.screenshot({ path: join(pictures, `${name}, ${this.name} window.png`) });
  }
}

/** Does one thing after another, with a picture of where it went wrong. */
function step(what, run) {
  test(what, async () => {
    try {
      await run();
    } catch (error) {
      for (const window of [first, second]) await window?.picture(`failed: ${what}`).catch(() => {});
      throw error;
    }
  });
}

step("a login in one window is seen in the other, which has a token too", async () => {
  const { accessToken, account } = await first.signedIn("shared", "ada");
  assert.match(account.label, /^ada@/);
  await second.knows("shared", 1);
  const [session] = await second.sessions("shared");
  assert.equal(session.accessToken, accessToken);
  await second.accounts("ada@example.test (Shared)");
  await second.picture("20 the account of the other window");
  await second.page.keyboard.press("Escape");
});

step("two windows refresh an expired session with one request", async () => {
  expire("shared");
  server.requests.length = 0;
  const found = await Promise.all([first, second, first, second].map((window) => window.sessions("shared")));
  assert.equal(new Set(found.map(([{ accessToken }]) => accessToken)).size, 1);
  assert.deepEqual(sent(), ["refresh_token"]);
});

step("a second account is a second session, and each signs out by itself", async () => {
  await stranger();
  const options = { createIfNone: true, clearSessionPreference: true };
  const { asked } = await first.signIn("shared", options);
  await first.page.locator(".quick-input-list").getByText("Sign in to another account").click();
  await consent(await first.opened(), "bob");
  assert.match((await asked).account.label, /^bob@/);
  for (const window of [first, second]) {
    await window.knows("shared", 2);
    const labels = (await window.sessions("shared")).map(({ account }) => account.label);
    assert.deepEqual(labels, ["ada@example.test", "bob@example.test"]);
  }
  await first.accounts("ada@example.test (Shared)");
  await (
    await first.page.locator(".context-view, .shadow-root-host").getByText("bob@example.test (Shared)").first()
  ).waitFor();
  await first.picture("21 two accounts");
  await first.page.keyboard.press("Escape");
});

step("who signs out in the menu of one window is signed out in the other, at the server too", async () => {
  server.requests.length = 0;
  const entry = await first.accounts("bob@example.test (Shared)");
  await entry.hover();
  await entry.click();
  await first.page.locator(".context-view, .shadow-root-host").getByText("Sign Out").last().click();
  await first.picture("22 the editor asks before it signs out");
  await first.page.locator(".monaco-dialog-box").getByRole("button", { name: "Sign Out" }).click();
  for (const window of [first, second]) {
    await window.knows("shared", 1);
    assert.deepEqual(
      (await window.sessions("shared")).map(({ account }) => account.label),
      ["ada@example.test"],
    );
  }
  assert.deepEqual(sent("/token/revocation"), [200]);
});

step("a login that is cancelled in its message ends, and takes nothing along", async () => {
  const options = { forceNewSession: true };
  const { asked } = await second.signIn("shared", options);
  const browser = await second.opened();
  const message = second.page.locator(".notifications-toasts, .notifications-center").getByText("Signing in to Shared");
  await message.waitFor();
  await second.picture("23 a login that can be cancelled");
  await message.hover();
  await second.page.locator(".notifications-toasts").getByRole("button", { name: "Cancel" }).click();
  await assert.rejects(asked);
  await browser.close();
  for (const window of [first, second]) {
    const [{ account, accessToken }] = await window.sessions("shared");
    assert.match(account.label, /^ada@/);
    assert.ok(accessToken);
  }
  assert.deepEqual(sent("/token/revocation").slice(1), []);
});

step("what is sealed with a key in the secret storage is one login for both windows", async () => {
  server.settings.accessTokenSeconds = 60;
  await stranger();
  const { accessToken } = await first.signedIn("sealed", "carol");
  await second.knows("sealed", 1);
  server.settings.accessTokenSeconds = 3600;
  server.requests.length = 0;
  const found = await Promise.all([first, second, first, second].map((window) => window.sessions("sealed")));
  const tokens = new Set(found.map(([session]) => session.accessToken));
  assert.equal(tokens.size, 1);
  assert.ok(!tokens.has(accessToken));
  assert.deepEqual(sent(), ["refresh_token"]);
  await second.ask("remove", { kind: "sealed", id: found[0][0].id });
  await first.knows("sealed", 0);
  assert.deepEqual(await first.sessions("sealed"), []);
});

step("the browser comes back through the editor, where the server of the window may be come back to", async () => {
  assert.deepEqual(Object.entries(await first.ask("process")).slice(1), [
    ["remote", `127.0.0.1:${editor.port}`],
    ["ui", 2],
  ]);
  const { asked } = await first.signIn("remote");
  const browser = await first.opened();
  await consent(browser, "dora", { stays: true });
  await browser.screenshot({ path: join(pictures, "24 the browser is back at the editor.png") });
  assert.ok(new URL(browser.url()).pathname.endsWith("/callback"));
  await browser.close();
  const { account, accessToken } = await asked;
  assert.ok(accessToken && account.label);
  const [session] = await second.sessions("remote");
  assert.equal(session.accessToken, accessToken);
});

step("where the browser cannot come back a code is shown, and entered elsewhere", async () => {
  const { asked } = await second.signIn("code");
  const dialog = second.page.locator(".monaco-dialog-box", { hasText: "Your code is" });
  await dialog.waitFor();
  await second.picture("25 a device code");
  const [, code] = /Your code is ([A-Z0-9-]+)/.exec(await dialog.innerText());
  await dialog.getByRole("button", { name: "Copy Code and Open" }).click();
  const browser = await second.opened();
  assert.equal(await second.page.evaluate(() => navigator.clipboard.readText()), code);
  await consent(browser, "emil");
  const { accessToken } = await asked;
  assert.ok(accessToken);
});

step("callbacks that throw are an error of that login, and the extension host lives", async () => {
  const { pid } = await first.ask("process");
  const asked = first.ask("getSession", { kind: "broken", options: { createIfNone: true } });
  await Promise.all([
    assert.rejects(asked, ({ message }) => /cannot be reached/.test(message) || assert.fail(message)),
    first.page.locator(".monaco-dialog-box").getByRole("button", { name: "Allow" }).click(),
  ]);
  assert.equal((await first.ask("process")).pid, pid);
  assert.equal((await first.sessions("shared")).length, 1);
});

step("no token is in a page, in a log or in what the editor has written", async () => {
  for (const kind of ["shared", "remote", "code"]) {
    const { tokens } = record(kind);
    for (const token of [tokens.access_token, tokens.refresh_token]) secrets.add(token);
  }
  assert.ok(secrets.size > 6);
  const texts = [editor.log];
  for (const { page } of [first, second]) texts.push(await page.content());
  for (const entry of readdirSync(join(editor.folder, "data"), { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) texts.push(readFileSync(join(entry.parentPath, entry.name), "latin1"));
  }
  for (const secret of secrets) assert.ok(!texts.some((text) => text.includes(secret)), "a secret is shown");
});

/** Signs in and consents, as the pages ask for it, to the last page. */
async function consent(browser, name, { stays = false } = {}) {
  for (;;) {
    await browser.waitForLoadState();
    const login = browser.locator("input[name=login]");
    if (await login.count()) {
      await login.fill(name);
      await browser.locator("input[name=password]").fill("any");
    }
    const button = browser.locator("button[type=submit]").first();
    if (!(await button.count())) break;
    await Promise.all([browser.waitForEvent("framenavigated"), button.click()]);
  }
  if (!stays) await browser.close();
}

/** The server is met by a browser that it does not know. */
async function stranger() {
  await editor.context.clearCookies({ name: /^_(session|interaction|grant)/ });
}

/** What has come to the token endpoint, or to another one with what was answered. */
function sent(path = "/token") {
  return server.requests.filter((one) => one.path === path).map((one) => (path === "/token" ? one.grant : one.status));
}

function record(kind) {
  return JSON.parse(readFileSync(join(editor.folder, "homes", kind, "auth.json"), "utf8"));
}

/** Makes the stored access token one that has expired. */
function expire(kind) {
  const stored = record(kind);
  const [head, body, signature] = stored.tokens.access_token.split(".");
  const claims = { ...JSON.parse(Buffer.from(body, "base64url")), exp: 1_000_000_000 };
  stored.tokens.access_token = [head, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
  writeFileSync(join(editor.folder, "homes", kind, "auth.json"), JSON.stringify(stored));
}

/** Waits until something holds. */
async function until(holds, what, seconds = 30) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    const value = await holds();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`it never came to pass that ${what}`);
}
