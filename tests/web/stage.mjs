// A browser, a site with the package and an authorization server for one test, and the ways to use them.
import assert from "node:assert/strict";
import { launched } from "./chromium.mjs";
import { consents } from "./person.mjs";
import { embedded } from "./servers.mjs";
import { Site } from "./site.mjs";

const SCOPES = ["openid", "email", "offline_access"];

export class Stage {
  #secrets = new Set();
  #said = [];
  #listening = [];

  /**
   * A stage that goes when the test ends, and then has shown no secret.
   *
   * @param settings what the site's pages create the package with, beside the usual
   */
  static async set(t, { start = embedded, server, settings, context } = {}) {
    const stage = new Stage();
    stage.server = await start(server);
    const { issuer, clientId } = stage.server;
    stage.site = await Site.start({ issuer, clientId, scopes: SCOPES, origins: [issuer], ...settings });
    stage.context = context ?? (await (await launched()).newContext());
    stage.context.setDefaultTimeout(20_000);
    stage.#listen();
    t.after(async () => {
      try {
        await stage.assertDiscreet();
      } finally {
        await stage.context.close();
        await stage.site.stop();
        await stage.server.stop();
      }
    });
    return stage;
  }

  /** Opens a page of the site whose application has started. */
  async tab(path = "/") {
    const page = await this.context.newPage();
    await page.goto(this.site.origin + path);
    await this.ready(page);
    return page;
  }

  async ready(page) {
    await page.waitForFunction(() => globalThis.app?.start);
    return page.evaluate(() => app.start);
  }

  /** A tab in which somebody has just signed in by a redirect. */
  async signedIn(page) {
    page ??= await this.tab();
    await page.click("#redirect");
    await this.consents(page);
    await page.waitForURL(`${this.site.origin}/**`);
    const { value, error } = await this.ready(page);
    assert.deepEqual(error, undefined);
    assert.equal(value.status.loggedIn, true);
    if (this.server.requests) this.server.requests.length = 0;
    this.asked.length = 0;
    return page;
  }

  consents(page, how) {
    return consents(page, this.server.issuer, how);
  }

  /** The URLs of the requests that pages sent to the server's token endpoint. */
  asked = [];

  /** Calls a function in a page; answers `{ value }` or `{ error }`. */
  call(page, work, argument) {
    return page.evaluate(`app.outcome((async () => (${work})(${JSON.stringify(argument)}))())`);
  }

  /** As call, and it must work. */
  async value(page, work, argument) {
    const { value, error } = await this.call(page, work, argument);
    assert.deepEqual(error, undefined);
    return value;
  }

  /** As call, and it must fail with this code, and advice. */
  async refused(page, code, work, argument) {
    const { value, error } = await this.call(page, work, argument);
    assert.equal(error?.code, code, JSON.stringify(error ?? value));
    return error;
  }

  keepsSecret(...values) {
    for (const value of values) if (typeof value === "string" && value.length > 6) this.#secrets.add(value);
  }

  #listen() {
    this.context.on("console", (message) => this.#said.push(message.text()));
    this.context.on("weberror", (error) => this.#said.push(String(error.error().stack)));
    this.context.on("request", (request) => {
      const url = new URL(request.url());
      this.keepsSecret(url.searchParams.get("code"));
      if (!url.pathname.startsWith("/token") && !url.pathname.endsWith("/token")) return;
      if (request.method() === "POST") this.asked.push(request.url());
      const sent = new URLSearchParams(request.postData() ?? "");
      for (const name of ["code", "code_verifier", "refresh_token", "token"]) this.keepsSecret(sent.get(name));
    });
    this.context.on("response", (response) => {
      if (!/\/token$/.test(response.url())) return;
      const told = response.json().then(
        ({ access_token, refresh_token, id_token }) => this.keepsSecret(access_token, refresh_token, id_token),
        () => {},
      );
      this.#listening.push(told);
    });
  }

  /** No secret that has gone over the network lies where people, logs and other scripts look. */
  async assertDiscreet(...more) {
    await Promise.all(this.#listening);
    const seen = [...this.#said, ...more.map((thing) => JSON.stringify(thing))];
    for (const page of this.context.pages().filter((page) => page.url().startsWith(this.site.origin))) {
      seen.push(await page.content(), page.url());
      const session = await this.context.newCDPSession(page);
      const { entries } = await session.send("Page.getNavigationHistory");
      seen.push(...entries.filter(({ url }) => url.startsWith(this.site.origin)).map(({ url }) => url));
      seen.push(await page.evaluate(kept));
    }
    for (const secret of this.#secrets) assert.ok(!seen.join("\n").includes(secret), "a secret is shown");
  }
}

/** What a page keeps where every script of it can read it, and what its application was told. */
function kept() {
  const storages = ["sessionStorage", "localStorage"].map((name) => {
    try {
      return JSON.stringify(globalThis[name]);
    } catch {
      return "denied";
    }
  });
  const { logged, prompts, changes, landed } = globalThis.app ?? {};
  return JSON.stringify([storages, document.cookie, history.state, name, logged, prompts, changes, landed]);
}
