// Sign in, be seen, refresh beside the command line, and sign out: in a real editor, with a real browser.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Editor } from "./editor.mjs";

const BINARY = process.env.HALLPASS_BIN ?? fileURLToPath(new URL("../../target/debug/hallpass", import.meta.url));
// For people to look at.
const pictures = fileURLToPath(new URL("../../target/test-logs/vscode", import.meta.url));
const ACCOUNT = "ada@example.com";

let issuer, server, editor, page;

before(async () => {
  mkdirSync(pictures, { recursive: true });
  server = spawn(BINARY, ["demo", "--serve", "--port", "0"], { stdio: ["ignore", "pipe", "ignore"] });
  const [line] = await once(createInterface({ input: server.stdout }), "line");
  issuer = line.replace(/^issuer /, "");
  // The browser runs on this machine, so that a login may come back the straight way.
  editor = await Editor.start(() => ({ "hallpassExample.issuer": issuer, "hallpassExample.redirect": "loopback" }));
  page = await editor.window();
});
after(async () => {
  await editor?.stop();
  server?.kill();
});

const picture = (name, of = page) => of.screenshot({ path: join(pictures, `${name}.png`) });
const status = (text) => page.locator(".statusbar-item", { hasText: text });

/** Runs the command line in the home of the editor. */
async function hallpass(...args) {
  const child = spawn(BINARY, args, { env: editor.environment, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  child.stdout.on("data", (data) => (stdout += data));
  const [code] = await once(child, "close");
  return { code, stdout };
}

/** Does one thing after another, with a picture of where it went wrong. */
function step(what, run) {
  test(what, async () => {
    try {
      await run();
    } catch (error) {
      await picture(`failed: ${what}`).catch(() => {});
      throw error;
    }
  });
}

step("the status bar offers to sign in", async () => {
  await status("Sign in to Hallpass").waitFor({ timeout: 90_000 });
  await picture("1 signed out");
});

step("the editor asks, the browser consents, and the session is there", async () => {
  await status("Sign in to Hallpass").click();
  await page.locator(".monaco-dialog-box").getByText("wants to sign in using Hallpass Example").waitFor();
  await picture("2 the editor asks");
  const opened = editor.context.waitForEvent("page");
  await page.locator(".monaco-dialog-box").getByRole("button", { name: "Allow" }).click();
  const browser = await opened;
  await browser.waitForURL((url) => url.href.startsWith(issuer));
  await browser.getByRole("button", { name: "Allow" }).waitFor();
  await picture("3 the browser consents", browser);
  await browser.getByRole("button", { name: "Allow" }).click();
  await browser.waitForURL(/^http:\/\/127\.0\.0\.1:\d+\//);
  await picture("4 the browser is done", browser);
  await browser.close();
  await status(ACCOUNT).waitFor();
  await picture("5 signed in");
});

step("the command line is signed in with it", async () => {
  const { code, stdout } = await hallpass("status", "--json");
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).account.email, ACCOUNT);
});

step("the Accounts menu knows the session", async () => {
  await page
    .locator(".activitybar .action-label[aria-label^='Accounts'], .activitybar [aria-label='Accounts']")
    .first()
    .click();
  const entry = page.locator(".context-view, .shadow-root-host").getByText(`${ACCOUNT} (Hallpass Example)`);
  await entry.first().waitFor();
  await picture("6 the Accounts menu");
  await page.keyboard.press("Escape");
});

step("the editor and the command line refresh at once, and the session lives", async () => {
  const before = record().tokens;
  expire();
  const asked = status(ACCOUNT).click();
  const [, ...runs] = await Promise.all([asked, ...Array.from({ length: 6 }, () => hallpass("token"))]);
  await page.getByText(`The API says that you are ${ACCOUNT}.`).first().waitFor();
  await picture("7 the API answers");
  const { access_token, refresh_token } = record().tokens;
  assert.notEqual(refresh_token, before.refresh_token);
  assert.deepEqual(
    runs.map(({ code, stdout }) => [code, stdout]),
    runs.map(() => [0, `${access_token}\n`]),
  );
  assert.equal((await hallpass("token", "--refresh")).code, 0);
});

step("a logout by the command line takes the session from the editor", async () => {
  assert.equal((await hallpass("logout")).code, 0);
  await status("Sign in to Hallpass").waitFor();
  await picture("8 signed out by the command line");
});

step("a login by the command line is seen in the editor, and a token shows nowhere", async () => {
  const login = spawn(BINARY, ["login", "--provider", "local", "--issuer", issuer, "--device-auth", "--json"], {
    env: editor.environment,
    stdio: ["ignore", "pipe", "ignore"],
  });
  for await (const line of createInterface({ input: login.stdout })) {
    const { event, verification_uri_complete } = JSON.parse(line);
    if (event === "prompt") await consent(verification_uri_complete);
    if (event === "done") break;
  }
  await status(ACCOUNT).waitFor();
  const { access_token, refresh_token } = record().tokens;
  const shown = (await page.content()) + editor.log;
  for (const secret of [access_token, refresh_token]) assert.ok(!shown.includes(secret), "a secret is shown");
});

async function consent(url) {
  const browser = await editor.context.newPage();
  await browser.goto(url);
  await browser.getByRole("button", { name: "Allow" }).click();
  await browser.waitForLoadState();
  await browser.close();
}

function record() {
  return JSON.parse(readFileSync(join(editor.codexHome, "auth.json"), "utf8"));
}

/** Makes the stored access token one that has expired. */
function expire() {
  const stored = record();
  const [head, body, signature] = stored.tokens.access_token.split(".");
  const claims = { ...JSON.parse(Buffer.from(body, "base64url")), exp: 1_000_000_000 };
  stored.tokens.access_token = [head, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
  writeFileSync(join(editor.codexHome, "auth.json"), JSON.stringify(stored));
}
