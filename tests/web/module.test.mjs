// The module in a browser, without its host.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { isLeftOutOfPages } from "../replay/replay.mjs";
import { launched } from "./chromium.mjs";
import { tell } from "./numbers.mjs";
import { Site } from "./site.mjs";

const ROUNDS = 30;
/** Milliseconds; the aim is 10, and a machine may be busy with something else. */
const MOST = 100;
const folder = new URL("../transcripts/", import.meta.url);

let site, page;

before(async () => {
  site = await Site.start({ issuer: "https://p.example" });
  page = await (await launched()).newPage();
});
after(() => site.stop());

async function open() {
  await page.goto(`${site.origin}/module.html`);
  await page.waitForFunction(() => globalThis.took);
  return page.evaluate(() => globalThis.took);
}

test("a page with a strict policy replays every transcript", async () => {
  await open();
  let replayed = 0;
  for (const name of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
    const transcript = JSON.parse(readFileSync(new URL(name, folder), "utf8"));
    if (isLeftOutOfPages(transcript.turns[0].request)) continue;
    const messages = await page.evaluate((transcript) => globalThis.replay(transcript), transcript);
    for (const [index, { message }] of transcript.turns.entries()) {
      assert.equal(messages[index], message, `turn ${index + 1} of ${name} is answered in another way`);
    }
    replayed += 1;
  }
  assert.ok(replayed > 8, `${replayed} were replayed`);
});

test("what a page downloads", (t) => {
  const dist = new URL("../../wasm/dist/", import.meta.url);
  let total = 0;
  tell(t, "   bytes  gzipped  file");
  for (const name of readdirSync(dist).filter((name) => /\.(js|wasm)$/.test(name))) {
    const bytes = readFileSync(new URL(name, dist));
    const gzipped = gzipSync(bytes, { level: 9 }).length;
    tell(t, `${String(bytes.length).padStart(8)} ${String(gzipped).padStart(8)}  ${name}`);
    total += gzipped;
  }
  tell(t, `${String(total).padStart(17)}  all of it`);
  assert.ok(total > 0);
});

test(`it is loaded from the cache and has made its first step within ${MOST} ms`, async (t) => {
  await open();
  const all = [];
  for (let round = 0; round < ROUNDS; round++) {
    const took = await open();
    all.push({ ...took, whole: took.importing + took.loading + took.stepping });
  }
  const median = (name) => all.map((took) => took[name]).sort((a, b) => a - b)[ROUNDS / 2];
  for (const [name, what] of [
    ["importing", "fetch and compile the JavaScript"],
    ["loading", "fetch, compile and instantiate the module"],
    ["stepping", "first step"],
    ["whole", "all of it"],
  ]) {
    tell(t, `${median(name).toFixed(1).padStart(6)} ms  ${what} (median of ${ROUNDS})`);
  }
  assert.ok(median("whole") <= MOST, `${median("whole")} ms`);
});
