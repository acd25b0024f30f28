// One turn of a flow, as it is shown: everything in it is safe to be shown, kept and handed to another tab.
import type { LogLine } from "../../../node-binding/types.js";
import type { Place } from "./machines.js";

export interface Turn {
  /** Which flow of this page, and whose. */
  flow: string;
  /** Whose it is: this page, or one of the two tabs. */
  tab: string;
  /** What the flow was started for. */
  kind: Kind;
  /** When, in milliseconds since the Unix epoch. */
  at: number;
  /** How long the answer to the question before was waited for, in milliseconds. */
  waited: number;
  /** What happened; nothing at the start. */
  event: Said | undefined;
  /** What is to be done; nothing at the end. */
  effect: Said | undefined;
  /** How it ended. */
  end: End | undefined;
  /** In which state each machine is, from the outermost in. */
  places: Place[];
  log: LogLine[];
}

export type Kind = "login" | "token" | "logout" | "status" | "proof";

/** Something that crossed the boundary: in words, and without its secrets. */
export interface Said {
  words: string;
  detail: unknown;
}

export interface End {
  ok: boolean;
  words: string;
  detail: unknown;
}
