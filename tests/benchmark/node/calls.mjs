// Another: what a call costs once everything is loaded. The home holds a session that is still good.
import { readFileSync } from "node:fs";
import { Hallpass } from "hallpass";
import { Flow } from "hallpass/core";

const ROUNDS = 5000;
const [home] = process.argv.slice(2);

/** The median of one run, in microseconds. */
async function median(run) {
  for (let round = 0; round < ROUNDS / 5; round++) await run();
  const times = [];
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now();
    await run();
    times.push(performance.now() - begin);
  }
  return times.sort((a, b) => a - b)[ROUNDS / 2] * 1000;
}

const hallpass = new Hallpass({ home });
const record = `${home}/auth.json`;
const request = JSON.stringify({
  token: {
    configuration: { provider: { name: "p", issuer: "https://p.example", client_id: "c" } },
    need: { usable: { minimum_lifetime: 300_000 } },
  },
});
const seed = new Uint8Array(32);
const text = readFileSync(record, "utf8");
const [none, loaded] = [JSON.stringify({ loaded: null }), JSON.stringify({ loaded: text })];

const results = {
  "read and parse auth.json": await median(() => JSON.parse(readFileSync(record, "utf8"))),
  "token()": await median(() => hallpass.token()),
  "status()": await median(() => hallpass.status()),
  "a flow of three steps, with its JSON": await median(() => {
    const flow = new Flow();
    JSON.parse(flow.start(request, Date.now(), seed));
    JSON.parse(flow.step(Date.now(), none));
    return JSON.parse(flow.step(Date.now(), loaded));
  }),
};
console.log(JSON.stringify(results));
