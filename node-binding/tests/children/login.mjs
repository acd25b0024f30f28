// Lets the library open a browser, and gives the login up once it has.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { Hallpass } from "hallpass";

const seen = join(dirname(process.env.BROWSER), "seen");
const controller = new AbortController();
const timer = setInterval(() => existsSync(seen) && controller.abort(), 20);
const hallpass = new Hallpass(JSON.parse(process.argv[2]));
await hallpass.login({ method: "browser", signal: controller.signal }).catch((error) => console.log(error.name));
clearInterval(timer);
