// Written from the Rust types: change those, then run
// HALLPASS_RECORD=1 cargo test -p hallpass-tests --test types

/** What a `Flow` is started with. */
export type Request =
  /** Sign a person in, or store a key. Ends with `login`. */
  | { login: LoginRequest }
  /** Get a usable access token, refreshing if need be. Ends with `token`. */
  | { token: TokenRequest }
  /** Revoke and delete. Ends with `logout`. */
  | { logout: LogoutRequest }
  /** Say who is signed in. Ends with `status`. */
  | { status: StatusRequest }
  /** Take over the record that a CI job was given. Ends with `seed`. */
  | { seed: SeedRequest }
  /** Hand out the record. Ends with `export`. */
  | { export: ExportRequest }
  /** Prove that a request comes from the holder of a token. Ends with `proof`. */
  | { proof: ProofRequest }
  /** Get keys of Amazon Web Services. Ends with `role`. */
  | { role: RoleRequest }
  /** Delete a credential that must not be used here. Ends with `enforce`. */
  | { enforce: EnforceRequest };

/** How to sign in, and where to keep what comes of it. */
export interface LoginRequest {
  /** The configuration in force. */
  configuration: Configuration;
  /** The way to sign in. */
  method: LoginMethod;
  /** A store chosen for this login; it stays pinned until the next one. */
  store?: StoreMode | null;
  /** The client's secret, for a provider whose client has one; it is kept in the store. */
  client_secret?: Secret | null;
}

/** What every flow needs to know. */
export interface Configuration {
  /** The provider of a login, and of a record that names none. */
  provider: Provider;
  /** Further providers that a record may belong to. */
  providers?: Provider[];
  /**
   * Where credentials are to be kept, where anybody has said so: a login pins its store, and from then on a
   * configuration that disagrees is only a warning.
   */
  store?: StoreMode | null;
  /** What tells a home from a copy of it. */
  home?: Home;
  /**
   * `CODEX_REFRESH_TOKEN_URL_OVERRIDE`: another token endpoint for refreshes. Only the provider's own
   * origin and loopback addresses are accepted.
   */
  token_endpoint_override?: string | null;
  /** `CODEX_REVOKE_TOKEN_URL_OVERRIDE`: another revocation endpoint, under the same rule. */
  revocation_endpoint_override?: string | null;
  /**
   * Whether the two overrides only count where the record's own issuer is a loopback address: so it is where a tool
   * is started in somebody's place.
   */
  strict_overrides?: boolean;
  /** `forced_chatgpt_workspace_id`: the workspaces that a login may belong to; empty allows any. */
  allowed_workspaces?: string[];
  /** `forced_login_method`: the only way to sign in. */
  forced_login_method?: LoginKind | null;
  /** What an administrator permits: the managed `requirements.toml`. */
  policy?: Policy;
  /**
   * `hallpass.refresh_window`: how long before its end a token is renewed, in milliseconds. Counted as at least six
   * minutes (Codex renews at five) and at most an hour; ten minutes where nobody says anything.
   */
  refresh_window?: number | null;
  /** How long things may take. */
  timeouts?: Timeouts;
  /** What variables say about credentials. */
  environment?: Environment;
  /** Whose token is wanted, where somebody has said so; else the most important credential is used. */
  wanted?: Wanted;
}

/** An authorization server, and the client that we are to it. */
export interface Provider {
  /** The name by which people and configurations call it. */
  name: string;
  /** The issuer identifier: an https URL (http on loopback), compared exactly (RFC 8414, section 2). */
  issuer: string;
  /** The client identifier (RFC 6749, section 2.2). */
  client_id: string;
  /** How the client proves who it is. */
  client_authentication?: ClientAuthentication;
  /** The endpoints; what is `null` is discovered from the issuer. */
  endpoints?: Endpoints | null;
  /** The scope to ask for (RFC 6749, section 3.3). */
  scopes?: string[];
  /** Further parameters of the authorization request, in order. */
  authorization_parameters?: [string, string][];
  /** Which small differences of the protocol this provider has. */
  dialect?: Dialect;
  /** Where the browser comes back to. */
  redirect?: Redirect;
  /** How it gives tokens to programs; such a provider signs nobody in. */
  grant?: Grant;
  /**
   * Whether authorization requests are pushed where the server offers that (RFC 9126). Where it takes no others,
   * they are in any case.
   */
  pushed_authorization?: boolean;
  /** Whether tokens are bound to a key where the server offers that (DPoP, RFC 9449). */
  dpop?: boolean;
}

/** The method of client authentication. A secret is never part of it: that lies in the store. */
export type ClientAuthentication =
  /** A public client: only the client id is sent. */
  | "none"
  /** `client_secret_post`: the secret in the body. */
  | "client_secret_post"
  /** `client_secret_basic`: the secret in the `Authorization` header. */
  | "client_secret_basic"
  /** `private_key_jwt`: a signed assertion (RFC 7523, section 2.2). */
  | {
      private_key_jwt: {
        /** The signature algorithm, a name of RFC 7518. */
        algorithm: string;
        /** The `kid` of the key, when the server wants one. */
        key_id?: string | null;
        /** The path or name under which the shell finds the private key (PKCS #8 PEM). */
        key: string;
      };
    };

