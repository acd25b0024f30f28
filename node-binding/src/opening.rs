//! From what a program asks for to a home and its configuration.

use std::path::{Path, PathBuf};

use hallpass::config::Config;
use hallpass::profiles::{Choice, Sharing, Wish};
use hallpass::surroundings::{Surroundings, Way};
use hallpass_core::codec::Failure;
use hallpass_core::{ClientAuthentication, Configuration, Error, LoginMethod, Provider, StoreMode};
use napi::{Env, JsString, Result};
use napi_derive::napi;
use serde::{Deserialize, Serialize};

use crate::text;

/// What a program asks for.
#[derive(Deserialize)]
struct Options {
    home: Option<PathBuf>,
    profile: Option<String>,
    /// Whether a profile that does not exist yet is made.
    makes: bool,
    provider: Option<Source>,
    store: Option<StoreMode>,
    /// Whether this is the extension host of an editor, in which no environment variable may move a token.
    editor: bool,
}

/// A provider, as programs name it.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    Named(String),
    /// Without a client id the named provider, at another issuer.
    At {
        name: Option<String>,
        issuer: String,
        client_id: Option<String>,
        client_authentication: Option<ClientAuthentication>,
        scopes: Option<Vec<String>>,
    },
}

/// The answer to [`open`].
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Opening {
    Ok(Box<Opened>),
    Error(Failure),
}

/// A home that can be used.
#[derive(Serialize)]
struct Opened {
    home: String,
    encrypts: bool,
    configuration: Configuration,
}

/// One way to sign in.
#[derive(Serialize)]
struct Possibility {
    method: LoginMethod,
    /// Whether a page can be opened here.
    opens: bool,
    /// Why no browser here can be used.
    because: Option<&'static str>,
    /// The code of the error after which the next way is tried.
    unless: Option<&'static str>,
}

/// Finds a home and reads its configuration: the JSON of an `Opening`.
#[napi]
pub fn open(env: &Env, options: String) -> Result<JsString<'_>> {
    let opening = match opened(text::read(options)?) {
        Ok(opened) => Opening::Ok(Box::new(opened)),
        Err(error) => Opening::Error(Failure::from(&error)),
    };
    text::give(env, &text::write(&opening))
}

/// The ways to sign in that can work here, the best one first: the JSON of a list of `Possibility`.
#[napi]
pub fn ways(env: &Env, configuration: String) -> Result<JsString<'_>> {
    let configuration: Configuration = text::read(configuration)?;
    let browser = |opens, because| Possibility { method: LoginMethod::Browser, opens, because, unless: None };
    let ways = match Way::choose(&configuration.provider, Surroundings::look().browser_obstacle()) {
        Way::Browser => vec![browser(true, None)],
        Way::BrowserElsewhere { because } => vec![browser(false, Some(because))],
        Way::DeviceCode { because } => {
            let unless = Some("device_login_disabled");
            let device = Possibility { method: LoginMethod::DeviceCode, opens: false, because: Some(because), unless };
            vec![device, browser(false, Some(because))]
        }
    };
    text::give(env, &text::write(&ways))
}

fn opened(options: Options) -> std::result::Result<Opened, Error> {
    let wish = Wish { home: options.home.as_deref(), profile: options.profile.as_deref(), makes: options.makes };
    let home = Choice::make(wish)?.home;
    if options.makes
        && let Some(mut sharing) = Sharing::of_profile(&home)?
    {
        // What cannot be shared is no reason not to sign in; the program says what it is.
        sharing.link();
    }
    let mut config = Config::load(&home)?;
    if let Some(store) = options.store {
        config.choose_store(store);
    }
    let mut configuration = match options.provider {
        None => config.configuration(&home, Provider::openai())?,
        Some(Source::Named(name)) => {
            let mut configuration = config.configuration(&home, Provider::openai())?;
            config.want(&name, &mut configuration)?;
            configuration
        }
        Some(Source::At { name, issuer, client_id, client_authentication, scopes }) => {
            let mut provider = match client_id {
                None => config.provider(&name.unwrap_or_default())?.at(&issuer),
                Some(client_id) => {
                    let provider = Provider::discovered(&issuer, &client_id);
                    Provider { name: name.unwrap_or(provider.name), ..provider }
                }
            };
            provider.client_authentication = client_authentication.unwrap_or(provider.client_authentication);
            provider.scopes = scopes.unwrap_or(provider.scopes);
            config.configuration(&home, provider)?
        }
    };
    configuration.strict_overrides = options.editor;
    // An editor hands tokens to whoever may have them, and these have no key to prove anything with.
    configuration.provider.dpop &= !options.editor;
    Ok(Opened { home: text_of(&home)?, encrypts: config.encrypts_record()?, configuration })
}

/// JavaScript's strings hold no path that is not text.
fn text_of(home: &Path) -> std::result::Result<String, Error> {
    home.to_str().map(ToOwned::to_owned).ok_or_else(|| {
        let detail = format!("`{}` is not UTF-8", home.display());
        hallpass_core::Misused::Value { what: "home".to_owned(), detail }.into()
    })
}
