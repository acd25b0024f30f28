// The core without hands, for a shell of one's own: `Flow`, the types of all that goes in and out, and how the module
// is loaded before the first one.
export type * from "../../node-binding/types.js";
export { Flow, load } from "./all.js";
export type { Source } from "./module.js";
