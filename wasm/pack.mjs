// Packs what is published. `./build` goes before it.
//
//     node pack.mjs FOLDER
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const folder = resolve(process.argv[2] ?? "packed");
const stage = join(folder, "hallpass-web");
const { devDependencies, scripts, ...published } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));

rmSync(stage, { recursive: true, force: true });
mkdirSync(stage, { recursive: true });
writeFileSync(join(stage, "package.json"), `${JSON.stringify(published, null, 2)}\n`);
for (const [from, to] of [
  ["dist"],
  ["README.md"],
  ["../LICENSE-APACHE", "LICENSE-APACHE"],
  ["../LICENSE-MIT", "LICENSE-MIT"],
]) {
  cpSync(join(here, from), join(stage, to ?? from), { recursive: true });
}
execFileSync("npm", ["pack", "--pack-destination", folder, stage], { stdio: "inherit" });
