//! What programs and people are told of an error: a stable code, a sentence, and the command that helps next.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};

use super::{Declined, Error, Forbidden, Local, LoginRequired, Misbehaved, Misused, Refused, Report, Unavailable};
use crate::{HOMES, LockTrouble, StoreTrouble};

impl Error {
    /// The stable name of what went wrong, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refused) => match refused {
                Refused::AccessDenied { .. } => "access_denied",
                Refused::NotEntitled => "not_entitled",
                Refused::DeviceCodeExpired => "device_code_expired",
                Refused::DeviceLoginDisabled { .. } => "device_login_disabled",
                Refused::Client { .. } => "client_refused",
                Refused::Other { .. } => "refused",
                Refused::Credential { .. } => "credential_refused",
            },
            Self::Misbehaved(misbehaved) => match misbehaved {
                Misbehaved::Malformed { .. } => "malformed_answer",
                Misbehaved::Status { .. } => "unexpected_status",
                Misbehaved::Redirected { .. } => "redirected",
                Misbehaved::Issuer { .. } => "issuer_mismatch",
                Misbehaved::IssuerMissing => "issuer_missing",
                Misbehaved::NoS256 { .. } => "pkce_unsupported",
                Misbehaved::AnotherAccount { .. } => "account_mismatch",
                Misbehaved::Endpoint { .. } => "unusable_endpoint",
            },
            Self::Unavailable(unavailable) => match unavailable {
                Unavailable::Network { .. } => "network",
                Unavailable::Server { .. } => "server_unavailable",
                Unavailable::BackingOff { .. } => "backing_off",
            },
            Self::Declined(Declined::Cancelled) => "cancelled",
            Self::Declined(Declined::TimedOut) => "timed_out",
            Self::Forbidden(Forbidden::Workspace { .. }) => "workspace_forbidden",
            Self::Forbidden(Forbidden::Method { .. }) => "method_forbidden",
            Self::Forbidden(Forbidden::EveryMethod) => "every_method_forbidden",
            Self::Forbidden(Forbidden::Issuer { .. }) => "issuer_forbidden",
            Self::Forbidden(Forbidden::Store { .. }) => "store_forbidden",
            Self::Forbidden(Forbidden::Override { .. }) => "override_forbidden",
            Self::Forbidden(Forbidden::Requirements { .. }) => "requirements_unusable",
            Self::Local(local) => match local {
                Local::Store(failure) => store_code(failure.kind),
                Local::Corrupt { .. } => "corrupt_credentials",
                Local::Lock(failure) => match failure.kind {
                    LockTrouble::Busy => "lock_busy",
                    LockTrouble::Unsupported => "lock_unsupported",
                    LockTrouble::Denied | LockTrouble::Other => "lock_failed",
                },
                Local::Listen { .. } => "no_port",
                Local::Key { .. } => "client_key",
                Local::ProofKey { .. } => "proof_key",
                Local::NoClientSecret => "no_client_secret",
                Local::IdentityToken { .. } => "identity_token",
                Local::Command { .. } => "token_command",
                Local::Occupied { .. } => "home_occupied",
                Local::NewerSidecar => "newer_version",
            },
            Self::Misused(misused) => match misused {
                Misused::Unexpected { .. } => "unexpected_event",
                Misused::Value { .. } => "invalid_value",
                Misused::Variable { .. } => "invalid_variable",
                Misused::NoProfile { .. } => "no_profile",
                Misused::ProfileExists { .. } => "profile_exists",
                Misused::SharedSession { .. } => "shared_session",
                Misused::NotApplicable { .. } | Misused::NotRefreshable => "not_applicable",
                Misused::Message { .. } => "invalid_message",
            },
            Self::LoginRequired(reason) => reason.code(),
        }
    }

    /// What a person can do about it: a sentence with the command to run.
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::Refused(refused) => match refused {
                Refused::AccessDenied { .. } | Refused::Other { .. } => return None,
                Refused::NotEntitled => "ask your workspace administrator for access to Codex",
                Refused::DeviceCodeExpired => "run `hallpass login --device-auth` for a new code",
                Refused::DeviceLoginDisabled { .. } => {
                    "enable device code login in the account's or workspace's security settings, or run `hallpass login` with a browser"
                }
                Refused::Client { .. } => "check the client id and the client's authentication method",
                Refused::Credential { .. } => "create a new token and run the command again",
            },
            Self::Misbehaved(misbehaved) => match misbehaved {
                Misbehaved::Issuer { .. } => "check the issuer URL, to the last slash",
                Misbehaved::AnotherAccount { .. } => "run `hallpass logout`, then `hallpass login`",
                Misbehaved::Malformed { .. } | Misbehaved::Redirected { .. } => {
                    "check the issuer URL, and that no proxy or sign-in page answers in its place"
                }
                Misbehaved::Status { .. }
                | Misbehaved::IssuerMissing
                | Misbehaved::NoS256 { .. }
                | Misbehaved::Endpoint { .. } => return None,
            },
            Self::Unavailable(Unavailable::Network { .. }) => {
                "check the network and the proxy settings, then try again"
            }
            Self::Unavailable(Unavailable::Server { .. } | Unavailable::BackingOff { .. }) => "try again in a moment",
            Self::Declined(Declined::TimedOut) => {
                "run `hallpass login` again, or `hallpass login --device-auth` where no browser can reach this machine"
            }
            Self::Forbidden(forbidden) => match forbidden {
                Forbidden::Workspace { .. } => "ask your administrator, or sign in with an account that is allowed",
                Forbidden::Method { method } if method == "API key" => "run `hallpass login` to sign in with ChatGPT",
                Forbidden::Method { .. } => "run `hallpass login --with-api-key`",
                Forbidden::Override { variable } => return Some(alloc::format!("unset {variable}")),
                Forbidden::EveryMethod | Forbidden::Issuer { .. } | Forbidden::Store { .. } => {
                    "run `hallpass explain` to see what is permitted, and by which file"
                }
                Forbidden::Requirements { .. } => "ask your administrator to repair the file",
            },
            Self::Local(local) => match local {
                Local::Store(failure) => return store_help(failure.kind).map(ToOwned::to_owned),
                Local::Corrupt { .. } => "run `hallpass login` to replace them; a file that is no JSON is kept aside",
                Local::Lock(failure) => match failure.kind {
                    LockTrouble::Denied => "make the home writable for this user, or choose another with `--home`",
                    LockTrouble::Unsupported => "keep the home on a local disk, or choose another with `--home`",
                    LockTrouble::Busy | LockTrouble::Other => "see which process holds it, or try again",
                },
                Local::Listen { .. } => "run `hallpass login --device-auth`, or choose a port with `--port`",
                Local::Key { .. } => "check the key's path, format (PKCS #8 PEM) and algorithm",
                Local::ProofKey { .. } => "run `hallpass login` for a session with a new key",
                Local::NoClientSecret => "run `hallpass login` with `--with-client-secret`",
                Local::IdentityToken { .. } => {
                    "let the CI system give this job one (`permissions: id-token: write`, `id_tokens:`, a projected token), and name its file or variable"
                }
                Local::Command { .. } => {
                    "run the command by hand: it must end well, and print a token and nothing else"
                }
                Local::Occupied { .. } => "run `hallpass logout` first, or seed another home with `--home`",
                Local::NewerSidecar => "upgrade Hallpass",
            },
            Self::Misused(misused) => return misused_help(misused).map(ToOwned::to_owned),
            Self::Declined(Declined::Cancelled) => return None,
            Self::LoginRequired(LoginRequired::CopiedHome) => {
                "run `hallpass login` here: each copy needs a session of its own; in CI, run `hallpass seed` first"
            }
            Self::LoginRequired(LoginRequired::SeedSpent) => {
                "one copy of a seed may be renewed at a time: sign in anew, replace the seed by what `hallpass export` \
                 prints, and let each job write back what `hallpass export --if-changed` prints before the next one begins"
            }
            Self::LoginRequired(LoginRequired::GivenRejected) => {
                "put a new one into the variable or the configuration that it comes from"
            }
            Self::LoginRequired(_) => "run `hallpass login`",
        };
        Some(help.to_owned())
    }

    /// Whether the same call may succeed later without anybody doing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Local(Local::Lock(failure)) => failure.kind == LockTrouble::Busy,
            Self::Local(Local::Store(failure)) => {
                matches!(failure.kind, StoreTrouble::TimedOut | StoreTrouble::Busy)
            }
            _ => false,
        }
    }

    /// What went wrong, as every surface shows it.
    pub fn report(&self) -> Report {
        Report { code: self.code().to_owned(), message: self.to_string(), help: self.help() }
    }
}

