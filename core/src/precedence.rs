//! Which credential wins, and what it shadows.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::environment::{ACCESS_TOKEN, API_KEY, FEDERATION_RULE_ID};
use crate::home::{Held, provider_of};
use crate::record::Credential;
use crate::{Configuration, Error, HOMES, Place, Report, Wanted};

/// Which of the credentials that there are is used.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Precedence {
    /// The one that is used; `None` when there is none.
    pub winner: Option<Source>,
    /// Those that would be used without it, the next one first.
    pub shadowed: Vec<Source>,
    /// Why it is this one: a clause for a person.
    pub why: String,
}

/// Where a credential comes from.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// `[model_providers.X]` of Codex's configuration, by its id.
    ModelProvider(String),
    /// A provider that gives tokens to programs, by its name.
    Grant(String),
    /// `OPENAI_FEDERATION_RULE_ID` and `OPENAI_IDENTITY_TOKEN_FILE`.
    WorkloadIdentity,
    /// `CODEX_API_KEY`.
    ApiKey,
    /// `CODEX_ACCESS_TOKEN`.
    AccessToken,
    /// What a login has stored, and where.
    Store(Place),
}

/// What a home holds, as far as it matters here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stored {
    /// Where it lies.
    pub place: Place,
    /// The name of its provider.
    pub provider: String,
    /// Whether it is a credential of OpenAI, or of a server that speaks its dialect.
    pub is_openai: bool,
}

impl Precedence {
    /// Decides, in Codex's order: a workload identity, `CODEX_API_KEY`, `CODEX_ACCESS_TOKEN`, what is stored. All
    /// commands agree: what `token` hands out is what `status` shows. (Codex reads `CODEX_API_KEY` in `exec` alone.)
    ///
    /// The variables hold credentials of OpenAI. They win over a login to OpenAI, not over one to another provider,
    /// and where a provider was asked for by name only its own credentials count.
    ///
    /// # Errors
    /// [`Misused::Variable`](crate::Misused::Variable) where half a workload identity would win.
    pub fn of(configuration: &Configuration, stored: Option<&Stored>) -> Result<Self, Error> {
        let asked = "it was asked for by name";
        if let Some(Wanted::ModelProvider(provider)) = &configuration.wanted
            && HOMES
            && !provider.requires_openai_auth
        {
            return Ok(Self::won(Source::ModelProvider(provider.id.clone()), Vec::new(), asked.to_owned()));
        }
        let provider = &configuration.provider;
        if let Some(grant) = provider.grant.as_ref().filter(|_| HOMES) {
            let why = format!("`{}` gives tokens to programs ({})", provider.name, grant.name());
            return Ok(Self::won(Source::Grant(provider.name.clone()), Vec::new(), why));
        }
        let is_meant = |stored: &&Stored| configuration.wanted.is_none() || configuration.wants(stored);
        let stored = stored.filter(is_meant);
        let variables = if provider.is_openai() { variables(configuration) } else { Vec::new() };
        match stored {
            Some(Stored { place, provider, is_openai: false }) => {
                let why = match (&configuration.wanted, variables.is_empty()) {
                    (Some(_), _) => asked.to_owned(),
                    (None, true) => "nothing in the environment stands before it".to_owned(),
                    (None, false) => format!("it is a login to {provider}, and the variables are for OpenAI"),
                };
                Ok(Self::won(Source::Store(*place), variables, why))
            }
            stored => {
                if provider.is_openai() {
                    configuration.environment.federation()?;
                }
                let mut sources = variables;
                sources.extend(stored.map(|stored| Source::Store(stored.place)));
                let Some((winner, shadowed)) = sources.split_first() else {
                    return Ok(Self { why: "there is no credential".to_owned(), ..Self::default() });
                };
                Ok(Self::won(winner.clone(), shadowed.to_vec(), winner.reason().to_owned()))
            }
        }
    }

    fn won(winner: Source, shadowed: Vec<Source>, why: String) -> Self {
        Self { winner: Some(winner), shadowed, why }
    }

    /// What a person should know: that a credential of theirs is passed over.
    pub(crate) fn warning(&self) -> Option<Report> {
        let winner = self.winner.as_ref().filter(|_| !self.shadowed.is_empty())?;
        let passed_over: Vec<_> = self.shadowed.iter().map(Source::name).collect();
        Some(Report {
            code: "shadowed".to_owned(),
            message: format!("{} is used, and not {}", winner.name(), passed_over.join(" or ")),
            help: winner.variable().map(|variable| format!("unset {variable} to use what it shadows")),
        })
    }
}

