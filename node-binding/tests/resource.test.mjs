// `hallpass.fetch`: where the token goes, and where it never goes.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { Hallpass, MisusedError } from "hallpass";
import { Stage, peer } from "./stage.mjs";

/** An API that hears who asks; `answer` decides. */
async function api(t, answer) {
  const heard = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    heard.push({ method: request.method, url: request.url, authorization: request.headers.authorization, body });
    answer(request, response, heard);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => (server.closeAllConnections(), server.close()));
  return { origin: `http://127.0.0.1:${server.address().port}`, heard };
}

const ok = (_, response) => response.end("ok");

async function set(t, answer = ok) {
  const stage = await Stage.set(t, peer);
  const { origin, heard } = await api(t, answer);
  const hallpass = await stage.signedIn({ origins: [origin] });
  return { stage, hallpass, origin, heard, bearer: () => `Bearer ${stage.record().tokens.access_token}` };
}

test("the token is in the request, and nothing else is changed", async (t) => {
  const { hallpass, origin, heard, bearer } = await set(t);
  const response = await hallpass.fetch(`${origin}/a?b=c`, {
    method: "PUT",
    body: "x",
    headers: { "content-type": "text/plain" },
  });
  assert.equal(await response.text(), "ok");
  await hallpass.fetch(new Request(`${origin}/d`, { method: "POST", body: "y" }));
  await hallpass.fetch(new URL(`${origin}/e`));
  assert.deepEqual(heard, [
    { method: "PUT", url: "/a?b=c", authorization: bearer(), body: "x" },
    { method: "POST", url: "/d", authorization: bearer(), body: "y" },
    { method: "GET", url: "/e", authorization: bearer(), body: "" },
  ]);
});

test("a 401 is answered with another token, once", async (t) => {
  const refuses = (request, response, heard) => {
    response.writeHead(heard.length === 1 || request.url === "/never" ? 401 : 200).end(heard.length.toString());
  };
  const { hallpass, origin, heard, stage, bearer } = await set(t, refuses);
  const first = bearer();
  const response = await hallpass.fetch(origin, { method: "POST", body: "again" });
  assert.equal(response.status, 200);
  assert.deepEqual(
    heard.map(({ authorization, body }) => [authorization, body]),
    [
      [first, "again"],
      [bearer(), "again"],
    ],
  );
  assert.notEqual(first, bearer());
  assert.equal(stage.server.requests.length, 1);

  assert.equal((await hallpass.fetch(`${origin}/never`)).status, 401);
  assert.ok(heard.length <= 4, "the recovery is tried once");
});

test("many refused requests are one refresh", async (t) => {
  let refused;
  const refuses = (request, response) =>
    response.writeHead(request.headers.authorization === refused ? 401 : 200).end();
  const { hallpass, origin, stage, bearer } = await set(t, refuses);
  refused = bearer();
  const responses = await Promise.all(Array.from({ length: 20 }, () => hallpass.fetch(origin)));
  assert.ok(responses.every(({ status }) => status === 200));
  assert.notEqual(bearer(), refused);
  assert.equal(stage.server.requests.length, 1);
});

test("a stream is not sent twice, and the next request has the new token", async (t) => {
  const { hallpass, origin, heard } = await set(t, (_, response, heard) =>
    response.writeHead(heard.length === 1 ? 401 : 200).end(),
  );
  const body = new Blob(["x"]).stream();
  assert.equal((await hallpass.fetch(origin, { method: "POST", body, duplex: "half" })).status, 401);
  assert.equal((await hallpass.fetch(origin)).status, 200);
  assert.equal(heard.length, 2);
  assert.notEqual(heard[0].authorization, heard[1].authorization);
});

test("another origin gets neither the token nor the request", async (t) => {
  const { hallpass, stage, origin } = await set(t);
  const elsewhere = await api(t, ok);
  for (const url of [
    `${elsewhere.origin}/x`,
    elsewhere.origin.replace("127.0.0.1", "localhost"),
    origin.replace("http:", "https:"),
  ]) {
    await assert.rejects(hallpass.fetch(url), (error) => {
      assert.ok(error instanceof MisusedError);
      assert.equal(error.code, "origin_not_allowed");
      assert.match(error.message, /^the token is not sent to http/);
      stage.assertDiscreet(error);
      return true;
    });
  }
  assert.deepEqual(elsewhere.heard, []);
});

