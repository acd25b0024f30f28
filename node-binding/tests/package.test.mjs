// What is published: it installs without building, loads in every way, and says what is missing where it cannot.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const here = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "hallpass-package-"));
const packed = join(folder, "packed");
const installed = join(folder, "installed");
// Node and npm, a shell, and nothing that could compile.
const bin = join(folder, "bin");
const environment = {
  PATH: [bin, dirname(process.execPath)].join(delimiter),
  HOME: folder,
  npm_config_cache: join(folder, "cache"),
};

before(async () => {
  execFileSync(process.execPath, ["pack.mjs", packed], { cwd: here, stdio: "ignore" });
  mkdirSync(installed);
  writeFileSync(join(installed, "package.json"), '{ "private": true }');
  mkdirSync(bin);
  for (const tool of ["sh", "env"])
    symlinkSync(
      execFileSync("sh", ["-c", `command -v ${tool}`])
        .toString()
        .trim(),
      join(bin, tool),
    );
  const tarballs = readdirSync(packed).filter((name) => name.endsWith(".tgz"));
  assert.equal(tarballs.length, 2);
  const files = tarballs.map((name) => join(packed, name));
  // The packages of other platforms are not published yet: that they cannot be had is as good as that they do not fit.
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", ...files], { cwd: installed, env: environment });
});
after(() => rmSync(folder, { recursive: true, force: true }));

const node = (script, ...options) =>
  run(process.execPath, [...options, "-e", script], { cwd: installed, env: environment });

test("one small native file and no dependency", () => {
  const names = readdirSync(join(installed, "node_modules")).filter((name) => !name.startsWith("."));
  assert.deepEqual(names.sort(), ["@hallpass", "hallpass"]);
  assert.equal(readdirSync(join(installed, "node_modules", "@hallpass")).length, 1);
});

test("it is required and imported, and is the same both times", async () => {
  const script = `
    const { Hallpass, LoginRequiredError } = require("hallpass");
    const { Flow } = require("hallpass/core");
    new Flow();
    import("hallpass").then(async (module) => {
      if (module.Hallpass !== Hallpass || module.default !== undefined) throw new Error("two modules");
      if (Object.keys(module).join() !== Object.keys(require("hallpass")).join()) throw new Error("other names");
      const hallpass = new module.Hallpass({ home: "new" });
      console.log((await hallpass.status()).loggedIn);
      await hallpass.token().catch((error) => console.log(error instanceof LoginRequiredError, error.code));
    });`;
  assert.equal((await node(script)).stdout, "false\ntrue not_logged_in\n");
});

test("the entrance for an editor loads beside it", async () => {
  const module = join(installed, "node_modules", "vscode");
  mkdirSync(module);
  writeFileSync(join(module, "index.js"), "");
  assert.equal(
    (await node(`console.log(typeof require("hallpass/vscode").registerHallpassProvider)`)).stdout,
    "function\n",
  );
  rmSync(module, { recursive: true });
});

test("the native library of another platform is packed from a file that was built for it", () => {
  const other = join(folder, "other-platform");
  const file = join(folder, "built.node");
  writeFileSync(file, "built elsewhere");
  execFileSync(process.execPath, ["pack.mjs", other, "linux-arm64-musl", file], { cwd: here, stdio: "ignore" });
  const described = JSON.parse(readFileSync(join(other, "hallpass-linux-arm64-musl", "package.json"), "utf8"));
  const { name, os, cpu, libc } = described;
  assert.deepEqual(
    { name, os, cpu, libc },
    { name: "@hallpass/linux-arm64-musl", os: ["linux"], cpu: ["arm64"], libc: ["musl"] },
  );
  assert.equal(readFileSync(join(other, "hallpass-linux-arm64-musl", "hallpass.node"), "utf8"), "built elsewhere");
  assert.throws(() =>
    execFileSync(process.execPath, ["pack.mjs", other, "plan9-x64", file], { cwd: here, stdio: "ignore" }),
  );
});

test("nothing is touched and nothing native is loaded before the first call", async () => {
  const script = `
    const { Hallpass } = require("hallpass");
    new Hallpass({ home: "/nonexistent/home" });
    console.log(process.report.getReport().sharedObjects.some((name) => name.endsWith("hallpass.node")));`;
  assert.equal((await node(script)).stdout, "false\n");
});

/** A copy of the package without its native library, for a script to run in. */
function copied(name) {
  const copy = join(folder, name);
  cpSync(join(installed, "node_modules", "hallpass"), join(copy, "node_modules", "hallpass"), { recursive: true });
  return copy;
}

const says = `new (require("hallpass").Hallpass)().status().catch((error) => console.log(JSON.stringify([error.code, error.message, error.help])))`;

async function said(cwd, ...options) {
  const { stdout } = await run(process.execPath, [...options, "-e", says], { cwd, env: environment });
  return JSON.parse(stdout);
}

test("a native library that is missing is named", async () => {
  const [code, message, help] = await said(copied("missing"));
  assert.equal(code, "native_library");
  assert.match(message, /is not installed: none of @hallpass\//);
  assert.match(help, /optional/);
});

test("a native library of another platform is named", async () => {
  const copy = copied("wrong");
  writeFileSync(join(copy, "node_modules", "hallpass", "hallpass.node"), "no library");
  const [code, message, help] = await said(copy);
  assert.equal(code, "native_library");
  assert.match(message, /cannot be loaded from .*hallpass\.node/);
  assert.match(help, /install again on this platform/);
});

test("a platform without a native library, and an old Node, are named", async () => {
  const copy = copied("other");
  writeFileSync(join(copy, "platform.js"), 'Object.defineProperty(process, "platform", { value: "plan9" });');
  assert.match((await said(copy, "-r", "./platform.js"))[1], /^there is no native library of Hallpass for plan9-/);
  writeFileSync(join(copy, "node.js"), 'Object.defineProperty(process.versions, "node", { value: "16.20.0" });');
  const [code, message] = await said(copy, "-r", "./node.js");
  assert.deepEqual([code, message], ["old_node", "Hallpass needs Node 18 or later, and this is Node 16.20.0"]);
});

test("publint and arethetypeswrong have nothing to say", { timeout: 120_000 }, async () => {
  const [name] = readdirSync(packed).filter((name) => /^hallpass-\d.*\.tgz$/.test(name));
  const tools = join(here, "node_modules", ".bin");
  await run(join(tools, "publint"), ["run", join(packed, name), "--strict"]);
  await run(join(tools, "attw"), [join(packed, name)]);
});

test("the types are those of a strict program, with Node's types or with the DOM's", { timeout: 120_000 }, async () => {
  cpSync(join(here, "tests", "usage.ts"), join(installed, "usage.ts"));
  symlinkSync(join(here, "node_modules", "@types"), join(installed, "node_modules", "@types"));
  const compiler = join(here, "node_modules", ".bin", "tsc");
  const strict = [
    "--strict",
    "--exactOptionalPropertyTypes",
    "--noEmit",
    "--target",
    "es2022",
    "--module",
    "nodenext",
    "usage.ts",
  ];
  await run(compiler, [...strict, "--lib", "es2022", "--types", "node"], { cwd: installed });
  await run(compiler, [...strict, "--lib", "es2022,dom,dom.iterable", "--types", ""], { cwd: installed });
});
