// The same in a worker thread.
import { once } from "node:events";
import { parentPort, workerData } from "node:worker_threads";
import { Hallpass } from "hallpass";

const hallpass = new Hallpass(workerData);
await hallpass.status();
parentPort.postMessage("ready");
await once(parentPort, "message");
const { accessToken } = await hallpass.token();
parentPort.postMessage({ accessToken });
parentPort.close();
