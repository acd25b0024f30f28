// One process of many: says when it is ready, waits for the word, asks for a token and says which.
import { once } from "node:events";
import { Hallpass } from "hallpass";

const hallpass = new Hallpass(JSON.parse(process.argv[2]));
await hallpass.status();
process.send("ready");
await once(process, "message");
const { accessToken } = await hallpass.token();
process.send({ accessToken });
process.disconnect();
