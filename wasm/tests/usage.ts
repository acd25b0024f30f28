// Compiled, never run: what a page that uses the package looks like, and what the compiler must refuse.
import { Hallpass, HallpassError, LoginRequiredError, type Status } from "hallpass-web";
import { Flow, type Message, load } from "hallpass-web/core";
import "hallpass-web/callback";
import "hallpass-web/worker";

export async function page(show: (text: string) => void): Promise<string | null> {
  const hallpass = await Hallpass.create({
    issuer: "https://id.example.com",
    clientId: "app",
    redirectUri: "https://app.example.com/callback",
    origins: ["https://api.example.com"],
    store: "indexeddb",
    onPrompt: ({ userCode, verificationUri }) => show(`${userCode} at ${verificationUri}`),
  });
  const loggedIn = await hallpass.handleRedirect();
  if (loggedIn) show(loggedIn.status.account?.email ?? "somebody");
  hallpass.on("change", (status: Status) => show(status.location ?? "nowhere"));
  try {
    const { accessToken, expiresAt } = await hallpass.token({ minTtl: 300 });
    show(`${accessToken.length} ${expiresAt?.toISOString()}`);
    const response = await hallpass.fetch("https://api.example.com/me", { method: "POST", body: "x" });
    return await response.text();
  } catch (error) {
    if (error instanceof LoginRequiredError) await hallpass.login({ popup: true });
    if (error instanceof HallpassError && error.retryable) return error.code;
    return null;
  } finally {
    await hallpass.loginWithDeviceCode({ signal: AbortSignal.timeout(60_000) });
    hallpass.close();
  }
}

export async function others(worker: SharedWorker, module: WebAssembly.Module): Promise<Message> {
  await Hallpass.create({ issuer: "https://id.example.com", clientId: "app", worker });
  const hallpass = await Hallpass.create({ issuer: "https://id.example.com", clientId: "app", module });
  await hallpass.login({ launch: async (url) => url });
  await load();
  return JSON.parse(new Flow().start("{}", Date.now(), new Uint8Array(32)));
}

// @ts-expect-error: there is no such store
void Hallpass.create({ issuer: "https://id.example.com", clientId: "app", store: "localStorage" });
// @ts-expect-error: a provider is found at its issuer
void Hallpass.create({ clientId: "app" });
// @ts-expect-error: the module is loaded first
new Hallpass({ issuer: "https://id.example.com", clientId: "app" });
