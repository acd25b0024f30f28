export * from "../node-binding/types.js";

/** What the module can be loaded from: its address, its bytes, or the module itself. */
export type Source = string | URL | Request | Response | BufferSource | WebAssembly.Module;

/** Loads the module; call and await it once before anything else. */
export declare function init(options: { module_or_path: Source | Promise<Source> }): Promise<unknown>;

// What `ts/flow.ts` makes a class of.
export declare function open(): number;
export declare function enter(flow: number): void;
export declare function close(): void;
export declare function start(request: string, now: number, seed: Uint8Array): string;
export declare function step(now: number, event: string): string;
export declare function suspend(): string;
export declare function resume(suspended: string, request: string, now: number): string;
