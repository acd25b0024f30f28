//! The library in one type.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hallpass_core::{
    Configuration, Error, LoggedIn, LoggedOut, LoginMethod, LoginRequest, LogoutRequest, ModelProvider, Need,
    ProofRequest, Provider, Secret, Status, StatusRequest, StoreMode, Token, TokenRequest, Wanted,
};

use crate::config::Config;
use crate::{Cancellation, Nobody, Opener, Person, Shell, environment, home};

/// The credentials of one home: sign a person in, get an access token that is still good, sign out.
///
/// ```no_run
/// use hallpass::{Error, Hallpass, LoginMethod};
///
/// fn main() -> Result<(), Error> {
///     let hallpass = Hallpass::new()?;
///     if !hallpass.status()?.logged_in {
///         hallpass.login(LoginMethod::Browser)?;
///     }
///     let token = hallpass.token()?;
///     println!("{} {} bytes", token.token_type, token.access_token.len());
///     Ok(())
/// }
/// ```
///
/// Every call blocks, and one goes on at a time: a program that needs ten tokens at once refreshes once. A clone
/// is the same home again. In an asynchronous program the calls belong on a thread that may block:
///
/// ```
/// # use hallpass::{Error, Hallpass, Token};
/// async fn token(hallpass: &Hallpass) -> Result<Token, Error> {
///     let hallpass = hallpass.clone();
///     tokio::task::spawn_blocking(move || hallpass.token()).await.expect("a token is had without a panic")
/// }
/// ```
#[derive(Clone)]
pub struct Hallpass {
    config: Config,
    configuration: Configuration,
    pinned: Option<StoreMode>,
    cancellation: Cancellation,
    shell: Arc<Mutex<Shell>>,
}

impl Hallpass {
    /// The person's usual home, which they share with the Codex CLI: `$CODEX_HOME`, else `~/.codex`.
    ///
    /// # Errors
    /// When there is no such folder, or its `config.toml` cannot be used.
    pub fn new() -> Result<Self, Error> {
        Self::open(None)
    }

    /// The home in this folder, which the first login makes.
    ///
    /// # Errors
    /// When it is no folder, or its `config.toml` cannot be used.
    pub fn at(home: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open(Some(home.as_ref()))
    }

    fn open(chosen: Option<&Path>) -> Result<Self, Error> {
        let home = home::find(chosen)?;
        let config = Config::load(&home)?;
        let configuration = config.configuration(&home, Provider::openai())?;
        let log = config.log_folder(&home);
        let mut shell = Shell::new(home, Box::new(Nobody));
        shell.set_log(log);
        shell.encrypt_record(config.encrypts_record()?);
        let cancellation = shell.cancellation();
        Ok(Self { config, configuration, pinned: None, cancellation, shell: Arc::new(Mutex::new(shell)) })
    }

    /// Signs in with this provider. Without it, that is OpenAI.
    #[must_use]
    pub fn with_provider(mut self, provider: Provider) -> Self {
        self.configuration.provider = provider;
        self
    }

    /// Gets tokens from the provider of this name, and from no other: one of `[hallpass.providers]` or
    /// `[model_providers]` in `config.toml`, or a built-in one. Without it, the environment comes first, as in Codex.
    ///
    /// # Errors
    /// When there is none of this name, or it cannot be used.
    pub fn with_provider_named(mut self, name: &str) -> Result<Self, Error> {
        self.config.want(name, &mut self.configuration)?;
        Ok(self)
    }

    /// Gets the token with which Codex speaks to this provider of models, which may come from a command.
    #[must_use]
    pub fn with_model_provider(mut self, provider: ModelProvider) -> Self {
        self.configuration.wanted = Some(Wanted::ModelProvider(provider));
        self
    }

    /// Keeps credentials in this store. Without it, that is what `config.toml` says, else the file.
    #[must_use]
    pub fn with_store(mut self, store: StoreMode) -> Self {
        self.configuration.store = Some(store);
        self.pinned = Some(store);
        self
    }

    /// Speaks with this person during a login; a closure that takes a [`Prompt`](crate::Prompt) will do. A login
    /// with a device code needs one.
    #[must_use]
    pub fn with_person(self, person: impl Person + 'static) -> Self {
        self.shell().set_person(Box::new(person));
        self
    }

    /// Opens pages with this. Without it, that is the desktop's browser.
    #[must_use]
    pub fn with_opener(self, opener: Opener) -> Self {
        self.shell().set_opener(opener);
        self
    }

