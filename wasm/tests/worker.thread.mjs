// A browser's worker on a thread of Node's: the globals that the package uses there, and a server behind `fetch`.
import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { Server } from "./server.mjs";

const server = new Server();
const control = workerData.control;
control.on("message", ({ call, args, id }) =>
  control.postMessage({ id, value: server[call](...args), asked: server.asked, pages }),
);
/** The pages of a shared worker: what each was told, and whether it is known to be gone. */
const pages = [];
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
if (workerData.isShared) {
  globalThis.onconnect = null;
  globalThis.addEventListener = (_connect, connected) => {
    parentPort.on("message", ({ port }) => {
      const page = { told: [], isGone: false };
      pages.push(page);
      const { postMessage } = port;
      port.postMessage = (message, transfer) => (page.told.push(message), postMessage.call(port, message, transfer));
      connected({ ports: [port] });
      port.addEventListener("close", () => (page.isGone = true));
    });
  };
} else parentPort.on("message", (data) => globalThis.onmessage?.({ data }));
const { configure } = await import(workerData.script);
let refusal;
try {
  if (workerData.purpose) configure(workerData.purpose);
} catch ({ code, message }) {
  refusal = { code, message };
}
parentPort.postMessage(refusal ?? "ready");
