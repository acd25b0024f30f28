// The same module for `import`: one state, one set of classes, however it is loaded.
export * from "./index.js";
