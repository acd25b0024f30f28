//! Where the session bus listens (D-Bus specification, "Server Addresses").

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::net::SocketAddr;
use std::path::Path;

use super::Error;

/// A socket, and the identifier that the bus there must have.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) socket: SocketAddr,
    pub(super) guid: Option<String>,
}

/// The addresses of the session bus, in the order in which to try them: those in `DBUS_SESSION_BUS_ADDRESS`, and without
/// it the socket that systemd makes for a user.
pub(super) fn session() -> Result<Vec<Address>, Error> {
    let addresses = match env::var_os("DBUS_SESSION_BUS_ADDRESS") {
        Some(list) => all(&list),
        None => vec![at_path(&of_user())],
    };
    let mut wrong = None;
    let usable: Vec<_> =
        addresses.into_iter().filter_map(|address| address.map_err(|why| wrong = Some(why)).ok()).collect();
    match wrong {
        Some(why) if usable.is_empty() => Err(Error::NoBus(why)),
        _ => Ok(usable),
    }
}

/// Each address of a list, or why it cannot be used.
fn all(list: &OsStr) -> Vec<Result<Address, String>> {
    let addresses = list.as_bytes().split(|&byte| byte == b';');
    addresses.filter(|address| !address.is_empty()).map(one).collect()
}

fn one(address: &[u8]) -> Result<Address, String> {
    let (transport, pairs) = split(address, b':').ok_or("an address without a transport")?;
    if transport != b"unix" {
        return Err(format!("the transport `{}` is not supported", String::from_utf8_lossy(transport)));
    }
    let (mut place, mut guid) = (None, None);
    for pair in pairs.split(|&byte| byte == b',') {
        let (key, value) = split(pair, b'=').ok_or("an address without a value")?;
        let value = unescaped(value).ok_or("an address with a wrong escape")?;
        match key {
            b"guid" => guid = Some(String::from_utf8_lossy(&value).into_owned()),
            b"path" | b"abstract" | b"runtime" | b"dir" | b"tmpdir" if place.is_none() => place = Some((key, value)),
            b"path" | b"abstract" | b"runtime" | b"dir" | b"tmpdir" => {
                return Err("an address with two places".to_owned());
            }
            _ => {}
        }
    }
    let found = match place {
        Some((b"path", path)) => at_path(&OsString::from_vec(path)),
        Some((b"abstract", name)) => at_name(&name),
        // With these a bus chooses where to listen, and says where that is with an address of another kind.
        Some(_) => Err("an address for a bus, not for who connects to it".to_owned()),
        None => Err("an address without a place".to_owned()),
    };
    found.map(|address| Address { guid, ..address })
}

fn of_user() -> OsString {
    let folder = || format!("/run/user/{}", rustix::process::geteuid().as_raw()).into();
    Path::new(&env::var_os("XDG_RUNTIME_DIR").unwrap_or_else(folder)).join("bus").into()
}

fn at_path(path: &OsStr) -> Result<Address, String> {
    let socket = SocketAddr::from_pathname(path).map_err(|error| error.to_string())?;
    Ok(Address { socket, guid: None })
}

#[cfg(target_os = "linux")]
fn at_name(name: &[u8]) -> Result<Address, String> {
    use std::os::linux::net::SocketAddrExt as _;
    let socket = SocketAddr::from_abstract_name(name).map_err(|error| error.to_string())?;
    Ok(Address { socket, guid: None })
}

#[cfg(not(target_os = "linux"))]
fn at_name(_: &[u8]) -> Result<Address, String> {
    Err("only Linux has abstract sockets".to_owned())
}

fn split(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let middle = bytes.iter().position(|&byte| byte == at)?;
    Some((&bytes[..middle], &bytes[middle + 1..]))
}

/// A value without its escapes: `%` and two hexadecimal digits are a byte.
fn unescaped(value: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = rest.split_at_checked(2)?;
        rest = digits.1;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        bytes.push(u8::try_from(digit(digits.0[0])? << 4 | digit(digits.0[1])?).ok()?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: &str) -> Vec<String> {
        let shown = |address: Result<Address, String>| match address {
            Ok(Address { socket, guid }) => format!("{socket:?} {guid:?}"),
            Err(why) => why,
        };
        all(OsStr::new(list)).into_iter().map(shown).collect()
    }

    #[test]
    fn a_client_s_addresses_are_read_in_their_order() {
        assert_eq!(
            read("unix:path=/tmp/a%20b%2c,guid=0123;;unix:guid=9,path=/c;"),
            ["\"/tmp/a b,\" (pathname) Some(\"0123\")", "\"/c\" (pathname) Some(\"9\")",]
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_abstract_name_is_one() {
        assert_eq!(read("unix:abstract=/tmp/dbus-Ab%31"), ["\"/tmp/dbus-Ab1\" (abstract) None"]);
    }

    #[test]
    fn what_a_client_cannot_use_is_passed_over() {
        for (address, why) in [
            ("unix", "an address without a transport"),
            ("unix:", "an address without a value"),
            ("unix:path", "an address without a value"),
            ("unix:guid=0", "an address without a place"),
            ("unix:path=/a,abstract=b", "an address with two places"),
            ("unix:path=/a%2", "an address with a wrong escape"),
            ("unix:path=/a%zz", "an address with a wrong escape"),
            ("unix:path=/a%", "an address with a wrong escape"),
            ("unix:tmpdir=/tmp", "an address for a bus, not for who connects to it"),
            ("unix:runtime=yes", "an address for a bus, not for who connects to it"),
            ("tcp:host=localhost,port=1", "the transport `tcp` is not supported"),
            ("autolaunch:", "the transport `autolaunch` is not supported"),
        ] {
            assert_eq!(read(address), [why], "{address}");
        }
        let long = format!("unix:path=/{}", "x".repeat(200));
        assert_eq!(read(&format!("{long};unix:path=/b"))[1], "\"/b\" (pathname) None");
        assert!(read("").is_empty());
    }
}
