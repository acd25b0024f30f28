// A login in a window of its own: when it opens, who is heard, and how it ends.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ORIGIN, REDIRECT_URI, Tab, failure, shows } from "./page.mjs";

let tab;
beforeEach(() => (tab = new Tab()));

async function opened(options) {
  const page = await tab.load(`${ORIGIN}/`);
  const hallpass = await page.create(options);
  const login = hallpass.login({ popup: true });
  const [popup] = page.opened;
  return { page, hallpass, login, popup };
}

/** Hands an address over as a window that was cut off from its opener does; whether it was taken. */
function broadcast(url, patience = 200) {
  const channel = new BroadcastChannel("hallpass redirect");
  return new Promise((resolve) => {
    const timer = setTimeout(() => end(false), patience);
    const end = (taken) => (clearTimeout(timer), channel.close(), resolve(taken));
    channel.onmessage = ({ data }) => data.hallpass === "taken" && data.id === "window" && end(true);
    channel.postMessage({ hallpass: "arrived", id: "window", url });
  });
}

test("the window opens in the click, before anything is awaited", async () => {
  const { page, login, popup } = await opened();
  assert.equal(page.opened.length, 1);
  assert.equal(popup.url, "about:blank");
  const url = await popup.went;
  assert.ok(url.startsWith("https://id.example/authorize?"));
  assert.ok(await broadcast(tab.server.consent(url)));
  assert.equal((await login).status.account.email, "ada@example.com");
  assert.ok(popup.closed);
  assert.equal(page.left, undefined, "and this page stays");
  assert.equal(page.listeners.size, 0, "nobody listens any more");
});

test("a window that still knows its opener is heard, and nobody of another origin", async () => {
  const { page, login, popup } = await opened();
  const answer = tab.server.consent(await popup.went);
  const said = [];
  const source = { postMessage: (...message) => said.push(message) };
  const data = { hallpass: "arrived", id: "window", url: answer };
  page.dispatch("message", { origin: "https://evil.example", data, source });
  for (const odd of [undefined, null, 7, "x", {}, { hallpass: "arrived" }, { ...data, id: 7 }, { ...data, url: 7 }]) {
    page.dispatch("message", { origin: ORIGIN, data: odd, source });
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(!tab.server.asked.includes("POST /token"));
  page.dispatch("message", { origin: ORIGIN, data, source });
  assert.equal((await login).status.loggedIn, true);
  assert.deepEqual(said, [[{ hallpass: "taken", id: "window" }, ORIGIN]]);
});

test("an answer for another login changes nothing", async () => {
  const { login, popup } = await opened();
  const url = await popup.went;
  assert.equal(await broadcast(tab.server.consent(url, { state: "another" })), false);
  assert.equal(await broadcast("https://app.example/callback?error=access_denied"), false);
  assert.equal(await broadcast("https://app.example/elsewhere?code=a&state=b"), false);
  assert.ok(await broadcast(tab.server.consent(url)));
  assert.equal((await login).status.loggedIn, true);
});

test("a window that is blocked is an error that says what helps", async () => {
  const page = await tab.load(`${ORIGIN}/`);
  page.blocksPopups = true;
  const error = await failure((await page.create()).login({ popup: true }));
  assert.deepEqual([error.code, error.name], ["popup_blocked", "LocalError"]);
  assert.match(error.help, /click/);
  assert.deepEqual(tab.server.asked, []);
});

test("a window that the person closes ends the login, if this page is in front", async () => {
  const { login, popup } = await opened();
  await popup.went;
  let isInFront = false;
  document.hasFocus = () => isInFront;
  popup.closed = true;
  await new Promise((resolve) => setTimeout(resolve, 2600));
  assert.equal(await Promise.race([login, "still open"]), "still open", "the server may have cut it off");
  isInFront = true;
  const error = await failure(login);
  assert.deepEqual([error.code, error.name], ["popup_closed", "DeclinedError"]);
});

test("a login that is aborted closes its window", async () => {
  const page = await tab.load(`${ORIGIN}/`);
  const controller = new AbortController();
  const login = failure((await page.create()).login({ popup: true, signal: controller.signal }));
  const [popup] = page.opened;
  await popup.went;
  controller.abort();
  assert.equal((await login).name, "AbortError");
  assert.ok(popup.closed);
});

test("a server that cannot be asked closes the window again", async () => {
  tab.server.instead["/.well-known/openid-configuration"] = () => {
    throw new TypeError("Failed to fetch");
  };
  const { login, popup } = await opened();
  const error = await failure(login);
  assert.equal(error.code, "network");
  assert.ok(popup.closed);
});

test("the page in the window hands its address over and closes", async () => {
  const { page, login, popup } = await opened();
  const answer = tab.server.consent(await popup.went);
  const asked = [];
  const opener = { postMessage: (data, origin) => asked.push([data, origin]) };
  const inside = await tab.load(answer, { opener });
  const handed = (await inside.create()).handleRedirect();
  assert.equal(inside.url.href, REDIRECT_URI);
  assert.equal(await handed, undefined);
  assert.ok(inside.closed);
  assert.deepEqual([asked.length, asked[0][1]], [1, ORIGIN], "its opener is told with an exact origin");
  page.install();
  assert.equal((await login).status.loggedIn, true);
});

test("so does the callback page, which is nothing else", async () => {
  const { page, login, popup } = await opened();
  const inside = await tab.load(tab.server.consent(await popup.went));
  await import(`${inside.scripts}/callback.js`);
  assert.equal(inside.url.href, REDIRECT_URI);
  assert.ok(inside.closed);
  page.install();
  assert.equal((await login).status.loggedIn, true);
});

test("what waited for a redirect in this tab does not get in the way of the window", async () => {
  const before = await tab.load(`${ORIGIN}/`);
  await before.leave(await before.create());
  const other = await tab.load(`${ORIGIN}/`);
  await other.leave(await other.create({ clientId: "another" }));
  assert.equal(tab.storage.size, 2);
  await opened();
  assert.equal(tab.storage.size, 0);
});

test("no secret is in what is said aloud", async () => {
  const { hallpass, login, popup } = await opened();
  await broadcast(tab.server.consent(await popup.went));
  assert.ok(!shows([await login, hallpass, tab.seen]));
});
