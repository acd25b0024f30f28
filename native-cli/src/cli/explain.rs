//! `hallpass explain`

use std::env;
use std::process::ExitCode;

use hallpass::profiles::Chosen;
use hallpass::requirements::Requirements;
use hallpass_core::settings::{Explained, Origin, Setting};
use hallpass_core::{Error, Policy, Provider, Report, Source, Status, StatusRequest};
use serde_json::{Value, json};

use super::arguments::{self, Global};
use super::failure::Failure;
use super::person::Bystander;
use super::report::{Voice, document, tell, warn_of};
use super::session::Session;
use super::status::headline;
use super::text::safe;

pub(super) fn run(global: &Global, arguments: &arguments::Explain, voice: Voice) -> Result<ExitCode, Failure> {
    let explanation = Explanation::of(global, voice)?;
    if arguments.json {
        document(&explanation.json())?;
    } else {
        tell(&safe_lines(&explanation.lines()))?;
        warn_of(&explanation.problems);
    }
    Ok(ExitCode::SUCCESS)
}

/// What is in force here, and why. No secret is in it.
struct Explanation {
    home: String,
    /// What has chosen the home.
    home_from: String,
    profile: Option<String>,
    requirements: Option<Requirements>,
    /// The administrator's file is there and cannot be used.
    is_barred: bool,
    settings: Vec<Explained>,
    providers: Vec<String>,
    credential: Option<Credential>,
    /// What would stop other commands, or is passed over by them.
    problems: Vec<Report>,
}

/// The credential that wins.
struct Credential {
    status: Status,
    /// Where it comes from: the store's place, or the name of a variable.
    from: Option<String>,
    why: String,
    /// Where those come from that would be used if this one were not there, the next one first.
    shadows: Vec<String>,
}

impl Explanation {
    fn of(global: &Global, voice: Voice) -> Result<Self, Failure> {
        let mut session = Session::open(global)?;
        let mut problems = Vec::new();
        let mut note = |error: &Error| {
            let report = error.report();
            if !problems.contains(&report) {
                problems.push(report);
            }
        };
        if let Ok(folder) = env::current_dir()
            && folder.join(".codex") != session.home
        {
            session.config.show_project(&folder).unwrap_or_else(|error| note(&error));
        }
        let requirements = Requirements::read().map_err(|error| note(&error));
        let is_barred = requirements.is_err();
        let requirements = requirements.unwrap_or_default();
        let policy = requirements.as_ref().map(|requirements| requirements.policy.clone()).unwrap_or_default();
        let providers = session.config.names().unwrap_or_default();
        let credential = credential(&session, voice).map_err(|error| note(&error)).ok();
        Ok(Self {
            home: session.home.display().to_string(),
            home_from: home_from(&session.choice.by),
            profile: session.profile(),
            requirements,
            is_barred,
            settings: session.config.settings().explain(&policy),
            providers,
            credential,
            problems,
        })
    }

    /// `{"home": {"path", "from", "profile"}, "policy": {"file", …} | null, "settings": [{"key", "value", "origin", "place",
    /// "shadows": [{"key", "value", "origin", "place"}], "problem"}], "providers": [name], "credential": {"logged_in",
    /// "method", "from", "why", "shadows": [from]} | null, "problems": [{"code", "message", "help"}]}`
    ///
    /// The members of a policy are those of [`Policy`]; a list that is `null` permits everything. A credential that is
    /// `null` could not be looked for; the problems say why.
    fn json(&self) -> Value {
        let policy = self.requirements.as_ref().map(|requirements| {
            let Policy { login_methods, workspaces, issuers, stores, forbid_plaintext, forbid_endpoint_overrides } =
                &requirements.policy;
            json!({
                "file": requirements.path.display().to_string(),
                "login_methods": login_methods,
                "workspaces": workspaces,
                "issuers": issuers,
                "stores": stores,
                "forbid_plaintext": forbid_plaintext,
                "forbid_endpoint_overrides": forbid_endpoint_overrides,
            })
        });
        let credential = self.credential.as_ref().map(|credential| {
            json!({
                "logged_in": credential.status.logged_in,
                "method": credential.status.method,
                "from": credential.from,
                "why": credential.why,
                "shadows": credential.shadows,
            })
        });
        json!({
            "home": { "path": self.home, "from": self.home_from, "profile": self.profile },
            "policy": policy,
            "settings": self.settings,
            "providers": self.providers,
            "credential": credential,
            "problems": self.problems.iter().map(super::json::entry).collect::<Value>(),
        })
    }

