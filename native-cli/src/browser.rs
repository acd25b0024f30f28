//! Opens a page in the person's browser.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::http::Address;
use crate::surroundings::Surroundings;

/// The longest address that every platform passes on whole.
const LONGEST: usize = 8000;
/// How long a program may take to say that it failed.
const PATIENCE: Duration = Duration::from_millis(500);
/// Credentials in the environment are no business of a browser.
const WITHHELD: [&str; 4] = ["CODEX_AUTH_JSON", "CODEX_API_KEY", "CODEX_ACCESS_TOKEN", "OPENAI_API_KEY"];

/// Opens `url` in a browser and does not wait for it.
///
/// `program` is the value of `$BROWSER`: programs to try in turn, separated as in `PATH`, each with arguments if
/// need be, `%s` standing for the address (else it is the last argument). Without one the platform's own opener is
/// taken. No shell is ever involved.
///
/// # Errors
///
/// A clause that says why nothing was opened: the address is none to open (only `https`, and `http` on a loopback
/// address, and nothing that any program could read as more than an address), or no program took it.
pub fn open(url: &str, program: Option<&OsStr>) -> Result<(), String> {
    check(url).map_err(|why| format!("the address {why}"))?;
    let candidates = match program.filter(|program| !program.is_empty()) {
        Some(program) => chosen(program, url),
        None => usual(url),
    };
    let mut reasons = Vec::new();
    for candidate in candidates {
        match start(&candidate) {
            Ok(()) => return Ok(()),
            Err(why) => reasons.push(why),
        }
    }
    if reasons.is_empty() {
        return Err("no program that opens a browser was found".into());
    }
    Err(reasons.join("; "))
}

/// Whether every program that may see the address takes it for one, and for nothing else.
fn check(url: &str) -> Result<(), &'static str> {
    Address::parse(url)?;
    if url.len() > LONGEST {
        return Err("is too long to be handed on");
    }
    if url.bytes().any(|byte| b"'$();!".contains(&byte)) {
        return Err("has characters that a shell could understand");
    }
    let mut rest = url.as_bytes();
    while let Some(start) = rest.iter().position(|byte| *byte == b'%') {
        rest = rest.get(start + 1..).unwrap_or_default();
        let escaped = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if !byte.is_ascii_control() => {}
            _ => return Err("has an escape that stands for no printable character"),
        }
    }
    Ok(())
}

/// A program and its arguments.
type Invocation = Vec<OsString>;

/// What `$BROWSER` asks for.
fn chosen(program: &OsStr, url: &str) -> Vec<Invocation> {
    let invocation = |entry: &OsStr| -> Option<Invocation> {
        // A path with spaces in it is one program, not a program and arguments.
        let mut words: Invocation = match entry.to_str() {
            Some(text) if !Path::new(entry).is_file() => text.split_whitespace().map(Into::into).collect(),
            _ => vec![entry.to_owned()],
        };
        if words.first().is_none_or(|program| program.to_string_lossy().starts_with('-')) {
            return None;
        }
        let mut is_placed = false;
        for word in words.iter_mut().skip(1) {
            if let Some(text) = word.to_str().filter(|text| text.contains("%s")) {
                *word = text.replace("%s", url).into();
                is_placed = true;
            }
        }
        if !is_placed {
            words.push(url.into());
        }
        Some(words)
    };
    // As in PATH: colons on Unix, semicolons on Windows.
    env::split_paths(program).filter_map(|entry| invocation(entry.as_os_str())).collect()
}

/// The programs that are there to open pages: those that `$BROWSER` names, or else the platform's own.
pub(crate) fn programs(program: Option<&OsStr>) -> Vec<String> {
    let is_there = |program: &Path| {
        let path = env::var_os("PATH").unwrap_or_default();
        // What has a folder in its name is not looked for.
        let is_plain = program.components().count() == 1;
        if is_plain { env::split_paths(&path).any(|folder| folder.join(program).is_file()) } else { program.is_file() }
    };
    let candidates = program.map_or_else(|| usual(""), |program| chosen(program, ""));
    let programs = candidates.iter().filter_map(|invocation| invocation.first());
    programs
        .filter(|program| is_there(Path::new(program)))
        .map(|program| program.to_string_lossy().into_owned())
        .collect()
}

/// What the platform opens pages with.
fn usual(url: &str) -> Vec<Invocation> {
    let mut invocations: Vec<Vec<OsString>> = Vec::new();
    let mut add = |program: PathBuf, arguments: &[&str]| {
        let arguments = arguments.iter().map(OsString::from);
        invocations.push(std::iter::once(program.into_os_string()).chain(arguments).collect());
    };
    if cfg!(target_os = "macos") {
        add("/usr/bin/open".into(), &[url]);
    } else if cfg!(windows) {
        let root = env::var_os("SystemRoot").unwrap_or_else(|| r"C:\Windows".into());
        add(Path::new(&root).join("System32").join("rundll32.exe"), &["url.dll,FileProtocolHandler", url]);
    } else {
        let path = env::var_os("PATH").unwrap_or_default();
        let find = |name: &str| {
            env::split_paths(&path)
                .filter(|folder| folder.is_absolute())
                .map(|folder| folder.join(name))
                .find(|candidate| candidate.is_file())
        };
        if Surroundings::look().wsl {
            if let Some(program) = find("wslview") {
                add(program, &[url]);
            }
            let windows = PathBuf::from("/mnt/c/Windows/System32/rundll32.exe");
            if windows.is_file() {
                add(windows, &["url.dll,FileProtocolHandler", url]);
            }
        }
        for (name, arguments) in
            [("xdg-open", &[url][..]), ("gio", &["open", url]), ("kde-open", &[url]), ("x-www-browser", &[url])]
        {
            if let Some(program) = find(name) {
                add(program, arguments);
            }
        }
    }
    invocations
}

/// Starts a program on its own and gives it a moment to fail.
fn start(invocation: &[OsString]) -> Result<(), String> {
    let Some((program, arguments)) = invocation.split_first() else { return Err("there is no program".into()) };
    let name = program.to_string_lossy();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for variable in WITHHELD {
        command.env_remove(variable);
    }
    detach(&mut command);
    let mut child = command.spawn().map_err(|error| format!("{name} cannot be started ({error})"))?;
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("{name} did not open it ({status})")),
            Ok(None) => thread::sleep(Duration::from_millis(10)),
            Err(_) => break,
        }
    }
    reap(child);
    Ok(())
}

/// Waits for the browser elsewhere, so that no zombie is left.
fn reap(mut child: Child) {
    thread::spawn(move || drop(child.wait()));
}

/// Ctrl-C in this terminal is not meant for the browser.
#[cfg(unix)]
fn detach(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(windows)]
fn detach(command: &mut Command) {
    use std::os::windows::process::CommandExt;
    const DETACHED_PROCESS: u32 = 0x0000_0008;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
    command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
}
