// What the playground shows of a conversation, and what it does not.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { build } from "esbuild";

const folder = new URL("../playground/src/", import.meta.url);
const transcripts = new URL("../../tests/transcripts/", import.meta.url);

/** What these sources export, as one module. */
async function load(...names) {
  const contents = names.map((name) => `export * from "./${name}";`).join("\n");
  const stdin = { contents, resolveDir: folder.pathname, loader: "ts" };
  const { outputFiles } = await build({ stdin, bundle: true, format: "esm", write: false, logLevel: "warning" });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

/** How a secret of the world can be spelled: as it is, and inside a token in each of three places. */
const CANARY = "c4n4ry";
const spellings = [
  CANARY,
  ...[0, 1, 2].map((offset) => {
    const start = (3 - offset) % 3;
    const whole = CANARY.slice(start, start + Math.floor((CANARY.length - start) / 3) * 3);
    return Buffer.from(whole).toString("base64url");
  }),
];
const isTold = (text) => spellings.some((spelling) => text.includes(spelling));

test("no secret of any recorded conversation is shown", async () => {
  const { redacted, effectInWords, eventInWords } = await load("redaction", "words");
  let secrets = 0;
  for (const name of readdirSync(transcripts)) {
    for (const { event, message } of JSON.parse(readFileSync(new URL(name, transcripts), "utf8")).turns) {
      const { perform, done } = JSON.parse(message);
      for (const said of [event, perform?.effect, done].filter((said) => said != null)) {
        if (isTold(JSON.stringify(said))) secrets += 1;
        const shown = JSON.stringify(redacted(said));
        assert.ok(!isTold(shown), `${name}: ${shown}`);
        for (const long of shown.match(/"[\w-]{40,}"(?!:)/g) ?? []) assert.fail(`${name} shows ${long}`);
      }
      if (event) assert.ok(!isTold(eventInWords(event)));
      if (perform) assert.ok(!isTold(effectInWords(perform.effect)));
    }
  }
  assert.ok(secrets > 50, `${secrets} secrets are too few to prove anything`);
});

test("what is harmless is shown, and what nobody has thought of is not", async () => {
  const { redacted } = await load("redaction");
  assert.deepEqual(
    redacted({
      responded: {
        status: 200,
        headers: [
          ["Date", "now"],
          ["X-New", "s3cret"],
        ],
        body: '{"expires_in":60,"access_token":"s3cret"}',
      },
    }),
    {
      responded: {
        status: 200,
        headers: [
          ["Date", "now"],
          ["X-New", "••• (6)"],
        ],
        body: { expires_in: 60, access_token: "••• (6)" },
      },
    },
  );
  assert.deepEqual(
    redacted({
      http: {
        method: "post",
        url: "https://a.example/t?code=s3cret",
        body: "grant_type=refresh_token&refresh_token=s3cret",
      },
    }),
    {
      http: {
        method: "post",
        url: "https://a.example/t?code=…",
        body: { grant_type: "refresh_token", refresh_token: "••• (6)" },
      },
    },
  );
  // The name of an error is told, an authorization code is not.
  assert.deepEqual(redacted({ code: "rotation_lost", message: "…" }), { code: "rotation_lost", message: "…" });
  assert.deepEqual(redacted({ code: "rotation" }), { code: "••• (8)" });
  assert.deepEqual(redacted({ seed: Array(32).fill(7) }), { seed: "••• (32)" });
  assert.deepEqual(redacted({ called: { target: "/?code=s3cret&state=s3cret" } }), {
    called: { target: "/?code=…&state=…" },
  });
});

test("every machine is drawn: no state on another, and every transition", async () => {
  const { machines, layoutOf, NODE } = await load("machines", "layout");
  for (const [name, machine] of Object.entries(machines)) {
    const { nodes, edges, width, height } = layoutOf(machine);
    assert.equal(nodes.length, machine.states.length + 1, name);
    for (const { from, to } of machine.transitions)
      assert.ok(
        edges.some((edge) => edge.from === from && edge.to === to),
        `${name}: ${from} → ${to}`,
      );
    for (const { path } of edges) assert.doesNotMatch(path, /NaN|undefined|Infinity/, name);
    for (const [index, a] of nodes.entries()) {
      assert.ok(a.x >= 0 && a.y >= 0 && a.x + NODE.width <= width && a.y + NODE.height <= height, `${name}: ${a.name}`);
      for (const b of nodes.slice(index + 1))
        assert.ok(
          Math.abs(a.x - b.x) >= NODE.width || Math.abs(a.y - b.y) >= NODE.height,
          `${name}: ${a.name}, ${b.name}`,
        );
    }
  }
});

test("the way between two states passes through those whose machine has ended at once", async () => {
  const { machines, wayBetween } = await load("machines");
  const ways = (from, to) => wayBetween(machines.Refresh, from, to).map((transition) => transition.to);
  assert.deepEqual(ways("Peeking", "Locking"), ["Discovering", "Locking"]);
  assert.deepEqual(ways("Unlocking", "Peeking"), []);
});
