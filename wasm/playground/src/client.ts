// The client of this page: the package as anybody uses it, around a `Flow` that tells what it does.
import { Hallpass } from "../../ts/index.js";
import { CLIENT_ID, ISSUER, REDIRECT_URI } from "./server.js";
import { TracedFlow } from "./traced.js";
import { type Glimpse, type Watcher, watched } from "./watching.js";

/**
 * Signs in and keeps signed in, and tells the watcher each turn.
 *
 * @param tab whose turns these are
 */
export function client(tab: string, watcher: Watcher, glimpse?: Glimpse): Promise<Hallpass> {
  const module = new URL("hallpass.wasm", import.meta.url);
  return Hallpass.create(
    { issuer: ISSUER, clientId: CLIENT_ID, redirectUri: REDIRECT_URI, store: "indexeddb", origins: [ISSUER], module },
    { Flow: watched(TracedFlow, tab, watcher, glimpse) },
  );
}
