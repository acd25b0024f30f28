// The page that shows a flow at work, as `hallpass demo --serve` serves it.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { launched } from "./chromium.mjs";
import { embedded } from "./servers.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Where screenshots go, for whoever wants to look at them. */
const screenshots = process.env.HALLPASS_SCREENSHOTS;

/** The page in a browser of its own, which has said nothing unexpected when the test ends. */
async function opened(t, options) {
  const server = await embedded();
  const context = await (await launched()).newContext(options);
  context.setDefaultTimeout(20_000);
  const said = [];
  context.on("console", (message) => ["error", "warning"].includes(message.type()) && said.push(message.text()));
  context.on("weberror", (error) => said.push(String(error.error())));
  const page = await context.newPage();
  await page.goto(`${server.issuer}/playground/`);
  await page.waitForSelector("#sign-in-redirect:enabled");
  t.after(async () => {
    await context.close();
    server.stop();
    // What a browser says of an answer that was meant to be an error is no error of the page.
    const unexpected = said.filter((text) => !/status of (401|400|503)|net::ERR_EMPTY_RESPONSE/.test(text));
    assert.deepEqual(unexpected, []);
  });
  return page;
}

const allow = (page) => page.click("[name=decision][value=allow]");

async function signedIn(page) {
  await page.click("#sign-in-redirect");
  await allow(page);
  await page.waitForURL("**/playground/");
  await page.waitForSelector("#sign-out");
  return page;
}

/** Presses a button; answers what the page tells when it is done. */
async function pressed(page, id) {
  await page.click(`#${id}`);
  await page.waitForSelector(`#${id}:not(.busy)`, { state: "attached" });
  return page.textContent("#result");
}

test("whoever comes by another name of this machine is led to where the issuer is", async (t) => {
  const page = await opened(t);
  const there = page.url();
  await page.goto(there.replace("127.0.0.1", "localhost"));
  await page.waitForSelector("#sign-in-redirect:enabled");
  assert.equal(page.url(), there);
});

const requests = async (page) => Number(await page.textContent("#requests"));

test("each way to sign in is shown step by step, and no secret with it", async (t) => {
  const page = await opened(t);
  const secrets = new Set();
  page.on("response", async (response) => {
    if (!response.url().endsWith("/token")) return;
    const { access_token, refresh_token, id_token } = await response.json().catch(() => ({}));
    for (const secret of [access_token, refresh_token, id_token]) if (secret) secrets.add(secret);
  });
  await signedIn(page);
  await page.click("#sign-out");
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.click("#sign-in-popup")]);
  await allow(popup);
  await page.waitForSelector('#result:has-text("Signed in through the window")');
  await page.click("#sign-out");
  await page.click("#sign-in-device:visible");
  const link = page.locator("#device-link:visible");
  const elsewhere = await page.context().newPage();
  await elsewhere.goto(await link.getAttribute("href"));
  await allow(elsewhere);
  await page.waitForSelector('#result:has-text("Signed in with a code")');
  assert.match(await pressed(page, "call"), /The API answered 200/);
  assert.ok((await page.locator("#timeline > *").count()) > 0, "the steps are there");
  assert.ok((await page.locator("#diagram svg").count()) > 0, "the machines are drawn");
  assert.match(await page.textContent("#countdown"), /\d/);
  const text = await page.content();
  assert.ok(secrets.size > 2, "tokens were given");
  for (const secret of secrets) assert.ok(!text.includes(secret), "a token is shown");
});

for (const fault of ["expire", "lose", "slow", "refuse"]) {
  test(`what the button "${fault}" breaks is got over`, async (t) => {
    const page = await opened(t);
    await signedIn(page);
    // Else an answer that is lost ends the session.
    await page.selectOption("#grace", "60");
    const before = await requests(page);
    await pressed(page, fault);
    for (let call = 0; !/The API answered 200/.test(await pressed(page, "call")); call++) {
      assert.ok(fault === "refuse" && call < 50, await page.textContent("#result"));
    }
    await page.waitForFunction((before) => Number(document.querySelector("#requests").textContent) > before, before);
  });
}

