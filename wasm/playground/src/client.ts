// The client of this page: the package as anybody uses it, around a `Flow` that tells what it does.
import { Flow } from "../../index.js";
import { Hallpass } from "../../ts/index.js";
import { CLIENT_ID, ISSUER, REDIRECT_URI } from "./server.js";
import { type Glimpse, type TracedFlow, type Watcher, watched } from "./watching.js";

/**
 * Signs in and keeps signed in, and tells the watcher each turn.
 *
 * @param tab whose turns these are
 */
export function client(tab: string, watcher: Watcher, glimpse?: Glimpse): Promise<Hallpass> {
  // The module of this page is built to say where a flow is.
  const traced = Flow as unknown as new () => TracedFlow;
  const module = new URL("hallpass.wasm", import.meta.url);
  return Hallpass.create(
    { issuer: ISSUER, clientId: CLIENT_ID, redirectUri: REDIRECT_URI, store: "indexeddb", origins: [ISSUER], module },
    { Flow: watched(traced, tab, watcher, glimpse) },
  );
}
