// The page: what is pressed, what comes of it, and where the flow is meanwhile.
import {
  type DeviceCodePrompt,
  type Hallpass,
  HallpassError,
  LoginRequiredError,
  type Status,
} from "../../ts/index.js";
import { type Credential, credentialIn, showClaims } from "./claims.js";
import { client } from "./client.js";
import { Countdown } from "./countdown.js";
import { Diagram } from "./diagram.js";
import { JournalView } from "./journal.js";
import { keepTurns, keptTurns } from "./keeping.js";
import { announce, element, make } from "./page.js";
import { Player, captionOf } from "./player.js";
import { API, type Fault, cause, set } from "./server.js";
import { Timeline } from "./timeline.js";
import { twoTabs } from "./two-tabs.js";
import type { Turn } from "./turn.js";

const journal = new JournalView(({ lifetime, grace }) => {
  for (const [id, value] of Object.entries({ lifetime, grace })) {
    const select = element<HTMLSelectElement>(id);
    const isKnown = [...select.options].some((option) => option.value === String(value));
    if (isKnown && document.activeElement !== select) select.value = String(value);
  }
});
const countdown = new Countdown();
const diagram = new Diagram(element("diagram"), element("path"));
const player = new Player(diagram, (turn, { flow, index }) => {
  timeline.mark(turn);
  element("caption").replaceChildren(
    ...captionOf(turn).map((part) => (typeof part === "string" ? part : make("strong", { text: part.strong }))),
  );
  element<HTMLButtonElement>("back").disabled = index === 0;
  element<HTMLButtonElement>("forward").disabled = index === flow.length - 1;
  element<HTMLButtonElement>("replay").disabled = false;
});
const timeline = new Timeline(element("timeline"), (flow, index) => player.look(flow, index));

let credential: Credential | undefined;

/** A turn of this page, or of one of the tabs. */
function heard(turn: Turn): void {
  // Who is signed in is looked up again and again: that would hide everything else.
  if (turn.kind === "status") return;
  element("no-turns").hidden = true;
  element<HTMLButtonElement>("clear").disabled = false;
  player.follow(timeline.add(turn));
  if (turn.kind === "login" && turn.end?.ok) isOver = false;
  if (turn.end) announce(turn.end.words);
}

/** What is stored is read for its claims. */
function glimpsed(found: Credential | null | undefined): void {
  if (found === undefined) return;
  credential = found ?? undefined;
  showClaims(credential);
  const { exp, iat } = credential?.access ?? {};
  countdown.set(typeof exp === "number" ? { from: Number(iat ?? exp - 3600) * 1000, until: exp * 1000 } : undefined);
}

/** The credential is still there, and the server has ended its session. */
let isOver = false;

function showStatus(status: Status): void {
  const { account } = status;
  const loggedIn = status.loggedIn && !isOver;
  element("name").textContent = status.loggedIn ? (account?.email ?? account?.id ?? "Somebody") : "Nobody is signed in";
  element("state").textContent = isOver ? "the session is over" : loggedIn ? "signed in" : "choose how to sign in";
  element("sign-in").hidden = loggedIn;
  element("use").hidden = !loggedIn;
  for (const id of ["expire", "lose", "slow", "refuse", "revoke"]) element<HTMLButtonElement>(id).disabled = !loggedIn;
  if (!status.loggedIn) glimpsed(null);
}

/** What to do once somebody is signed in. */
const NEXT = "Now let the token expire, and call the API.";

type Tone = "good" | "wait" | "bad";

/** Says how it went. */
function tell(tone: Tone, ...content: (Node | string)[]): void {
  const result = element("result");
  result.className = `note ${tone}`;
  result.hidden = false;
  result.replaceChildren(...content);
}

function tellError(error: unknown): void {
  if (!(error instanceof HallpassError)) return tell("bad", String(error));
  if (error instanceof LoginRequiredError) isOver = true;
  const { code, message, help } = error;
  const words = (text: string): (Node | string)[] =>
    text.split("`").map((part, index) => (index % 2 === 1 ? make("code", { text: part }) : part));
  const advice = help === undefined ? [] : [make("p", { class: "help" }, ...words(help))];
  tell("bad", make("code", { text: code }), ...words(message), ...advice);
}

/** Does what a button says; until it is done, nothing else can be pressed that would do the same. */
function press(id: string, meanwhile: string, action: (hallpass: Hallpass) => Promise<unknown>): void {
  const button = element<HTMLButtonElement>(id);
  button.addEventListener("click", () => {
    if (button.classList.contains("busy")) return;
    button.classList.add("busy");
    button.setAttribute("aria-busy", "true");
    tell("wait", meanwhile);
    // Not after an await: a window opens only while a click is handled.
    action(ready!)
      .catch(tellError)
      .finally(() => {
        button.classList.remove("busy");
        button.removeAttribute("aria-busy");
        void journal.look();
        void look();
      });
  });
}

let ready: Hallpass | undefined;
let waiting: AbortController | undefined;

async function look(): Promise<void> {
  try {
    showStatus(await ready!.status());
  } catch (error) {
    tellError(error);
  }
}

async function callApi(hallpass: Hallpass): Promise<void> {
  const response = await hallpass.fetch(API);
  const body = (await response.json()) as { name?: string; email?: string; error?: string };
  if (response.ok) tell("good", `The API answered ${response.status}: hello, ${body.name ?? "you"}.`);
  else tell("bad", make("code", { text: `${response.status}` }), body.error ?? "The API refused.");
}

