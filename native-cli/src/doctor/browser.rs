//! Whether there is a browser here, and whether it could come back.

use std::ffi::OsString;

use super::{Case, Finding, Group};
use crate::browser;
use crate::surroundings::Surroundings;

pub(super) fn check(_: &Case) -> Vec<Finding> {
    let chosen = std::env::var_os("BROWSER").filter(|value| !value.is_empty());
    let programs = browser::programs(chosen.as_deref());
    vec![judge(Surroundings::look(), chosen.as_ref(), &programs)]
}

/// `programs` are those that could open a page and are there.
fn judge(surroundings: Surroundings, chosen: Option<&OsString>, programs: &[String]) -> Finding {
    const DEVICE: &str = "run `hallpass login --device-auth`, and open the page on any device";
    match (chosen, programs.first(), surroundings.browser_obstacle()) {
        (Some(chosen), None, _) => Group::SignIn.warning(
            "browser_missing",
            format!("BROWSER names `{}`, which is not here", chosen.to_string_lossy()),
            "unset BROWSER, or name a program that opens pages",
        ),
        (_, _, Some(why)) => {
            Group::SignIn.note("no_browser_here", format!("{why}, where no browser can come back"), DEVICE)
        }
        (None, None, None) => Group::SignIn.warning(
            "browser_missing",
            "no program that opens a browser was found",
            "install `xdg-utils`, set BROWSER, or run `hallpass login --no-browser` and open the address yourself",
        ),
        (_, Some(_), None) if surroundings.wsl => Group::SignIn.note(
            "windows_browser",
            "the browser opens in Windows, and may not reach a port of this system",
            DEVICE,
        ),
        (_, Some(program), None) => Group::SignIn.ok("browser", format!("{program} opens the browser")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_is_no_browser_the_way_without_one_is_named() {
        let desktop = Surroundings::default();
        let judged = |surroundings, chosen: Option<&str>, programs: &[&str]| {
            let programs: Vec<_> = programs.iter().map(|name| (*name).to_owned()).collect();
            let finding = judge(surroundings, chosen.map(OsString::from).as_ref(), &programs);
            (finding.report.code, finding.report.help.unwrap_or_default().contains("--device-auth"))
        };
        assert_eq!(judged(desktop, None, &["xdg-open"]), ("browser".into(), false));
        assert_eq!(judged(desktop, None, &[]), ("browser_missing".into(), false));
        assert_eq!(judged(desktop, Some("nowhere"), &[]), ("browser_missing".into(), false));
        let ssh = Surroundings { ssh: true, ..desktop };
        assert_eq!(judged(ssh, None, &["xdg-open"]), ("no_browser_here".into(), true));
        let container = Surroundings { container: true, ..desktop };
        assert_eq!(judged(container, None, &[]), ("no_browser_here".into(), true));
        let wsl = Surroundings { wsl: true, ..desktop };
        assert_eq!(judged(wsl, None, &["wslview"]), ("windows_browser".into(), true));
        let forwarded = Surroundings { has_browser: true, ..ssh };
        assert_eq!(judged(forwarded, Some("code"), &["code"]), ("browser".into(), false));
    }
}
