// Flows that are run in a worker: the page asks for what comes of them, and does what only a page can do.
import type { Outcomes, Ran } from "../../node-binding/ts/client.js";
import type { FetchInit, FetchInput } from "../../node-binding/ts/resource.js";
import { HallpassError, hostFailed, invalid, misused } from "./all.js";
import type { Engine, SigningIn } from "./engine.js";
import {
  type Answered,
  type Asked,
  type Aside,
  type Call,
  type News,
  type Presence,
  type Said,
  type Sent,
  type SentResponse,
  clientOptions,
  received,
} from "./messages.js";
import type { HallpassOptions } from "./options.js";

/** A worker that runs `hallpass-web/worker`, as far as it is spoken to. */
type Port = Pick<MessagePort, "postMessage" | "addEventListener">;

/** For so long a worker may take to begin, in milliseconds: its script and the module are loaded in that time. */
const PATIENCE = 30_000;

const FAILED = {
  code: "module_failed",
  help: "let the worker's script import `hallpass-web/worker`, and the page's policy allow it (`worker-src`)",
  blame: "local",
  retryable: false,
} as const;

/** Has flows run by a worker. */
export class RemoteEngine implements Engine {
  readonly #options: HallpassOptions;
  readonly #port: Port;
  readonly #calls = new Map<string, (said: Answered | Asked) => void>();
  readonly #watchers = new Set<() => void>();
  /** Ends all listening: of a worker that refuses this page nothing is expected any more. */
  readonly #refused = new AbortController();

  private constructor(worker: Worker | SharedWorker, options: HallpassOptions) {
    this.#options = options;
    this.#port = "port" in worker ? worker.port : worker;
    const { signal } = this.#refused;
    this.#port.addEventListener("message", ({ data }) => this.#hear(data as Said | News), { signal });
    if ("port" in worker) worker.port.start();
    const failed = (): void => {
      const error = { ...FAILED, message: "the worker's script cannot be loaded or has failed" };
      for (const call of this.#calls.values()) call({ error });
    };
    worker.addEventListener("error", failed, { signal });
    // A page that is kept for the way back must not be woken by what it is told; it looks when it is shown again.
    addEventListener("pagehide", () => this.#attend(false), { signal });
    addEventListener("pageshow", ({ persisted }) => persisted && this.#attend(true), { signal });
  }

  /** Tells the worker what it is for. */
  static async to(worker: Worker | SharedWorker, options: HallpassOptions): Promise<RemoteEngine> {
    const { module, fetch } = options;
    if (fetch) throw invalid("with a `worker` there can be no `fetch`: the worker sends");
    // Code that the page brings along is not what tokens are to be kept by.
    if (module !== undefined && typeof module !== "string" && !(module instanceof URL)) {
      throw invalid("with a `worker`, `module` must be a URL");
    }
    const source = module && new URL(module, location.href).href;
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(received({ ...FAILED, message: "the worker does not answer" })),
      PATIENCE,
    );
    const { signal } = late;
    const engine = new RemoteEngine(worker, options);
    try {
      await engine.#ask({ call: "create", options: clientOptions(options), module: source }, { signal });
      engine.#attend(true);
    } catch (error) {
      engine.#refused.abort();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    return engine;
  }

  async run<Kind extends keyof Outcomes>(kind: Kind, body: object, running: SigningIn): Promise<Ran<Kind>> {
    if (kind === "token" || kind === "proof") {
      throw misused("token_stays_in_worker", "the token stays in the worker", "send requests with `fetch`");
    }
    const { away, suspended } = running;
    const call = { ...body, call: kind, leaves: away?.leaves ?? false, suspended } as Call;
    const { outcome, whereabouts } = (await this.#ask(call, running)) as Sent;
    return { outcome: outcome as Outcomes[Kind], locate: () => whereabouts };
  }

  async fetch(input: FetchInput, init?: FetchInit): Promise<Response> {
    const request = new Request(input, init as RequestInit);
    const { url, method, signal, redirect, credentials, cache } = request;
    const how = { redirect, credentials, cache };
    // What was in a form or a stream is bytes by now, and its headers say which.
    const body = /^(GET|HEAD)$/.test(method) ? null : await request.arrayBuffer();
    const answer = await this.#ask({ call: "fetch", url, method, headers: [...request.headers], body, ...how }, { signal });
    const { body: whole, url: from, ...rest } = answer as SentResponse;
    return Object.defineProperty(new Response(whole, rest), "url", { value: from });
  }

  watch(changed: () => void): { close(): void } {
    this.#watchers.add(changed);
    return { close: () => void this.#watchers.delete(changed) };
  }

  /** Tells the worker whether this page hears what concerns every page. */
  #attend(isPresent: boolean): void {
    this.#port.postMessage({ id: "", isPresent } satisfies { id: string } & Presence);
    if (isPresent) this.#hear({ changed: true });
  }

  #hear(data: Said | News): void {
    // What a log throws is ignored.
    if ("log" in data)
      Promise.resolve(data.log)
        .then(this.#options.log)
        .catch(() => {});
    else if ("changed" in data) for (const changed of this.#watchers) changed();
    else this.#calls.get(data.id)?.(data);
  }

  #ask(call: Call, running: SigningIn): Promise<unknown> {
    // Another object of this page, or another page, may ask the same worker.
    const id = crypto.randomUUID();
    const signals = [this.#options.signal, running.signal].filter((signal) => signal !== undefined);
    for (const signal of signals) if (signal.aborted) return Promise.reject(signal.reason as Error);
    const post = (message: Call | Aside): void => this.#port.postMessage({ id, ...message });
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#calls.delete(id);
        for (const signal of signals) signal.removeEventListener("abort", abort);
      };
      const giveUp = (reason: unknown): void => {
        post({ abort: true });
        end();
        reject(reason as Error);
      };
      const abort = (event: Event): void => giveUp((event.target as AbortSignal).reason);
      for (const signal of signals) signal.addEventListener("abort", abort);
      this.#calls.set(id, (said) => {
        if (!("ok" in said || "error" in said)) {
          const failing = (cause: unknown): void => giveUp(cause instanceof HallpassError ? cause : hostFailed(cause));
          return void this.#perform(said, running, post).catch(failing);
        }
        end();
        if ("ok" in said) resolve(said.ok);
        else reject(received(said.error));
      });
      post(call);
    });
  }

  /** Does what only a page can do. */
  async #perform(asked: Asked, { away, show }: SigningIn, post: (aside: Aside) => void): Promise<void> {
    if ("go" in asked) away?.go?.(asked.go);
    else if ("judged" in asked) away?.judged?.(asked.judged);
    else if ("prompt" in asked) await show?.(asked.prompt);
    else if (away) post({ event: await away.next(asked.next, async () => asked.suspended ?? "", undefined) });
  }
}
