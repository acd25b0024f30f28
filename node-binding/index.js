import { createRequire } from "node:module";

/** The addon, built for this system and put beside this file. */
export const { Flow } = createRequire(import.meta.url)("./hallpass.node");
