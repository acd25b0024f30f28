// Loads each library in turn, ROUNDS times, each time in a new process, and tells the medians beside bare Node.
import { execFileSync } from "node:child_process";
import { join } from "node:path";

const [rounds, home] = process.argv.slice(2);
const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const node = (...args) =>
  JSON.parse(execFileSync(process.execPath, args, { cwd: here, env: { PATH: process.env.PATH, HOME: home } }));
const names = [
  "nothing",
  "an empty package, required",
  "hallpass, required",
  "hallpass, required, with its native library",
  "hallpass, imported",
  "oauth4webapi",
  "openid-client",
  "@azure/msal-node",
];
const seen = Object.fromEntries(names.map((name) => [name, []]));
for (let round = 0; round < Number(rounds); round++) {
  for (const name of names) seen[name].push(node(join(here, "load.mjs"), name));
}

const median = (name, field) =>
  seen[name].map((one) => one[field]).sort((a, b) => a - b)[Math.floor(seen[name].length / 2)];
console.log(`Node ${process.versions.node}, medians of ${rounds} processes each\n`);
console.log("| loaded | wall, ms | CPU, ms | RSS over bare Node, MiB |\n|---|---|---|---|");
for (const name of names.slice(1)) {
  const over = (field) => median(name, field) - median("nothing", field);
  console.log(`| ${name} | ${over("wall").toFixed(1)} | ${over("cpu").toFixed(1)} | ${over("rss").toFixed(1)} |`);
}
console.log("\n| called | median, µs |\n|---|---|");
for (const [name, time] of Object.entries(node(join(here, "calls.mjs"), home)))
  console.log(`| ${name} | ${time.toFixed(1)} |`);
