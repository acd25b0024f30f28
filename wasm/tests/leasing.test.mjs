// The lock of a browser without Web Locks.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { Lease } from "../dist/leasing.js";

beforeEach(() => (globalThis.indexedDB = new IDBFactory()));
const never = new AbortController().signal;

test("one holds it at a time, and whoever waits has it next", async () => {
  const [first, second] = [new Lease("a"), new Lease("a")];
  const release = await first.take(never);
  let isHeld = false;
  const waiting = second.take(never).then((next) => ((isHeld = true), next));
  const other = await new Lease("b").take(never);
  assert.equal(isHeld, false, "another name is another lock");
  other();
  release();
  (await waiting)();
});

test("a wait that is aborted ends, and takes nothing", async () => {
  const lease = new Lease("a");
  const release = await lease.take(never);
  assert.equal(await lease.take(AbortSignal.timeout(20)), undefined);
  release();
  (await lease.take(never))();
});

test("a holder that is silent for too long loses it", async (t) => {
  const lease = new Lease("a");
  await lease.take(never);
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 61_000 });
  (await lease.take(never))();
});
