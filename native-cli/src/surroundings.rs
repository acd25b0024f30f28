//! Judges where this process runs: whether a browser on this machine can come back here.

use std::env;
use std::ffi::OsString;
use std::fs;

use hallpass_core::Provider;

/// What is known about the place where this process runs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Surroundings {
    /// It was reached over SSH.
    pub ssh: bool,
    /// It is in a container (and not in one that shares the desktop, like Toolbx, Distrobox or Flatpak).
    pub container: bool,
    /// There is no display to show a browser on.
    pub no_display: bool,
    /// It is in the Windows Subsystem for Linux.
    pub wsl: bool,
    /// It is in a GitHub codespace.
    pub codespace: bool,
    /// It is in a development container of an editor.
    pub devcontainer: bool,
    /// It is a CI job.
    pub ci: bool,
    /// The person says which browser to use (`$BROWSER`).
    pub has_browser: bool,
}

impl Surroundings {
    /// Looks at this process's environment and at a few files.
    pub fn look() -> Self {
        Self::from(&|name| env::var_os(name), &|path| fs::read(path).ok())
    }

    /// Judges by `variable`, which reads an environment variable, and `file`, which reads a file (`None` where there
    /// is none).
    pub fn from(variable: &dyn Fn(&str) -> Option<OsString>, file: &dyn Fn(&str) -> Option<Vec<u8>>) -> Self {
        let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let is_true = |name: &str| {
            variable(name)
                .is_some_and(|value| !value.is_empty() && value != "0" && !value.eq_ignore_ascii_case("false"))
        };
        let mentions = |path: &str, words: &[&str]| {
            file(path).is_some_and(|contents| {
                let text = String::from_utf8_lossy(&contents).to_ascii_lowercase();
                words.iter().any(|word| text.contains(word))
            })
        };
        let wsl = is_set("WSL_DISTRO_NAME")
            || is_set("WSL_INTEROP")
            || mentions("/proc/sys/kernel/osrelease", &["microsoft", "wsl"]);
        let shares_desktop = is_set("TOOLBOX_PATH")
            || is_set("DISTROBOX_ENTER_PATH")
            || file("/run/.toolboxenv").is_some()
            || variable("container").is_some_and(|kind| kind == "flatpak");
        let container = is_set("container")
            || is_set("KUBERNETES_SERVICE_HOST")
            || file("/.dockerenv").is_some()
            || file("/run/.containerenv").is_some()
            || mentions("/proc/1/cgroup", &["docker", "kubepods", "containerd", "libpod", "/lxc"]);
        Self {
            ssh: ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].into_iter().any(is_set),
            container: container && !shares_desktop,
            no_display: cfg!(target_os = "linux") && !wsl && !is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY"),
            wsl,
            codespace: is_true("CODESPACES"),
            devcontainer: is_true("REMOTE_CONTAINERS") || is_true("DEVCONTAINER"),
            ci: is_true("CI")
                || ["GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "BUILDKITE", "JENKINS_URL", "TEAMCITY_VERSION"]
                    .into_iter()
                    .any(is_true),
            has_browser: is_set("BROWSER"),
        }
    }

    /// Why a browser on this machine cannot come back here, as a clause; `None` when a browser should work.
    ///
    /// A `$BROWSER` counts as a browser that works: editors set it where they forward the port.
    pub fn browser_obstacle(&self) -> Option<&'static str> {
        let obstacles = [
            (self.codespace, "this is a GitHub codespace"),
            (self.devcontainer, "this is a development container"),
            (self.ci, "this is a CI job"),
            (self.ssh, "this is an SSH session"),
            (self.container, "this is a container"),
            (self.no_display, "there is no display"),
        ];
        if self.has_browser {
            return None;
        }
        obstacles.into_iter().find(|(is_so, _)| *is_so).map(|(_, why)| why)
    }
}

/// A way to sign in that can work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// In the browser of this machine.
    Browser,
    /// With a device code.
    DeviceCode {
        /// Why not in a browser here, as a clause.
        because: &'static str,
    },
    /// In a browser that the person opens elsewhere: the provider has no device codes.
    BrowserElsewhere {
        /// Why not in a browser here, as a clause.
        because: &'static str,
    },
}

