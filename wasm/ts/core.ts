// The core without hands, for a shell of one's own: `Flow`, the types of all that goes in and out, and how the module
// is loaded before the first one.
import type * as types from "../../node-binding/types.js";

export type * from "../../node-binding/types.js";
export { Flow, load } from "./all.js";
export type { Source } from "./module.js";
/** One flow, from its start to its end. */
export type Flow = types.Flow;
