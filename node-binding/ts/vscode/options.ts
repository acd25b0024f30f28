// What an extension says about its provider.
import type { HallpassOptions } from "../options.js";
import type { Way } from "./signing-in.js";

/** What an extension says about its provider. */
export interface HallpassProviderOptions {
  /** The id that `package.json` contributes under `authentication`, and that extensions ask for. */
  id: string;
  /** What people call it. */
  label: string;
  /** As in `HallpassOptions`: the home of the first account. Without it that is the one that the command line uses. */
  home?: HallpassOptions["home"];
  /** As in `HallpassOptions`: the profile of the first account. */
  profile?: HallpassOptions["profile"];
  /** As in `HallpassOptions`. */
  provider?: HallpassOptions["provider"];
  /**
   * As in `HallpassOptions`, or `"secrets"`: files of the extension's own, sealed with a key in the editor's secret
   * storage. All windows of the editor share them, and no other program does. On the web that storage is the browser's;
   * where the server offers no such thing, it is the window's, until that is closed.
   */
  store?: HallpassOptions["store"] | "secrets";
  /**
   * Whether the browser may come back through the editor's URI handler, which the provider must know as a redirect URI:
   * `SCHEME://PUBLISHER.NAME/signed-in`, and in a web window an address of that window's server. Without it people sign
   * in to remote and web windows with a device code.
   */
  uriHandler?: boolean;
  /** How the browser comes back. Without it the window decides. */
  redirect?: Way;
  /** As in `HallpassOptions`. Without it that is the editor's, with its proxy and its certificates. */
  fetch?: HallpassOptions["fetch"];
  /** As in `HallpassOptions`. */
  log?: HallpassOptions["log"];
}