/** The endpoints of an authorization server. */
export interface Endpoints {
  /** Where a browser login begins (RFC 6749, section 3.1). */
  authorization?: string | null;
  /** Where tokens are had (RFC 6749, section 3.2). */
  token: string;
  /** Where tokens are revoked (RFC 7009). */
  revocation?: string | null;
  /** Where a device login begins (RFC 8628, section 3.1). */
  device_authorization?: string | null;
  /** Where authorization requests are put first (RFC 9126, section 2). */
  pushed_authorization?: string | null;
  /** Whether the server takes no others (RFC 9126, section 5). */
  requires_pushed_authorization?: boolean;
  /** The algorithms with which the server takes proofs of possession (RFC 9449, section 5.1); none where it takes none. */
  dpop_algorithms?: string[];
  /** Whether the redirect names its issuer (RFC 9207, section 3). */
  names_issuer?: boolean;
}

/** The small, named differences of a provider from the standards. */
export type Dialect =
  /** The RFCs. */
  | "standard"
  /** OpenAI: its device endpoints, a refresh and a revocation in JSON, its error codes. */
  | "openai";

/** Where the browser comes back to after a login (RFC 8252, section 7.3). */
export interface Redirect {
  /** The loopback ports to try, in order; 0 is any free one. */
  ports: number[];
  /** The path. */
  path: string;
}

/** The grant with which tokens are had from a provider that signs nobody in. They are never stored. */
export interface Grant {
  /** Which grant. */
  grant_type: GrantType;
  /** The identity that is exchanged; without it, the one that the CI system gives to this job. */
  subject_token?: SubjectToken | null;
  /** What kind of token that is (RFC 8693, section 3); a JWT unless it is said. */
  subject_token_type?: string | null;
  /** What kind of token is wanted (RFC 8693, section 2.1). */
  requested_token_type?: string | null;
  /** For whom the token is meant, by a name that the server knows (RFC 8693, section 2.1). */
  audience?: string | null;
  /** For which resource it is meant, by its URI (RFC 8707, section 2). */
  resource?: string | null;
  /** OpenAI: the rule by which an identity of elsewhere is taken for one of its own. */
  federation_rule_id?: string | null;
  /** The environment variable that holds the client's secret. */
  client_secret_variable?: string | null;
}

/** The grants that need nobody. */
export type GrantType =
  /** The client itself (RFC 6749, section 4.4). */
  | "client_credentials"
  /** The token of another issuer for one of this server (RFC 8693). */
  | "token_exchange"
  /** The same as an assertion (RFC 7523, section 2.1). */
  | "jwt_bearer";

/** Where the identity comes from that is exchanged. */
export type SubjectToken =
  /** GitHub Actions is asked for one. */
  | {
      github_actions: {
        /** Whom it shall be for; the issuer of the provider unless it is said. */
        audience?: string | null;
      };
    }
  /** It is in this environment variable. */
  | { variable: string }
  /** It is in this file. */
  | { file: string };

/** `cli_auth_credentials_store`: where credentials are kept. */
export type StoreMode =
  /** `auth.json` in the home (Codex's default). */
  | "file"
  /** The operating system's keyring. */
  | "keyring"
  /** The keyring where there is one, else the file. */
  | "auto"
  /** This process's memory. */
  | "ephemeral";

/** What tells a home from a copy of it. */
export interface Home {
  /** Its canonical path; empty where there is none (a browser). */
  path: string;
  /** A stable identifier of this machine; empty when unknown. */
  machine: string;
}

/** A kind of login, as Codex counts them (`forced_login_method`). */
export type LoginKind =
  /**
   * A session, of ChatGPT or of another provider (Codex's record does not tell them apart), and an access token that
   * was given.
   */
  | "chatgpt"
  /** An API key. */
  | "api";

/**
 * What an administrator permits: the file `requirements.toml`, whose first two keys are Codex's. `null` permits
 * everything, an empty list nothing.
 */
export interface Policy {
  /** `allowed_login_methods`: the ways to sign in. */
  login_methods?: LoginKind[] | null;
  /** `allowed_chatgpt_workspaces`: the workspaces that a session may belong to. API keys belong to none. */
  workspaces?: string[] | null;
  /** `hallpass.allowed_issuers`: who may sign people in, compared exactly. */
  issuers?: string[] | null;
  /** `hallpass.allowed_stores`: where credentials may be kept. `auto` is the keyring and the file. */
  stores?: StoreMode[] | null;
  /** `hallpass.forbid_plaintext`: no credential in a file that is not encrypted. */
  forbid_plaintext?: boolean;
  /** `hallpass.forbid_endpoint_overrides`: no variable says where tokens are sent, not even on loopback. */
  forbid_endpoint_overrides?: boolean;
}

