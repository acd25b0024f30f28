// The two authorization servers: the one in the hallpass program, and npm's oidc-provider.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startAuthorizationServer } from "../peers/authorization-server.mjs";

const root = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const BINARY = process.env.HALLPASS_BIN ?? root("target/debug/hallpass");

/** The server of `hallpass demo --serve`. */
export async function embedded() {
  const child = spawn(BINARY, ["demo", "--serve", "--port", "0"], {
    env: { ...process.env, HALLPASS_PLAYGROUND: root("wasm/playground/dist") },
    stdio: ["ignore", "pipe", "ignore"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const issuer = /^issuer (\S+)$/.exec(line)?.[1];
    if (issuer) return { issuer, clientId: "hallpass", stop: () => child.kill() };
  }
  throw new Error("the embedded server has not started");
}

/** npm's oidc-provider, which pages of every origin may ask. */
export async function peer(options) {
  return { ...(await startAuthorizationServer({ sharesWithPages: true, ...options })), clientId: "public" };
}
