//! The page that shows a flow at work: static files, which are built when somebody first asks for them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use hallpass::authorization_server::{Request, Response};

/// Where the page is served.
pub(super) const PATH: &str = "/playground/";
/// The one name of this machine that the issuer has.
pub(super) const ADDRESS: &str = "127.0.0.1";

/// What the page may do: run its own scripts and the module, ask this server, and hold itself in a frame (it shows two
/// tabs at once).
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; frame-src 'self'; worker-src 'self'; form-action 'none'; base-uri 'none'; \
                      frame-ancestors 'self'";

/// The files of the page, wherever they are.
#[derive(Debug)]
pub(super) struct Playground {
    /// Where they lie once they are built.
    files: Option<PathBuf>,
    /// The script that builds them.
    script: Option<PathBuf>,
    building: Arc<Mutex<Building>>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Building {
    #[default]
    NotBegun,
    Begun,
    Failed,
}

impl Playground {
    /// `HALLPASS_PLAYGROUND`, or else in the sources that this program was built from: a script is run there, so they must
    /// be of whoever could have changed the program as well. The working directory is never looked at.
    pub(super) fn find() -> Self {
        let named = env::var_os("HALLPASS_PLAYGROUND").filter(|path| !path.is_empty()).map(PathBuf::from);
        let program = env::current_exe().ok();
        // Cargo says where the sources are to what it runs.
        let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let above = program.iter().chain(&package).flat_map(|path| path.ancestors());
        let source = above.map(|folder| folder.join("wasm/playground")).find(|folder| {
            let script = folder.join("build");
            script.is_file() && program.as_deref().is_some_and(|program| have_one_owner([program, folder, &script]))
        });
        let script = source.as_ref().filter(|_| named.is_none()).map(|folder| folder.join("build"));
        let files = named.or_else(|| source.map(|folder| folder.join("dist")));
        Self { files, script, building: Arc::default() }
    }

    /// What is missing and how to get it, where there is no page and none can be built.
    pub(super) fn missing(&self) -> Option<String> {
        let is_there = self.files.as_ref().is_some_and(|folder| folder.join("index.html").is_file());
        (self.script.is_none() && !is_there).then(|| self.absence())
    }

    /// A file, where one is asked for.
    pub(super) fn answer(&self, request: &Request) -> Option<Response> {
        let path = request.path();
        let is_folder = path == PATH.trim_end_matches('/');
        let name = if is_folder { "" } else { path.strip_prefix(PATH)? };
        let other = at_the_issuer(request).or_else(|| is_folder.then(|| PATH.to_owned()));
        if let Some(location) = other {
            return Some(Response::empty(308).with_header("Location", &location));
        }
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Some(Response::empty(405).with_header("Allow", "GET, HEAD"));
        }
        let name = if name.is_empty() { "index.html" } else { name };
        let file =
            self.files.as_deref().filter(|_| is_harmless(name)).and_then(|folder| fs::read(folder.join(name)).ok());
        Some(match file {
            Some(body) => file_response(name, body),
            None if name == "index.html" => self.not_built(is_visited(request)),
            None => text(404, "There is no such file.\n"),
        })
    }

    /// Builds the page for the first who visits it, and says how it stands.
    fn not_built(&self, is_visited: bool) -> Response {
        let Some(script) = self.script.as_ref() else { return text(404, &self.absence()) };
        if !is_visited {
            return text(
                404,
                "The playground is built for whoever enters its address, and for no page that refers to it.\n",
            );
        }
        let mut building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        if *building == Building::Failed {
            *building = Building::NotBegun;
            return text(
                503,
                "The playground could not be built: the terminal says why. It needs Node.js, npm and the \
                              Rust target wasm32-unknown-unknown. Load this page again to try once more.\n",
            );
        }
        if *building == Building::NotBegun {
            *building = Building::Begun;
            let (script, building) = (script.clone(), Arc::clone(&self.building));
            thread::spawn(move || {
                let built = build(&script);
                *building.lock().unwrap_or_else(PoisonError::into_inner) =
                    if built { Building::NotBegun } else { Building::Failed };
            });
        }
        text(200, "The playground is being built; the first time takes a minute or two. This page shows it then.\n")
            .with_header("Refresh", "2")
    }

