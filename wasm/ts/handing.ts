// How the window of a login hands the address that it has come back at to the page that opened it: by a message to its
// opener, and on a channel of this origin, since a server may cut a window off from its opener.
import { broadcast, listen } from "./channels.js";

/** An address, or that it was taken. The id tells one load of a page from another. */
export type Handed = { hallpass: "arrived"; id: string; url: string } | { hallpass: "taken"; id: string };

const CHANNEL = "hallpass redirect";

/** For so long an opener may be silent, in milliseconds: beyond it there is none. */
const PATIENCE = 2000;

/** Offers an address to whoever waits for it: whether somebody does. */
export async function hand(url: URL): Promise<boolean> {
  const offered: Handed = { hallpass: "arrived", id: crypto.randomUUID(), url: url.href };
  let forget = (): void => {};
  const taken = new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), PATIENCE);
    const stop = hear((handed) => handed.hallpass === "taken" && handed.id === offered.id && resolve(true));
    forget = () => (clearTimeout(timer), stop());
  });
  broadcast(CHANNEL, offered);
  // Nobody else's page is told anything: not even one that has taken the place of the opener.
  (window.opener as Window | null)?.postMessage(offered, location.origin);
  return taken.finally(forget);
}

/**
 * Hears what is handed over within this origin, by the channel or by a window.
 *
 * @param heard is told what, and how to answer it
 */
export function hear(heard: (handed: Handed, answer: (handed: Handed) => void) => unknown): () => void {
  const channel = listen(CHANNEL, (data) => isHanded(data) && heard(data, (handed) => broadcast(CHANNEL, handed)));
  const listener = ({ data, origin, source }: MessageEvent): void => {
    if (origin !== location.origin || !isHanded(data)) return;
    heard(data, (handed) => (source as Window | null)?.postMessage(handed, origin));
  };
  addEventListener("message", listener);
  return () => {
    channel.close();
    removeEventListener("message", listener);
  };
}

function isHanded(data: unknown): data is Handed {
  const { hallpass, id, url = "" } = (data ?? {}) as Record<string, unknown>;
  return (hallpass === "arrived" || hallpass === "taken") && typeof id === "string" && typeof url === "string";
}
