// Tokens that are bound to a key of this browser (RFC 9449).
import assert from "node:assert/strict";
import { test } from "node:test";
import { peer } from "./servers.mjs";
import { Stage } from "./stage.mjs";

/** Sees every key that the page makes, before its scripts run. */
function watchKeys() {
  const { subtle } = globalThis.crypto;
  const { generateKey } = SubtleCrypto.prototype;
  globalThis.made = [];
  subtle.generateKey = async (...how) => {
    const key = await generateKey.apply(subtle, how);
    globalThis.made.push(key);
    return key;
  };
}

/** Whether any key that the page has made can be taken out of it. */
const takenAway = async () => {
  const taken = [];
  for (const made of globalThis.made) {
    for (const key of [made, made.privateKey].filter((key) => key instanceof CryptoKey)) {
      for (const format of ["jwk", "pkcs8", "raw"]) {
        await crypto.subtle.exportKey(format, key).then(
          () => taken.push(format),
          () => {},
        );
      }
    }
  }
  return taken;
};

for (const store of ["memory", "indexeddb"]) {
  for (const dpop of ["offered", "nonce"]) {
    test(`kept in ${store}, with proofs ${dpop === "nonce" ? "that hold a nonce" : "as offered"}`, async (t) => {
      const stage = await Stage.set(t, { start: peer, server: { dpop }, settings: { store, dpop: true } });
      await stage.context.addInitScript(watchKeys);
      const page = await stage.signedIn();
      const used = () =>
        stage.value(page, async () => {
          const { tokenType } = await app.hallpass.token();
          const response = await app.hallpass.fetch(`${app.settings.issuer}/me`);
          return { tokenType, status: response.status };
        });
      assert.deepEqual(await used(), { tokenType: "DPoP", status: 200 });
      await stage.value(page, () => app.hallpass.token({ refresh: true }));
      assert.deepEqual(await used(), { tokenType: "DPoP", status: 200 }, "the key stays after a refresh");
      if (store === "indexeddb") {
        await page.reload();
        await stage.ready(page);
        assert.deepEqual(await used(), { tokenType: "DPoP", status: 200 }, "the key stays when the page is loaded anew");
        await stage.value(page, () => app.hallpass.token({ refresh: true }));
      }
      assert.deepEqual(await stage.value(page, takenAway), [], "a key can be taken away");
    });
  }
}

test("in a window of its own", async (t) => {
  const stage = await Stage.set(t, { start: peer, server: { dpop: "offered" }, settings: { dpop: true } });
  await stage.context.addInitScript(watchKeys);
  const page = await stage.tab();
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.click("#popup")]);
  await stage.consents(popup);
  const { value, error } = await page.evaluate(() => app.login);
  assert.equal(value?.status.loggedIn, true, JSON.stringify(error));
  assert.equal(await stage.value(page, async () => (await app.hallpass.token()).tokenType), "DPoP");
  assert.ok((await page.evaluate(() => globalThis.made.length)) > 0, "a key was made");
  assert.deepEqual(await stage.value(page, takenAway), []);
});
