// What a request by way of `fetch` comes to, whatever the function or the server does.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createSocket } from "node:net";
import { test } from "node:test";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { diagnose } = require("../dist/causes.js");
const { send } = require("../dist/sending.js");
const { Wish } = require("../dist/wish.js");

const request = (url, more) => ({
  method: "POST",
  url,
  headers: [["x-a", "b"]],
  body: "a=b",
  deadline: 5000,
  interruptible: true,
  ...more,
});
const sent = async (fetch, url = "http://127.0.0.1:1/", more, wish) =>
  JSON.parse(await send(fetch, request(url, more), wish, diagnose));

async function listen(t, server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => (server.closeAllConnections?.(), server.close()));
  return `http://127.0.0.1:${server.address().port}/`;
}
const web = (t, answer) => listen(t, createServer(answer));

test("a whole answer", async (t) => {
  let heard = "";
  const url = await web(t, async (asked, response) => {
    for await (const part of asked) heard += part;
    response.writeHead(201, { "content-type": "text/html", "x-b": "c" }).end("<html>\u00e4\ufeff");
  });
  const { responded } = await sent(fetch, url);
  assert.equal(responded.status, 201);
  assert.equal(responded.body, "<html>\u00e4\ufeff");
  assert.ok(responded.headers.some(([name, value]) => name === "x-b" && value === "c"));
  assert.equal(heard, "a=b");
});

test("a redirect is an answer", async (t) => {
  const url = await web(t, (_, response) => response.writeHead(302, { location: "/elsewhere" }).end());
  const { responded } = await sent(fetch, url);
  assert.equal(responded.status, 302);
  assert.ok(responded.headers.some(([name, value]) => name === "location" && value === "/elsewhere"));
});

test("where nobody listens nothing was sent", async (t) => {
  const url = await web(t, () => {});
  const closed = createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address();
  closed.close();
  await once(closed, "close");
  assert.equal((await sent(fetch, `http://127.0.0.1:${port}/`)).request_failed.reach, "not_sent");
  assert.equal((await sent(fetch, `http://localhost:${port}/`)).request_failed.reach, "not_sent");
  assert.equal((await sent(fetch, "http://no-such-host.invalid/")).request_failed.reach, "not_sent");
  assert.ok(url);
});

test("a connection that breaks may have carried the request", async (t) => {
  const url = await listen(
    t,
    createSocket((socket) => socket.once("data", () => socket.destroy())),
  );
  assert.equal((await sent(fetch, url)).request_failed.reach, "unanswered");
});

test("a body that breaks off is lost, and its status is known", async (t) => {
  const url = await web(t, (_, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("half", () => response.destroy());
  });
  assert.deepEqual((await sent(fetch, url)).request_failed.reach, { broken: 200 });
});

test("a body without end is not read to its end", async (t) => {
  const url = await web(t, (_, response) => {
    const more = () => response.destroyed || response.write("x".repeat(65536), more);
    response.writeHead(200);
    more();
  });
  const { request_failed } = await sent(fetch, url);
  assert.deepEqual(request_failed, { reach: { broken: 200 }, detail: "the answer is larger than 1 MiB" });
});

test("a server that says nothing is given up at the deadline", async (t) => {
  const url = await web(t, () => {});
  const { request_failed } = await sent(fetch, url, { deadline: 100 });
  assert.deepEqual(request_failed, { reach: "unanswered", detail: "no answer within 0.1 s" });
});

for (const [what, fetch] of [
  [
    "throws",
    () => {
      throw new Error("canary");
    },
  ],
  ["rejects", () => Promise.reject(new Error("canary"))],
  ["rejects with nothing", () => Promise.reject()],
  ["answers with nothing", async () => undefined],
  ["answers with text", async () => "canary"],
  ["answers with half a Response", async () => ({ status: 200 })],
  [
    "answers with a broken body",
    async () => new Response(new ReadableStream({ pull: (it) => it.error(new Error("canary")) })),
  ],
]) {
  test(`a function that ${what} is a failure in words`, async () => {
    const { request_failed } = await sent(fetch);
    assert.ok(request_failed.detail);
    assert.notEqual(request_failed.reach, "not_sent");
    assert.ok(!JSON.stringify(request_failed).includes("canary"), "what it throws is quoted");
  });
}

test("a function that neither answers nor listens to its signal is left behind", async () => {
  const { request_failed } = await sent(() => new Promise(() => {}), undefined, { deadline: 50 });
  assert.equal(request_failed.reach, "unanswered");
});

test("a wish ends what may be ended, and the function is told", async () => {
  const wish = new Wish();
  let signal;
  const fetch = (_, init) => ((signal = init.signal), new Promise(() => {}));
  const answer = sent(fetch, undefined, {}, wish);
  wish.make();
  assert.equal(await answer, "cancelled");
  assert.ok(signal.aborted);
});
