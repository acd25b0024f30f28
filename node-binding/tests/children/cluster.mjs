// A cluster whose workers want one token at once.
import cluster from "node:cluster";
import { Hallpass } from "hallpass";

if (cluster.isPrimary) {
  const tokens = new Set();
  for (let index = 0; index < 3; index++) {
    cluster.fork({ OPTIONS: process.argv[2] }).on("message", ({ accessToken }) => {
      tokens.add(accessToken);
    });
  }
  let left = 3;
  cluster.on("exit", () => {
    left -= 1;
    if (left === 0) console.log(tokens.size);
  });
} else {
  const { accessToken } = await new Hallpass(JSON.parse(process.env.OPTIONS)).token();
  process.send({ accessToken }, () => process.exit(0));
}