/** `hallpass.timeouts`: how long things may take, in milliseconds. */
export interface Timeouts {
  /** An HTTP exchange, from first to last byte: 5 s to 300 s, 30 s where nobody says anything. */
  http?: number | null;
  /** The wait for another process's refresh: 5 s to 600 s, 45 s where nobody says anything. */
  lock?: number | null;
}

/** The variables and files that matter to a flow, as a shell has read them just before it starts the flow. */
export interface Environment {
  /** Variables by name; one that is not set, or empty, is left out. */
  variables?: { [name: string]: Secret };
  /** Files by path; one that does not exist is left out. */
  files?: { [name: string]: FileContents };
}

/** A token, code, verifier, state, key, device code, request body or redirect query. */
export type Secret = string;

/** What came of reading a file. */
export type FileContents =
  /** What it holds. */
  | { read: Secret }
  /** Why it cannot be read, for a person. */
  | { unreadable: string };

/** Whose token is wanted. */
export type Wanted =
  /** The one of the configured provider. */
  | "provider"
  /** The one with which Codex speaks to this provider of models. */
  | { model_provider: ModelProvider };

/** `[model_providers.X]`, as far as it is about credentials. */
export interface ModelProvider {
  /** Its id, the `X` of the table. */
  id?: string;
  /** The environment variable that holds its key. */
  env_key?: string | null;
  /** How a person gets that key. */
  env_key_instructions?: string | null;
  /** Its key, in clear. */
  experimental_bearer_token?: Secret | null;
  /** The command that prints its token. */
  auth?: TokenCommand | null;
  /** Whether it takes OpenAI's own credentials. */
  requires_openai_auth?: boolean;
  /** Header fields of every request. */
  http_headers?: { [name: string]: Secret };
  /** Header fields whose values are in environment variables. */
  env_http_headers?: { [name: string]: string };
  /** A way to get credentials that only Codex knows: the name of its table. */
  foreign?: string | null;
}

/** `[model_providers.X.auth]`: a command that prints a token. */
export interface TokenCommand {
  /** A name that is looked up in `PATH`, or a path. */
  command: string;
  /** Its arguments; no shell reads them. */
  args?: string[];
  /** The longest it may run, in milliseconds. */
  timeout_ms?: number;
  /** How long its token is used, in milliseconds; with 0 until a server rejects it. */
  refresh_interval_ms?: number;
  /** The folder to run it in. */
  cwd?: string | null;
}

/** The ways to sign in. */
export type LoginMethod =
  /** In a browser, with an authorization code and PKCE. */
  | "browser"
  /** On any device, with a user code. */
  | "device_code"
  /** With an API key that the person already has. */
  | { api_key: Secret }
  /** With an access token that the person already has. */
  | { access_token: Secret };

/** What the caller needs of an access token. */
export interface TokenRequest {
  /** The configuration in force. */
  configuration: Configuration;
  /** Why one is asked for. */
  need: Need;
}

/** Why an access token is asked for. */
export type Need =
  /** One that is good for at least so many milliseconds. */
  | {
      usable: {
        /** The least time to live, in milliseconds. */
        minimum_lifetime: number;
      };
    }
  /** One that is renewed before a tool beside us renews it, wherever the server's tokens live long enough for that. */
  | {
      ahead: {
        /** How long before its expiry the tool renews a token itself, in milliseconds (Codex: 300,000). */
        of: number;
      };
    }
  /** A new one, whatever is stored. */
  | "fresh"
  /** Another one than this, which a resource has answered with a 401. */
  | {
      replacement: {
        /** The access token that was rejected. */
        rejected: Secret;
      };
    };

/** How to log out. */
export interface LogoutRequest {
  /** The configuration in force. */
  configuration: Configuration;
  /** Revoke nothing at the server. */
  local?: boolean;
}

/** What to say about who is signed in. */
export interface StatusRequest {
  /** The configuration in force. */
  configuration: Configuration;
  /** Ask the server too. */
  check?: boolean;
}

/** What to start a home with that holds nothing yet, or something older. */
export interface SeedRequest {
  /** The configuration in force. */
  configuration: Configuration;
  /** A whole record: the text of an `auth.json`. */
  record: Secret;
  /** A store chosen for it; it stays pinned until the next login. */
  store?: StoreMode | null;
}

/** What to hand out. */
export interface ExportRequest {
  /** The configuration in force. */
  configuration: Configuration;
  /** Nothing, where the record is the seed that was handed in last. */
  if_changed?: boolean;
}

/**
 * Which request to make a proof of possession for (RFC 9449, section 7), where `Token::token_type` is
 * `DPoP`.
 */
export interface ProofRequest {
  /** The configuration in force. */
  configuration: Configuration;
  /** The access token that goes with the request. */
  access_token: Secret;
  /** The request's method, in upper case. */
  method: string;
  /** The request's URL: https, or http on a loopback address. */
  url: string;
  /** The nonce that the resource has asked for (`DPoP-Nonce`), if it has. */
  nonce?: string | null;
}

/** How to get keys of Amazon Web Services with a session. */
export interface RoleRequest {
  /** The configuration in force. */
  configuration: Configuration;
  /** The role to assume. */
  role: Role;
}

