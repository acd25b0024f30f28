//! As much of a CI system as it takes to run the workflows: steps in order, secrets, and a disk.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::support::Home;

/// A Codex that needs a token, which it writes down.
const CODEX: &str = "#!/bin/sh\n[ -z \"$CODEX_AUTH_JSON\" ] && hallpass token > \"$RUNNER_TEMP/token\"\n";
/// A `gh` that keeps secrets in files, and writes down how it was called.
const GH: &str = "#!/bin/sh\necho \"$*\" >> \"$SECRETS/calls\"\n[ -n \"$GH_TOKEN\" ] && cat > \"$SECRETS/$3\"\n";

/// The steps of a workflow that run a script.
pub(crate) struct Workflow {
    steps: Vec<Step>,
}

#[derive(Debug, Default)]
struct Step {
    name: String,
    script: String,
    variables: Vec<(String, String)>,
    always: bool,
}

impl Workflow {
    /// Reads the steps, as far as this YAML goes: a name, a condition, variables and a script, each with its indent.
    pub(crate) fn read(yaml: &str) -> Self {
        let mut steps: Vec<Step> = Vec::new();
        let mut inside = "";
        let after = yaml.split_once("    steps:\n").unwrap().1;
        for line in after.lines() {
            let begun = line.strip_prefix("      - ").inspect(|_| steps.push(Step::default()));
            let Some(step) = steps.last_mut() else { continue };
            let key = begun.or_else(|| line.strip_prefix("        ").filter(|rest| !rest.starts_with(' ')));
            let Some(key) = key.and_then(|key| key.split_once(':')) else {
                let rest = line.trim_start();
                match inside {
                    "run" if !rest.is_empty() => step.script.extend([line.get(10..).unwrap(), "\n"]),
                    "env" if !rest.is_empty() && !rest.starts_with('#') => {
                        let (name, value) = rest.split_once(':').unwrap();
                        step.variables.push((name.to_owned(), value.trim().to_owned()));
                    }
                    _ => {}
                }
                continue;
            };
            let value = key.1.trim();
            inside = "";
            match key.0 {
                "name" => value.clone_into(&mut step.name),
                "if" => step.always = value == "always()",
                "run" if value == "|" => inside = "run",
                "run" => step.script = format!("{value}\n"),
                "env" => inside = "env",
                "uses" => {}
                other => panic!("a step has a `{other}`, which this runner does not know"),
            }
        }
        steps.retain(|step| !step.script.is_empty());
        assert!(steps.len() >= 2 && steps.iter().all(|step| !step.name.is_empty()));
        Self { steps }
    }
}

/// What a CI system keeps for its jobs.
#[derive(Clone)]
pub(crate) struct Secrets(Arc<Home>);

impl Secrets {
    pub(crate) fn with(name: &str, value: &str) -> Self {
        let secrets = Self(Arc::new(Home::new()));
        secrets.set(name, value);
        secrets.set("SECRETS_TOKEN", "ghp_1");
        secrets
    }

    pub(crate) fn set(&self, name: &str, value: &str) {
        fs::write(self.0.file(name), value).unwrap();
    }

    pub(crate) fn get(&self, name: &str) -> String {
        fs::read_to_string(self.0.file(name)).unwrap()
    }

    /// How `gh` was called.
    pub(crate) fn calls(&self) -> PathBuf {
        self.0.file("calls")
    }

    /// `${{ secrets.NAME }}`, or the value as it is.
    fn resolve(&self, value: &str) -> String {
        let name = value.strip_prefix("${{ secrets.").and_then(|rest| rest.strip_suffix(" }}"));
        name.map_or_else(|| value.to_owned(), |name| self.get(name))
    }
}

/// A machine that runs jobs.
pub(crate) struct Machine {
    disk: Home,
    jobs: AtomicU32,
}

/// How a job went.
#[derive(Debug)]
pub(crate) struct Job {
    /// The step that failed first.
    pub(crate) failed: Option<String>,
    /// What its Codex had for a token.
    pub(crate) token: Option<String>,
    /// All that was written to stdout and stderr.
    pub(crate) log: String,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let disk = Home::new();
        let tools = disk.file("tools");
        fs::create_dir(&tools).unwrap();
        symlink(env!("CARGO_BIN_EXE_hallpass"), tools.join("hallpass")).unwrap();
        for (name, script) in [("codex", CODEX), ("gh", GH)] {
            fs::write(tools.join(name), script).unwrap();
            fs::set_permissions(tools.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { disk, jobs: AtomicU32::new(0) }
    }

    /// Runs a job to its end.
    pub(crate) fn run(&self, workflow: &Workflow, secrets: &Secrets) -> Job {
        let folder = self.disk.file(&format!("job-{}", self.jobs.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir(&folder).unwrap();
        let mut variables = BTreeMap::from([("CODEX_HOME".to_owned(), self.disk.file("codex").display().to_string())]);
        let mut job = Job { failed: None, token: None, log: String::new() };
        for step in &workflow.steps {
            if job.failed.is_some() && !step.always {
                continue;
            }
            let output = self.command(step, &folder, &variables, secrets).output().unwrap();
            for text in [output.stdout, output.stderr] {
                job.log += &String::from_utf8(text).unwrap();
            }
            if !output.status.success() {
                job.failed.get_or_insert_with(|| step.name.clone());
            }
            let set = fs::read_to_string(folder.join("env")).unwrap_or_default();
            variables.extend(set.lines().filter_map(|line| line.split_once('=')).map(|(n, v)| (n.into(), v.into())));
        }
        job.token = fs::read_to_string(folder.join("token")).ok();
        job
    }

    fn command(&self, step: &Step, folder: &Path, variables: &BTreeMap<String, String>, secrets: &Secrets) -> Command {
        let path = std::env::join_paths(
            std::iter::once(self.disk.file("tools"))
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
        );
        let mut command = Command::new("bash");
        command.args(["-e", "-c", &step.script]).stdin(Stdio::null()).env_clear();
        command.env("PATH", path.unwrap()).env("HOME", folder).env("RUNNER_TEMP", folder);
        command.env("GITHUB_ENV", folder.join("env")).env("GITHUB_REPOSITORY", "acme/widgets");
        command.env("SECRETS", &secrets.0.path).envs(variables);
        command.envs(step.variables.iter().map(|(name, value)| (name, secrets.resolve(value))));
        command
    }
}
