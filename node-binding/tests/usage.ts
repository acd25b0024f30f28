// Compiled, never run: what a program that uses the package looks like, and what the compiler must refuse.
import { Hallpass, HallpassError, LoginRequiredError, type Prompt, type Status } from "hallpass";

export async function program(show: (text: string) => void): Promise<string | null> {
  const hallpass = new Hallpass({
    origins: ["https://api.example.com"],
    onPrompt(prompt) {
      show(prompt.kind === "browser" ? prompt.url : `${prompt.userCode} at ${prompt.verificationUri}`);
    },
  });
  if (!(await hallpass.status()).loggedIn) await hallpass.login({ signal: AbortSignal.timeout(60_000) });
  hallpass.on("change", (status: Status) => show(status.account?.email ?? "nobody"));
  try {
    const { accessToken, expiresAt } = await hallpass.token({ minTtl: 300 });
    show(`${accessToken.length} ${expiresAt?.toISOString()}`);
    const response = await hallpass.fetch("https://api.example.com/me", { method: "POST", body: "x" });
    return await response.text();
  } catch (error) {
    if (error instanceof LoginRequiredError) return null;
    if (error instanceof HallpassError && error.retryable) return error.code;
    throw error;
  } finally {
    hallpass.close();
  }
}

/** Further ways to sign in. */
export async function others(hallpass: Hallpass, prompt: Prompt): Promise<void> {
  await hallpass.login({ method: { apiKey: "sk-…" } });
  await hallpass.login({ method: "device_code" });
  if (prompt.kind === "browser" && prompt.canSwitch) prompt.switchToDeviceCode();
  const { revocation } = await hallpass.logout({ local: true });
  if (typeof revocation === "object") console.log(revocation.failed.message);
}

new Hallpass({ provider: "acme", store: "keyring", fetch });
new Hallpass({ provider: { issuer: "https://id.example.com", clientId: "tool", scopes: ["openid"] } });
// @ts-expect-error: there is no such option
new Hallpass({ providr: "acme" });
// @ts-expect-error: a provider is found at an issuer
new Hallpass({ provider: { clientId: "tool" } });
// @ts-expect-error: there is no such way
void new Hallpass().login({ method: "password" });