/** A role of Amazon Web Services, assumed with a web identity (STS, `AssumeRoleWithWebIdentity`). */
export interface Role {
  /** The role (`RoleArn`). */
  role_arn: string;
  /** What the session is called in AWS's logs (`RoleSessionName`): 2 to 64 letters, digits or `_+=,.@-`. */
  session_name: string;
  /** Where STS is: https, or http on a loopback address. */
  endpoint: string;
  /** For how many seconds the keys are to be good (`DurationSeconds`): 900 to 43200. */
  duration?: number | null;
  /** Which token is the web identity. */
  token: IdentityToken;
}

/** Which token of a session says who somebody is. */
export type IdentityToken =
  /** The ID token (OpenID Connect Core, section 2). */
  | "id_token"
  /** The access token, where that is a JWT. */
  | "access_token";

/**
 * Whether what a home holds may be used there, and its end if not: what Codex does when a tool starts.
 *
 * A credential of a login method or a workspace that is not permitted is deleted, after a notice has said so; nothing is
 * revoked, since the session may be welcome elsewhere. Whatever else the policy forbids is not used, and stays.
 */
export interface EnforceRequest {
  /** The configuration in force. */
  configuration: Configuration;
}

/** The answer to an `Effect`. Failing is an answer like any other. */
export type Event =
  /** A whole HTTP response arrived. */
  | { responded: HttpResponse }
  /** No whole HTTP response arrived. */
  | { request_failed: RequestFailure }
  /** The slot was read; `null` means that it is empty. */
  | { loaded: Secret | null }
  /** The slot was written, durably. */
  | "saved"
  /** The slot is empty; `true` when there was something in it. */
  | { removed: boolean }
  /** Room and permission are claimed and the intent is written, durably. */
  | "reserved"
  /** The store did not do it. */
  | { store_failed: StoreFailure }
  /** The lock is held. */
  | "locked"
  /** The lock is given back. */
  | "unlocked"
  /** The lock could not be had. */
  | { lock_failed: LockFailure }
  /** The time has passed. */
  | "slept"
  /** The redirect can be received. */
  | {
      listening: {
        /** The redirect URI to announce to the authorization server, exactly. */
        redirect_uri: string;
      };
    }
  /** The redirect cannot be received. */
  | {
      listen_failed: {
        /** Why not, for a person: which port, held by whom. */
        detail: string;
      };
    }
  /** A request came in at the redirect URI's origin; its browser waits for a `reply`. */
  | { called: Call }
  /** The person pasted a redirect URL, or a bare authorization code. */
  | { pasted: Secret }
  /** The person wants a device code instead. */
  | "switched"
  /** The wait is over. */
  | "timed_out"
  /** The browser was answered (or had gone). */
  | "replied"
  /** The person was told. */
  | "presented"
  /** The command ended. */
  | {
      ran: {
        /** Its exit status. */
        status: number;
        /** What it printed. */
        output: Secret;
      };
    }
  /** The command could not be run, or not to its end. */
  | {
      run_failed: {
        /** Why not, for a person. */
        detail: string;
      };
    }
  /** The signature, base64url without padding. */
  | { signed: Secret }
  /** The key could not be had or used. */
  | {
      sign_failed: {
        /** Why not, for a person. */
        detail: string;
      };
    }
  /** The person or the host wants to stop. */
  | "cancelled";

/** A whole HTTP response. */
export interface HttpResponse {
  /** The status code. */
  status: number;
  /** Header names (any case) and values; what is not text is left out. */
  headers: [string, Secret][];
  /** The body, at most 1 MiB; what is not UTF-8 is replaced. */
  body: Secret;
}

/** Why no whole response arrived. */
export interface RequestFailure {
  /** How far it got. */
  reach: Reach;
  /** The cause, for a person, without a secret; the end of a sentence that begins with the variable, if one is named. */
  detail: string;
  /** The variable of the environment that says how to send it, where that cannot be done. */
  variable?: string;
}

/** How far a failed request got. What may be asked again depends on it. */
export type Reach =
  /** No byte of the body left this machine. */
  | "not_sent"
  /** Bytes left, no status was seen. */
  | "unanswered"
  /** This status was seen, the body was lost. */
  | { broken: number };

/** Why a store did not do what it was asked. */
export interface StoreFailure {
  /** What kind of trouble. */
  kind: StoreTrouble;
  /** The path or the keyring entry, and the cause, for a person. */
  detail: string;
}

/** The kinds of trouble that a store can have. */
export type StoreTrouble =
  /** No room is left (disk or quota). */
  | "full"
  /** The file system or the file is read-only. */
  | "read_only"
  /** This user may not. */
  | "denied"
  /** The file cannot be replaced (it is a mount point, or another program holds it). */
  | "busy"
  /** The home does not exist and cannot be made, or is no folder. */
  | "no_home"
  /** There is no such store here (no keyring service). */
  | "unavailable"
  /** The keyring is locked. */
  | "locked"
  /** It did not answer in time. */
  | "timed_out"
  /** The store cannot take so much. */
  | "too_large"
  /** What is there is not text, or larger than a record can be. */
  | "unreadable"
  /** What is there must not be trusted or written: not a regular file, another owner, a hard link. */
  | "unsafe"
  /** A policy forbids it: nothing was written. */
  | "forbidden"
  /** Anything else. */
  | "other";

