// How a person is led through a login in the editor.
import { setTimeout as sleep } from "node:timers/promises";
import * as vscode from "vscode";
import { type Hallpass, HallpassError } from "../all.js";
import type { BrowserPrompt, DeviceCodePrompt, Prompt } from "../prompts.js";

/** How long a browser may take before another way is offered, in milliseconds. */
const PATIENCE = 30_000;

/** The ways in which a login can come back to the editor. */
export type Way = "loopback" | "uri-handler" | "device-code";

/** The way that works in this window. */
export function wayHere(hasUriHandler: boolean): Way {
  const isLocal = vscode.env.uiKind === vscode.UIKind.Desktop && vscode.env.remoteName === undefined;
  if (isLocal) return "loopback";
  return hasUriHandler ? "uri-handler" : "device-code";
}

/** Signs a person in, with a message that says what is going on and a button that ends it. */
export async function signIn(hallpass: Hallpass, label: string, way: Way): Promise<void> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: `Signing in to ${label}`,
    cancellable: true,
  };
  await vscode.window.withProgress(options, async (progress, cancellation) => {
    const controller = new AbortController();
    const cancelled = cancellation.onCancellationRequested(() => controller.abort(new vscode.CancellationError()));
    const say = (message: string) => progress.report({ message });
    try {
      await by(hallpass, way, (prompt) => present(prompt, say, controller.signal), controller.signal);
    } catch (error) {
      throw controller.signal.aborted ? new vscode.CancellationError() : error;
    } finally {
      cancelled.dispose();
      controller.abort();
    }
  });
}

async function by(
  hallpass: Hallpass,
  way: Way,
  onPrompt: (prompt: Prompt) => unknown,
  signal: AbortSignal,
): Promise<void> {
  const browser = () => hallpass.login({ method: "browser", openBrowser: true, onPrompt, signal });
  if (way !== "device-code") return void (await browser());
  try {
    await hallpass.login({ method: "device_code", onPrompt, signal });
  } catch (error) {
    // Where there are no device codes, the address that the browser ends on is pasted.
    if (!(error instanceof HallpassError) || error.code !== "device_login_disabled") throw error;
    await browser();
  }
}

function present(prompt: Prompt, say: (message: string) => void, signal: AbortSignal): void {
  const presented = prompt.kind === "browser" ? waitForBrowser(prompt, say, signal) : showCode(prompt, say);
  // A message that cannot be shown is no reason to end a login that goes on elsewhere.
  presented.then(undefined, () => {});
}

async function waitForBrowser(
  prompt: BrowserPrompt,
  say: (message: string) => void,
  signal: AbortSignal,
): Promise<void> {
  say("waiting for the browser…");
  // Nobody is asked for what comes by itself.
  await sleep(PATIENCE, undefined, { signal, ref: false });
  const [paste, code] = ["Paste Address", "Use a Device Code"];
  const buttons = prompt.canSwitch ? [paste, code] : [paste];
  const answer = await vscode.window.showInformationMessage(
    "Does the browser not come back to this window?",
    ...buttons,
  );
  if (answer === code) return prompt.switchToDeviceCode();
  if (answer !== paste) return;
  const address = await vscode.window.showInputBox({
    prompt: "The address that the browser ended on",
    password: true,
    ignoreFocusOut: true,
  });
  if (address) prompt.paste(address);
}

async function showCode(prompt: DeviceCodePrompt, say: (message: string) => void): Promise<void> {
  const { userCode, verificationUri, verificationUriComplete } = prompt;
  say(`enter ${userCode} at ${verificationUri}`);
  const open = "Copy Code and Open";
  const answer = await vscode.window.showInformationMessage(
    `Your code is ${userCode}`,
    { modal: true, detail: `Enter it at ${verificationUri}` },
    open,
  );
  if (answer !== open) return;
  await vscode.env.clipboard.writeText(userCode);
  await openExternal(verificationUriComplete ?? verificationUri);
}

/** Opens a page. A `Uri` would decode the query and encode it in its own way; a text is left as it is. */
export function openExternal(url: string): Thenable<boolean> {
  return vscode.env.openExternal(url as unknown as vscode.Uri);
}