test("two tabs at once make one request", async (t) => {
  const page = await opened(t);
  await signedIn(page);
  assert.match(await pressed(page, "two-tabs"), /^1 token request for two tabs; both are answered/);
});

test("a session that ends at the server is found out", async (t) => {
  const page = await opened(t);
  await signedIn(page);
  await pressed(page, "revoke");
  assert.match(await pressed(page, "call"), /call login\(\)/);
  await page.waitForSelector("#sign-in-redirect:visible");
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of [390, 1280]) {
    test(`nothing stands in anybody's way, ${colorScheme}, ${width} wide`, async (t) => {
      const page = await opened(t, { colorScheme, viewport: { width, height: 844 }, reducedMotion: "reduce" });
      await check(page, `${colorScheme}-${width}-signed-out`);
      await signedIn(page);
      assert.match(await pressed(page, "call"), /The API answered 200/);
      await check(page, `${colorScheme}-${width}-signed-in`);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${overflow} pixels stick out`);
    });
  }
}

async function check(page, name) {
  if (screenshots) {
    mkdirSync(screenshots, { recursive: true });
    await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
  }
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const found = violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ html }) => html) }));
  assert.deepEqual(found, []);
}

test("it is used by keyboard alone", async (t) => {
  const page = await opened(t);
  const reached = new Set();
  for (let press = 0; press < 30; press++) {
    await page.keyboard.press("Tab");
    const { id, isVisible } = await page.evaluate(() => {
      const { activeElement } = document;
      const { outlineStyle, boxShadow } = getComputedStyle(activeElement);
      return { id: activeElement.id, isVisible: outlineStyle !== "none" || boxShadow !== "none" };
    });
    if (id) reached.add(id);
    if (id === "sign-in-redirect") assert.ok(isVisible, "one sees where one is");
  }
  for (const id of ["sign-in-redirect", "sign-in-popup", "sign-in-device"]) assert.ok(reached.has(id), id);
  await page.focus("#sign-in-redirect");
  await page.keyboard.press("Enter");
  await page.waitForSelector("[name=decision][value=allow]");
  await page.focus("[name=decision][value=allow]");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#sign-out:visible");
});

test("no turn that is opened has a secret in it, and neither has what is kept while the page is away", async (t) => {
  const page = await opened(t);
  const secrets = new Set();
  page.context().on("request", (request) => {
    const sent = new URLSearchParams(request.postData() ?? "");
    const asked = new URL(request.url()).searchParams;
    for (const name of ["code", "state", "code_verifier", "refresh_token"])
      for (const secret of [sent.get(name), asked.get(name)]) if (secret) secrets.add(secret);
  });
  await signedIn(page);
  await page.waitForSelector("#call:visible");
  await pressed(page, "expire");
  assert.match(await pressed(page, "call"), /The API answered 200/);
  const shown = await page.evaluate(() => {
    for (const turn of document.querySelectorAll('.turn > button[aria-expanded="false"]')) turn.click();
    dispatchEvent(new PageTransitionEvent("pagehide"));
    return [document.documentElement.outerHTML, ...Object.values(sessionStorage)].join("\n");
  });
  assert.ok(shown.includes("grant_type"), "the requests are shown");
  assert.ok(secrets.size > 3, "there were secrets");
  for (const secret of secrets) assert.ok(!shown.includes(secret), "a secret is shown");
  await page.reload();
  await page.waitForSelector("#call:visible");
  assert.match(await page.textContent("#timeline"), /this page was away/);
});

test("a session that a lost answer ends begins anew, and a code may be given up", async (t) => {
  const page = await opened(t);
  await signedIn(page);
  await page.waitForSelector("#call:visible");
  await pressed(page, "lose");
  assert.match(await pressed(page, "call"), /^rotation_lost/);
  await page.click("#sign-in-device:visible");
  await page.click("#device-cancel:visible");
  await page.waitForSelector('#result:has-text("Given up")');
  await signedIn(page);
  assert.match(await pressed(page, "call"), /The API answered 200/);
});
