// What calls answer with.
import type * as wire from "../types.js";

/** Something to know although the call succeeded. */
export type Warning = wire.Report;

/**
 * An access token that is good now. What is secret in it is behind a getter, so that it is in no log, no inspection and
 * no JSON by accident.
 */
export class Token {
  readonly #token: wire.Token;

  constructor(token: wire.Token) {
    this.#token = token;
  }

  /** The token itself. */
  get accessToken(): string {
    return this.#token.access_token;
  }

  /** How to send it: `Bearer`, as a rule. */
  get tokenType(): string {
    return this.#token.token_type;
  }

  /** When it expires, where that is known. */
  get expiresAt(): Date | null {
    return date(this.#token.expires_at);
  }

  /** The account that it belongs to (`chatgpt-account-id` for OpenAI). */
  get accountId(): string | null {
    return this.#token.account_id;
  }

  /** Where it came from: it was stored and is still good, another process has just renewed it, or it is renewed now. */
  get origin(): wire.TokenOrigin {
    return this.#token.origin;
  }

  /** What the person should know. */
  get warnings(): Warning[] {
    return this.#token.warnings;
  }

  /** What may be shown and logged: everything but the token. */
  toJSON(): object {
    const { tokenType, expiresAt, accountId, origin, warnings } = this;
    return { tokenType, expiresAt, accountId, origin, warnings };
  }

  [Symbol.for("nodejs.util.inspect.custom")](): object {
    return this.toJSON();
  }
}

/** What keeps a login: a place of a machine, or one of a browser. */
export type Store = wire.Place | "memory" | "indexeddb";

/** Which store it is, and where, for a person. */
export interface Whereabouts {
  store: Store;
  location: string;
}

/** Who is signed in, as far as this machine knows. */
export interface Status {
  /** Whether there is a credential that can be used or renewed. */
  loggedIn: boolean;
  /** How. */
  method: wire.Method | null;
  /** Whose credential it is, from claims that nobody has verified: for display. */
  account: Account | null;
  /** The provider's name. */
  provider: string | null;
  /** The store that holds the credential. */
  store: Store | null;
  /** Where that is: a path, or the name of a keyring entry or of a database. */
  location: string | null;
  /** When the access token expires. */
  expiresAt: Date | null;
  /** When it was last renewed. */
  lastRefresh: Date | null;
  /** Whether it was not renewed for so long that the server may have ended the session. */
  stale: boolean;
  /** A name for the session, which tells nothing about it: two homes must not hold the same. */
  session: string | null;
  /** What the method can and cannot do. */
  capabilities: { [name: string]: boolean };
  /** What the person should know. */
  warnings: Warning[];
}

/** Whose credential it is. */
export interface Account {
  email: string | null;
  id: string | null;
  userId: string | null;
  workspaceId: string | null;
  plan: string | null;
}

/** What became of a session at the server: `{ failed }` says why it may live on there. */
export type Revocation = wire.Revocation;

/** A login that is saved. */
export interface LoggedIn {
  /** Who is signed in now, and how. */
  status: Status;
  /** What became of the session that was there before. */
  previous: Revocation | null;
  /** What the person should know. */
  warnings: Warning[];
}

/** A logout that is done. */
export interface LoggedOut {
  /** Whether anybody was signed in. */
  wasLoggedIn: boolean;
  /** What became of the session at the server. */
  revocation: Revocation;
  /** What could not be deleted, and why: the credential may still be there. */
  failures: Warning[];
  /** What the person should know. */
  warnings: Warning[];
}

/** @param locate says which store a place is, and where */
export function statusOf(status: wire.Status, locate: (place: wire.Place) => Whereabouts): Status {
  const { account, store } = status;
  return {
    loggedIn: status.logged_in,
    method: status.method,
    account: account && {
      email: account.email,
      id: account.id,
      userId: account.user_id,
      workspaceId: account.workspace_id,
      plan: account.plan,
    },
    provider: status.provider,
    ...(store ? locate(store) : { store, location: null }),
    expiresAt: date(status.expires_at),
    lastRefresh: date(status.last_refresh),
    stale: status.stale,
    session: status.session,
    capabilities: status.capabilities,
    warnings: status.warnings,
  };
}

export function loggedInOf(outcome: wire.LoggedIn, locate: (place: wire.Place) => Whereabouts): LoggedIn {
  return { status: statusOf(outcome.status, locate), previous: outcome.previous, warnings: outcome.warnings };
}

export function loggedOutOf(outcome: wire.LoggedOut): LoggedOut {
  const { was_logged_in: wasLoggedIn, revocation, failures, warnings } = outcome;
  return { wasLoggedIn, revocation, failures, warnings };
}

function date(at: number | null): Date | null {
  return at === null ? null : new Date(at);
}