/** Why a lock could not be had. */
export interface LockFailure {
  /** What kind of trouble. */
  kind: LockTrouble;
  /** The path and the cause, for a person. */
  detail: string;
}

/** The kinds of trouble that a lock can have. */
export type LockTrouble =
  /** Another process held it until the deadline. */
  | "busy"
  /** Locks do not work here (some network file systems). */
  | "unsupported"
  /** The lock file cannot be made or opened for want of permission or room. */
  | "denied"
  /** Anything else. */
  | "other";

/** An HTTP request that reached the listener. */
export interface Call {
  /** The method, as sent. */
  method: string;
  /** Path and query, as sent. */
  target: Secret;
  /** The `Host` header, as sent. */
  host?: string | null;
}

/** What one turn says to the shell. */
export type Message =
  /** Perform this effect and step with what happened. */
  | {
      perform: {
        /** What to do. */
        effect: Effect;
        /** What may be written to a log about this turn: never a secret. */
        log: LogLine[];
        /** Whether the effect may be given up, and answered with `"cancelled"`, when the host wants to stop. */
        interruptible: boolean;
      };
    }
  /** The flow has ended. */
  | { done: Ending };

/**
 * One request of a machine to its shell: complete data, nothing to call back.
 *
 * The comment of each names the events that answer it. Any effect that may be
 * interrupted may also be answered by `cancelled`.
 */
export type Effect =
  /** Send one HTTP request: no redirect followed, no retry. → `responded`, `request_failed` */
  | { http: HttpRequest }
  /** Read a slot. → `loaded`, `store_failed` */
  | { load: Slot }
  /** Write a slot, durably and whole: after a crash it holds the old contents or the new. → `saved`, `store_failed` */
  | {
      save: {
        /** Where to. */
        slot: Slot;
        /** The text to store. */
        contents: Secret;
      };
    }
  /** Empty a slot. → `removed`, `store_failed` */
  | { remove: Slot }
  /** Take a lock, waiting at most so long. → `locked`, `lock_failed` */
  | {
      lock: {
        /** Which. */
        lock: Lock;
        /** The longest wait, in milliseconds. */
        deadline: number;
      };
    }
  /** Give a lock back. → `unlocked` */
  | { unlock: Lock }
  /**
   * Claim, in one durable step, the room and the permission to store an answer, and write the intent to
   * ask for it. → `reserved`, `store_failed`
   */
  | {
      reserve: {
        /** Where the answer will be kept. */
        place: Place;
        /** What stands there until then: who is about to spend which token (as a hash). */
        intent: Secret;
        /** How many bytes to claim, the intent included. */
        size: number;
      };
    }
  /** Wait. → `slept` */
  | {
      sleep: {
        /** How long, in milliseconds. */
        milliseconds: number;
      };
    }
  /** Get ready to receive the redirect of a browser login. → `listening`, `listen_failed` */
  | { listen: Listen }
  /**
   * Wait for what comes first: a request at the redirect URI, a pasted URL, the wish to use a device code
   * instead, or the end of the wait. → `called`, `pasted`, `switched`, `timed_out`
   */
  | {
      await: {
        /** When the wait ends. */
        until: Timestamp;
      };
    }
  /** Answer the browser whose request was handed in last. → `replied` */
  | { reply: Page }
  /** Tell the person what to do next. → `presented` */
  | { present: Prompt }
  /** Run a command and read what it prints. → `ran`, `run_failed` */
  | { run: Command }
  /** Sign with a key that the shell keeps. → `signed`, `sign_failed` */
  | {
      sign: {
        /** Which key. */
        key: Key;
        /** With which algorithm, a name of RFC 7518 (`ES256`, `EdDSA`, `RS256`, `PS256`). */
        algorithm: string;
        /** What to sign: the JWS signing input (RFC 7515, section 5.1). */
        input: Secret;
      };
    };

/** An HTTP request. */
export interface HttpRequest {
  /** `GET` or `POST`. */
  method: HttpMethod;
  /** An absolute `https` URL, or `http` on a loopback address. */
  url: string;
  /** Header names (lower case) and values. */
  headers: [string, Secret][];
  /** The body. */
  body: Secret | null;
  /** The longest it may take from first to last byte, in milliseconds. */
  deadline: number;
  /** Whether it may be given up half-way. */
  interruptible: boolean;
}

/** An HTTP method. */
export type HttpMethod =
  /** `GET` */
  | "GET"
  /** `POST` */
  | "POST";

