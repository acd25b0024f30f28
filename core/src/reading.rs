//! How what comes in over a boundary is read: requests and events. What serde derives for the same types is for machines
//! that are written down and read back, in a search or a replay; a test holds the two together.

use alloc::vec::Vec;

use crate::json::{choice, object};
use crate::{
    Call, ClientAuthentication, Configuration, Dialect, Endpoints, EnforceRequest, Environment, Event, ExportRequest,
    Home, HttpResponse, IdentityToken, LockFailure, LockTrouble, LoginKind, LoginMethod, LoginRequest, LoginRequired,
    LogoutRequest, Need, Place, Policy, ProofRequest, Provider, Reach, Redirect, Request, RequestFailure, Role,
    RoleRequest, SeedRequest, StatusRequest, StoreFailure, StoreMode, StoreTrouble, Timeouts, TokenRequest,
};

#[cfg(feature = "homes")]
mod elsewhere;
#[cfg(not(feature = "homes"))]
mod left_out;

choice! {
    Request {
        "login" => Login(request),
        "token" => Token(request),
        "logout" => Logout(request),
        "status" => Status(request),
        "seed" => Seed(request),
        "export" => Export(request),
        "proof" => Proof(request),
        "role" => Role(request),
        ; "enforce" => Enforce(request)
    }
}

object! { LoginRequest { configuration, method, store, client_secret } }
object! { TokenRequest { configuration, need } }
object! { LogoutRequest { configuration, local = false } }
object! { StatusRequest { configuration, check = false } }
object! { SeedRequest { configuration, record, store } }
object! { ExportRequest { configuration, if_changed = false } }
object! { ProofRequest { configuration, access_token, method, url, nonce } }
object! { RoleRequest { configuration, role } }
object! { EnforceRequest { configuration } }

object! {
    Configuration {
        provider,
        providers = Vec::new(),
        store,
        home = Home::default(),
        token_endpoint_override,
        revocation_endpoint_override,
        strict_overrides = false,
        allowed_workspaces = Vec::new(),
        forced_login_method,
        policy = Policy::default(),
        refresh_window,
        timeouts = Timeouts::default(),
        environment = Environment::default(),
        wanted,
    }
}

object! {
    Provider {
        name,
        issuer,
        client_id,
        client_authentication = ClientAuthentication::None,
        endpoints,
        scopes = Vec::new(),
        authorization_parameters = Vec::new(),
        dialect = Dialect::Standard,
        redirect = Redirect::default(),
        grant,
        pushed_authorization = true,
        dpop = true,
    }
    only them
}

object! {
    Endpoints {
        authorization,
        token,
        revocation,
        device_authorization,
        pushed_authorization,
        requires_pushed_authorization = false,
        dpop_algorithms = Vec::new(),
        names_issuer = false,
    }
}

object! { Redirect { ports, path } }
object! { Home { path, machine } }
object! { Timeouts { http, lock } only them }
object! {
    Policy { login_methods, workspaces, issuers, stores, forbid_plaintext = false, forbid_endpoint_overrides = false }
    only them
}
object! { Role { role_arn, session_name, endpoint, duration, token = IdentityToken::IdToken } }

choice! { LoginKind { "chatgpt" => Chatgpt, ; "api" => Api } }
choice! { StoreMode { "file" => File, "keyring" => Keyring, "auto" => Auto, ; "ephemeral" => Ephemeral } }
choice! { Dialect { "standard" => Standard, ; "openai" => Openai } }
choice! { IdentityToken { "id_token" => IdToken, ; "access_token" => AccessToken } }
choice! { Place { "file" => File, "keyring" => Keyring, ; "ephemeral" => Ephemeral } }
choice! {
    ClientAuthentication {
        "none" => None,
        "client_secret_post" => ClientSecretPost,
        "private_key_jwt" => PrivateKeyJwt { algorithm, key_id, key },
        ; "client_secret_basic" => ClientSecretBasic
    }
}
choice! {
    LoginMethod {
        "browser" => Browser, "api_key" => ApiKey(key), "access_token" => AccessToken(token), ; "device_code" => DeviceCode
    }
}
choice! {
    Need {
        "usable" => Usable { minimum_lifetime },
        "ahead" => Ahead { of },
        "replacement" => Replacement { rejected },
        ; "fresh" => Fresh
    }
}
choice! {
    LoginRequired {
        "not_logged_in" => NotLoggedIn,
        "no_refresh_token" => NoRefreshToken,
        "expired" => Expired,
        "revoked" => Revoked,
        "spent_elsewhere" => SpentElsewhere,
        "seed_spent" => SeedSpent,
        "rotation_lost" => RotationLost,
        "another_account" => AnotherAccount,
        "copied_home" => CopiedHome,
        "rejected" => Rejected,
        ; "given_rejected" => GivenRejected
    }
}

choice! {
    Event {
        "responded" => Responded(response),
        "request_failed" => RequestFailed(failure),
        "loaded" => Loaded(contents),
        "saved" => Saved,
        "removed" => Removed(existed),
        "reserved" => Reserved,
        "store_failed" => StoreFailed(failure),
        "locked" => Locked,
        "unlocked" => Unlocked,
        "lock_failed" => LockFailed(failure),
        "slept" => Slept,
        "listening" => Listening { redirect_uri },
        "listen_failed" => ListenFailed { detail },
        "called" => Called(call),
        "pasted" => Pasted(text),
        "switched" => Switched,
        "timed_out" => TimedOut,
        "replied" => Replied,
        "presented" => Presented,
        "ran" => Ran { status, output },
        "run_failed" => RunFailed { detail },
        "signed" => Signed(signature),
        "sign_failed" => SignFailed { detail },
        ; "cancelled" => Cancelled
    }
}

object! { HttpResponse { status, headers, body } }
object! { RequestFailure { reach, detail, variable } }
choice! { Reach { "not_sent" => NotSent, "broken" => Broken(status), ; "unanswered" => Unanswered } }
object! { StoreFailure { kind, detail } }
choice! {
    StoreTrouble {
        "full" => Full,
        "read_only" => ReadOnly,
        "denied" => Denied,
        "busy" => Busy,
        "no_home" => NoHome,
        "unavailable" => Unavailable,
        "locked" => Locked,
        "timed_out" => TimedOut,
        "too_large" => TooLarge,
        "unreadable" => Unreadable,
        "unsafe" => Unsafe,
        "forbidden" => Forbidden,
        ; "other" => Other
    }
}
object! { LockFailure { kind, detail } }
choice! {
    LockTrouble { "busy" => Busy, "unsupported" => Unsupported, "denied" => Denied, ; "other" => Other }
}
object! { Call { method, target, host } }

#[cfg(test)]
mod tests;
