// The module without the host: what a flow says, and how long it takes until it says it.
const REQUEST = JSON.stringify({
  status: { configuration: { provider: { name: "p", issuer: "https://p.example", client_id: "c" } } },
});

const begun = performance.now();
const { Flow, load } = await import("hallpass-web/core");
const imported = performance.now();
await load();
const loaded = performance.now();
new Flow().start(REQUEST, Date.now(), new Uint8Array(32));
globalThis.took = { importing: imported - begun, loading: loaded - imported, stepping: performance.now() - loaded };

/** Answers each turn of a recorded conversation. */
globalThis.replay = ({ seed, turns }) => {
  const flow = new Flow();
  const bytes = Uint8Array.from(seed.match(/../g), (pair) => Number.parseInt(pair, 16));
  return turns.map(({ now, request, event }) =>
    request === undefined ? flow.step(now, JSON.stringify(event)) : flow.start(JSON.stringify(request), now, bytes),
  );
};
