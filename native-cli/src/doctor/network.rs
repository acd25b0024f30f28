//! The way to the server: the proxy, the connection, and what time it is at the other end.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hallpass_core::{Error, Event, HttpMethod, HttpRequest, Timestamp, Unavailable, clock_skew};

use super::{Case, Finding, Group, Level};
use crate::http::{self, Client, Settings};

/// How long the server may take, in milliseconds.
const DEADLINE: u64 = 3000;
/// How long a proxy may take to be reached.
const PROXY_DEADLINE: Duration = Duration::from_secs(2);

pub(super) fn check(case: &Case) -> Vec<Finding> {
    let issuer = case.configuration.provider.issuer.trim_end_matches('/');
    let settings = Settings::from_environment();
    let proxy = match settings.proxies.on_the_way_to(issuer) {
        Ok(proxy) => proxy,
        Err(failure) => return vec![Group::Network.named("proxy", Error::unreached(issuer, failure))],
    };
    if case.offline {
        return vec![Group::Network.note("not_asked", "the server was not asked (`--offline`)", "")];
    }
    if let Some(proxy) = proxy
        && !is_reachable(&proxy.host, proxy.port)
    {
        let message = format!("the proxy {} cannot be reached", proxy.shown);
        return vec![Group::Network.problem(
            "proxy_unreachable",
            message,
            "check the proxy's address, or unset the variable",
        )];
    }
    let request = HttpRequest {
        method: HttpMethod::Get,
        url: format!("{issuer}/.well-known/openid-configuration"),
        headers: Vec::new(),
        body: None,
        deadline: DEADLINE,
        interruptible: false,
    };
    let answer = Client::new(settings).send(&request, &|| false);
    judge(issuer, &answer, crate::now())
}

/// Looking up a name has no deadline of its own.
fn is_reachable(host: &str, port: u16) -> bool {
    let (sender, receiver) = mpsc::channel();
    let place = (host.to_owned(), port);
    thread::spawn(move || {
        let mut addresses = place.to_socket_addrs().into_iter().flatten();
        let _ = sender.send(addresses.any(|address| TcpStream::connect_timeout(&address, PROXY_DEADLINE).is_ok()));
    });
    receiver.recv_timeout(PROXY_DEADLINE).unwrap_or(false)
}

fn judge(issuer: &str, answer: &Event, now: Timestamp) -> Vec<Finding> {
    let response = match answer {
        Event::Responded(response) => response,
        Event::RequestFailed(failure) if failure.detail.contains(http::UNTRUSTED) => {
            return vec![Group::Network.problem(
                "certificate_untrusted",
                format!("{issuer} cannot be reached: {}", failure.detail),
                "set CODEX_CA_CERTIFICATE to a PEM file with your organisation's certificate authority",
            )];
        }
        Event::RequestFailed(failure) => {
            return vec![Group::Network.of(Level::Problem, Error::unreached(issuer, failure.clone()))];
        }
        _ => return Vec::new(),
    };
    let mut findings = Vec::new();
    if response.status >= 500 {
        let (server, status) = (issuer.to_owned(), response.status);
        findings.push(Group::Network.of(Level::Warning, Unavailable::Server { server, status }));
    } else {
        findings.push(Group::Network.ok("server", format!("{issuer} answers")));
    }
    if let Some(skew) = clock_skew(response, now) {
        let direction = if skew > 0 { "ahead of" } else { "behind" };
        findings.push(Group::Network.warning(
            "clock_skew",
            format!("the clock of this machine is {} s {direction} the server's", skew.unsigned_abs() / 1000),
            "set the clock: `sudo timedatectl set-ntp true`, or on Windows `w32tm /resync`",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tests::codes;
    use super::*;
    use hallpass_core::{HttpResponse, Reach, RequestFailure};

    #[test]
    fn answers_and_failures_are_told_apart() {
        let headers = vec![("date".to_owned(), "Sun, 06 Nov 1994 08:49:37 GMT".into())];
        let now = Timestamp::from_seconds(784_111_777);
        let answered = |status| Event::Responded(HttpResponse { status, headers: headers.clone(), body: "".into() });
        let failed = |detail: &str| Event::RequestFailed(RequestFailure::new(Reach::NotSent, detail));
        for (answer, at, expected) in [
            (answered(200), now, ""),
            (answered(404), now, ""),
            (answered(503), now, "server_unavailable"),
            (answered(200), now.plus(-7_200_000), "clock_skew"),
            (failed("the connection was refused"), now, "network"),
            (failed(http::UNTRUSTED), now, "certificate_untrusted"),
        ] {
            assert_eq!(codes(&judge("https://id.example.com", &answer, at)).join(" "), expected, "{answer:?}");
        }
    }
}
