// What a worker runs so that the tokens of a page stay out of the page's reach: `import "hallpass-web/worker"`. Its own
// script says what it is for, or else the page does, once; no script of the page can widen that later.
import type { Ran } from "../../node-binding/ts/client.js";
import type { Wish } from "../../node-binding/ts/wish.js";
import {
  CLIENT,
  EngineClient,
  Inbox,
  LocalEngine,
  checkHallpass,
  invalid,
  isUrl,
  load,
  misused,
  object,
} from "./all.js";
import type { Away } from "./away.js";
import type { SigningIn, UserCode } from "./engine.js";
import {
  type Answered,
  type Asked,
  type Aside,
  type Call,
  type News,
  type Presence,
  type Sent,
  type SentResponse,
  clientOptions,
  sent,
} from "./messages.js";
import type { ClientOptions } from "./options.js";

/** What a worker is for: the options that its pages pass to `Hallpass.create`, but `worker`. */
export interface WorkerOptions extends ClientOptions {
  /** Where the module is, if it is not beside the script: an absolute address. */
  module?: string | URL | undefined;
}

/** Whoever asks: the page of a worker, or one of the pages of a shared one. */
type Port = Pick<MessagePort, "postMessage" | "onmessage">;

/** Says something about a call. */
type Say = (said: Answered | Asked, transfer?: Transferable[]) => void;

/** A call under way. */
interface Ongoing {
  inbox: Inbox;
  controller: AbortController;
}

/** What the worker is for. */
interface Purpose {
  text: string;
  engine: LocalEngine;
  client: EngineClient;
  load(): Promise<void>;
}

const WHAT = "the options of a worker";

/** Those who are there to be told what concerns every page. */
const present = new Set<Port>();
let purpose: Purpose | undefined;

if ("onconnect" in globalThis) {
  addEventListener("connect", (event) => {
    const port = (event as MessageEvent).ports[0]!;
    serve(port);
    // A page that has crashed says nothing; newer browsers notice.
    port.addEventListener("close", () => present.delete(port));
  });
} else serve(globalThis as unknown as Port);

/**
 * Says in the worker's own script what the worker is for. A page that says anything else is refused then, the first one
 * as well: a script that runs before the application cannot begin the worker for something of its own. Call it before the
 * worker's script waits for anything.
 */
export function configure(options: WorkerOptions): void {
  checkHallpass(options, { ...CLIENT, module: [(value) => isUrl(String(value)), "an absolute URL"] }, WHAT);
  const { module } = options;
  adopt(clientOptions(options), module && new URL(module, location.href).href);
}

/** Answers a page. */
function serve(port: Port): void {
  const ongoing = new Map<string, Ongoing>();
  port.onmessage = ({ data }: MessageEvent<{ id: string } & (Call | Aside | Presence)>) => {
    // Whatever a script of the page says, it ends no worker.
    if (typeof data?.id !== "string") return;
    const call = ongoing.get(data.id);
    if ("event" in data) call?.inbox.hear(String(data.event));
    else if ("abort" in data) call?.controller.abort();
    else if ("isPresent" in data) present[data.isPresent === true ? "add" : "delete"](port);
    else {
      const begun = { inbox: new Inbox(), controller: new AbortController() };
      ongoing.set(data.id, begun);
      const say: Say = (said, transfer = []) => port.postMessage({ id: data.id, ...said }, transfer);
      answer(data, begun, say)
        .catch((error: unknown) => say({ error: sent(error) }))
        .finally(() => ongoing.delete(data.id));
    }
  };
}

/** Answers one call. What is not known by its name goes no further. */
async function answer(asked: Call, { inbox, controller: { signal } }: Ongoing, say: Say): Promise<void> {
  if (asked.call === "create") return create(asked).then(() => say({ ok: true }));
  if (!purpose) throw misused("worker_unconfigured", "the worker was not told yet what it is for");
  const { client, engine } = purpose;
  await purpose.load();
  if (asked.call === "fetch") {
    const { url, method, headers, body, redirect, credentials, cache } = asked;
    return sendBack(await client.fetch(url, { method, headers, body, redirect, credentials, cache, signal }), say);
  }
  const running: SigningIn = { signal };
  if (asked.call === "status") return report(await engine.run("status", { check: asked.check === true }, running), say);
  if (asked.call === "logout") return report(await engine.run("logout", { local: asked.local === true }, running), say);
  if (asked.call !== "login") throw misused("invalid_message", "the worker knows no such call");
  const method = asked.method === "device_code" ? asked.method : "browser";
  const page = { away: new Page(asked.leaves === true, inbox, say), show: (prompt: UserCode) => say({ prompt }) };
  const suspended = asked.suspended === undefined ? undefined : String(asked.suspended);
  return report(await engine.run("login", { method }, { ...running, ...page, suspended }), say);
}

/** Takes up what the worker is for. What has failed can be tried again, with the same options. */
async function create({ options, module }: Extract<Call, { call: "create" }>): Promise<void> {
  return adopt(options, module).load();
}

function adopt(options: ClientOptions, module: string | undefined): Purpose {
  const text = textOf([options, module]);
  if (!purpose) {
    checkHallpass(options, CLIENT, WHAT);
    const source = module === undefined ? undefined : new URL(module, location.href);
    if (source && !/^https?:$|-extension:$/.test(source.protocol)) throw invalid("`module` must be served, like this worker");
    const engine = new LocalEngine({ ...options, log: (line) => tell({ log: line }) }, {});
    engine.watch(() => tell({ changed: true }));
    purpose = { text, engine, client: new EngineClient(options, engine), load: () => load(source) };
  }
  if (purpose.text === text) return purpose;
  const help = "pass the same options wherever this worker is used, or start another one";
  throw misused("worker_configured", "this worker was begun with other options, which it keeps", help);
}

/** Says something to every page. */
function tell(news: News): void {
  for (const port of present) port.postMessage(news);
}

/** The same text for the same values, in whatever order the members of an object were named. */
function textOf(value: unknown): string {
  const sorted = (_: string, value: unknown): unknown =>
    object(value) ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))) : value;
  return JSON.stringify(value, sorted);
}

function report({ outcome, locate }: Ran<"login" | "status" | "logout">, say: Say): void {
  say({ ok: { outcome, whereabouts: locate("file") } satisfies Sent });
}

/** Sends an answer back: as a stream where the browser can hand one over. */
async function sendBack(response: Response, say: Say): Promise<void> {
  const { url, status, statusText } = response;
  const answer = { url, status, statusText, headers: [...response.headers] };
  const ok = (body: SentResponse["body"]): Answered => ({ ok: { ...answer, body } satisfies SentResponse });
  const { body } = response;
  if (!body) return say(ok(null));
  try {
    say(ok(body as SentResponse["body"]), [body]);
  } catch {
    say(ok(await response.arrayBuffer()));
  }
}

/** The windows are the page's: it opens them, and says what they have come back with. */
class Page implements Away {
  readonly leaves: boolean;
  readonly #inbox: Inbox;
  readonly #say: Say;

  constructor(leaves: boolean, inbox: Inbox, say: Say) {
    this.leaves = leaves;
    this.#inbox = inbox;
    this.#say = say;
  }

  go(url: string): void {
    this.#say({ go: url });
  }

  async next(until: number, suspend: () => Promise<string>, wish: Wish | undefined): Promise<string> {
    this.#say({ next: until, suspended: this.leaves ? await suspend() : undefined });
    return this.#inbox.next(until - Date.now(), wish, "timed_out");
  }

  judged(isAnswer: boolean): void {
    this.#say({ judged: isAnswer });
  }
}
