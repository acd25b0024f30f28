// One process of the measurement: loads what it is told, and says what that took.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const [what] = process.argv.slice(2);
const loads = {
  nothing: () => {},
  "an empty package, required": () => require("empty"),
  "hallpass, required": () => require("hallpass"),
  "hallpass, imported": () => import("hallpass"),
  "hallpass, required, with its native library": () => require("hallpass/core"),
  oauth4webapi: () => import("oauth4webapi"),
  "openid-client": () => import("openid-client"),
  "@azure/msal-node": () => import("@azure/msal-node"),
};
const { cpuUsage, memoryUsage } = process;
const [cpu, begin] = [cpuUsage(), performance.now()];
await loads[what]();
const wall = performance.now() - begin;
const { user, system } = cpuUsage(cpu);
console.log(JSON.stringify({ wall, cpu: (user + system) / 1000, rss: memoryUsage.rss() / 2 ** 20 }));
