//! Which hosts another tool may have the token for.
//!
//! A token is good wherever it is sent, so it is only given for hosts that the person has named:
//!
//! ```toml
//! [hallpass.git]
//! hosts = ["git.example.com", "git.example.com:8443"]
//! username = "oauth2"
//! ```

use hallpass_core::Error;
use toml::{Table, Value};

use super::Config;

/// The table of one tool: `[hallpass.git]` or `[hallpass.docker]`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Helper {
    /// Host names in lower case, with a port where it is not the one of https.
    pub hosts: Vec<String>,
    /// The name to go with the token, where the tool must send one.
    pub username: Option<String>,
}

impl Helper {
    /// Whether the token is meant for this host, which may have a port.
    #[must_use]
    pub fn allows(&self, host: &str) -> bool {
        let host = spelled_alike(host);
        self.hosts.contains(&host)
    }
}

impl Config {
    /// What `[hallpass.TOOL]` says. Without the table no host is meant.
    ///
    /// # Errors
    /// [`Misused::Value`](hallpass_core::Misused::Value) that names the value that cannot be used.
    pub fn helper(&self, tool: &str) -> Result<Helper, Error> {
        let key = format!("hallpass.{tool}");
        let Some(table) = self.table(&key)? else { return Ok(Helper::default()) };
        let refuse = |name: &str, detail: &str| self.settings().unusable(&format!("{key}.{name}"), detail);
        if let Some(name) = table.keys().find(|name| !["hosts", "username"].contains(&name.as_str())) {
            return Err(self.settings().unusable(&key, &format!("it has no `{name}`")));
        }
        let hosts = hosts(table).map_err(|detail| refuse("hosts", detail))?;
        let username = username(table).map_err(|detail| refuse("username", detail))?;
        Ok(Helper { hosts, username })
    }
}

fn hosts(table: &Table) -> Result<Vec<String>, &'static str> {
    let values = match table.get("hosts") {
        None => return Ok(Vec::new()),
        Some(Value::Array(values)) => values,
        Some(_) => return Err("it is not a list of hosts"),
    };
    let host = |value: &Value| value.as_str().filter(|host| is_host(host)).map(spelled_alike);
    let hosts: Option<_> = values.iter().map(host).collect();
    hosts.ok_or("one of them is no host name: no scheme, no path and no wildcard, as in `git.example.com`")
}

fn username(table: &Table) -> Result<Option<String>, &'static str> {
    match table.get("username") {
        None => Ok(None),
        Some(Value::String(name)) if !name.is_empty() && !name.contains(char::is_control) => Ok(Some(name.clone())),
        Some(_) => Err("it is not a name"),
    }
}

fn is_host(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| character.is_ascii_alphanumeric() || "-._:[]".contains(character))
}

fn spelled_alike(host: &str) -> String {
    host.strip_suffix(":443").unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::parse(text, "config.toml").unwrap()
    }

    #[test]
    fn without_a_table_no_host_is_meant() {
        for text in ["", "[hallpass.git]", "[hallpass.docker]\nhosts = [\"git.example.com\"]"] {
            let helper = config(text).helper("git").unwrap();
            assert_eq!(helper, Helper::default());
            assert!(!helper.allows("git.example.com") && !helper.allows(""), "{text}");
        }
    }

    #[test]
    fn only_the_named_hosts_are_meant() {
        let text = "[hallpass.git]\nhosts = [\"Git.Example.com:443\", \"git.example.com:8443\", \"[::1]:1\"]";
        let helper = config(text).helper("git").unwrap();
        for host in ["git.example.com", "GIT.example.com", "git.example.com:443", "git.example.com:8443", "[::1]:1"] {
            assert!(helper.allows(host), "{host}");
        }
        for host in [
            "",
            "example.com",
            "git.example.com.",
            "git.example.com.evil.example",
            "evil-git.example.com",
            "git.example.com:80",
            "git.example.com@evil.example",
            "git.example.com/",
            " git.example.com",
            "[::1]",
        ] {
            assert!(!helper.allows(host), "{host}");
        }
    }

    #[test]
    fn a_mistake_is_named() {
        for (text, expected) in [
            ("hallpass.git = 1", "hallpass.git"),
            ("hallpass.git.hosts = \"git.example.com\"", "list of hosts"),
            ("hallpass.git.hosts = [1]", "no host name"),
            ("hallpass.git.hosts = [\"\"]", "no host name"),
            ("hallpass.git.hosts = [\"*.example.com\"]", "no host name"),
            ("hallpass.git.hosts = [\"https://git.example.com\"]", "no host name"),
            ("hallpass.git.host = [\"git.example.com\"]", "`host`"),
            ("hallpass.git.username = \"a\\nb\"", "username"),
        ] {
            let error = config(text).helper("git").unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
