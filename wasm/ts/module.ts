// The WebAssembly module: loaded once, by whoever needs it first.
import { failed } from "../../node-binding/ts/errors.js";
import { init } from "../index.js";

/** What the module can be loaded from. */
export type Source = WebAssembly.Module | Response | BufferSource | URL | string;

let loading: Promise<void> | undefined;

/** Loads the module, unless it is there. What has failed is tried again by the next call. */
export function load(source?: Source): Promise<void> {
  loading ??= begin(source).catch((cause: unknown) => {
    loading = undefined;
    throw failed(
      "local",
      "module_failed",
      `the WebAssembly module cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`,
      "serve hallpass.wasm as application/wasm, beside the script or where `module` says, and allow 'wasm-unsafe-eval' in `script-src`",
      cause,
    );
  });
  return loading;
}

async function begin(source: Source | undefined): Promise<void> {
  await init({ module_or_path: await compile(source) });
}

async function compile(source: Source = new URL("hallpass.wasm", import.meta.url)): Promise<WebAssembly.Module> {
  if (typeof WebAssembly === "undefined") throw new Error("this browser has no WebAssembly");
  if (!globalThis.crypto?.subtle) throw new Error("this page has no WebCrypto: it must be served over https");
  if (source instanceof WebAssembly.Module) return source;
  if (typeof source === "string" || source instanceof URL) return WebAssembly.compileStreaming(fetch(source));
  return source instanceof Response ? WebAssembly.compileStreaming(source) : WebAssembly.compile(source);
}
