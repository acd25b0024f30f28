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

/** What a load costs over bare Node: the least, the median. */
const over = (name, field, part) => {
  const [one, nothing] = [name, "nothing"].map((name) => {
    const sorted = seen[name].map((one) => one[field]).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length * part)];
  });
  return (one - nothing).toFixed(1);
};
console.log(`Node ${process.versions.node}, ${rounds} processes each: the median, and for the time the least\n`);
console.log("| loaded | wall, ms | least | CPU, ms | least | RSS over bare Node, MiB |\n|---|---|---|---|---|---|");
for (const name of names.slice(1)) {
  const cells = [
    ["wall", 0.5],
    ["wall", 0],
    ["cpu", 0.5],
    ["cpu", 0],
    ["rss", 0.5],
  ];
  console.log(`| ${[name, ...cells.map(([field, part]) => over(name, field, part))].join(" | ")} |`);
}
console.log("\n| called | median, µs |\n|---|---|");
for (const [name, time] of Object.entries(node(join(here, "calls.mjs"), home)))
  console.log(`| ${name} | ${time.toFixed(1)} |`);
