// A Firefox that is driven over WebDriver BiDi (https://w3c.github.io/webdriver-bidi), as Debian builds it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import { until } from "./until.mjs";

/** It talks to this machine alone, and does not stop to ask or to greet. */
const PREFERENCES = {
  "app.normandy.enabled": false,
  "app.update.auto": false,
  "browser.aboutwelcome.enabled": false,
  "browser.newtabpage.enabled": false,
  "browser.region.network.url": "",
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "browser.search.update": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.page": 0,
  "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "network.dns.disablePrefetch": true,
  "services.settings.server": "http://127.0.0.1:9",
  "toolkit.telemetry.enabled": false,
};

/** For so long a command may take, in milliseconds. */
const PATIENCE = 10_000;

export class Firefox {
  #last = 0;
  #open = new Map();

  static async launched() {
    const firefox = new Firefox();
    firefox.folder = mkdtempSync(join(tmpdir(), "hallpass-firefox-"));
    const lines = Object.entries(PREFERENCES).map((entry) => `user_pref(${JSON.stringify(entry).slice(1, -1)});`);
    writeFileSync(join(firefox.folder, "user.js"), lines.join("\n"));
    const options = ["--headless", "--no-remote", "--profile", firefox.folder, "--remote-debugging-port", "0"];
    firefox.process = spawn(process.env.FIREFOX ?? "firefox-esr", [...options, "about:blank"], {
      env: { ...process.env, HOME: firefox.folder, MOZ_CRASHREPORTER_DISABLE: "1" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const address = await listening(firefox.process);
    firefox.socket = new WebSocket(`${address}/session`);
    await once(firefox.socket, "open");
    firefox.socket.on("message", (data) => firefox.#hear(JSON.parse(data)));
    await firefox.send("session.new", { capabilities: {} });
    return firefox;
  }

  /** Sends a command; answers its result. */
  send(method, params) {
    const id = ++this.#last;
    this.socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => {
      // A script that waits in a page that goes away may never be answered.
      const timer = setTimeout(() => reject(new Error(`${method} is not answered`)), PATIENCE);
      const end = (settle) => (value) => (clearTimeout(timer), settle(value));
      this.#open.set(id, { resolve: end(resolve), reject: end(reject) });
    });
  }

  #hear({ id, type, result, error, message }) {
    const { resolve, reject } = this.#open.get(id) ?? {};
    this.#open.delete(id);
    if (type === "success") resolve?.(result);
    else if (type === "error") reject?.(new Error(`${error}: ${message}`));
  }

  /** All tabs and windows. */
  async tabs() {
    const { contexts } = await this.send("browsingContext.getTree", { maxDepth: 0 });
    return contexts.map(({ context, url }) => new Tab(this, context, url));
  }

  async tab(url) {
    const { context } = await this.send("browsingContext.create", { type: "tab" });
    const tab = new Tab(this, context);
    await tab.goto(url);
    return tab;
  }

  async close() {
    const gone = once(this.process, "exit");
    this.socket.close();
    this.process.kill();
    await gone;
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

export class Tab {
  constructor(firefox, context, url) {
    this.firefox = firefox;
    this.context = context;
    this.url = url;
  }

  goto(url) {
    return this.firefox.send("browsingContext.navigate", { context: this.context, url, wait: "complete" });
  }

  close() {
    return this.firefox.send("browsingContext.close", { context: this.context });
  }

  /** Runs a function in the page, as if by a click of the person; answers with what JSON can say of its result. */
  async evaluate(work, argument) {
    const { type, result, exceptionDetails } = await this.firefox.send("script.evaluate", {
      expression: `(async () => JSON.stringify(await (${work})(${JSON.stringify(argument)})))()`,
      target: { context: this.context },
      awaitPromise: true,
      userActivation: true,
    });
    if (type === "exception") throw new Error(exceptionDetails.text);
    return result.type === "string" ? JSON.parse(result.value) : undefined;
  }

  /** Waits until the page is there and this holds in it, whatever it goes through until then. */
  waitFor(work, argument) {
    return until(() => this.evaluate(work, argument).catch(() => false), `${work} holds`, 35);
  }
}

async function listening(process) {
  for await (const line of createInterface({ input: process.stderr })) {
    const [address] = /ws:\/\/[\d.:]+/.exec(line) ?? [];
    if (!address) continue;
    process.stderr.resume();
    return address;
  }
  throw new Error("Firefox does not start");
}

/** The person, in Firefox: does what a page of the server asks for, until it is elsewhere or gone. */
export async function consents(tab, issuer) {
  await until(async () => {
    const open = (await tab.firefox.tabs()).find(({ context }) => context === tab.context);
    if (!open) return true;
    if (!open.url.startsWith(issuer)) return open.url.startsWith("http");
    await tab.evaluate(fill).catch(() => {});
    return false;
  }, "the person is through");
}

function fill() {
  const form = document.querySelector("form");
  if (!form || form.dataset.done || document.readyState !== "complete") return;
  form.dataset.done = "yes";
  for (const [name, value] of [
    ["login", "alice"],
    ["password", "any"],
  ]) {
    const input = form.querySelector(`input[name=${name}]`);
    if (input) input.value = value;
  }
  (form.querySelector("[name=decision][value=allow]") ?? form.querySelector("button, input[type=submit]")).click();
}