impl Source {
    /// The environment variable that it is in, or begins with.
    pub fn variable(&self) -> Option<&'static str> {
        match self {
            Self::WorkloadIdentity => Some(FEDERATION_RULE_ID),
            Self::ApiKey => Some(API_KEY),
            Self::AccessToken => Some(ACCESS_TOKEN),
            Self::ModelProvider(_) | Self::Grant(_) | Self::Store(_) => None,
        }
    }

    /// What it is called in a sentence.
    pub fn name(&self) -> String {
        match self {
            Self::ModelProvider(id) => format!("the credential of the model provider `{id}`"),
            Self::Grant(provider) => format!("a token of `{provider}` for programs"),
            Self::WorkloadIdentity => "the workload identity (OPENAI_FEDERATION_RULE_ID)".to_owned(),
            Self::ApiKey => API_KEY.to_owned(),
            Self::AccessToken => ACCESS_TOKEN.to_owned(),
            Self::Store(_) => "the login that is stored".to_owned(),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::WorkloadIdentity => "a workload identity comes before everything else",
            Self::ApiKey => "an API key in the environment comes before an access token and before a login",
            Self::AccessToken => "an access token in the environment comes before a login",
            Self::Store(_) => "nothing in the environment stands before it",
            Self::ModelProvider(_) | Self::Grant(_) => "it was asked for by name",
        }
    }
}

impl Stored {
    /// What was read from a home; `None` where it holds nothing that anybody could use.
    pub(crate) fn of(held: &Held, configuration: &Configuration) -> Option<Self> {
        let record = held.record.as_ref().ok()?.as_ref()?;
        let openai = || ("openai".to_owned(), true);
        let (provider, is_openai) = match record.credential() {
            Credential::Nothing => return None,
            Credential::ApiKey(_) | Credential::Other(_) => openai(),
            Credential::AccessToken(_) => match held.sidecar.provider_name() {
                Some(name) => (name.clone(), name == "openai"),
                None => openai(),
            },
            Credential::Tokens(tokens) => {
                let provider = provider_of(tokens, &held.sidecar, configuration);
                let is_openai = provider.is_openai();
                (provider.name, is_openai)
            }
        };
        Some(Self { place: held.place, provider, is_openai })
    }
}

impl Configuration {
    /// Whether what is stored is of the provider that was asked for.
    fn wants(&self, stored: &Stored) -> bool {
        if self.provider.is_openai() { stored.is_openai } else { stored.provider == self.provider.name }
    }

    /// What a person should know who has signed in: that variables win over what is stored now.
    pub(crate) fn shadow(&self, stored: Option<&Stored>) -> Option<Report> {
        let precedence = Precedence::of(self, stored).ok()?;
        precedence.winner.as_ref().and_then(Source::variable).and_then(|_| precedence.warning())
    }

    /// The variable that gives a credential where nothing is stored.
    pub(crate) fn variable_alone(&self) -> Option<&'static str> {
        Precedence::of(self, None).ok()?.winner?.variable()
    }

    /// What a person should know who has signed out: that a variable goes on giving a credential.
    pub(crate) fn shadow_alone(&self) -> Option<Report> {
        let variable = self.variable_alone()?;
        Some(Report {
            code: "still_given".to_owned(),
            message: format!("{variable} is set, and goes on to give a credential"),
            help: Some(format!("unset {variable}")),
        })
    }
}

