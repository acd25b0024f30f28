//! The manual page, written from the definition of the arguments. It is kept in `native-cli/man`, and not in the
//! program: `HALLPASS_RECORD=1 cargo test -p hallpass manual` writes it anew.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _};

use super::arguments::Arguments;

/// What stands in no definition: the end of the page.
const TAIL: &str = r#".SH EXIT STATUS
.TP
.B 0
done
.TP
.B 1
not logged in, or a login is required
.TP
.B 2
wrong usage
.TP
.B 3
forbidden by policy
.TP
.B 4
server or network: try again
.TP
.B 5
this machine: store, keyring, lock, port, browser
.TP
.B 6
refused: the person or the server finally said no
.TP
.B 130
interrupted
.SH ENVIRONMENT
.TP
.B CODEX_HOME
the home, where \fB\-\-home\fR names none
.TP
.BR CODEX_CA_CERTIFICATE ", " SSL_CERT_FILE
certificates to trust besides the system's
.TP
.BR HTTPS_PROXY ", " ALL_PROXY ", " NO_PROXY
the way to the server
.TP
.B BROWSER
what opens pages
.TP
.B NO_COLOR
where it is set, nothing is coloured
.SH FILES
.TP
.I auth.json
the credentials, in the home; the Codex CLI reads and writes the same file
.TP
.I config.toml
the configuration, in the home
.TP
.I hallpass.json
what is remembered beside the credentials; no secret is in it
"#;

fn page() -> String {
    let mut program = Arguments::command();
    program.build();
    let about = program.get_about().map(ToString::to_string).unwrap_or_default();
    let mut page = format!(
        ".\\\" Written from the definition of the arguments: see native-cli/src/cli/manual.rs.\n\
         .TH HALLPASS 1 \"\" \"hallpass {}\"\n.SH NAME\nhallpass \\- {}\n.SH SYNOPSIS\n.B hallpass\n{}\n\
         .SH DESCRIPTION\n{}\n",
        env!("CARGO_PKG_VERSION"),
        escaped(about.trim_end_matches('.').to_lowercase().as_str()),
        escaped("[OPTIONS] COMMAND"),
        escaped(&about),
    );
    example(&program, &mut page);
    page.push_str(".SH COMMANDS\n");
    for command in program.get_subcommands() {
        describe(command, "hallpass", &mut page);
    }
    page.push_str(".SH GLOBAL OPTIONS\n");
    program.get_arguments().for_each(|argument| option(argument, &mut page));
    page + TAIL
}

fn describe(command: &Command, above: &str, page: &mut String) {
    let name = format!("{above} {}", command.get_name());
    let _ = writeln!(page, ".SS {}", escaped(&name));
    if let Some(about) = command.get_about() {
        let _ = writeln!(page, "{}.", escaped(&about.to_string()));
    }
    let own = command.get_arguments().filter(|argument| !argument.is_global_set() && argument.get_id() != "help");
    own.for_each(|argument| option(argument, page));
    example(command, page);
    for command in command.get_subcommands() {
        describe(command, &name, page);
    }
}

fn option(argument: &Arg, page: &mut String) {
    if argument.is_hide_set() {
        return;
    }
    let names: Vec<_> = argument
        .get_short()
        .map(|short| format!("-{short}"))
        .into_iter()
        .chain(argument.get_long().map(|long| format!("--{long}")))
        .collect();
    let takes_value = argument.get_action().takes_values();
    let values: Vec<_> = argument.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
    let values = if takes_value { values.join(" ") } else { String::new() };
    let head = if names.is_empty() { values } else { format!("{} {values}", names.join(", ")) };
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(page, ".TP\n.B {}\n{}", escaped(head.trim()), escaped(&help));
}

/// What stands below a help page, as it is.
fn example(command: &Command, page: &mut String) {
    if let Some(text) = command.get_after_help() {
        let _ = writeln!(page, ".PP\n.nf\n{}\n.fi", escaped(&text.to_string()));
    }
}

/// A text in which nothing commands the typesetter.
fn escaped(text: &str) -> String {
    let line = |line: &str| {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_manual_page_is_up_to_date() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("man/hallpass.1");
    if std::env::var_os("HALLPASS_RECORD").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page(), "run `HALLPASS_RECORD=1 cargo test -p hallpass manual`, and look at the difference");
}

#[test]
fn every_command_and_option_is_in_it() {
    let page = page();
    let mut all = vec![Arguments::command()];
    while let Some(mut command) = all.pop() {
        command.build();
        let names = command.get_arguments().filter(|argument| !argument.is_hide_set());
        for long in names.filter_map(Arg::get_long) {
            assert!(page.contains(&escaped(&format!("--{long}"))), "--{long}");
        }
        all.extend(command.get_subcommands().cloned());
    }
    for line in page.lines().filter(|line| line.starts_with('.')) {
        let known = [".TH ", ".SH ", ".SS ", ".TP", ".B ", ".BR ", ".I ", ".PP", ".nf", ".fi", ".\\\""];
        assert!(known.iter().any(|macro_name| line.starts_with(macro_name)), "{line}");
    }
}
