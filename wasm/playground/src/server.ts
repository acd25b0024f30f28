// The server of the demo: what it may be asked besides signing in.

/** Where this page is served, and the issuer: they are one. */
export const ISSUER = location.origin;
export const CLIENT_ID = "playground";
/** This page: where the browser comes back to. */
export const REDIRECT_URI = new URL("./", location.href).href.split(/[?#]/)[0]!;
export const API = `${ISSUER}/me`;

/** The header without which the server answers nobody: a form of another site cannot send it. */
const HEADERS = { "Hallpass-Demo": "1" };

export type Fault = "expire" | "revoke" | "lose" | "slow" | "refuse";

/** Makes something go wrong. */
export async function cause(fault: Fault): Promise<void> {
  await control(fault);
}

/** How the server behaves from now on. */
export async function set(option: "lifetime" | "grace", seconds: number): Promise<void> {
  await control(`${option}?value=${seconds}`);
}

async function control(name: string): Promise<void> {
  const response = await fetch(`/demo/${name}`, { method: "POST", headers: HEADERS });
  if (!response.ok) throw new Error(`the server of the demo answered ${response.status}`);
}

/** What has happened at the server. */
export interface Journal {
  token_requests: number;
  /** What to ask from the next time. */
  next: number;
  /** How long new access tokens live, and how long a spent refresh token is forgiven, in seconds. */
  lifetime: number;
  grace: number;
  entries: { at: number; text: string }[];
}

/** What has happened since then. */
export async function journal(since: number): Promise<Journal> {
  const response = await fetch(`/demo/journal?since=${since}`, { headers: HEADERS, cache: "no-store" });
  if (!response.ok) throw new Error(`the server of the demo answered ${response.status}`);
  return (await response.json()) as Journal;
}
