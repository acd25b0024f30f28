//! Which requests go through a proxy: what the usual environment variables say, read as curl reads them.

use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;

use hallpass_core::RequestFailure;

use super::address::{self, Address};

/// The proxy variables of an environment.
///
/// `https_proxy`, `HTTPS_PROXY`, `all_proxy` and `ALL_PROXY` are looked at in this order, an empty one is as
/// good as none; `no_proxy` or `NO_PROXY` lists the hosts that are reached directly. Loopback addresses always are.
/// `http_proxy` is for plain `http`, which only ever goes to loopback: it never counts here.
#[derive(Clone, Default)]
pub struct Proxies {
    proxy: Option<(&'static str, String)>,
    exceptions: Vec<String>,
}

/// A proxy for one request.
#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) server: ureq::Proxy,
    /// Whether the proxy itself is spoken to over TLS.
    pub(super) is_https: bool,
    /// Its host and port, and the variable that named it: for a person, without its password.
    pub(super) shown: String,
}

/// Where a proxy is.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Both, and the variable that named them, for a person.
    pub(crate) shown: String,
}

impl Proxies {
    /// Reads the variables with `variable`.
    pub fn from_variables(variable: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let value = |name: &str| {
            variable(name).and_then(|value| value.into_string().ok()).filter(|value| !value.trim().is_empty())
        };
        let proxy = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
            .into_iter()
            .find_map(|name| value(name).map(|value| (name, value.trim().to_owned())));
        let exceptions = value("no_proxy")
            .or_else(|| value("NO_PROXY"))
            .map(|list| {
                list.split(|c: char| c == ',' || c.is_whitespace())
                    .filter(|item| !item.is_empty())
                    .map(str::to_owned)
                    .collect()
            })
            .unwrap_or_default();
        Self { proxy, exceptions }
    }

    /// The proxy that a request to this URL goes through, if any; or the variable that names one which cannot be used.
    pub(crate) fn on_the_way_to(&self, url: &str) -> Result<Option<Place>, RequestFailure> {
        let Ok(address) = Address::parse(url) else { return Ok(None) };
        let proxy = self.choose(address)?;
        Ok(proxy.map(|Proxy { server, shown, .. }| Place {
            host: server.host().to_owned(),
            port: server.port(),
            shown,
        }))
    }

    /// The same, with what is needed to go through it.
    pub(super) fn choose(&self, address: Address<'_>) -> Result<Option<Proxy>, RequestFailure> {
        let Some((variable, url)) = &self.proxy else { return Ok(None) };
        if address.is_loopback() || !address.is_https || self.exceptions.iter().any(|item| matches(item, address)) {
            return Ok(None);
        }
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let is_https = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            scheme => {
                let scheme: String = scheme.chars().filter(char::is_ascii_alphanumeric).collect();
                let detail = format!("names a {scheme} proxy; only http and https proxies are supported");
                return Err(RequestFailure::barred(*variable, detail));
            }
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
        let server = address::split_port(place)
            .and_then(|_| ureq::Proxy::new(&format!("{}://{authority}", if is_https { "https" } else { "http" })).ok())
            .ok_or_else(|| RequestFailure::barred(*variable, "does not hold a proper proxy address"))?;
        Ok(Some(Proxy { server, is_https, shown: format!("{place} ({variable})") }))
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a password.
        formatter
            .debug_struct("Proxies")
            .field("variable", &self.proxy.as_ref().map(|(variable, _)| variable))
            .field("exceptions", &self.exceptions)
            .finish()
    }
}

/// Whether an item of `NO_PROXY` covers a host: `*`, a host name with all below it, an address, or a range of them.
fn matches(item: &str, address: Address<'_>) -> bool {
    if item == "*" {
        return true;
    }
    let (item, port) = if item.parse::<IpAddr>().is_ok() || item.contains('/') {
        (item, None)
    } else if item.starts_with('[') {
        address::split_port(item).unwrap_or((item, None))
    } else {
        item.split_once(':').map_or((item, None), |(host, port)| (host, Some(port)))
    };
    if port.is_some_and(|port| port.parse() != Ok(address.port)) {
        return false;
    }
    if let Some(ip) = address.ip() {
        return match item.split_once('/') {
            Some((network, bits)) => within(ip, network, bits),
            None => item.parse() == Ok(ip),
        };
    }
    let item = item.trim_start_matches('*').trim_matches('.').to_ascii_lowercase();
    let host = address.host.trim_end_matches('.').to_ascii_lowercase();
    !item.is_empty() && (host == item || host.strip_suffix(&item).is_some_and(|rest| rest.ends_with('.')))
}

