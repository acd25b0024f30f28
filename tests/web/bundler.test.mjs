// The package as npm installs it, in an application that Vite builds.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";
import { Stage } from "./stage.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const vite = join(createRequire(import.meta.url).resolve("vite/package.json"), "..", "bin", "vite.js");

let folder, app, files;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "hallpass-vite-"));
  const env = { ...process.env, npm_config_loglevel: "error" };
  const quietly = { cwd: folder, env, stdio: ["ignore", "ignore", "inherit"] };
  execFileSync(process.execPath, [join(here, "..", "..", "wasm", "pack.mjs"), folder], quietly);
  const [tarball] = readdirSync(folder).filter((name) => /^hallpass-web-.*\.tgz$/.test(name));
  app = join(folder, "app");
  cpSync(join(here, "vite"), app, { recursive: true });
  writeFileSync(join(app, "package.json"), '{ "private": true, "type": "module" }');
  const npm = ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", `../${tarball}`];
  execFileSync("npm", npm, { ...quietly, cwd: app });
  execFileSync(process.execPath, [vite, "build", "--logLevel", "warn"], { ...quietly, cwd: app });
  const dist = join(app, "dist");
  files = new Map(
    readdirSync(dist, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      .map((file) => [file.slice(dist.length), readFileSync(file)]),
  );
});
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** The site of the built application, under a policy that permits what the package needs and no more. */
async function built(t) {
  const stage = await Stage.set(t);
  stage.site.scripts = "'self' 'wasm-unsafe-eval'";
  // What a bundler writes creates workers without more ado.
  stage.site.trusted = false;
  const { issuer, clientId, scopes, origins } = stage.site.settings;
  for (const [name, body] of files) stage.site.answers.set(name, { body });
  for (const name of ["/", "/callback"]) stage.site.answers.set(name, { body: files.get("/index.html") });
  stage.site.answers.set("/settings.json", { body: JSON.stringify({ issuer, clientId, scopes, origins }) });
  const page = await stage.context.newPage();
  stage.errors = [];
  page.on("console", (message) => stage.errors.push(message.text()));
  await page.goto(stage.site.origin);
  await page.waitForFunction(() => document.title === "ready");
  return { stage, page };
}

test("nothing in it is evaluated from text", () => {
  const scripts = [...files].filter(([name]) => name.endsWith(".js"));
  assert.ok(scripts.length > 0);
  for (const [name, bytes] of scripts)
    assert.doesNotMatch(bytes.toString(), /\beval\s*\(|\bnew Function\b|[^.\w]Function\s*\(/, name);
  const modules = [...files.keys()].filter((name) => name.endsWith(".wasm"));
  assert.ok(modules.length >= 1, "the module is among its files");
});

test("a person signs in by a redirect, under a strict policy", async (t) => {
  const { stage, page } = await built(t);
  assert.equal(await page.textContent("#who"), "signed out");
  await page.click("#sign-in");
  await stage.consents(page);
  await page.waitForURL(`${stage.site.origin}/**`);
  await page.waitForFunction(() => document.querySelector("#who").textContent.startsWith("signed in as"));
  assert.equal(page.url(), `${stage.site.origin}/callback`);
  assert.deepEqual(stage.errors, []);
});

test("a person signs in with the tokens in a worker, under a strict policy", async (t) => {
  const { stage, page } = await built(t);
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.click("#sign-in-worker")]);
  await stage.consents(popup);
  await page.waitForFunction(() => document.querySelector("#who").textContent.startsWith("signed in as"));
  assert.deepEqual(stage.errors, []);
});

test("Vite's development server serves it as the README says", async (t) => {
  const stage = await Stage.set(t);
  const { issuer, clientId, scopes, origins } = stage.site.settings;
  // Before the server starts: it looks once for what there is.
  mkdirSync(join(app, "public"), { recursive: true });
  writeFileSync(join(app, "public", "settings.json"), JSON.stringify({ issuer, clientId, scopes, origins }));
  const server = await createServer({
    root: app,
    logLevel: "error",
    optimizeDeps: { exclude: ["hallpass-web"] },
    server: { host: "127.0.0.1", port: 0, hmr: false, ws: false },
  });
  t.after(() => server.close());
  await server.listen();
  const page = await stage.context.newPage();
  await page.goto(`http://127.0.0.1:${server.httpServer.address().port}/`);
  await page.waitForFunction(() => document.title === "ready");
  assert.equal(await page.textContent("#who"), "signed out");
  await page.click("#sign-in");
  await stage.consents(page);
  await page.waitForFunction(() => document.querySelector("#who")?.textContent.startsWith("signed in as"));
});
