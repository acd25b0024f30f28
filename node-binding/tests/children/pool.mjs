// With one thread in Node's pool: waits for a lock that somebody else holds, and asks for a page by the name of its host.
import { Hallpass } from "hallpass";

const hallpass = new Hallpass(JSON.parse(process.argv[2]));
const waiting = Array.from({ length: 4 }, (_, index) => hallpass.token({ minTtl: 300 + index }));
await new Promise((resolve) => setTimeout(resolve, 200));
const url = new URL(process.env.PAGE);
url.hostname = "localhost";
const response = await fetch(url);
process.send({ status: response.status });
const tokens = await Promise.all(waiting);
process.send({ tokens: new Set(tokens.map(({ accessToken }) => accessToken)).size });
process.disconnect();