    /// An access token that is good for at least five more minutes. It is refreshed if it must be, by this process or
    /// by another one that was faster.
    ///
    /// Credentials in the environment come before a login to OpenAI, in Codex's order. What is not stored (a workload
    /// identity, a provider for programs, a token command) is kept in the memory of this process and had anew in time.
    ///
    /// # Errors
    /// [`Error::LoginRequired`] when only a login helps; what else went wrong otherwise.
    pub fn token(&self) -> Result<Token, Error> {
        self.token_for(Duration::from_secs(300))
    }

    /// An access token that is good for at least so long.
    ///
    /// # Errors
    /// As for [`Hallpass::token`].
    pub fn token_for(&self, lifetime: Duration) -> Result<Token, Error> {
        let minimum_lifetime = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        self.token_that_is(Need::Usable { minimum_lifetime })
    }

    /// Another access token than this one, which a server has answered with a 401.
    ///
    /// # Errors
    /// As for [`Hallpass::token`].
    pub fn replace(&self, rejected: &Secret) -> Result<Token, Error> {
        self.token_that_is(Need::Replacement { rejected: rejected.clone() })
    }

    /// A new access token, although the stored one may still be good.
    ///
    /// # Errors
    /// As for [`Hallpass::token`].
    pub fn refresh(&self) -> Result<Token, Error> {
        self.token_that_is(Need::Fresh)
    }

    /// The `DPoP` header for one request to a resource, where `token.token_type` is `DPoP`; the token itself goes into
    /// `Authorization: DPoP …`. `method` is in upper case, `nonce` the one that the resource has asked for with the
    /// header `DPoP-Nonce`, if it has.
    ///
    /// # Errors
    /// [`Error::Misused`] when the stored session is bound to no key, [`Error::LoginRequired`] when its key is gone.
    pub fn proof(&self, token: &Token, method: &str, url: &str, nonce: Option<&str>) -> Result<Secret, Error> {
        let request = ProofRequest {
            configuration: self.configuration.clone(),
            access_token: token.access_token.clone(),
            method: method.to_owned(),
            url: url.to_owned(),
            nonce: nonce.map(ToOwned::to_owned),
        };
        Ok(self.shell().proof(request)?.header)
    }

    fn token_that_is(&self, need: Need) -> Result<Token, Error> {
        self.shell().token(TokenRequest { configuration: self.current(), need })
    }

    /// The header fields of a request that is authorized by this token: those that the model provider wants, or
    /// `Authorization` alone.
    ///
    /// # Errors
    /// When a value cannot be a header.
    pub fn headers(&self, token: Option<&Token>) -> Result<Vec<(String, Secret)>, Error> {
        let bearer = token.map(|token| &token.access_token);
        let configuration = self.current();
        match &configuration.wanted {
            Some(Wanted::ModelProvider(provider)) => provider.headers(&configuration.environment, bearer),
            _ => ModelProvider::default().headers(&configuration.environment, bearer),
        }
    }

    /// The configuration, with what the environment says now.
    fn current(&self) -> Configuration {
        let environment = environment::look(&self.configuration);
        Configuration { environment, ..self.configuration.clone() }
    }

    /// Signs a person in. The session that was there before is given up once the new one is saved, not earlier.
    ///
    /// # Errors
    /// [`Error::Declined`] when the person stops it, [`Error::Refused`] when the server says no; what else went
    /// wrong otherwise.
    pub fn login(&self, method: LoginMethod) -> Result<LoggedIn, Error> {
        let configuration = self.current();
        self.shell().login(LoginRequest { configuration, method, store: self.pinned, client_secret: None })
    }

    /// Who is signed in, as far as this machine knows: nobody is asked.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn status(&self) -> Result<Status, Error> {
        self.shell().status(StatusRequest { configuration: self.current(), check: false })
    }

    /// Revokes the session at the server, as far as that works, and deletes it here.
    ///
    /// # Errors
    /// When nothing could be deleted. What was deleted only in part, or not revoked, is in the answer.
    pub fn logout(&self) -> Result<LoggedOut, Error> {
        self.shell().logout(LogoutRequest { configuration: self.current(), local: false })
    }

    /// A handle that stops a call from another thread.
    pub fn cancellation(&self) -> Cancellation {
        self.cancellation.clone()
    }

    fn shell(&self) -> MutexGuard<'_, Shell> {
        // What a panic in a person's code leaves behind is a shell between two flows.
        self.shell.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Hallpass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Hallpass").field("configuration", &self.configuration).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_can_be_shared_between_threads() {
        fn shared<T: Clone + Send + Sync + 'static>() {}
        shared::<Hallpass>();
    }
}