/** Where something is stored. */
export type Slot =
  /** The record: `auth.json`, or the keyring entry that holds the same text. */
  | { record: Place }
  /** What Hallpass remembers beside the record: `hallpass.json`. */
  | "sidecar"
  /** The intent to refresh and the server's answer, before the record is saved. */
  | { parked: Place }
  /** The client's own secret, for providers that gave it one. */
  | { client: Place }
  /**
   * The keys that tokens are bound to (RFC 9449). Their private halves never leave the shell, and need not be such
   * that could. What is saved is a public half as a JWK (RFC 7517), and means: keep the key that it belongs to there,
   * which is `new_proof` or lies in another place, beside the one before it. What is loaded is the public half
   * of the one that was kept last; what is removed are all.
   */
  | { proof: Place }
  /**
   * A key pair for the tokens of a login that is under way, in this process's memory: new for each login, at the
   * latest when it is loaded. A shell that goes on with a suspended login has kept it. Where a shell keeps no keys it
   * is empty, and the login does without; so does one whose record lies in memory.
   */
  | "new_proof"
  /** The tokens that were minted for this process: always in its memory, never anywhere else. */
  | "minted";

/** A kind of store. */
export type Place =
  /** A file in the home, readable by its owner alone. */
  | "file"
  /** The operating system's keyring. */
  | "keyring"
  /** This process's memory. */
  | "ephemeral";

/** A lock of a home. Both die with the process that holds them. */
export type Lock =
  /** `hallpass.lock`: held over a whole refresh, login or logout. */
  | "transaction"
  /** Codex's `auth.lock`, then its `auth.json.lock`: held over a read or a write, never over a request. */
  | "commit"
  /** No lock between processes: one flow of this process mints at a time, and the others find what it got. */
  | "minting";

/** How to receive the redirect of a browser login (RFC 8252, section 7.3). */
export interface Listen {
  /** The ports to try on the loopback address, in this order; 0 is any free one. */
  ports: number[];
  /** The path of the redirect URI. */
  path: string;
}

/** Milliseconds since the Unix epoch. Core is told the time and never asks for it. */
export type Timestamp = number;

/**
 * What the waiting browser is shown. The words and the looks are the shell's; nothing of the request and
 * nothing that a server said is in it.
 */
export type Page =
  /** Signed in, and saved. */
  | "signed_in"
  /** The person, or the server for them, said no. */
  | "declined"
  /** The login failed; the tool that started it says why. */
  | "failed"
  /** Signed in, but the credentials could not be stored. */
  | "not_saved"
  /** A policy forbids this login. */
  | "forbidden"
  /** A request that is not the answer to this login (400); the wait goes on. */
  | "bad_request"
  /** A request for something else (404); the wait goes on. */
  | "not_found";

/** What a person is told in the middle of a login. */
export type Prompt =
  /** Go to this page; the shell opens it in a browser where it can. */
  | {
      browser: {
        /** The authorization request (RFC 6749, section 4.1.1). */
        authorization_url: Secret;
        /** Where the browser will come back to. */
        redirect_uri: string;
        /** Whether a device code can be had instead. */
        can_switch: boolean;
      };
    }
  /** Enter this code on that page (RFC 8628, section 3.3). */
  | {
      user_code: {
        /** The code to enter. */
        user_code: Secret;
        /** Where to enter it. */
        verification_uri: string;
        /** The same page with the code filled in, for a QR code. */
        verification_uri_complete: Secret | null;
        /** When the code stops working. */
        expires_at: Timestamp;
      };
    };

/** A command that prints a token. */
export interface Command {
  /** The program: a name looked up in `PATH`, or a path. */
  program: string;
  /** Its arguments; no shell reads them. */
  arguments: string[];
  /** The folder to run it in. */
  directory: string | null;
  /** The longest it may take, in milliseconds. */
  deadline: number;
}

/** A key that the shell keeps. */
export type Key =
  /** The client's private key (RFC 7523), by the path or name that the configuration gives. */
  | { client: string }
  /** One of `proof`. */
  | {
      proof: {
        /** Where it lies. */
        place: Place;
        /** Its public half, the JWK with which it was saved. */
        public: string;
      };
    }
  /** The private half of `new_proof`. */
  | "new_proof";

/** A line for the log of a flow: what was decided and why, without a secret in it. */
export interface LogLine {
  /** Whom it is for. */
  level: Level;
  /** A short sentence in plain words. */
  message: string;
}

/** Whom a `LogLine` is for. */
export type Level =
  /** For whoever reads the log later. */
  | "detail"
  /** For the person who waits, now. */
  | "notice";

/** How a flow ended. */
export type Ending =
  /** Well, with this. */
  | { ok: Outcome }
  /** Badly, because of this. */
  | { error: Failure };

/** What a `Flow` ends with. */
export type Outcome =
  /** Somebody is signed in. */
  | { login: LoggedIn }
  /** An access token. */
  | { token: Token }
  /** Nobody is signed in any more. */
  | { logout: LoggedOut }
  /** Who is signed in. */
  | { status: Status }
  /** What became of a seed. */
  | { seed: Seeded }
  /** The record. */
  | { export: Exported }
  /** A proof of possession. */
  | { proof: Proof }
  /** Keys of Amazon Web Services. */
  | { role: AssumedRole }
  /** Whether what is stored may be used. */
  | { enforce: Enforced };