impl Way {
    /// The way to sign in with this provider, given [what is in the way](Surroundings::browser_obstacle) of a browser.
    ///
    /// Whether a provider without fixed endpoints has device codes shows only when it is asked.
    pub fn choose(provider: &Provider, obstacle: Option<&'static str>) -> Self {
        let has_device = provider.endpoints.as_ref().is_none_or(|endpoints| endpoints.device_authorization.is_some());
        match obstacle {
            None => Self::Browser,
            Some(because) if has_device => Self::DeviceCode { because },
            Some(because) => Self::BrowserElsewhere { because },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(variables: &[&str], files: &[(&str, &str)]) -> Option<&'static str> {
        let variable = |name: &str| {
            variables
                .iter()
                .filter_map(|pair| pair.split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, v)| v.into())
        };
        let file =
            |path: &str| files.iter().find(|(key, _)| *key == path).map(|(_, contents)| contents.as_bytes().to_vec());
        Surroundings::from(&variable, &file).browser_obstacle()
    }

    #[test]
    fn a_browser_works_on_a_desktop_and_where_somebody_says_so() {
        for (variables, files) in [
            (&["DISPLAY=:0"][..], &[][..]),
            (&["WAYLAND_DISPLAY=wayland-0"], &[]),
            (&["DISPLAY=:0", "CI=false", "CODESPACES=", "SSH_CONNECTION="], &[]),
            (&["SSH_CONNECTION=a", "BROWSER=/vscode/browser.sh"], &[]),
            (&["CODESPACES=true", "BROWSER=x"], &[("/.dockerenv", "")]),
            (&["WSL_DISTRO_NAME=Debian"], &[]),
            (&[], &[("/proc/sys/kernel/osrelease", "5.15.90.1-microsoft-standard-WSL2\n")]),
            (&["DISPLAY=:0", "TOOLBOX_PATH=/usr/bin/toolbox"], &[("/run/.containerenv", ""), ("/run/.toolboxenv", "")]),
            (&["DISPLAY=:0", "container=flatpak"], &[]),
            (&["DISPLAY=:0"], &[("/proc/1/cgroup", "0::/init.scope\n")]),
        ] {
            assert_eq!(judged(variables, files), None, "{variables:?} {files:?}");
        }
    }

    #[test]
    fn obstacles_are_named() {
        for (variables, files, why) in [
            (&["DISPLAY=:0", "SSH_CONNECTION=1.2.3.4 1 5.6.7.8 22"][..], &[][..], "this is an SSH session"),
            (&["DISPLAY=:0", "SSH_TTY=/dev/pts/0", "BROWSER="], &[], "this is an SSH session"),
            (&["DISPLAY=:0"], &[("/.dockerenv", "")], "this is a container"),
            (&["DISPLAY=:0"], &[("/run/.containerenv", "")], "this is a container"),
            (&["DISPLAY=:0", "container=podman"], &[], "this is a container"),
            (&["DISPLAY=:0"], &[("/proc/1/cgroup", "12:cpu:/docker/abc")], "this is a container"),
            (&["DISPLAY=:0", "KUBERNETES_SERVICE_HOST=10.0.0.1"], &[], "this is a container"),
            (&["CODESPACES=true"], &[("/.dockerenv", "")], "this is a GitHub codespace"),
            (&["REMOTE_CONTAINERS=true"], &[("/.dockerenv", "")], "this is a development container"),
            (&["CI=true", "DISPLAY=:0"], &[], "this is a CI job"),
            (&["JENKINS_URL=http://x"], &[], "this is a CI job"),
            (&["WSL_DISTRO_NAME=Debian", "SSH_CLIENT=x"], &[], "this is an SSH session"),
        ] {
            assert_eq!(judged(variables, files), Some(why), "{variables:?} {files:?}");
        }
        if cfg!(target_os = "linux") {
            assert_eq!(judged(&[], &[]), Some("there is no display"));
        }
    }
}
