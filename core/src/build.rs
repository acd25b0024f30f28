//! What this build is made with: everything, or what a web page has a use for.
//!
//! Without the feature `homes` every page downloads less. What is left out is refused at the one door, so that the
//! machines behind it need not say so themselves; where they ask [`HOMES`], the compiler leaves the rest out.

use crate::{ClientAuthentication, Configuration, Dialect, Error, LoginMethod, Misused, Policy, Request, StoreMode};

/// Whether there may be a home on a disk, beside other tools, with keyrings and policies, and credentials that nobody has
/// signed in for.
pub(crate) const HOMES: bool = cfg!(feature = "homes");

/// Refuses what only a build with homes can do.
///
/// # Errors
/// [`Misused::NotApplicable`]
pub(crate) fn check(request: &Request) -> Result<(), Error> {
    if HOMES || is_for_pages(request) { Ok(()) } else { Err(left_out()) }
}

/// What a build without homes says to all that it was made without.
pub(crate) fn left_out() -> Error {
    Misused::NotApplicable { detail: "this build is for web pages, and was made without it".into() }.into()
}

fn is_for_pages(request: &Request) -> bool {
    let is_for_pages = match request {
        Request::Login(request) => {
            matches!(request.method, LoginMethod::Browser | LoginMethod::DeviceCode) && has_page_store(request.store)
        }
        Request::Token(_) | Request::Logout(_) | Request::Status(_) | Request::Proof(_) => true,
        Request::Seed(_) | Request::Export(_) | Request::Enforce(_) | Request::Role(_) => false,
    };
    is_for_pages && is_of_pages(request.configuration())
}

/// A page is a public client of a server that speaks the standards, and nothing stands beside it.
fn is_of_pages(configuration: &Configuration) -> bool {
    let provider = &configuration.provider;
    provider.dialect == Dialect::Standard
        && provider.client_authentication == ClientAuthentication::None
        && provider.grant.is_none()
        && has_page_store(configuration.store)
        && configuration.wanted.is_none()
        && configuration.environment.is_empty()
        && configuration.token_endpoint_override.is_none()
        && configuration.revocation_endpoint_override.is_none()
        && configuration.forced_login_method.is_none()
        && configuration.allowed_workspaces.is_empty()
        && configuration.policy == Policy::default()
}

fn has_page_store(store: Option<StoreMode>) -> bool {
    matches!(store, None | Some(StoreMode::File | StoreMode::Ephemeral))
}
