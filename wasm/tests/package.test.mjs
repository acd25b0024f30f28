// What is published: its files, its types, and that a page's policy has to allow nothing but WebAssembly.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

/** What all JavaScript that a page loads may weigh, compressed. Whoever makes it smaller lowers this number. */
const BUDGET = 13_100;

const run = promisify(execFile);
const here = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "hallpass-web-package-"));
const installed = join(folder, "node_modules", "hallpass-web");
let tarball;

before(() => {
  execFileSync(process.execPath, ["pack.mjs", folder], { cwd: here, stdio: "ignore" });
  tarball = join(
    folder,
    readdirSync(folder).find((name) => name.endsWith(".tgz")),
  );
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"]);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("one file for each entrance, one that they share, two that few load, the module, and no dependency", () => {
  const files = readdirSync(join(installed, "dist")).filter((name) => name !== "types");
  assert.deepEqual(files.sort(), [
    "all.js",
    "callback.js",
    "core.js",
    "hallpass.wasm",
    "index.js",
    "leasing.js",
    "remote.js",
    "worker.js",
  ]);
  const { dependencies, scripts, devDependencies } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  assert.deepEqual([dependencies, scripts, devDependencies], [undefined, undefined, undefined]);
});

test(`the JavaScript of a page is at most ${BUDGET} bytes compressed`, (context) => {
  const sizes = ["index.js", "all.js", "remote.js", "worker.js", "callback.js", "leasing.js"].map((name) => {
    const size = gzipSync(readFileSync(join(installed, "dist", name)), { level: 9 }).length;
    context.diagnostic(`${String(size).padEnd(8)} ${name}`);
    return size;
  });
  assert.ok(sizes[0] + sizes[1] <= BUDGET, `${sizes[0] + sizes[1]} bytes`);
});

test("nothing is made into code, and nothing is written into the page", () => {
  for (const name of ["all", "index", "worker", "callback", "core", "leasing"]) {
    const script = readFileSync(join(installed, "dist", `${name}.js`), "utf8");
    assert.doesNotMatch(
      script,
      /\beval\(|new Function|innerHTML|\.cssText|setTimeout\("|localStorage|document\.cookie/,
      name,
    );
  }
});

test("publint and arethetypeswrong have nothing to say", { timeout: 120_000 }, async () => {
  const tools = join(here, "node_modules", ".bin");
  await run(join(tools, "publint"), ["run", tarball, "--strict"]);
  await run(join(tools, "attw"), [tarball, "--profile", "esm-only", "--exclude-entrypoints", "hallpass.wasm"]);
});

test("the types are those of a strict page, for a bundler and for Node's rules", { timeout: 120_000 }, async () => {
  cpSync(join(here, "tests", "usage.ts"), join(folder, "usage.ts"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module", "private": true }');
  const compiler = join(here, "node_modules", ".bin", "tsc");
  const strict =
    "--strict --exactOptionalPropertyTypes --noUncheckedIndexedAccess --noEmit --target es2022 --lib es2022,dom,dom.iterable --types".split(
      " ",
    );
  await run(compiler, [...strict, "", "--module", "esnext", "--moduleResolution", "bundler", "usage.ts"], {
    cwd: folder,
  });
  await run(compiler, [...strict, "", "--module", "node16", "usage.ts"], { cwd: folder });
});
