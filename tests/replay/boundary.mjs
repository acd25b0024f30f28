// What every build of the class Flow must do with values that are not what it expects.
import assert from "node:assert/strict";
import { test } from "node:test";

const now = 1_800_000_000_000;
const seed = new Uint8Array(32).fill(7);
const status = JSON.stringify({
  status: { configuration: { provider: { name: "p", issuer: "https://p.example", client_id: "c" } } },
});

const codeOf = (message) => JSON.parse(message).done?.error?.code;

/** Registers the tests. */
export function checkBoundary(Flow) {
  for (const [what, request] of [
    ["nothing", ""],
    ["no JSON", "{"],
    ["no request", '"canary-7d1f"'],
    ["half a request", '{"token":{"need":"fresh"}}'],
    ["two requests", status + status],
    ["a nest", "[".repeat(100_000)],
    ["half a surrogate pair", '"\ud800"'],
  ]) {
    test(`a request that is ${what} is an error`, () => {
      const message = new Flow().start(request, now, seed);
      assert.equal(codeOf(message), "invalid_message");
      assert.ok(!message.includes("canary"), "the error repeats what came in");
    });
  }

  for (const [what, time, bytes] of [
    ["no time", Number.NaN, seed],
    ["a time without end", Number.POSITIVE_INFINITY, seed],
    ["a time before 1970", -1, seed],
    ["a short seed", now, seed.subarray(1)],
    ["no seed", now, new Uint8Array()],
  ]) {
    test(`${what} is an error`, () => assert.equal(codeOf(new Flow().start(status, time, bytes)), "invalid_message"));
  }

  test("a flow that was not started has no turn", () => {
    assert.equal(codeOf(new Flow().step(now, '"saved"')), "not_applicable");
  });

  test("a flow that waits for nothing cannot be suspended", () => {
    assert.equal(JSON.parse(new Flow().suspend()).error.code, "not_applicable");
  });
}
