//! What this build is made with: everything, or what a web page has a use for.
//!
//! Without the feature `homes` every page downloads less. What is left out is refused at the one door; where
//! the machines behind it ask [`HOMES`], the compiler leaves the rest out.

use crate::{
    ClientAuthentication, Configuration, Dialect, Error, LoginMethod, LoginRequest, Misused, Policy, Request, StoreMode,
};

/// Whether there may be a home on a disk, beside other tools, with keyrings and policies, and credentials that nobody has
/// signed in for.
pub(crate) const HOMES: bool = cfg!(feature = "homes");

/// Refuses what only a build with homes can do.
///
/// # Errors
/// [`Misused::NotApplicable`]
pub(crate) fn check(request: &Request) -> Result<(), Error> {
    match request {
        Request::Login(request) => check_login(request),
        Request::Token(_) | Request::Logout(_) | Request::Status(_) | Request::Proof(_) => {
            unless(is_of_pages(request.configuration()))
        }
        Request::Seed(_) | Request::Export(_) | Request::Enforce(_) | Request::Role(_) => unless(false),
    }
}

/// The same of a login, begun or resumed.
///
/// # Errors
/// [`Misused::NotApplicable`]
pub(crate) fn check_login(request: &LoginRequest) -> Result<(), Error> {
    let signs_in = matches!(request.method, LoginMethod::Browser | LoginMethod::DeviceCode);
    unless(
        signs_in
            && request.client_secret.is_none()
            && has_page_store(request.store)
            && is_of_pages(&request.configuration),
    )
}

/// What a build without homes says to all that it was made without.
pub(crate) fn left_out() -> Error {
    Misused::NotApplicable { detail: "this build is for web pages, and was made without it".into() }.into()
}

fn unless(is_for_pages: bool) -> Result<(), Error> {
    if HOMES || is_for_pages { Ok(()) } else { Err(left_out()) }
}

/// A page is a public client of servers that speak the standards, and nothing stands beside it.
fn is_of_pages(configuration: &Configuration) -> bool {
    let mut providers = core::iter::once(&configuration.provider).chain(&configuration.providers);
    providers.all(|provider| {
        provider.dialect == Dialect::Standard
            && provider.client_authentication == ClientAuthentication::None
            && provider.grant.is_none()
    }) && has_page_store(configuration.store)
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
