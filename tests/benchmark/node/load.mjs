// One process of the measurement: loads what it is told, and says what that took.
const [what] = process.argv.slice(2);
const loads = {
  nothing: () => {},
  hallpass: () => import("hallpass"),
  "hallpass and its native library": () => import("hallpass/core"),
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
