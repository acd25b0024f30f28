// One Chromium for each file of tests; contexts keep the tests apart.
import { after } from "node:test";
import { chromium } from "playwright-core";

/** The browser as people have it: it blocks pop-ups; and it talks to this machine alone. */
export const HOW = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  ignoreDefaultArgs: ["--disable-popup-blocking"],
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
  ],
};

let browser;

export function launched() {
  return (browser ??= chromium.launch(HOW));
}

after(async () => (await browser)?.close());