/** A login that is saved. */
export interface LoggedIn {
  /** Who is signed in now, and how. */
  status: Status;
  /** What became of the session that was there before. */
  previous: Revocation | null;
  /** What the person should know. */
  warnings: Report[];
}

/** Who is signed in, as far as this machine knows. */
export interface Status {
  /** Whether there is a credential that can be used or renewed. */
  logged_in: boolean;
  /** How. */
  method: Method | null;
  /** Who. */
  account: Account | null;
  /** The provider's name. */
  provider: string | null;
  /** The issuer of a session. */
  issuer: string | null;
  /** The store that holds the credential. */
  store: Place | null;
  /** Which credential is used, and what it shadows. */
  precedence: Precedence;
  /** When the access token expires. */
  expires_at: Timestamp | null;
  /** When it was last renewed. */
  last_refresh: Timestamp | null;
  /** Whether it was not renewed for more than 8 days, so that the server may have ended the session. */
  stale: boolean;
  /**
   * A name for the session, the same in every home that holds it: two homes must not. It tells nothing about the
   * tokens; absent where there is nothing to renew.
   */
  session: string | null;
  /** What the method can and cannot do. */
  capabilities: { [name: string]: boolean };
  /** What the person should know. */
  warnings: Report[];
}

/** How somebody is signed in. */
export type Method =
  /** With a ChatGPT account. */
  | "chatgpt"
  /** With an API key. */
  | "apikey"
  /** With an account of another OAuth 2 or OpenID provider. */
  | "oauth"
  /** With an access token that was given. */
  | "access_token"
  /** With a token that a command prints. */
  | "command";

/** Whose credential it is, from claims that nobody has verified: for display. */
export interface Account {
  /** The e-mail address. */
  email: string | null;
  /** The account (`chatgpt_account_id`, else `sub`). */
  id: string | null;
  /** The person within the account (`chatgpt_user_id`, else `sub`). */
  user_id: string | null;
  /** The workspace (`chatgpt_account_id`). */
  workspace_id: string | null;
  /** The plan (`chatgpt_plan_type`). */
  plan: string | null;
}

/** Which of the credentials that there are is used. */
export interface Precedence {
  /** The one that is used; `null` when there is none. */
  winner: Source | null;
  /** Those that would be used without it, the next one first. */
  shadowed: Source[];
  /** Why it is this one: a clause for a person. */
  why: string;
}

/** Where a credential comes from. */
export type Source =
  /** `[model_providers.X]` of Codex's configuration, by its id. */
  | { model_provider: string }
  /** A provider that gives tokens to programs, by its name. */
  | { grant: string }
  /** `OPENAI_FEDERATION_RULE_ID` and `OPENAI_IDENTITY_TOKEN_FILE`. */
  | "workload_identity"
  /** `CODEX_API_KEY`. */
  | "api_key"
  /** `CODEX_ACCESS_TOKEN`. */
  | "access_token"
  /** What a login has stored, and where. */
  | { store: Place };

/** An error or a warning as it crosses a boundary: `{"code", "message", "help"}`. */
export interface Report {
  /** The stable name, for programs. */
  code: string;
  /** One sentence in plain words. */
  message: string;
  /** What to do about it. */
  help?: string;
}

/** What became of a session at the server. */
export type Revocation =
  /** The server has revoked it (RFC 7009). */
  | "revoked"
  /**
   * There was nothing to revoke (an API key, nobody signed in, or the session that goes on as another), or revoking was
   * not asked for.
   */
  | "not_needed"
  /** The provider offers no revocation. */
  | "not_offered"
  /** It was tried and did not work; the session may live on at the server. */
  | { failed: Report };

/** An access token (or API key) to send as a bearer token. */
export interface Token {
  /** The token itself. */
  access_token: Secret;
  /** How to send it: `Bearer` (RFC 6750), or `DPoP` with a proof of possession for each request (RFC 9449). */
  token_type: string;
  /** When it expires, where that is known. */
  expires_at: Timestamp | null;
  /** The account that it belongs to (`chatgpt-account-id` for OpenAI). */
  account_id: string | null;
  /** Where it came from. */
  origin: TokenOrigin;
  /** What the person should know. */
  warnings: Report[];
}

/** Where a token came from. */
export type TokenOrigin =
  /** It was stored and is still good. */
  | "stored"
  /** Another process had just renewed it. */
  | "adopted"
  /** It was renewed now. */
  | "refreshed"
  /** It was given, in the environment or in a configuration. */
  | "given"
  /** It was made for this process, now or a while ago, and is not stored. */
  | "minted";

/** A logout that is done. */
export interface LoggedOut {
  /** Whether anybody was signed in. */
  was_logged_in: boolean;
  /** What became of the session at the server. */
  revocation: Revocation;
  /** What could not be deleted, and why: the credential may still be there. */
  failures: Report[];
  /** What the person should know: a variable with a credential is left alone by a logout. */
  warnings: Report[];
}

/** A seed that was looked at. */
export interface Seeded {
  /** What became of it. */
  seed: SeedUse;
  /** Who is signed in now, and how. */
  status: Status;
  /** What the person should know. */
  warnings: Report[];
}

