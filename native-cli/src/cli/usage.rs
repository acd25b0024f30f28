//! What cannot be understood of the arguments, said as any other error.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory as _, Error};

use super::arguments::Arguments;
use super::failure::Failure;

/// What is wrong with these arguments.
pub(super) fn misunderstanding(error: &Error, arguments: &[OsString]) -> Failure {
    let definition = Arguments::command();
    let command = arguments.iter().skip(1).find_map(|argument| definition.find_subcommand(argument));
    let command = command.map(Command::get_name);
    if command == Some("login") && holds_a_value(error) {
        return Failure::usage(
            "`hallpass login` takes no key, token or secret as an argument: other programs could read it there",
            "pipe it in, as in `printenv OPENAI_API_KEY | hallpass login --with-api-key`",
        );
    }
    let page = command.map(|name| format!("{name} ")).unwrap_or_default();
    let page = format!("`hallpass {page}--help`");
    let help = suggestion(error)
        .map_or_else(|| format!("see {page}"), |suggestion| format!("did you mean `{suggestion}`? See {page}"));
    Failure::usage(message(error), &help)
}

/// Its first paragraph, on one line.
fn message(error: &Error) -> String {
    let text = error.to_string();
    let paragraph = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect::<Vec<_>>().join(" ");
    paragraph.trim_start_matches("error: ").replace('\'', "`")
}

/// Whether it is about something that is no option: a secret may stand there, and must not be repeated.
fn holds_a_value(error: &Error) -> bool {
    if error.kind() == ErrorKind::TooManyValues {
        return true;
    }
    [ContextKind::InvalidSubcommand, ContextKind::InvalidArg]
        .into_iter()
        .filter_map(|kind| text(error, kind))
        .any(|text| !text.starts_with(['-', '<']))
}

fn suggestion(error: &Error) -> Option<String> {
    [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue]
        .into_iter()
        .find_map(|kind| text(error, kind))
}

fn text(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn said(line: &str) -> (String, String) {
        let arguments: Vec<OsString> = line.split(' ').map(Into::into).collect();
        let error = Arguments::try_parse_from(&arguments).unwrap_err();
        let failure = misunderstanding(&error, &arguments);
        assert_eq!(failure.exit_code(), 2);
        let report = failure.report().unwrap();
        (report.message, report.help.unwrap())
    }

    #[test]
    fn a_mistake_and_the_page_that_helps_are_named() {
        for (line, message, help) in [
            ("hallpass statsu", "unrecognized subcommand `statsu`", "did you mean `status`? See `hallpass --help`"),
            (
                "hallpass --profil work",
                "unexpected argument `--profil` found",
                "did you mean `--profile`? See `hallpass --help`",
            ),
            ("hallpass logout --zone", "unexpected argument `--zone` found", "see `hallpass logout --help`"),
            (
                "hallpass login --with-api-key --with-access-token",
                "the argument `--with-api-key` cannot be used with `--with-access-token`",
                "see `hallpass login --help`",
            ),
            (
                "hallpass token --min-ttl soon",
                "invalid value `soon` for `--min-ttl <SECONDS>`: it is not a whole number",
                "see `hallpass token --help`",
            ),
            (
                "hallpass login --port 70000",
                "invalid value `70000` for `--port <N>`: it is not a whole number up to 65535",
                "see `hallpass login --help`",
            ),
            (
                "hallpass status --store disk",
                "invalid value `disk` for `--store <STORE>` [possible values: file, keyring, auto, ephemeral]",
                "see `hallpass status --help`",
            ),
            (
                "hallpass completions",
                "the following required arguments were not provided: <SHELL>",
                "see `hallpass completions --help`",
            ),
        ] {
            assert_eq!(said(line), (message.to_owned(), help.to_owned()), "{line}");
        }
    }

    #[test]
    fn a_secret_among_the_arguments_is_not_repeated() {
        for line in [
            "hallpass login sk-canary",
            "hallpass login --with-api-key sk-canary",
            "hallpass --quiet login --with-access-token sk-canary",
            "hallpass login --with-api-key=sk-canary",
            "hallpass login --api-key sk-canary",
            "hallpass login --api-key=sk-canary",
        ] {
            let (message, help) = said(line);
            assert!(!format!("{message} {help}").contains("sk-canary"), "{line}: {message}");
        }
        assert!(said("hallpass login --with-api-key sk-canary").1.starts_with("pipe it in"));
    }
}
