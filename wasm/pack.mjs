// Packs what is published. `./build` goes before it.
//
//     node pack.mjs FOLDER
import { join, resolve } from "node:path";
import { descriptionOf, pack } from "../node-binding/packing.mjs";

const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const files = ["dist", "README.md"].map((name) => [join(here, name), name]);
await pack(resolve(process.argv[2] ?? "packed"), descriptionOf(here), files);