fn within(ip: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
    match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) if bits <= 32 => {
            let shift = |ip: u32| ip.checked_shr(32 - bits).unwrap_or(0);
            shift(ip.to_bits()) == shift(network.to_bits())
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) if bits <= 128 => {
            let shift = |ip: u128| ip.checked_shr(128 - bits).unwrap_or(0);
            shift(ip.to_bits()) == shift(network.to_bits())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)], url: &str) -> Result<Option<String>, RequestFailure> {
        let lookup =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        let address = Address::parse(url).expect("a proper URL");
        Proxies::from_variables(&lookup).choose(address).map(|proxy| proxy.map(|proxy| proxy.shown))
    }

    #[test]
    fn precedence_is_that_of_curl() {
        let url = "https://auth.example.com/token";
        for (variables, expected) in [
            (&[][..], None),
            (&[("HTTP_PROXY", "http://p:1"), ("http_proxy", "http://p:1")], None),
            (&[("http_proxy", "http://p:1"), ("ALL_PROXY", "http://all:1")], Some("all:1 (ALL_PROXY)")),
            (&[("ALL_PROXY", "http://upper:1"), ("all_proxy", "http://lower:2")], Some("lower:2 (all_proxy)")),
            (&[("all_proxy", "http://lower:1"), ("HTTPS_PROXY", "http://https:2")], Some("https:2 (HTTPS_PROXY)")),
            (&[("HTTPS_PROXY", "HTTPS://p:1")], Some("p:1 (HTTPS_PROXY)")),
            (&[("HTTPS_PROXY", "http://[2001:db8::1]:3128/")], Some("[2001:db8::1]:3128 (HTTPS_PROXY)")),
            (&[("HTTPS_PROXY", "p:1"), ("NO_PROXY", "other.com auth.example.com")], None),
            (&[("ALL_PROXY", "http://all:1"), ("HTTPS_PROXY", "http://https:2")], Some("https:2 (HTTPS_PROXY)")),
            (&[("HTTPS_PROXY", "http://upper:1"), ("https_proxy", "http://lower:2")], Some("lower:2 (https_proxy)")),
            (&[("https_proxy", ""), ("ALL_PROXY", "all:1")], Some("all:1 (ALL_PROXY)")),
            (&[("HTTPS_PROXY", "http://who:secret@p:1/")], Some("p:1 (HTTPS_PROXY)")),
            (&[("HTTPS_PROXY", "p:1"), ("NO_PROXY", "*")], None),
            (&[("HTTPS_PROXY", "p:1"), ("NO_PROXY", "other.com, .example.com")], None),
            (&[("HTTPS_PROXY", "p:1"), ("no_proxy", "x"), ("NO_PROXY", "*")], Some("p:1 (HTTPS_PROXY)")),
        ] {
            assert_eq!(chosen(variables, url), Ok(expected.map(str::to_owned)), "{variables:?}");
        }
    }

    #[test]
    fn exceptions_cover_names_below_addresses_and_ranges() {
        for (item, url, is_covered) in [
            ("example.com", "https://example.com/", true),
            ("example.com", "https://a.example.com/", true),
            ("example.com", "https://notexample.com/", false),
            ("example.com:443", "https://example.com/", true),
            ("example.com:8443", "https://example.com/", false),
            ("*.example.com", "https://a.example.com/", true),
            ("EXAMPLE.com", "https://Example.COM/", true),
            (".", "https://example.com/", false),
            ("10.0.0.0/8", "https://10.1.2.3/", true),
            ("10.0.0.0/8", "https://11.1.2.3/", false),
            ("0.0.0.0/0", "https://11.1.2.3/", true),
            ("10.0.0.0/33", "https://10.0.0.0/", false),
            ("192.0.2.7", "https://192.0.2.7/", true),
            ("2001:db8::/32", "https://[2001:db8::1]/", true),
            ("2001:db8::1", "https://[2001:db8::1]/", true),
            ("[2001:db8::1]", "https://[2001:db8::1]/", true),
        ] {
            let direct = chosen(&[("HTTPS_PROXY", "p:1"), ("NO_PROXY", item)], url) == Ok(None);
            assert_eq!(direct, is_covered, "{item} {url}");
        }
    }

    #[test]
    fn loopback_is_never_proxied() {
        for url in ["http://127.0.0.1:1/", "https://127.0.0.1:1/", "https://[::1]/", "https://localhost/"] {
            assert_eq!(chosen(&[("ALL_PROXY", "socks5://p:1")], url), Ok(None), "{url}");
        }
    }

    #[test]
    fn unusable_proxies_are_errors_that_name_the_variable_and_no_password() {
        for proxy in [
            "socks5://who:canary@p:1",
            "socks5h://p:1",
            "socks4a://p:1",
            "socks://p",
            "ftp://p",
            "http://",
            "http://who:canary@",
            "http://a b",
        ] {
            let why = chosen(&[("ALL_PROXY", proxy)], "https://example.com/").expect_err(proxy);
            assert_eq!(why.variable.as_deref(), Some("ALL_PROXY"));
            assert!(!why.detail.contains("canary"), "{why:?}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let proxies = Proxies::from_variables(&|name| (name == "ALL_PROXY").then(|| "http://a:canary@p".into()));
        assert!(!format!("{proxies:?}").contains("canary"));
    }
}