test("without origins the token goes nowhere", async (t) => {
  const { stage, origin } = await set(t);
  await assert.rejects(stage.hallpass({ origins: undefined }).fetch(origin), { code: "origin_not_allowed" });
});

test("a redirect is followed where the token may go, and refused elsewhere", async (t) => {
  const elsewhere = await api(t, ok);
  const answer = (request, response) => {
    if (request.url === "/moved") response.writeHead(307, { location: "/here" }).end();
    else if (request.url === "/see") response.writeHead(303, { location: "/here" }).end();
    else if (request.url === "/away") response.writeHead(302, { location: `${elsewhere.origin}/stolen` }).end();
    else if (request.url === "/round") response.writeHead(302, { location: "/round" }).end();
    else response.end("here");
  };
  const { hallpass, origin, heard, bearer } = await set(t, answer);
  const post = { method: "POST", body: "x" };
  assert.equal(await (await hallpass.fetch(`${origin}/moved`, post)).text(), "here");
  assert.equal(await (await hallpass.fetch(`${origin}/see`, post)).text(), "here");
  const here = heard.filter(({ url }) => url === "/here");
  assert.deepEqual(
    here.map(({ method, body }) => [method, body]),
    [
      ["POST", "x"],
      ["GET", ""],
    ],
  );
  assert.ok(here.every(({ authorization }) => authorization === bearer()));

  await assert.rejects(hallpass.fetch(`${origin}/away`), { code: "origin_not_allowed" });
  await assert.rejects(hallpass.fetch(`${origin}/round`), /too many redirects/);
  await assert.rejects(hallpass.fetch(`${origin}/moved`, { redirect: "error" }), TypeError);
  assert.equal((await hallpass.fetch(`${origin}/away`, { redirect: "manual" })).status, 302);
  assert.deepEqual(elsewhere.heard, []);
});

test("a fetch of one's own is used for everything", async (t) => {
  const { stage, origin } = await set(t);
  const asked = [];
  const own = (url, init) => (asked.push(String(url)), fetch(url, init));
  const hallpass = stage.hallpass({ origins: [origin], fetch: own });
  await hallpass.token({ refresh: true });
  await hallpass.fetch(`${origin}/x`);
  assert.ok(asked.some((url) => url.endsWith("/token")));
  assert.equal(asked.at(-1), `${origin}/x`);
});

test("origins that a token could be stolen from are refused", () => {
  for (const origin of ["http://api.example.com", "https://api.example.com/path", "api.example.com", "file:///x"]) {
    assert.throws(() => new Hallpass({ origins: [origin] }), { code: "invalid_option" }, origin);
  }
  new Hallpass({ origins: ["https://api.example.com", "https://api.example.com:8443/", "http://127.0.0.1:1"] });
});

test("a nonce goes back to the origin that gave it, and to no other", async (t) => {
  const stage = await Stage.set(t, peer, { dpop: "offered" });
  const came = [];
  const asking = (name, answer) =>
    api(t, (request, response) => {
      const { nonce } = JSON.parse(Buffer.from(request.headers.dpop.split(".")[1], "base64url"));
      came.push([name, nonce]);
      if (nonce === undefined) response.writeHead(401, { "dpop-nonce": `of the ${name}` }).end();
      else answer(response);
    });
  const second = await asking("second", (response) => response.end("here"));
  const first = await asking("first", (response) => response.writeHead(307, { location: second.origin }).end());
  const hallpass = await stage.signedIn({ origins: [first.origin, second.origin] });
  assert.equal(await (await hallpass.fetch(first.origin)).text(), "here");
  assert.deepEqual(came, [
    ["first", undefined],
    ["first", "of the first"],
    ["second", undefined],
    ["second", "of the second"],
  ]);
});

for (const dpop of ["offered", "nonce"]) {
  test(`a token that is bound to a key goes with a proof for each request (${dpop})`, async (t) => {
    const stage = await Stage.set(t, peer, { dpop });
    const hallpass = await stage.signedIn();
    assert.equal((await hallpass.token()).tokenType, "DPoP");
    const response = await hallpass.fetch(`${stage.server.issuer}/me`);
    assert.equal(response.status, 200);
    assert.equal((await response.json()).sub, "alice");
    const { accessToken } = await hallpass.token();
    const stolen = await fetch(`${stage.server.issuer}/me`, { headers: { authorization: `Bearer ${accessToken}` } });
    assert.equal(stolen.status, 401);
  });
}
