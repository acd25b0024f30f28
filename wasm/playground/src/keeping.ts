// What was shown survives the way to the authorization server and back: it has no secret in it.
import type { Turn } from "./turn.js";

const KEY = "playground turns";
/** How many turns are kept. */
const MOST = 200;

/** Keeps the turns whenever the page goes away. */
export function keepTurns(turns: () => readonly Turn[]): void {
  addEventListener("pagehide", () => {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(turns().slice(-MOST)));
    } catch {
      // Then the page comes back without them.
    }
  });
}

/** The turns that were kept, once. */
export function keptTurns(): Turn[] {
  const text = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  try {
    return text === null ? [] : (JSON.parse(text) as Turn[]);
  } catch {
    return [];
  }
}
