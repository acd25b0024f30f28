//! Runs the commands that print a token.

use std::env;
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use hallpass_core::{Command, Event, Secret};
use zeroize::Zeroizing;

/// The most that a command may print.
const MOST: usize = 64 * 1024;
/// How often a running command is looked at.
const GLANCE: Duration = Duration::from_millis(10);
/// How long its output is waited for once it has ended: something it started may hold the pipe open.
const AFTERMATH: Duration = Duration::from_millis(500);
/// The variable with the seed of a CI job: a credential of its own, and no business of a command.
pub const WITHHELD: &str = "CODEX_AUTH_JSON";

/// Runs a command and reads what it prints: `Ran` with its status, or `RunFailed`.
///
/// No shell is involved: a bare name is looked up in `PATH`, a relative path is taken from the command's folder.
/// The command reads nothing (its input is empty), what it writes to its error output is thrown away, and it runs in
/// a process group of its own, which is killed when the deadline passes, when it prints more than 64 KiB, or when
/// `cancelled` says so (then `Cancelled`).
pub fn run(command: &Command, cancelled: &(dyn Fn() -> bool + Sync)) -> Event {
    let name = printable(&command.program);
    match attempt(command, cancelled) {
        Ok(event) => event,
        Err(why) => Event::RunFailed { detail: format!("the command {name} {why}") },
    }
}

fn attempt(command: &Command, cancelled: &(dyn Fn() -> bool + Sync)) -> Result<Event, String> {
    let directory = command.directory.as_deref().map(Path::new);
    let program = find(&command.program, directory, env::var_os("PATH"))?;
    trust(&program)?;
    let mut builder = std::process::Command::new(program);
    builder.args(&command.arguments).env_remove(WITHHELD);
    builder.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    if let Some(directory) = directory {
        builder.current_dir(directory);
    }
    in_its_own_group(&mut builder);
    let begin = Instant::now();
    let mut child = builder.spawn().map_err(|error| format!("cannot be started: {error}"))?;
    let Some(output) = child.stdout.take() else { return Err("has no output".into()) };
    let output = collect(output);
    let outcome = watch(&mut child, &output, begin, Duration::from_millis(command.deadline), cancelled);
    if !matches!(outcome, Ok(Event::Ran { .. })) {
        kill(&mut child);
    }
    outcome
}

fn watch(
    child: &mut Child,
    output: &Receiver<Output>,
    begin: Instant,
    deadline: Duration,
    cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<Event, String> {
    let mut printed = Zeroizing::new(Vec::with_capacity(MOST));
    let mut ended: Option<(i32, Instant)> = None;
    let mut is_complete = false;
    loop {
        if cancelled() {
            return Ok(Event::Cancelled);
        }
        if begin.elapsed() >= deadline {
            return Err(format!("did not end within {} ms", deadline.as_millis()));
        }
        match output.recv_timeout(GLANCE) {
            Ok(Output::Part(part)) if printed.len() + part.len() > MOST => {
                return Err("printed more than 64 KiB".into());
            }
            Ok(Output::Part(part)) => printed.extend_from_slice(&part),
            Ok(Output::Failed(error)) => return Err(format!("cannot be read: {error}")),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                is_complete = true;
                if ended.is_none() {
                    thread::sleep(GLANCE);
                }
            }
        }
        if ended.is_none() {
            let status = child.try_wait().map_err(|error| format!("cannot be waited for: {error}"))?;
            if let Some(status) = status {
                let status = status.code().ok_or_else(|| format!("was ended from outside ({status})"))?;
                ended = Some((status, Instant::now()));
            }
        }
        if let Some((status, since)) = ended
            && (is_complete || since.elapsed() > AFTERMATH)
        {
            let text = std::str::from_utf8(&printed).map_err(|_| "printed something that is not text".to_owned())?;
            return Ok(Event::Ran { status, output: Secret::new(text) });
        }
    }
}

enum Output {
    Part(Zeroizing<Vec<u8>>),
    Failed(io::Error),
}

/// Reads on a thread of its own, to the end or until nobody wants more.
fn collect(mut pipe: impl Read + Send + 'static) -> Receiver<Output> {
    let (parts, received) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut buffer = Zeroizing::new([0; 8192]);
        loop {
            let output = match pipe.read(buffer.as_mut_slice()) {
                Ok(0) => return,
                Ok(amount) => Output::Part(Zeroizing::new(buffer.get(..amount).unwrap_or_default().to_vec())),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Output::Failed(error),
            };
            if parts.send(output).is_err() {
                return;
            }
        }
    });
    received
}

/// The file to run. A bare name is only looked for in the absolute folders of `PATH`, never in the current one.
fn find(program: &str, directory: Option<&Path>, path: Option<OsString>) -> Result<PathBuf, String> {
    if program.is_empty() || program.contains('\0') {
        return Err("has no proper name".into());
    }
    let given = Path::new(program);
    if given.is_absolute() {
        return Ok(given.to_owned());
    }
    if program.contains('/') || (cfg!(windows) && program.contains('\\')) {
        let base = match directory {
            Some(directory) => directory.to_owned(),
            None => env::current_dir().map_err(|error| format!("cannot be found: {error}"))?,
        };
        return Ok(base.join(given));
    }
    let path = path.unwrap_or_default();
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .flat_map(|folder| endings().iter().map(move |ending| folder.join(format!("{program}{ending}"))))
        .find(|candidate| is_program(candidate))
        .ok_or_else(|| "is not found in PATH".to_owned())
}

#[cfg(unix)]
fn endings() -> &'static [&'static str] {
    &[""]
}

#[cfg(not(unix))]
fn endings() -> &'static [&'static str] {
    &[".exe", ".cmd", ".bat", ""]
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// Refuses what everybody on this machine could have put there or changed.
#[cfg(unix)]
fn trust(program: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    const EVERYBODY: u32 = 0o002;
    const STICKY: u32 = 0o1000;
    let mode = |path: &Path| {
        path.metadata().map(|data| data.permissions().mode()).map_err(|error| format!("cannot be started: {error}"))
    };
    let real = program.canonicalize().map_err(|error| format!("cannot be started: {error}"))?;
    if mode(&real)? & EVERYBODY != 0 {
        return Err(format!("is not run, because everybody may change {}", real.display()));
    }
    match real.parent() {
        Some(folder) if mode(folder)? & (EVERYBODY | STICKY) == EVERYBODY => {
            Err(format!("is not run, because everybody may change the folder {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "Unix can refuse")]
fn trust(_: &Path) -> Result<(), String> {
    Ok(())
}

#[cfg(unix)]
fn in_its_own_group(builder: &mut std::process::Command) {
    use std::os::unix::process::CommandExt;
    builder.process_group(0);
}

#[cfg(windows)]
fn in_its_own_group(builder: &mut std::process::Command) {
    use std::os::windows::process::CommandExt;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    builder.creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW);
}

/// Kills the command and what it started, and leaves no zombie.
#[cfg(unix)]
fn kill(child: &mut Child) {
    // Its leader is not reaped yet, or its group has members of its own: the number is still this group's.
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(windows)]
fn kill(child: &mut Child) {
    let tool = env::var_os("SystemRoot").map(|root| Path::new(&root).join("System32").join("taskkill.exe"));
    if let Some(tool) = tool {
        let mut builder = std::process::Command::new(tool);
        builder.args(["/T", "/F", "/PID", &child.id().to_string()]);
        builder.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let _ = builder.status();
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).take(200).collect()
}
