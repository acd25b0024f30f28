// One of two tabs: it calls the API when it is told to.
import { client } from "./client.js";
import { element } from "./page.js";
import { API } from "./server.js";
import { CHANNEL, type Word } from "./two-tabs.js";
import type { Turn } from "./turn.js";
import { seconds } from "./words.js";

const name = decodeURIComponent(location.hash.slice(1)) || "tab";
const channel = new BroadcastChannel(CHANNEL);
const say = (word: Word): void => channel.postMessage(word);

function show(state: string, detail = ""): void {
  element("tab-state").textContent = state;
  element("tab-detail").textContent = detail || "\u00a0";
}

let origin = "stored";
function heard(turn: Turn): void {
  say({ turn });
  const end = turn.end;
  if (turn.kind === "token" && end) origin = end.words;
  const state = turn.places.at(-1)?.state;
  if (state) show(state, turn.effect?.words);
}

element("tab-name").textContent = name;
try {
  const hallpass = await client(name, heard);
  channel.onmessage = ({ data }: MessageEvent<Word>) => "go" in data && void call(hallpass);
  show("ready", "the token that it holds is refused by the server");
  say({ ready: name });
} catch (error) {
  show("failed", String(error));
  say({ ended: name, ok: false, origin: String(error) });
}

async function call(hallpass: Awaited<ReturnType<typeof client>>): Promise<void> {
  const begun = performance.now();
  try {
    const response = await hallpass.fetch(API);
    show(
      response.ok ? `answered ${response.status}` : `refused ${response.status}`,
      `${origin}, after ${seconds(performance.now() - begun)}`,
    );
    say({ ended: name, ok: response.ok, origin });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    show("failed", message);
    say({ ended: name, ok: false, origin: message });
  }
}
