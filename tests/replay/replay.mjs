// Replays the recorded conversations of tests/transcripts through a build of the class Flow.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const folder = new URL("../transcripts/", import.meta.url);

/** Whether a request is for something that a page has no use for: the module for pages is made without it. */
export function isLeftOutOfPages(request) {
  const [[flow, { configuration }]] = Object.entries(request);
  return ["seed", "export", "enforce", "role"].includes(flow) || configuration.provider.dialect === "openai";
}

/**
 * Registers one test for each transcript: every message must be what was recorded, byte for byte. Requests that the build
 * is made without, which `isLeftOut` tells, must be refused.
 */
export function replayAll(Flow, { isLeftOut = () => false } = {}) {
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  test("there are transcripts", () => assert.notEqual(names.length, 0));
  for (const name of names) {
    const transcript = JSON.parse(readFileSync(new URL(name, folder), "utf8"));
    if (isLeftOut(transcript.turns[0].request)) {
      test(`refuses ${name}`, () => refuse(new Flow(), transcript));
    } else {
      test(`replays ${name}`, () => replay(new Flow(), transcript));
    }
  }
}

function replay(flow, { seed, turns }) {
  for (const [index, { now, request, event, message }] of turns.entries()) {
    const answer =
      request === undefined
        ? flow.step(now, JSON.stringify(event))
        : flow.start(JSON.stringify(request), now, Buffer.from(seed, "hex"));
    assert.equal(answer, message, `turn ${index + 1} is answered in another way`);
  }
}

function refuse(flow, { seed, turns: [{ now, request }] }) {
  const { done } = JSON.parse(flow.start(JSON.stringify(request), now, Buffer.from(seed, "hex")));
  assert.equal(done.error.code, "not_applicable");
}