    fn absence(&self) -> String {
        let why = match &self.files {
            Some(folder) => format!("there is no index.html in {}", folder.display()),
            None => "it is no part of this program".to_owned(),
        };
        let sources = env!("CARGO_PKG_REPOSITORY");
        format!(
            "The playground cannot be shown: {why}.\n\
             In the sources ({sources}) `wasm/playground/build` builds it;\n\
             it needs Node.js, npm and the Rust target wasm32-unknown-unknown. Then, there:\n\n  \
             HALLPASS_PLAYGROUND=wasm/playground/dist hallpass demo --serve\n"
        )
    }
}

/// The same address by the name that the issuer has, where it was asked for by another: the page takes its own origin for
/// the issuer.
fn at_the_issuer(request: &Request) -> Option<String> {
    let host = request.header("Host")?;
    let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
    (name != ADDRESS).then(|| format!("http://{ADDRESS}{port}{}", request.target))
}

/// Whether one user has all of these, links not followed. Below a folder that everybody may write to, such as `/tmp`,
/// another user can lay out what looks like the sources.
#[cfg(unix)]
fn have_one_owner(paths: [&Path; 3]) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let [program, folder, script] = paths.map(|path| fs::symlink_metadata(path).ok().map(|data| data.uid()));
    program.is_some() && program == folder && program == script
}

/// Elsewhere the script needs a shell that is not there.
#[cfg(not(unix))]
fn have_one_owner(_: [&Path; 3]) -> bool {
    false
}

/// Whether a person opens the page: what another site refers to builds nothing.
fn is_visited(request: &Request) -> bool {
    request.header("Sec-Fetch-Site").is_none_or(|site| site == "none" || site == "same-origin")
}

/// What it says goes to stderr: stdout has been promised to programs.
fn build(script: &Path) -> bool {
    let mut command = Command::new(script);
    command.stdin(Stdio::null()).stdout(std::io::stderr());
    command.status().is_ok_and(|status| status.success())
}

/// Names of files below the folder, and nothing that leads out of it or is hidden in it.
fn is_harmless(name: &str) -> bool {
    name.split('/').all(|part| {
        !part.starts_with('.')
            && !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    })
}

fn file_response(name: &str, body: Vec<u8>) -> Response {
    let kind = match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };
    guarded(Response { body, ..Response::empty(200) }.with_header("Content-Type", kind))
}

fn text(status: u16, text: &str) -> Response {
    let response = Response { body: text.as_bytes().to_vec(), ..Response::empty(status) };
    guarded(response.with_header("Content-Type", "text/plain; charset=utf-8"))
}

fn guarded(response: Response) -> Response {
    response
        .with_header("Content-Security-Policy", POLICY)
        .with_header("Cache-Control", "no-cache")
        .with_header("Referrer-Policy", "no-referrer")
        .with_header("X-Content-Type-Options", "nosniff")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_sources_must_be_of_the_owner_of_the_program() {
        let program = env::current_exe().unwrap();
        let folder = program.parent().unwrap();
        assert!(have_one_owner([&program, folder, folder]));
        let absent = folder.join("absent");
        assert!(!have_one_owner([&program, folder, &absent]) && !have_one_owner([&absent, &absent, &absent]));
        // Only root can give a folder away, and only root's program is of the owner of `/`.
        let given = crate::demo::home::TemporaryHome::new().unwrap();
        let is_root = std::os::unix::fs::chown(given.path(), Some(1), None).is_ok();
        let foreign = if is_root { given.path() } else { Path::new("/") };
        assert!(!have_one_owner([&program, foreign, folder]) && !have_one_owner([&program, folder, foreign]));
    }

    #[test]
    fn only_files_of_the_folder_are_named() {
        for name in ["index.html", "assets/page-1.js"] {
            assert!(is_harmless(name), "{name}");
        }
        for name in ["", "../auth.json", "a/../../b", ".env", "a//b", "/etc/passwd", "a\\b", "C:x", "%2e%2e/x", "a/"] {
            assert!(!is_harmless(name), "{name}");
        }
    }
}
