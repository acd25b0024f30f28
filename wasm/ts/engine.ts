// Where flows are run: here, or in a worker.
import type { Outcomes, Ran, Running } from "../../node-binding/ts/client.js";
import type { FetchInit, FetchInput } from "../../node-binding/ts/resource.js";
import type { Away } from "./away.js";
import type { DeviceCodeOptions } from "./options.js";

/** How a login is run. */
export interface SigningIn extends Running, DeviceCodeOptions {
  /** How the browser goes to the authorization server and comes back. */
  away?: Away | undefined;
  /** The JSON of a login that waited while its page was away. */
  suspended?: string | undefined;
}

/** Whoever runs flows. */
export interface Engine {
  /** Runs one to its end. */
  run<Kind extends keyof Outcomes>(kind: Kind, body: object, running: SigningIn): Promise<Ran<Kind>>;
  /** Sends a request with the token in it, where no token is handed out. */
  fetch?(input: FetchInput, init?: FetchInit): Promise<Response>;
  /** Calls back when something may have changed. */
  watch(changed: () => void): { close(): void };
}
