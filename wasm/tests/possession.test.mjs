// Tokens that are bound to a key of this browser (RFC 9449).
import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { beforeEach, test } from "node:test";
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { ORIGIN, Tab } from "./page.mjs";
import { API } from "./server.mjs";

let tab;
beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  tab = new Tab();
  tab.server.metadata = { dpop_signing_alg_values_supported: ["ES256"] };
});

const part = (text) => JSON.parse(Buffer.from(text, "base64url"));

/** Reads a proof, if it is signed with the key that is in it. */
function proven(proof) {
  const [head, claims, signature] = proof.split(".");
  const { jwk } = part(head);
  const key = { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
  assert.ok(
    verify("SHA256", Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, "base64url")),
    "signed with its key",
  );
  return { jwk, ...part(claims) };
}

for (const store of ["memory", "indexeddb"]) {
  test(`${store}: the key of a login survives its page, and signs for all requests`, async () => {
    const first = await tab.load(`${ORIGIN}/`);
    const url = await first.leave(await first.create({ store }));
    assert.match(new URL(url).searchParams.get("dpop_jkt"), /^[\w-]{43}$/);
    assert.ok(![...tab.storage.values()].some((value) => value.includes("jwk")), "it waits in no text");
    const page = await tab.load(tab.server.consent(url));
    const hallpass = await page.create({ store });
    await hallpass.handleRedirect();
    await hallpass.token({ refresh: true });
    assert.equal((await hallpass.fetch(`${API}/me?a=b`)).status, 200);
    const proofs = tab.server.proofs.map(([path, proof]) => [path, proven(proof)]);
    assert.deepEqual(
      proofs.map(([path, { htm, htu }]) => [path, htm, htu]),
      [
        ["/token", "POST", "https://id.example/token"],
        ["/token", "POST", "https://id.example/token"],
        ["/me", "GET", "https://api.example/me"],
      ],
    );
    assert.equal(new Set(proofs.map(([, { jwk }]) => jwk.x)).size, 1);
    assert.equal(new Set(proofs.map(([, { jti }]) => jti)).size, 3);
  });
}

test("each login has a key of its own, and the one before it can still be ended", async () => {
  const page = await tab.load(`${ORIGIN}/`);
  const hallpass = await page.create({ store: "indexeddb" });
  const launch = async (url) => tab.server.consent(url);
  await hallpass.login({ launch });
  assert.equal((await hallpass.login({ launch })).previous, "revoked");
  assert.equal(new Set(tab.server.proofs.map(([, proof]) => proven(proof).jwk.x)).size, 2);
  await hallpass.logout();
  const left = await new Promise((resolve) => {
    indexedDB.open("hallpass https://id.example app").onsuccess = ({ target }) =>
      (target.result.transaction("slots").objectStore("slots").get("proof").onsuccess = (event) =>
        resolve(event.target.result));
  });
  assert.equal(left, undefined);
});

test("where no key can wait a login does without", async () => {
  globalThis.indexedDB = undefined;
  const first = await tab.load(`${ORIGIN}/`);
  const url = await first.leave(await first.create());
  assert.equal(new URL(url).searchParams.get("dpop_jkt"), null);
  const page = await tab.load(tab.server.consent(url));
  const hallpass = await page.create();
  assert.equal((await hallpass.handleRedirect()).status.loggedIn, true);
  assert.deepEqual(tab.server.proofs, []);
});

test("with `dpop: false` nothing is bound", async () => {
  const hallpass = await (await tab.load(`${ORIGIN}/`)).create({ dpop: false });
  await hallpass.login({ launch: async (url) => tab.server.consent(url) });
  assert.deepEqual(tab.server.proofs, []);
  assert.equal((await hallpass.token()).tokenType, "Bearer");
});
