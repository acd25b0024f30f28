// Where flows are run: here, or in a worker.
import { Client, type Outcomes, type Ran, type Requesting, type Running } from "../../node-binding/ts/client.js";
import type { FetchInit, FetchInput } from "../../node-binding/ts/resource.js";
import type { Prompt } from "../../node-binding/types.js";
import type { Away } from "./away.js";

/** A code that a person is to enter on another device. */
export type UserCode = Extract<Prompt, { user_code: unknown }>["user_code"];

/** How a login is run. */
export interface SigningIn extends Running {
  /** How the browser goes to the authorization server and comes back. */
  away?: Away | undefined;
  /** Shows a code. */
  show?: ((code: UserCode) => unknown) | undefined;
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

/** A client whose flows an engine runs. */
export class EngineClient extends Client {
  readonly #engine: Engine;

  /** @internal */
  constructor(options: Requesting, engine: Engine) {
    super(options);
    this.#engine = engine;
  }

  override fetch(input: FetchInput, init?: FetchInit): Promise<Response> {
    return this.#engine.fetch?.(input, init) ?? super.fetch(input, init);
  }

  /** @internal */
  protected override async run<Kind extends keyof Outcomes>(
    kind: Kind,
    body: object,
    running: SigningIn,
  ): Promise<Ran<Kind>> {
    this.throwIfAborted(running);
    const ran = await this.#engine.run(kind, body, running);
    if (kind === "login" || kind === "logout") this.changed();
    return ran;
  }

  /** @internal */
  protected override watch(changed: () => void): { close(): void } {
    return this.#engine.watch(changed);
  }
}
