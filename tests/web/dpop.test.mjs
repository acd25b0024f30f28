// Tokens that are bound to a key of this browser (RFC 9449).
import assert from "node:assert/strict";
import { test } from "node:test";
import { peer } from "./servers.mjs";
import { Stage } from "./stage.mjs";

/** Tries to take away every key that pages make, before their scripts run; answers what came of it, key by key. */
async function watchKeys(stage) {
  const keys = [];
  await stage.context.exposeBinding("keyMade", (_source, formats) => void keys.push(formats));
  await stage.context.addInitScript(() => {
    const { subtle } = crypto;
    const { generateKey, exportKey } = SubtleCrypto.prototype;
    subtle.generateKey = async (...how) => {
      const made = await generateKey.apply(subtle, how);
      const taken = [];
      for (const format of ["jwk", "pkcs8", "raw"]) {
        await exportKey.call(subtle, format, made.privateKey ?? made).then(
          () => taken.push(format),
          () => {},
        );
      }
      await globalThis.keyMade(taken);
      return made;
    };
  });
  return keys;
}

for (const store of ["memory", "indexeddb"]) {
  for (const dpop of ["offered", "nonce"]) {
    test(`kept in ${store}, with proofs ${dpop === "nonce" ? "that hold a nonce" : "as offered"}`, async (t) => {
      const stage = await Stage.set(t, { start: peer, server: { dpop }, settings: { store, dpop: true } });
      const keys = await watchKeys(stage);
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
        assert.deepEqual(
          await used(),
          { tokenType: "DPoP", status: 200 },
          "the key stays when the page is loaded anew",
        );
        await stage.value(page, () => app.hallpass.token({ refresh: true }));
      }
      assert.ok(keys.length > 0, "keys were made");
      assert.deepEqual(keys.flat(), [], "a key can be taken away");
    });
  }
}

test("in a window of its own", async (t) => {
  const stage = await Stage.set(t, { start: peer, server: { dpop: "offered" }, settings: { dpop: true } });
  const keys = await watchKeys(stage);
  const page = await stage.tab();
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.click("#popup")]);
  await stage.consents(popup);
  const { value, error } = await page.evaluate(() => app.login);
  assert.equal(value?.status.loggedIn, true, JSON.stringify(error));
  assert.equal(await stage.value(page, async () => (await app.hallpass.token()).tokenType), "DPoP");
  assert.ok(keys.length > 0, "a key was made");
  assert.deepEqual(keys.flat(), [], "a key can be taken away");
});
