// What a call can fail with. No word of a host in here: the browser package has the same errors.
import type { Blame, Failure } from "../types.js";

/** What an error says of itself. */
type Told = Omit<Failure, "blame" | "help"> & { help?: string | undefined };

/**
 * Why a call failed. `code` is stable and for programs, `message` is one sentence for people, and `help`, where
 * something can be done, says what. The classes below sort errors by who or what is in the way.
 */
export class HallpassError extends Error {
  /** The stable name of what went wrong. */
  readonly code: string;
  /** What to do about it. */
  readonly help: string | undefined;
  /** Whether the same call may succeed later without anybody doing anything. */
  readonly retryable: boolean;

  constructor(failure: Told, options?: { cause?: unknown }) {
    super(failure.message, options);
    this.code = failure.code;
    this.help = failure.help;
    this.retryable = failure.retryable;
  }

  /** What may be shown and logged. */
  toJSON(): { code: string; message: string; help: string | undefined } {
    return { code: this.code, message: this.message, help: this.help };
  }
}

/** Nobody is signed in, or the session can no longer be renewed: `login()` helps. */
export class LoginRequiredError extends HallpassError {}
/** The authorization server said no, finally. */
export class RefusedError extends HallpassError {}
/** The server could not be reached or could not answer; trying again may help. */
export class UnavailableError extends HallpassError {}
/** The server broke the protocol. */
export class MisbehavedError extends HallpassError {}
/** The person stopped it, or did not answer in time. */
export class DeclinedError extends HallpassError {}
/** A policy forbids it. */
export class ForbiddenError extends HallpassError {}
/** This machine could not: a store, a lock, a port, a key. */
export class LocalError extends HallpassError {}
/** The calling program, or a configuration, asked for something that cannot be. */
export class MisusedError extends HallpassError {}

/** The class of each blame. */
export const classes: Readonly<Record<Blame, typeof HallpassError>> = {
  login_required: LoginRequiredError,
  refused: RefusedError,
  unavailable: UnavailableError,
  misbehaved: MisbehavedError,
  declined: DeclinedError,
  forbidden: ForbiddenError,
  local: LocalError,
  misused: MisusedError,
};

for (const [blame, type] of Object.entries({ hallpass: HallpassError, ...classes })) {
  const value = `_${blame}_error`.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  Object.defineProperty(type.prototype, "name", { value, configurable: true, writable: true });
}

/** The error that a flow ended with. */
export function errorOf(failure: Failure): HallpassError {
  return new (classes[failure.blame] ?? HallpassError)(failure);
}

/** An error of a shell's own. */
export function failed(blame: Blame, code: string, message: string, help?: string, cause?: unknown): HallpassError {
  return new classes[blame]({ code, message, help, retryable: false }, cause === undefined ? undefined : { cause });
}

/** The calling program asked for something that cannot be. */
export function misused(code: string, message: string, help?: string, cause?: unknown): HallpassError {
  return failed("misused", code, message, help, cause);
}

/** A callback of the calling program has thrown. */
export function hostFailed(cause: unknown): HallpassError {
  return misused("host_failed", "the program around Hallpass failed in the middle of it", undefined, cause);
}