impl LoginRequired {
    fn code(self) -> &'static str {
        match self {
            Self::NotLoggedIn => "not_logged_in",
            Self::NoRefreshToken => "no_refresh_token",
            Self::Expired => "session_expired",
            Self::Revoked => "session_revoked",
            Self::SpentElsewhere => "spent_elsewhere",
            Self::SeedSpent => "seed_spent",
            Self::RotationLost => "rotation_lost",
            Self::AnotherAccount => "another_account",
            Self::CopiedHome => "copied_home",
            Self::Rejected => "credential_rejected",
            Self::GivenRejected => "given_rejected",
        }
    }
}

fn store_code(kind: StoreTrouble) -> &'static str {
    match kind {
        StoreTrouble::Full => "store_full",
        StoreTrouble::ReadOnly => "store_read_only",
        StoreTrouble::Denied => "store_denied",
        StoreTrouble::Busy => "store_busy",
        StoreTrouble::NoHome => "no_home",
        StoreTrouble::Unavailable => "keyring_unavailable",
        StoreTrouble::Locked => "keyring_locked",
        StoreTrouble::TimedOut => "store_timed_out",
        StoreTrouble::TooLarge => "store_too_small",
        StoreTrouble::Unreadable => "store_unreadable",
        StoreTrouble::Unsafe => "store_unsafe",
        StoreTrouble::Forbidden => "store_forbidden",
        StoreTrouble::Other => "store_failed",
    }
}

