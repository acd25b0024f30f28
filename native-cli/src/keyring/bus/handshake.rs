//! Says to a bus who connects (D-Bus specification, "Authentication Protocol").

use super::Error;
use super::stream::Stream;

/// The longest line of a bus that is read.
const LONGEST: usize = 1024;

/// Authenticates as the user of this process, whom the bus sees on the socket. `guid` is the identifier that the bus has
/// to have, if that is known.
pub(super) fn authenticate(stream: &Stream, guid: Option<&str>) -> Result<(), Error> {
    let user = rustix::process::geteuid().as_raw().to_string();
    // Hexadecimal: 30 is the digit 0 in ASCII, 39 the digit 9.
    let identity: String = user.chars().flat_map(|digit| ['3', digit]).collect();
    stream.write(format!("\0AUTH EXTERNAL {identity}\r\n").as_bytes())?;
    let mut line = [0; LONGEST];
    let mut length = 0;
    // Before BEGIN the bus says nothing but answers: a line is all that comes.
    while !line[..length].ends_with(b"\r\n") {
        if length == LONGEST {
            return Err(Error::Malformed("a line of the handshake without an end"));
        }
        length += stream.read_some(&mut line[length..])?;
    }
    judge(&line[..length], guid)?;
    stream.write(b"BEGIN\r\n")
}

/// Whether this line accepts us, and comes from the bus that is meant.
fn judge(line: &[u8], guid: Option<&str>) -> Result<(), Error> {
    let line = std::str::from_utf8(line).map_err(|_| Error::Malformed("a line of the handshake that is not text"))?;
    let line = line.trim_end_matches("\r\n");
    match line.split_once(' ') {
        Some(("OK", found)) if guid.is_none_or(|guid| guid.eq_ignore_ascii_case(found)) => Ok(()),
        Some(("OK", _)) => Err(Error::NoBus("another bus listens at its address".to_owned())),
        _ if line.starts_with("REJECTED") => Err(Error::NoBus("it does not accept this user".to_owned())),
        _ => Err(Error::Malformed("an unknown line in the handshake")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bus_that_is_meant_is_accepted() {
        assert_eq!(judge(b"OK 0af1\r\n", None), Ok(()));
        assert_eq!(judge(b"OK 0af1\r\n", Some("0AF1")), Ok(()));
        assert!(matches!(judge(b"OK 0af1\r\n", Some("0af2")), Err(Error::NoBus(_))));
        assert!(matches!(judge(b"REJECTED\r\n", None), Err(Error::NoBus(_))));
        assert!(matches!(judge(b"REJECTED EXTERNAL DBUS_COOKIE_SHA1\r\n", None), Err(Error::NoBus(_))));
        for line in [&b"OK\r\n"[..], b"\r\n", b"DATA\r\n", b"ERROR\r\n", b"OK \xff\r\n", b"HTTP/1.1 200 OK\r\n"] {
            assert!(matches!(judge(line, None), Err(Error::Malformed(_))), "{line:?}");
        }
    }
}