/** What became of a seed. */
export type SeedUse =
  /** It is the record now. */
  | "stored"
  /** The home held the same credential before. */
  | "held"
  /** The home holds a later generation of the same session, which stays. */
  | "outdated";

/** A record that is handed out. */
export interface Exported {
  /** The text of `auth.json`; nothing where only a change was asked for and there is none. */
  record: Secret | null;
  /** What the person should know. */
  warnings: Report[];
}

/** A proof of possession for one request. */
export interface Proof {
  /** The value of the `DPoP` header (RFC 9449, section 4.1); the token goes beside it, as `Authorization: DPoP …`. */
  header: Secret;
}

/** Keys of Amazon Web Services, for as long as a role is assumed. */
export interface AssumedRole {
  /** The key's name (`AccessKeyId`). */
  access_key_id: string;
  /** The key (`SecretAccessKey`). */
  secret_access_key: Secret;
  /** What goes along with it (`SessionToken`). */
  session_token: Secret;
  /** When they expire (`Expiration`). */
  expiration: Timestamp;
  /** What the person should know. */
  warnings: Report[];
}

/** What a policy has made of what was stored. */
export interface Enforced {
  /** Why the credential must not be used; `null` when there is none, or it may. */
  violation: Report | null;
  /** Whether it was deleted for that. */
  deleted: boolean;
  /** What could not be deleted, and why. */
  failures: Report[];
}

/** Why a flow failed, for programs and for people. */
export interface Failure {
  /** The stable name, for programs. */
  code: string;
  /** One sentence in plain words. */
  message: string;
  /** What to do about it. */
  help?: string;
  /** Who or what is in the way. */
  blame: Blame;
  /** Whether the same call may succeed later without anybody doing anything. */
  retryable: boolean;
}

/** Who or what is in the way: an `Error` without its details. */
export type Blame =
  /** The authorization server said no, finally. */
  | "refused"
  /** The server broke the protocol. */
  | "misbehaved"
  /** The server could not be reached or could not answer. */
  | "unavailable"
  /** The person stopped it, or did not answer in time. */
  | "declined"
  /** A policy forbids it. */
  | "forbidden"
  /** This machine could not: a store, a lock, a port, a key. */
  | "local"
  /** The program that uses Hallpass, or a configuration, asked for something that cannot be. */
  | "misused"
  /** Nobody is signed in, or the session can no longer be renewed. */
  | "login_required";

/** What `suspend` answers. */
export type Suspension =
  /** What to keep: it holds what state and verifier are made from, and belongs in no log. */
  | { ok: Suspended }
  /** The flow goes on as it was: it holds more than what can be carried over. */
  | { error: Failure };

/**
 * The little of a browser login that survives while the page is away at the authorization server. No endpoint
 * is in it: where a code is sent always comes from the configuration that the login is resumed with.
 */
export interface Suspended {
  version: number;
  /** The issuer, which must be the one of the configuration. */
  issuer: string;
  redirect_uri: string;
  /** What state and verifier are made from. */
  seed: Seed;
}

/**
 * The 32 random bytes with which a flow starts. Everything a flow needs that must not be guessed is
 * `SHA-256(seed ‖ label)`, so a flow is a function of its inputs and can be replayed.
 */
export type Seed = number[];

/**
 * One flow, from its start to its end: a conversation with the core, in JSON.
 *
 * The core decides and does nothing else. Each call answers with what to do next, and the flow goes on when
 * it is told what happened:
 *
 * ```ts
 * const flow = new Flow();
 * let message: Message = JSON.parse(flow.start(JSON.stringify(request), Date.now(), seed));
 * while ("perform" in message) {
 *   const event: Event = await perform(message.perform.effect);
 *   message = JSON.parse(flow.step(Date.now(), JSON.stringify(event)));
 * }
 * return message.done;
 * ```
 *
 * What goes wrong is part of the conversation: no call throws because of what its arguments say.
 * Messages may hold secrets: do not log them.
 */
export declare class Flow {
  constructor();
  /**
   * Begins.
   *
   * @param request the JSON of a `Request`
   * @param now the time, as `Date.now()` tells it
   * @param seed 32 bytes from a cryptographic generator, used once
   * @returns the JSON of a `Message`
   */
  start(request: string, now: number, seed: Uint8Array): string;
  /**
   * Goes on. An event that cannot be read ends the flow, after the effects that release what it holds.
   *
   * @param now the time, as `Date.now()` tells it
   * @param event the JSON of an `Event`
   * @returns the JSON of a `Message`
   */
  step(now: number, event: string): string;
  /**
   * What must survive while the page of a browser login is away at the authorization server. The flow goes
   * on as it was, should the page stay.
   *
   * @returns the JSON of a `Suspension`
   */
  suspend(): string;
  /**
   * Begins, in a new page, where `suspend` left off.
   *
   * @param suspended the JSON of the `Suspended` that `suspend` gave
   * @param request the JSON of the same `LoginRequest` as before
   * @param now the time, as `Date.now()` tells it
   * @returns the JSON of a `Message`
   */
  resume(suspended: string, request: string, now: number): string;
}