/// What whoever misused us can do about it.
fn misused_help(misused: &Misused) -> Option<&'static str> {
    Some(match misused {
        Misused::Value { what, .. } if what == "issuer" => {
            "name the issuer as its provider does: `--issuer https://HOST`; http is only for loopback addresses"
        }
        // A page has no environment.
        Misused::Variable { .. } if !HOMES => return None,
        Misused::Variable { name, .. } if name.starts_with("OPENAI_") => {
            "a workload identity needs both OPENAI_FEDERATION_RULE_ID and OPENAI_IDENTITY_TOKEN_FILE; unset both for another credential"
        }
        Misused::Variable { name, .. } if name == "CODEX_CA_CERTIFICATE" || name == "SSL_CERT_FILE" => {
            "let it name a PEM file with certificates, or unset it: the system's authorities count in any case"
        }
        Misused::Variable { name, .. } if name.to_ascii_lowercase().ends_with("_proxy") => {
            "let it name an http or https proxy, as in http://HOST:PORT, or add the server's host to NO_PROXY"
        }
        Misused::Variable { detail, .. } if detail.starts_with("is not set") => {
            "set it to the credential that is wanted"
        }
        Misused::Variable { .. } => "set it to the credential that is wanted, or unset it",
        Misused::Value { what, .. } if what == "seed" => {
            "hand in the whole text of an auth.json, as `hallpass export` prints it"
        }
        Misused::NotRefreshable => {
            "run `hallpass token` for the one that is stored, or `hallpass login` for a session that is refreshed"
        }
        Misused::NoProfile { .. } => "see `hallpass profiles`; `hallpass --profile NAME login` makes a new one",
        Misused::ProfileExists { .. } => "choose another name, or `hallpass profiles remove` that one first",
        Misused::SharedSession { .. } => {
            "keep one of the two: `hallpass --home DIR logout --local`, then `hallpass --home DIR login` gives the other its own session"
        }
        Misused::Unexpected { .. }
        | Misused::Value { .. }
        | Misused::NotApplicable { .. }
        | Misused::Message { .. } => return None,
    })
}

fn store_help(kind: StoreTrouble) -> Option<&'static str> {
    Some(match kind {
        StoreTrouble::Full => "free some space, then try again",
        StoreTrouble::ReadOnly | StoreTrouble::Denied => {
            "make the home writable for this user, or choose another with `--home`"
        }
        StoreTrouble::Busy => "mount the folder instead of the file, or close the program that holds it",
        StoreTrouble::NoHome => "create the folder, or choose another with `--home`",
        StoreTrouble::Unavailable => "use `--store file`, or start a keyring service",
        StoreTrouble::Locked => "unlock the keyring, or use `--store file`",
        StoreTrouble::TimedOut => "see whether the keyring waits for your answer, or use `--store file`",
        StoreTrouble::TooLarge => "use `--store file`",
        StoreTrouble::Unreadable => "run `hallpass login` to replace it",
        StoreTrouble::Unsafe => "replace it by a regular file that belongs to you",
        StoreTrouble::Forbidden | StoreTrouble::Other => return None,
    })
}
