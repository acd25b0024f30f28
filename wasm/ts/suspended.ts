// The little that waits in this tab while its page is away at the authorization server.
import { failed } from "../../node-binding/ts/errors.js";

const PREFIX = "hallpass ";

/** Keeps what `Flow.suspend` gave, for the login of this name. */
export async function keep(name: string, suspended: Promise<string>): Promise<void> {
  try {
    sessionStorage.setItem(PREFIX + name, await suspended);
  } catch (cause) {
    throw failed(
      "local",
      "session_storage",
      "this browser keeps nothing while the page is away at the authorization server",
      "allow this site to keep data, or sign in with `login({ popup: true })`",
      cause,
    );
  }
}

/** Takes out what was kept, if there is anything: a second time there is nothing. */
export function take(name: string): string | undefined {
  try {
    const suspended = sessionStorage.getItem(PREFIX + name) ?? undefined;
    sessionStorage.removeItem(PREFIX + name);
    return suspended;
  } catch {
    return undefined;
  }
}

/** The names of all logins that wait in this tab. */
export function waiting(): string[] {
  try {
    const keys = Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX));
    return keys.map((key) => key.slice(PREFIX.length));
  } catch {
    return [];
  }
}
