// Ends the process in the middle of a refresh: before the request leaves, or once its answer is there.
import { Hallpass } from "hallpass";

const { EXIT } = process.env;
const fetch = async (url, init) => {
  if (init.method !== "POST") return globalThis.fetch(url, init);
  if (EXIT === "before") process.exit(7);
  await globalThis.fetch(url, init);
  process.exit(7);
};
await new Hallpass({ ...JSON.parse(process.argv[2]), fetch }).token({ refresh: true });
