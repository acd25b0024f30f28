// The native library: what it exports, and how it is found.
import type { Configuration, Failure, Flow, LoginMethod } from "../types.js";
import { LocalError } from "./errors.js";
import { PACKAGES } from "./platforms.js";

/** The native shell of one flow: it performs everything but HTTP. Effects and events are JSON. */
export interface Native {
  /** Performs an effect on a thread of its own. */
  perform(effect: string): Promise<string>;
  /** Reads a slot here and now; nothing where that would wait or ask somebody, and `perform` does it. */
  loadAtOnce(slot: string): string | null;
  /** Ends what is being performed, if it may be ended. */
  cancel(): void;
  /** Gives up what belongs to a flow that has ended. */
  finish(): void;
  /** Hands in what a person typed while a browser login waits: an address, or `d` for a device code. */
  enter(line: string): void;
  /** What a person should know since this was asked last. */
  notices(): string[];
  /** Where a store keeps credentials, for a person; the place is JSON, too. */
  location(place: string): string;
}

/** The answer to `open`. */
export type Opening = { ok: Opened } | { error: Failure };

/** A home that can be used. */
export interface Opened {
  home: string;
  encrypts: boolean;
  configuration: Configuration;
}

/** One way to sign in. */
export interface Possibility {
  method: LoginMethod;
  /** Whether a page can be opened here. */
  opens: boolean;
  /** Why no browser here can be used, as a clause. */
  because: string | null;
  /** The code of the error after which the next way is tried. */
  unless: string | null;
}

/** What the native library exports. */
export interface Library {
  Flow: new () => Flow;
  Native: new (home: string, encrypts: boolean, opens: boolean) => Native;
  /** Finds a home and reads its configuration; the answer is the JSON of an `Opening`. */
  open(options: string): string;
  /** 32 bytes from the operating system's generator: loading Node's own takes longer than everything else here. */
  seed(): Uint8Array;
  /** The ways to sign in that can work here: the JSON of a list of `Possibility`. */
  ways(configuration: string): string;
}

let loaded: Library | undefined;

/** The native library, which is loaded when it is needed first. */
export function library(): Library {
  return (loaded ??= load());
}

/** The name of this platform, as in `PACKAGES`. */
function here(): string {
  return `${process.platform}-${process.arch}`;
}

function load(): Library {
  checkNode(process.versions.node);
  const packages = PACKAGES[here()] ?? [];
  // The last is a build of one's own, beside this package's folder of JavaScript.
  for (const name of [...packages, "../hallpass.node"]) {
    try {
      return require(name) as Library;
    } catch (error) {
      if (!isMissing(error, name)) throw unusable(name, error);
    }
  }
  throw missing(packages);
}

function checkNode(version: string): void {
  if (Number.parseInt(version, 10) >= 18) return;
  const message = `Hallpass needs Node 18 or later, and this is Node ${version}`;
  throw new LocalError({ code: "old_node", message, help: "run this program with a newer Node", retryable: false });
}

function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return code === "MODULE_NOT_FOUND" && String(message).includes(name);
}

function missing(packages: readonly string[]): LocalError {
  const [first] = packages;
  if (first === undefined) {
    const message = `there is no native library of Hallpass for ${here()}`;
    const help = `it exists for ${Object.keys(PACKAGES).join(", ")}; elsewhere it can be built from source`;
    return new LocalError({ code: "native_library", message, help, retryable: false });
  }
  const message = `the native library of Hallpass for ${here()} is not installed: none of ${packages.join(", ")}`;
  const help = "install again on this platform, with optional dependencies (no `--omit=optional` or `--no-optional`)";
  return new LocalError({ code: "native_library", message, help, retryable: false });
}

function unusable(name: string, error: unknown): LocalError {
  // What the loader of the operating system says, which names the file.
  const detail = error instanceof Error ? error.message.split("\n")[0] : String(error);
  const message = `the native library of Hallpass for ${here()} cannot be loaded from ${name}: ${detail}`;
  const help = "remove node_modules and install again on this platform: the file may be of another one";
  return new LocalError({ code: "native_library", message, help, retryable: false });
}