/// The credentials in variables, most important first.
fn variables(configuration: &Configuration) -> Vec<Source> {
    let environment = &configuration.environment;
    let mut sources = Vec::new();
    if environment.get(FEDERATION_RULE_ID).is_some() {
        sources.push(Source::WorkloadIdentity);
    }
    for (name, source) in [(API_KEY, Source::ApiKey), (ACCESS_TOKEN, Source::AccessToken)] {
        if environment.get(name).is_some() {
            sources.push(source);
        }
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::IDENTITY_TOKEN_FILE;
    use crate::{Environment, Grant, GrantType, ModelProvider, Provider, Secret};

    const ALL: [&str; 4] = [FEDERATION_RULE_ID, IDENTITY_TOKEN_FILE, API_KEY, ACCESS_TOKEN];
    const STORE: Source = Source::Store(Place::File);

    fn configuration(variables: &[&str]) -> Configuration {
        let variables = variables.iter().map(|name| ((*name).to_owned(), Secret::new("/value"))).collect();
        let environment = Environment { variables, ..Environment::default() };
        Configuration { environment, ..Configuration::new(Provider::openai()) }
    }

    fn stored(provider: &str) -> Stored {
        Stored { place: Place::File, provider: provider.to_owned(), is_openai: provider == "openai" }
    }

    fn decided(configuration: &Configuration, stored: Option<&Stored>) -> (Option<Source>, Vec<Source>) {
        let precedence = Precedence::of(configuration, stored).unwrap();
        assert!(!precedence.why.is_empty());
        (precedence.winner, precedence.shadowed)
    }

    #[test]
    fn the_order_is_the_one_of_codex() {
        let openai = stored("openai");
        let order = [Source::WorkloadIdentity, Source::ApiKey, Source::AccessToken, STORE];
        // Every combination of the four that there can be.
        for present in 0_u8..16 {
            let is = |at: usize| present & (1 << at) != 0;
            let mut variables = Vec::new();
            if is(0) {
                variables.extend(&ALL[..2]);
            }
            variables.extend((1..3).filter(|at| is(*at)).map(|at| ALL[at + 1]));
            let mut expected = (0..4).filter(|at| is(*at)).map(|at| order[at].clone());
            let found = decided(&configuration(&variables), is(3).then_some(&openai));
            assert_eq!(found.0, expected.next(), "{variables:?}");
            assert_eq!(found.1, expected.collect::<Vec<_>>(), "{variables:?}");
        }
    }

    #[test]
    fn half_a_workload_identity_is_never_passed_over() {
        let openai = stored("openai");
        for half in &ALL[..2] {
            for more in [&[][..], &ALL[2..]] {
                let mut variables = more.to_vec();
                variables.push(half);
                for stored in [None, Some(&openai)] {
                    let error = Precedence::of(&configuration(&variables), stored).unwrap_err();
                    assert_eq!(error.code(), "invalid_variable", "{variables:?}");
                }
            }
        }
    }

    #[test]
    fn variables_of_openai_do_not_win_over_a_login_elsewhere() {
        let corporate = stored("corporate");
        assert_eq!(decided(&configuration(&[]), Some(&corporate)), (Some(STORE), Vec::new()));
        let shadowed = [Source::WorkloadIdentity, Source::ApiKey, Source::AccessToken].to_vec();
        assert_eq!(decided(&configuration(&ALL), Some(&corporate)), (Some(STORE), shadowed));
        let half = decided(&configuration(&ALL[1..2]), Some(&corporate));
        assert_eq!(half, (Some(STORE), Vec::new()), "half an identity of OpenAI is nobody's business here");
        let elsewhere = Provider { name: "corporate".to_owned(), ..Provider::discovered("https://id.example", "app") };
        let library = Configuration { provider: elsewhere, ..configuration(&ALL) };
        assert_eq!(decided(&library, None), (None, Vec::new()));
    }

    #[test]
    fn who_is_asked_for_by_name_answers_with_what_is_theirs() {
        let elsewhere =
            |name: &str| Provider { name: name.to_owned(), ..Provider::discovered("https://id.example", "app") };
        let (openai, corporate) = (stored("openai"), stored("corporate"));
        let named =
            |provider: Provider| Configuration { provider, wanted: Some(Wanted::Provider), ..configuration(&ALL) };
        assert_eq!(decided(&named(elsewhere("corporate")), Some(&corporate)), (Some(STORE), Vec::new()));
        assert_eq!(decided(&named(elsewhere("corporate")), Some(&openai)), (None, Vec::new()));
        assert_eq!(decided(&named(Provider::openai()), Some(&corporate)).0, Some(Source::WorkloadIdentity));
        let nothing_set = Configuration { environment: Environment::default(), ..named(Provider::openai()) };
        assert_eq!(decided(&nothing_set, Some(&corporate)), (None, Vec::new()));
        let grant = Some(Grant::new(GrantType::TokenExchange));
        let ci = named(Provider { grant, ..elsewhere("ci") });
        assert_eq!(decided(&ci, Some(&openai)), (Some(Source::Grant("ci".to_owned())), Vec::new()));
        let model = |requires_openai_auth| Configuration {
            wanted: Some(Wanted::ModelProvider(ModelProvider {
                id: "px".to_owned(),
                requires_openai_auth,
                ..ModelProvider::default()
            })),
            ..configuration(&ALL[2..])
        };
        assert_eq!(decided(&model(false), Some(&openai)).0, Some(Source::ModelProvider("px".to_owned())));
        assert_eq!(decided(&model(true), Some(&openai)).0, Some(Source::ApiKey));
    }

    #[test]
    fn what_is_passed_over_is_said() {
        let openai = stored("openai");
        let warning = |variables: &[&str]| {
            let precedence = Precedence::of(&configuration(variables), Some(&openai)).unwrap();
            precedence.warning().map(|report| report.message)
        };
        assert_eq!(warning(&[]), None);
        assert_eq!(warning(&ALL[3..]).unwrap(), "CODEX_ACCESS_TOKEN is used, and not the login that is stored");
        assert_eq!(
            warning(&ALL[2..]).unwrap(),
            "CODEX_API_KEY is used, and not CODEX_ACCESS_TOKEN or the login that is stored"
        );
        assert_eq!(configuration(&ALL).shadow(Some(&openai)).unwrap().code, "shadowed");
        assert_eq!(configuration(&ALL[2..]).shadow_alone().unwrap().help.unwrap(), "unset CODEX_API_KEY");
        assert_eq!(configuration(&[]).shadow_alone(), None);
        assert_eq!(configuration(&ALL).shadow(Some(&stored("corporate"))), None);
        assert_eq!(configuration(&[]).shadow(Some(&openai)), None);
    }
}
