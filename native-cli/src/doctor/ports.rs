//! Whether a browser could come back here: the ports of the callback.

use super::{Case, Finding, Group};
use crate::listener;

pub(super) fn check(case: &Case) -> Vec<Finding> {
    let ports = &case.configuration.provider.redirect.ports;
    let tried: Vec<_> = ports.iter().map(|port| (*port, listener::try_port(*port))).collect();
    judge(&tried)
}

/// `tried` holds each port, in the order in which a login tries them, and why it cannot be had.
fn judge(tried: &[(u16, Result<(), String>)]) -> Vec<Finding> {
    const HELP: &str = "run `hallpass login --device-auth`, which needs no port, or stop that program";
    let free = tried.iter().find(|(_, outcome)| outcome.is_ok());
    let taken = tried.iter().filter_map(|(_, outcome)| outcome.as_ref().err());
    let mut findings: Vec<_> = match free {
        Some((port, _)) => taken
            .map(|why| Group::SignIn.note("port_taken", format!("{why}; a login takes {} then", name(*port)), HELP))
            .collect(),
        None => taken.map(|why| Group::SignIn.problem("port_taken", why.clone(), HELP)).collect(),
    };
    if findings.is_empty() {
        let ports: Vec<_> = tried.iter().map(|(port, _)| name(*port)).collect();
        findings.push(Group::SignIn.ok("ports", format!("the browser can come back to {}", ports.join(" or "))));
    }
    findings
}

fn name(port: u16) -> String {
    if port == 0 { "any free port".to_owned() } else { format!("port {port}") }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn one_free_port_is_enough() {
        let taken = |port: u16| (port, Err(format!("port {port}: it is in use")));
        let levels = |tried: &[_]| judge(tried).iter().map(|finding| finding.level).collect::<Vec<_>>();
        assert_eq!(levels(&[(1455, Ok(())), (1457, Ok(()))]), [Level::Ok]);
        assert_eq!(levels(&[taken(1455), (1457, Ok(()))]), [Level::Note]);
        assert_eq!(levels(&[taken(1455), taken(1457)]), [Level::Problem, Level::Problem]);
        let note = &judge(&[taken(1455), (1457, Ok(()))])[0].report;
        assert_eq!(note.message, "port 1455: it is in use; a login takes port 1457 then");
        assert!(note.help.as_ref().is_some_and(|help| help.contains("hallpass login --device-auth")));
    }
}
