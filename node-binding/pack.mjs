// Packs what is published: the package itself, its modules in two files, and the native library of this platform, after
// `./build`; or the native library of another platform, from a file that was built for it.
//
//     node pack.mjs FOLDER
//     node pack.mjs FOLDER linux-x64-musl hallpass.node
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { bundle } from "./bundle.mjs";

const root = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const { PACKAGES } = createRequire(import.meta.url)("./dist/platforms.js");
const { devDependencies, scripts, ...published } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const { version, license, repository } = published;
const folder = resolve(process.argv[2] ?? "packed");

/** Writes a package and packs it. */
async function pack(name, description, files) {
  const stage = join(folder, name.replace("/", "-").replace("@", ""));
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  writeFileSync(join(stage, "package.json"), `${JSON.stringify(description, null, 2)}\n`);
  const licences = ["../LICENSE-APACHE", "../LICENSE-MIT"].map((path) => [path, path.slice(3)]);
  for (const [from, to] of [...files, ...licences]) cpSync(resolve(root, from), join(stage, to), { recursive: true });
  if (name === "hallpass") await bundle(join(stage, "dist"));
  execFileSync("npm", ["pack", "--pack-destination", folder, stage], { stdio: "inherit" });
}

const all = Object.entries(PACKAGES).flatMap(([platform, names]) =>
  names.map((name) => [name, ...platform.split("-")]),
);
const isGnu = process.report.getReport().header.glibcVersionRuntime !== undefined;

/** The platform that this is. */
function here() {
  const libc = process.platform === "linux" ? [isGnu ? "gnu" : "musl"] : [];
  return [process.platform, process.arch, ...libc].join("-");
}

/** Packs the native library of a platform. */
async function packLibrary(platform, file) {
  const found = all.find(([name]) => name === `@hallpass/${platform}`);
  if (!found)
    throw new Error(`there is no platform ${platform}, but ${all.map(([name]) => name.split("/")[1]).join(", ")}`);
  const [name, os, cpu] = found;
  const libc = os === "linux" ? { libc: [name.endsWith("gnu") ? "glibc" : "musl"] } : {};
  const fields = {
    main: "hallpass.node",
    files: ["hallpass.node"],
    engines: published.engines,
    os: [os],
    cpu: [cpu],
    ...libc,
  };
  const description = `The native library of hallpass for ${platform}`;
  await pack(name, { name, version, description, license, repository, ...fields }, [[file, "hallpass.node"]]);
}

const [, , , platform, file] = process.argv;
if (platform !== undefined) {
  await packLibrary(platform, resolve(file));
} else {
  const optionalDependencies = Object.fromEntries(all.map(([name]) => [name, version]));
  await pack("hallpass", { ...published, optionalDependencies }, [
    ["dist", "dist"],
    ["types.d.ts", "types.d.ts"],
    ["README.md", "README.md"],
  ]);
  await packLibrary(here(), "hallpass.node");
}
