// The core without hands, for a shell of one's own: `Flow` and the types of all that goes in and out.
import type * as types from "../types.js";
import { library } from "./all.js";

export type * from "../types.js";
export const Flow: typeof types.Flow = library().Flow;
/** One flow, from its start to its end. */
export type Flow = types.Flow;
