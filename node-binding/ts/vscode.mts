export * from "./vscode.js";