function showCode(prompt: DeviceCodePrompt): void {
  element("device").hidden = false;
  element("device-code").textContent = prompt.userCode;
  const link = element<HTMLAnchorElement>("device-link");
  link.href = prompt.verificationUriComplete ?? prompt.verificationUri;
  tell("wait", "The flow asks the server again and again whether you have decided.");
  announce(`The code is ${[...prompt.userCode].join(" ")}`);
  link.focus();
}

async function withCode(hallpass: Hallpass): Promise<void> {
  waiting = new AbortController();
  const { signal } = waiting;
  try {
    await hallpass.loginWithDeviceCode({ onPrompt: showCode, signal });
    tell("good", `Signed in with a code. ${NEXT}`);
  } catch (error) {
    if (!signal.aborted) throw error;
    tell("good", "Given up: nothing was signed in, and nothing was changed.");
    element("sign-in-device").focus();
  } finally {
    element("device").hidden = true;
    waiting = undefined;
  }
}

/** A fault, and what to press to see what comes of it. */
function fault(id: Fault, done: string, alsoExpires: boolean): void {
  press(id, "Telling the server…", async () => {
    await cause(id);
    // Only a token that is not taken any more is renewed.
    if (alsoExpires) await cause("expire");
    if (id === "expire" || alsoExpires) countdown.refuse();
    tell("good", done);
    element("call").focus();
  });
}

async function together(): Promise<void> {
  element("tabs").hidden = false;
  element("tabs-verdict").textContent = "";
  element("tabs").focus();
  let before = 0;
  const ended = await twoTabs(async () => {
    await cause("expire");
    countdown.refuse();
    await journal.look();
    before = journal.tokenRequests;
  }, heard);
  await journal.look();
  const requests = journal.tokenRequests - before;
  const all = ended.every((tab) => tab.ok);
  const outcome = all ? "both are answered" : "not all were answered";
  const verdict = `${requests} token request${requests === 1 ? "" : "s"} for two tabs; ${outcome}.`;
  element("tabs-verdict").textContent = verdict;
  tell(all && requests === 1 ? "good" : "bad", verdict);
}

function wire(): void {
  press("sign-in-redirect", "Leaving for the server…", (hallpass) => hallpass.login());
  press("sign-in-popup", "Waiting for the window…", async (hallpass) => {
    await hallpass.login({ popup: true });
    tell("good", `Signed in through the window. ${NEXT}`);
  });
  press("sign-in-device", "Asking for a code…", withCode);
  element("device-cancel").addEventListener("click", () => waiting?.abort());
  press("call", "Calling the API…", callApi);
  press("two-tabs", "Opening two tabs…", together);
  press("sign-out", "Signing out…", async (hallpass) => {
    const { revocation } = await hallpass.logout();
    tell("good", revocation === "revoked" ? "Signed out, and the server has revoked the session." : "Signed out here.");
  });
  fault("expire", "The server takes no access token any more. Call the API: a 401, one refresh, and an answer.", false);
  fault(
    "lose",
    "The answer to the next refresh will be lost on its way. Call the API, and watch it wait before the one resend.",
    true,
  );
  fault("slow", "The next refresh takes three seconds. Call the API.", true);
  fault("refuse", "The next refresh is answered 503. Call the API: nothing is lost, and nobody is signed out.", true);
  fault(
    "revoke",
    "The session has ended at the server. Call the API: it is found out, and a login is asked for.",
    false,
  );
  for (const name of ["lifetime", "grace"] as const)
    element<HTMLSelectElement>(name).addEventListener(
      "change",
      (event) => void set(name, Number((event.target as HTMLSelectElement).value)).catch(tellError),
    );
  for (const [id, by] of [
    ["back", -1],
    ["forward", 1],
  ] as const)
    element(id).addEventListener("click", () => {
      player.step(by);
      announce(element("caption").textContent);
    });
  element("replay").addEventListener("click", () => player.replay());
  element("clear").addEventListener("click", () => {
    timeline.clear();
    element("no-turns").hidden = false;
    element<HTMLButtonElement>("clear").disabled = true;
  });
  element("tabs-close").addEventListener("click", () => {
    element("tabs").hidden = true;
    element("frames").replaceChildren();
    element("two-tabs").focus();
  });
}

/** What was seen before the page went away, and what comes after. */
function restore(): void {
  const kept = keptTurns();
  if (kept.length === 0) return;
  for (const turn of kept) timeline.add(turn);
  timeline.divide("this page was away");
  element("no-turns").hidden = true;
  element<HTMLButtonElement>("clear").disabled = false;
}

async function begin(): Promise<void> {
  restore();
  keepTurns(() => timeline.turns);
  ready = await client("page", heard, (message) => glimpsed(credentialIn(message)));
  wire();
  for (const button of document.querySelectorAll<HTMLButtonElement>("#sign-in button")) button.disabled = false;
  try {
    const arrived = await ready.handleRedirect();
    if (arrived) tell("good", `Welcome back, ${arrived.status.account?.email ?? "whoever you are"}. ${NEXT}`);
  } catch (error) {
    tellError(error);
  }
  await look();
  ready.on("change", showStatus);
}

begin().catch(tellError);