    fn lines(&self) -> Vec<String> {
        let profile = self.profile.as_ref().map(|name| format!(" (profile {name})")).unwrap_or_default();
        let mut lines = vec![format!("home        {}{profile}, from {}", self.home, self.home_from)];
        match &self.requirements {
            None if self.is_barred => lines.push("policy      cannot be used, so nothing is permitted".to_owned()),
            None => lines.push("policy      none".to_owned()),
            Some(requirements) => {
                lines.push(format!("policy      {}", requirements.path.display()));
                let values = requirements.settings.all().filter(|setting| setting.is_read());
                lines.extend(values.map(|setting| format!("  {} = {}", setting.key, setting.value.shown())));
            }
        }
        match &self.credential {
            None => lines.push("credential  not looked for".to_owned()),
            Some(credential) => {
                let account = credential.status.account.clone().unwrap_or_default();
                let who = match (&credential.from, credential.status.logged_in) {
                    (None, _) => "none".to_owned(),
                    (Some(_), true) => headline(&credential.status, &account),
                    (Some(_), false) => "one that is not used".to_owned(),
                };
                let from = credential.from.as_ref().map(|from| format!(", from {from}"));
                lines.push(format!("credential  {who}{}", from.unwrap_or_default()));
                lines.push(format!("            {}", credential.why));
                lines.extend(credential.shadows.iter().map(|from| format!("  shadows   {from}")));
            }
        }
        lines.push(format!("providers   {}", self.providers.join(", ")));
        for setting in &self.settings {
            let by_nobody = if setting.origin == Origin::Managed { "the policy" } else { "default" };
            let place = setting.place.as_deref().unwrap_or(by_nobody);
            lines.push(format!("{} = {}   ({place})", setting.key, setting.value));
            for shadowed in &setting.shadows {
                let Setting { value, place, .. } = shadowed;
                let loses = if shadowed.counts() { "shadows" } else { "ignores" };
                lines.push(format!("  {loses} {}   ({place})", value.shown()));
            }
            lines.extend(setting.problem.as_ref().map(|problem| format!("  problem: {problem}")));
        }
        lines
    }
}

/// What has chosen the home.
fn home_from(by: &Chosen) -> String {
    match by {
        Chosen::Home => "--home".to_owned(),
        Chosen::Profile => "--profile".to_owned(),
        Chosen::Variable => "CODEX_HOME".to_owned(),
        Chosen::Project(path) => path.display().to_string(),
        Chosen::Used => "hallpass profiles use".to_owned(),
        Chosen::Nothing => "default".to_owned(),
    }
}

/// The credential that wins, as `status` finds it.
fn credential(session: &Session, voice: Voice) -> Result<Credential, Error> {
    let configuration = session.config.configuration(&session.home, Provider::openai())?;
    let mut shell = session.shell(Bystander::new(voice));
    let status = shell.status(StatusRequest { configuration, check: false })?;
    let place = |source: &Source| match source {
        Source::Store(place) => shell.location(*place),
        source => source.variable().map_or_else(|| source.name(), ToOwned::to_owned),
    };
    let from = status.precedence.winner.as_ref().map(place);
    let shadows = status.precedence.shadowed.iter().map(place).collect();
    let why = match (&from, status.logged_in, status.warnings.first()) {
        (None, ..) => "nothing is stored, and no variable holds a credential".to_owned(),
        (Some(_), true, _) => status.precedence.why.clone(),
        (Some(_), false, Some(report)) => format!("it cannot be used: {}", report.message),
        (Some(_), false, None) => "it has expired".to_owned(),
    };
    Ok(Credential { status, from, why, shadows })
}

fn safe_lines(lines: &[String]) -> String {
    lines.iter().map(|line| safe(line)).collect::<Vec<_>>().join("\n")
}
