// A person in front of a page of an authorization server.

const CONTROLS = "button, input[type=submit]";

/**
 * Does what the server's pages ask for, until the page is elsewhere, is gone, or asks for nothing more.
 *
 * @param page a page of the browser, on its way to the server
 */
export async function consents(page, issuer, { userCode, denies = false } = {}) {
  await gone(page, async () => {
    await page.waitForURL((url) => url.origin === issuer);
    for (let turn = 0; turn < 10 && (await asks(page, issuer)); turn++) {
      const before = await page.evaluate(() => (globalThis.seen = Math.random()));
      await answer(page, { userCode, denies });
      await page.waitForFunction((before) => globalThis.seen !== before, before);
    }
  });
}

async function asks(page, issuer) {
  await page.waitForLoadState("domcontentloaded");
  return page.url().startsWith(issuer) && (await page.locator(CONTROLS).count()) > 0;
}

async function answer(page, { userCode, denies }) {
  const has = async (selector) => (await page.locator(selector).count()) > 0;
  if (await has("[name=decision]")) return page.click(`[name=decision][value=${denies ? "deny" : "allow"}]`);
  for (const no of ["a[href$='/abort']", "[name=abort]"]) if (denies && (await has(no))) return page.click(no);
  if (await has("input[name=login]")) {
    await page.fill("input[name=login]", "alice");
    await page.fill("input[name=password]", "any");
  }
  if (userCode && (await has("input[name=user_code]:not([type=hidden])"))) {
    await page.fill("input[name=user_code]", userCode);
  }
  return page.locator(CONTROLS).first().click();
}

/** A pop-up closes itself when it has done its work. */
async function gone(page, work) {
  try {
    await work();
  } catch (error) {
    if (!page.isClosed()) throw error;
  }
}
