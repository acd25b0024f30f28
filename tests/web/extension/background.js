// An extension's service worker: no window, no sessionStorage, and nothing is imported later.
import { Hallpass } from "./hallpass-web/INDEX";

/** Opens what `chrome.identity.launchWebAuthFlow` would, and answers where it ended: here the test is the person. */
const launch = (url) => new Promise((resolve) => (globalThis.launched = { url, resolve }));

globalThis.begin = async (settings) => {
  const module = await WebAssembly.compileStreaming(fetch(chrome.runtime.getURL("hallpass-web/MODULE")));
  globalThis.hallpass = await Hallpass.create({ ...settings, module });
};
globalThis.signIn = () => (globalThis.login = globalThis.hallpass.login({ launch }));
