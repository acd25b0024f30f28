// Signing in with a code on another device.
import assert from "node:assert/strict";
import { test } from "node:test";
import { embedded, peer } from "./servers.mjs";
import { Stage } from "./stage.mjs";

/** Begins, and answers what the person is shown. */
async function begun(stage, page) {
  await page.evaluate(() => {
    app.login = app.outcome(app.hallpass.loginWithDeviceCode({ onPrompt: (prompt) => void app.prompts.push(prompt) }));
  });
  await page.waitForFunction(() => app.prompts.length > 0);
  const { kind, ...prompt } = await page.evaluate(() => {
    const { kind, verificationUri, userCode } = app.prompts[0];
    return { kind, verificationUri, userCode };
  });
  assert.equal(kind, "device_code");
  return prompt;
}

/** Another device: a browser that knows nothing of this one. */
async function elsewhere(stage, prompt, how) {
  const context = await stage.context.browser().newContext();
  const page = await context.newPage();
  await page.goto(prompt.verificationUri);
  await stage.consents(page, { userCode: prompt.userCode, ...how });
  await context.close();
}

for (const [name, start] of [
  ["the embedded server", embedded],
  ["oidc-provider", peer],
]) {
  test(`a person signs in at ${name} with a code`, async (t) => {
    const stage = await Stage.set(t, { start });
    const page = await stage.tab();
    const prompt = await begun(stage, page);
    await elsewhere(stage, prompt);
    const { value, error } = await page.evaluate(() => app.login);
    assert.equal(error, undefined);
    assert.equal(value.status.loggedIn, true);
    const { status } = await stage.value(page, async () => {
      const { status } = await app.hallpass.fetch(`${app.settings.issuer}/me`);
      return { status };
    });
    assert.equal(status, 200);
  });
}

test("a person who refuses the device is heard", async (t) => {
  const stage = await Stage.set(t);
  const page = await stage.tab();
  await elsewhere(stage, await begun(stage, page), { denies: true });
  const { error } = await page.evaluate(() => app.login);
  assert.equal(error?.code, "access_denied");
});
