export * from "../node-binding/types.js";

/** What the module can be loaded from: its address, its bytes, or the module itself. */
export type Source = string | URL | Request | Response | BufferSource | WebAssembly.Module;

/** Loads the module; call and await it once before the first `Flow`. Without a source it loads the file beside it. */
export declare function init(options?: { module_or_path: Source | Promise<Source> }): Promise<unknown>;

/** The same at once, from bytes or a module that are there. */
export declare function initSync(options: { module: BufferSource | WebAssembly.Module }): unknown;
