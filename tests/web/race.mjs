// Many tabs and a worker find one expired session. `HALLPASS_ROUNDS=100 node tests/web/race.mjs` runs it by itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import { tell } from "./numbers.mjs";
import { peer } from "./servers.mjs";
import { Stage } from "./stage.mjs";

const ROUNDS = Number(process.env.HALLPASS_ROUNDS ?? 10);
const TABS = 12;

const token = async () => (await app.hallpass.token()).accessToken;

/** Makes the session one that whoever asks must renew. */
async function expire(stage, page) {
  const { settings, requests } = stage.server;
  settings.accessTokenSeconds = 60;
  await stage.value(page, async () => void (await app.hallpass.token({ refresh: true })));
  settings.accessTokenSeconds = 3600;
  requests.length = 0;
}

async function rounds(t, stage, first, everybody) {
  let most = 0;
  const begun = Date.now();
  for (let round = 1; round <= ROUNDS; round++) {
    await expire(stage, first);
    const started = Date.now();
    const tokens = new Set(await everybody());
    most = Math.max(most, Date.now() - started);
    stage.keepsSecret(...tokens);
    const { requests } = stage.server;
    assert.deepEqual(
      requests.map(({ status }) => status),
      [200],
      `round ${round}: one request`,
    );
    assert.deepEqual([...tokens], [requests[0].body.access_token], `round ${round}: all have the new token`);
  }
  await stage.value(first, async () => void (await app.hallpass.token({ refresh: true })));
  const each = Math.round((Date.now() - begun) / ROUNDS);
  tell(t, `${ROUNDS} of ${ROUNDS} rounds: one request each (${each} ms a round, at most ${most} ms until all had it)`);
}

test(`${TABS} tabs and a worker refresh once, ${ROUNDS} times`, { timeout: 60_000 + ROUNDS * 20_000 }, async (t) => {
  const settings = { store: "indexeddb" };
  const stage = await Stage.set(t, { start: peer, server: { accessTokenSeconds: 3600 }, settings });
  const first = await stage.signedIn();
  const tabs = [first];
  while (tabs.length < TABS) tabs.push(await stage.tab());
  await first.evaluate(async () => {
    const script = trustedTypes
      .createPolicy("racer", { createScriptURL: (url) => url })
      .createScriptURL("/racer.worker.js");
    app.racer = new Worker(script, { type: "module" });
    app.ask = (message) =>
      new Promise((resolve, reject) => {
        app.racer.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.token));
        app.racer.onerror = (event) => reject(new Error(event.message));
        app.racer.postMessage(message);
      });
    await app.ask({ ...app.settings, redirectUri: `${location.origin}/callback` });
  });
  tell(t, `${TABS} tabs and a worker, one expired session in IndexedDB:`);
  await rounds(t, stage, first, () =>
    Promise.all([...tabs.map((tab) => stage.value(tab, token)), stage.value(first, () => app.ask("token"))]),
  );
});
