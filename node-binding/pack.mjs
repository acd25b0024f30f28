// Packs what is published: the package itself, its modules in one file, and the native library of this platform.
// `./build` goes before it.
//
//     node pack.mjs FOLDER
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const { PACKAGES } = createRequire(import.meta.url)("./dist/platforms.js");
const { devDependencies, scripts, ...published } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
const { version, license, repository } = published;
const folder = resolve(process.argv[2] ?? "packed");

/** Writes a package and packs it. */
function pack(name, description, files) {
  const stage = join(folder, name.replace("/", "-").replace("@", ""));
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  writeFileSync(join(stage, "package.json"), `${JSON.stringify(description, null, 2)}\n`);
  const licences = ["../LICENSE-APACHE", "../LICENSE-MIT"].map((path) => [path, path.slice(3)]);
  for (const [from, to] of [...files, ...licences]) cpSync(join(here, from), join(stage, to), { recursive: true });
  if (name === "hallpass") bundle(join(stage, "dist"));
  execFileSync("npm", ["pack", "--pack-destination", folder, stage], { stdio: "inherit" });
}

/** Puts what the entrances stand on into one file. */
function bundle(dist) {
  const options = ["--bundle", "--platform=node", "--format=cjs", "--target=node18", "--log-level=warning"];
  // Without comments and space; the names stay, for those who read a stack.
  const smaller = ["--minify-whitespace", "--minify-syntax", "--legal-comments=none"];
  const esbuild = join(here, "node_modules", ".bin", "esbuild");
  const files = [join(here, "ts", "all.ts"), `--outfile=${join(dist, "all.js")}`, "--allow-overwrite"];
  execFileSync(esbuild, [...files, ...options, ...smaller], { stdio: "inherit" });
  const kept = ["all.js", "core.js", "index.js", "vscode.js"];
  for (const name of readdirSync(dist)) {
    if (name.endsWith(".js") && !kept.includes(name)) rmSync(join(dist, name));
  }
}

const all = Object.entries(PACKAGES).flatMap(([platform, names]) =>
  names.map((name) => [name, ...platform.split("-")]),
);
pack("hallpass", { ...published, optionalDependencies: Object.fromEntries(all.map(([name]) => [name, version])) }, [
  ["dist", "dist"],
  ["types.d.ts", "types.d.ts"],
  ["README.md", "README.md"],
]);

const isGnu = process.report.getReport().header.glibcVersionRuntime !== undefined;
const [name, os, cpu] = all.find(([name, os, cpu]) => {
  return os === process.platform && cpu === process.arch && (os !== "linux" || name.endsWith(isGnu ? "gnu" : "musl"));
});
const libc = os === "linux" ? { libc: [isGnu ? "glibc" : "musl"] } : {};
const description = `The native library of hallpass for ${name.split("/")[1]}`;
const fields = {
  main: "hallpass.node",
  files: ["hallpass.node"],
  engines: published.engines,
  os: [os],
  cpu: [cpu],
  ...libc,
};
pack(name, { name, version, description, license, repository, ...fields }, [["hallpass.node", "hallpass.node"]]);
