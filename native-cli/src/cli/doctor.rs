//! `hallpass doctor`

use std::process::ExitCode;

use hallpass::doctor::{Case, Finding, Group, Level, examine};
use hallpass_core::{Configuration, Provider, Report, Status, StatusRequest};

use super::arguments::{Doctor, Global};
use super::failure::{self, Failure};
use super::person::Bystander;
use super::report::{Voice, document, tell};
use super::session::Session;
use super::text::safe;

pub(super) fn run(global: &Global, arguments: &Doctor, voice: Voice) -> Result<ExitCode, Failure> {
    let mut findings = Vec::new();
    let case = match gather(global, voice) {
        Ok(case) => Case { offline: arguments.offline, ..case },
        Err(failure) => {
            // What stands in the way of every command is the first finding; the machine is looked at all the same.
            let Some(report) = failure.report() else { return Err(failure) };
            let is_forbidden = failure.exit_code() == failure::FORBIDDEN;
            let group = if is_forbidden { Group::Policy } else { Group::Home };
            findings.push(Finding { group, level: Level::Problem, report: report.clone() });
            Case {
                home: None,
                configuration: Configuration::new(Provider::openai()),
                status: Ok(Status::default()),
                offline: arguments.offline,
            }
        }
    };
    let found = examine(&case).into_iter();
    // Without a home nobody can be signed in, which is no news.
    findings.extend(found.filter(|finding| case.home.is_some() || finding.group != Group::Credential));
    if arguments.json {
        document(&super::json::diagnosis(&findings))?;
    } else {
        tell(&page(&findings, voice.quiet).join("\n"))?;
    }
    let worst = findings.iter().find(|finding| finding.level == Level::Problem);
    Ok(ExitCode::from(worst.map_or(0, |problem| exit_code(problem.group))))
}

/// The home, its configuration, and what it says about who is signed in.
fn gather(global: &Global, voice: Voice) -> Result<Case, Failure> {
    let session = Session::open(global)?;
    let mut configuration = session.configuration(Provider::openai())?;
    let request = StatusRequest { configuration: configuration.clone(), check: false };
    let status = session.shell(Bystander::new(voice)).status(request);
    if let Some(provider) = status.as_ref().ok().and_then(|status| provider(&session, status)) {
        configuration.provider = provider;
    }
    Ok(Case { home: Some(session.home.clone()), configuration, status, offline: false })
}

/// The provider of whoever is signed in.
fn provider(session: &Session, status: &Status) -> Option<Provider> {
    let issuer = status.issuer.as_deref()?;
    let known = status.provider.as_deref().and_then(|name| session.config.provider(name).ok());
    let provider = known.unwrap_or_else(|| Provider::discovered(issuer, ""));
    Some(if provider.issuer == issuer { provider } else { provider.at(issuer) })
}

/// What a problem of this kind would end other commands with.
fn exit_code(group: Group) -> u8 {
    match group {
        Group::Credential => failure::LOGIN_REQUIRED,
        Group::Policy => failure::FORBIDDEN,
        Group::Network => failure::UNAVAILABLE,
        Group::Home | Group::SignIn | Group::Environment => failure::LOCAL,
    }
}

/// The findings under the names of their groups, and how many of them ask for something.
fn page(findings: &[Finding], is_quiet: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut group = None;
    for finding in findings.iter().filter(|finding| !is_quiet || finding.level >= Level::Warning) {
        if group.replace(finding.group) != Some(finding.group) {
            lines.push(title(finding.group).to_owned());
        }
        let Report { code, message, .. } = &finding.report;
        // The code is what the documentation is sorted by.
        let sentence = if finding.level == Level::Ok { message.clone() } else { format!("{message} [{code}]") };
        lines.push(line(name(finding.level), &sentence));
        lines.extend(finding.report.help.as_ref().map(|help| line("help", help)));
    }
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    lines.push(match (count(Level::Problem), count(Level::Warning)) {
        (0, 0) => "No problem was found.".to_owned(),
        (problems, warnings) => format!("{} and {}.", counted(problems, "problem"), counted(warnings, "warning")),
    });
    lines
}

fn line(kind: &str, sentence: &str) -> String {
    format!("  {:<8}  {}", format!("{kind}:"), safe(sentence))
}

/// The group's name, for people and for programs.
pub(super) fn title(group: Group) -> &'static str {
    match group {
        Group::Home => "Home",
        Group::Credential => "Credential",
        Group::SignIn => "Sign-in",
        Group::Network => "Network",
        Group::Policy => "Policy",
        Group::Environment => "Environment",
    }
}

/// The level's name, for people and for programs.
pub(super) fn name(level: Level) -> &'static str {
    match level {
        Level::Ok => "ok",
        Level::Note => "note",
        Level::Warning => "warning",
        Level::Problem => "problem",
    }
}

fn counted(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_core::Report;

    fn finding(group: Group, level: Level, help: Option<&str>) -> Finding {
        let report = Report { code: "x".into(), message: "so it is\u{1b}[2J".into(), help: help.map(Into::into) };
        Finding { group, level, report }
    }

    #[test]
    fn a_page_is_read_from_top_to_bottom() {
        let findings = [
            finding(Group::Home, Level::Ok, None),
            finding(Group::Home, Level::Problem, Some("run `x`")),
            finding(Group::Network, Level::Warning, None),
        ];
        let expected = "\
Home
  ok:       so it is[2J
  problem:  so it is[2J [x]
  help:     run `x`
Network
  warning:  so it is[2J [x]
1 problem and 1 warning.";
        assert_eq!(page(&findings, false).join("\n"), expected);
        assert!(!page(&findings, true).join("\n").contains("ok:"));
        assert_eq!(page(&findings[..1], true), ["No problem was found."]);
    }
}
