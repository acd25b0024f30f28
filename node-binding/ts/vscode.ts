// What the package `hallpass/vscode` exports: for an extension, in the editor's extension host.
import * as vscode from "vscode";
import type { HallpassProviderOptions } from "./vscode/options.js";
import { HallpassProvider } from "./vscode/provider.js";

export type { HallpassProvider, HallpassProviderOptions };

/**
 * Offers the login that the command line has as an authentication provider of the editor. The extension contributes the
 * same id under `authentication` in its `package.json`.
 *
 * ```ts
 * export function activate(context: vscode.ExtensionContext) {
 *   registerHallpassProvider(context, { id: "acme", label: "Acme", provider: "acme" });
 * }
 * ```
 *
 * Do not await a session of your own provider in `activate`: the editor waits for that to end first.
 */
export function registerHallpassProvider(
  context: vscode.ExtensionContext,
  options: HallpassProviderOptions,
): HallpassProvider {
  const provider = new HallpassProvider(context, options);
  const { id, label } = options;
  const registration = vscode.authentication.registerAuthenticationProvider(id, label, provider, {
    supportsMultipleAccounts: true,
  });
  context.subscriptions.push(registration, provider);
  if (options.uriHandler) context.subscriptions.push(vscode.window.registerUriHandler(provider));
  return provider;
}
