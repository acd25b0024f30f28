//! What a tool writes to a helper's stdin. It may quote a server, so it is not believed.

use std::io::{self, BufRead};

use zeroize::Zeroizing;

use super::super::failure::Failure;

/// No request of git or docker is as long as this.
const LIMIT: usize = 64 * 1024;

/// Stdin up to its end or an empty line: text that is not too long.
pub(super) fn read(tool: &str) -> Result<Zeroizing<String>, Failure> {
    read_from(io::stdin().lock(), tool)
}

fn read_from(source: impl BufRead, tool: &str) -> Result<Zeroizing<String>, Failure> {
    // What grows is copied, and the copies are not wiped.
    let mut text = Zeroizing::new(String::with_capacity(LIMIT + 1));
    let mut source = source.take(LIMIT as u64 + 1);
    loop {
        let before = text.len();
        let read = source.read_line(&mut text).map_err(|error| {
            if error.kind() == io::ErrorKind::InvalidData {
                return misunderstood(tool, "it is not text");
            }
            Failure::local("input", format!("the request of {tool} cannot be read: {error}"), "")
        })?;
        if text.len() > LIMIT {
            return Err(misunderstood(tool, "it is larger than 64 KiB"));
        }
        if read == 0 || text.get(before..) == Some("\n") {
            return Ok(text);
        }
    }
}

/// It is no request of this tool.
pub(super) fn misunderstood(tool: &str, detail: &str) -> Failure {
    let help = format!("{tool} runs this by itself; see `hallpass credential {tool} --help`");
    Failure::usage(format!("the request of {tool} cannot be understood: {detail}"), &help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    /// A writer that keeps its end open after the request.
    struct Open;

    impl io::Read for Open {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("what comes after an empty line is not waited for")
        }
    }

    #[test]
    fn a_request_ends_with_an_empty_line() {
        let source = io::BufReader::with_capacity(16, (&b"host=a\n\n"[..]).chain(Open));
        assert_eq!(read_from(source, "git").unwrap().as_str(), "host=a\n\n");
        assert_eq!(read_from(&b"host=a"[..], "git").unwrap().as_str(), "host=a");
        assert_eq!(read_from(&b""[..], "git").unwrap().as_str(), "");
    }

    #[test]
    fn too_much_and_no_text_are_refused() {
        let long = vec![b'x'; LIMIT + 1];
        for bytes in [&long, &b"host=\xff\xfe"[..]] {
            assert_eq!(read_from(bytes, "git").unwrap_err().exit_code(), 2);
        }
        assert!(read_from(&long[1..], "git").is_ok());
    }
}
