// A browser's worker on a thread of Node's: the globals that the package uses there, and a server behind `fetch`.
import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { Server } from "./server.mjs";

const server = new Server();
const control = workerData.control;
control.on("message", ({ call, args, id }) =>
  control.postMessage({ id, value: server[call](...args), asked: server.asked }),
);
const wasm = readFileSync(new URL("../dist/hallpass.wasm", import.meta.url));

const globals = {
  location: new URL("https://app.example/worker.js"),
  navigator: { onLine: true },
  postMessage: (message, transfer) => parentPort.postMessage(message, transfer),
  fetch: (input, init) =>
    String(input).endsWith("/hallpass.wasm")
      ? new Response(wasm, { headers: { "content-type": "application/wasm" } })
      : server.fetch(input, init),
};
for (const [name, value] of Object.entries(globals))
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
parentPort.on("message", (data) => globalThis.onmessage?.({ data }));
const { configure } = await import(workerData.script);
if (workerData.purpose) configure(workerData.purpose);
parentPort.postMessage("ready");
