// Packs what is published: the package itself, its modules in two files, and the native library of this platform, after
// `./build`; or the native library of another platform, from a file that was built for it.
//
//     node pack.mjs FOLDER
//     node pack.mjs FOLDER linux-x64-musl hallpass.node
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { bundle } from "./bundle.mjs";
import { descriptionOf, pack } from "./packing.mjs";

const root = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const { PACKAGES } = createRequire(import.meta.url)("./dist/platforms.js");
const published = descriptionOf(root);
const { version, license, repository } = published;
const folder = resolve(process.argv[2] ?? "packed");

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
  await pack(folder, { name, version, description, license, repository, ...fields }, [[file, "hallpass.node"]]);
}

const [, , , platform, file] = process.argv;
if (platform !== undefined) {
  await packLibrary(platform, resolve(file));
} else {
  const optionalDependencies = Object.fromEntries(all.map(([name]) => [name, version]));
  const files = ["dist", "types.d.ts", "README.md"].map((name) => [join(root, name), name]);
  await pack(folder, { ...published, optionalDependencies }, files, (stage) => bundle(join(stage, "dist")));
  await packLibrary(here(), join(root, "hallpass.node"));
}
