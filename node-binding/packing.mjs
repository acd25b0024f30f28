// How a package is packed: this one, the native libraries, and the browser package.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;

/** What the package of a folder says of itself to whoever installs it. */
export function descriptionOf(folder) {
  const { devDependencies, scripts, ...published } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return published;
}

/**
 * Writes a package and packs it.
 *
 * @param folder where to
 * @param description its `package.json`
 * @param files where each of its files is, and where it goes; the licences go with them
 * @param finish does what is left to do in the folder of the package
 */
export async function pack(folder, description, files, finish = () => {}) {
  const stage = join(folder, description.name.replace("/", "-").replace("@", ""));
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  writeFileSync(join(stage, "package.json"), `${JSON.stringify(description, null, 2)}\n`);
  const licences = ["LICENSE-APACHE", "LICENSE-MIT"].map((name) => [resolve(here, "..", name), name]);
  for (const [from, to] of [...files, ...licences]) cpSync(from, join(stage, to), { recursive: true });
  await finish(stage);
  execFileSync("npm", ["pack", "--pack-destination", folder, stage], { stdio: "inherit" });
}
