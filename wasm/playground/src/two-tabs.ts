// Two tabs of this page, in frames, that renew one credential in the same moment.
import type { Turn } from "./turn.js";
import { element, make } from "./page.js";

/** What the page and its tabs say to each other, within this origin. */
export type Word = { ready: string } | { go: true } | { turn: Turn } | { ended: string; ok: boolean; origin: string };

export const CHANNEL = "playground tabs";
export const NAMES = ["tab 1", "tab 2"] as const;

/** How long two tabs may take, in milliseconds. */
const PATIENCE = 30_000;

/**
 * Opens two tabs and lets them call the API at once.
 *
 * @param before is called when both are ready, before they call
 * @param heard is told each turn of theirs
 * @returns how each ended: whether it was answered, and where its token came from
 */
export async function twoTabs(
  before: () => Promise<void>,
  heard: (turn: Turn) => void,
): Promise<Extract<Word, { ended: string }>[]> {
  const channel = new BroadcastChannel(CHANNEL);
  try {
    const ended: Extract<Word, { ended: string }>[] = [];
    const ready = new Set<string>();
    const all = new Promise<void>((resolve, reject) => {
      setTimeout(() => reject(new Error("the tabs did not end")), PATIENCE);
      channel.onmessage = ({ data }: MessageEvent<Word>) => {
        if ("turn" in data) heard(data.turn);
        if ("ready" in data && !ready.has(data.ready)) {
          ready.add(data.ready);
          if (ready.size === NAMES.length)
            before().then(() => channel.postMessage({ go: true } satisfies Word), reject);
        }
        if ("ended" in data && ended.push(data) === NAMES.length) resolve();
      };
    });
    element("frames").replaceChildren(
      ...NAMES.map((name) => {
        const frame = make("iframe");
        frame.title = name;
        frame.src = `tab.html#${encodeURIComponent(name)}`;
        return frame;
      }),
    );
    await all;
    return ended;
  } finally {
    channel.close();
  }
}
