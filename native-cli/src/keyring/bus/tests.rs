//! What a bus says, well or badly. The bytes of the real ones were recorded from gnome-keyring 42.1 behind dbus-daemon
//! 1.14.10.

use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use super::*;

/// The bus tells a new client its name: a signal that nobody waits for.
const NAME_ACQUIRED: &[u8] = b"l\x04\x01\x01\x09\0\0\0\x02\0\0\0\x8d\0\0\0\
    \x01\x01o\0\x15\0\0\0/org/freedesktop/DBus\0\0\0\x02\x01s\0\x14\0\0\0org.freedesktop.DBus\0\0\0\0\
    \x03\x01s\0\x0c\0\0\0NameAcquired\0\0\0\0\x06\x01s\0\x04\0\0\0:1.4\0\0\0\0\x08\x01g\0\x01s\0\0\
    \x07\x01s\0\x14\0\0\0org.freedesktop.DBus\0\0\0\0\x04\0\0\0:1.4\0";
/// The answer to a search, to call 3.
const FOUND: &[u8] = b"l\x02\x01\x018\0\0\0\x13\0\0\x005\0\0\0\
    \x06\x01s\0\x04\0\0\0:1.4\0\0\0\0\x08\x01g\0\x04aoao\0\0\0\0\0\0\0\x05\x01u\0\x03\0\0\0\
    \x07\x01s\0\x04\0\0\0:1.1\0\0\0\0\
    0\0\0\0+\0\0\0/org/freedesktop/secrets/collection/login/1\0\0\0\0\0";

/// The connection on this socket, which has made so many calls.
pub(in crate::keyring) fn over(socket: UnixStream, calls: u32) -> Bus {
    Bus { stream: Stream::over(socket), serial: Cell::new(calls) }
}

/// A connection on which this will be said, and which has made so many calls; and its other end, to be kept open.
fn hearing(said: &[u8], calls: u32) -> (Bus, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    std::io::Write::write_all(&mut &theirs, said).unwrap();
    theirs.shutdown(Shutdown::Write).unwrap();
    (over(ours, calls), theirs)
}

fn call(arguments: Writer) -> Call<'static> {
    Call { destination: "com.example", path: "/o", interface: "com.example.I", member: "M", arguments }
}

/// What a search finds on a bus that says this.
fn search(said: &[u8]) -> Result<[Vec<String>; 2], Error> {
    let (bus, _end) = hearing(said, 2);
    let answer = bus.call(&call(Writer::default()))?;
    let mut values = answer.values("aoao")?;
    let found = [values.paths()?, values.paths()?];
    values.end()?;
    Ok(found)
}

#[test]
fn a_call_is_written_as_the_bus_reads_it() {
    let name = "org.freedesktop.DBus";
    let hello = Call {
        destination: name,
        path: "/org/freedesktop/DBus",
        interface: name,
        member: "Hello",
        arguments: Writer::default(),
    };
    let expected = b"l\x01\0\x01\0\0\0\0\x01\0\0\0n\0\0\0\
        \x01\x01o\0\x15\0\0\0/org/freedesktop/DBus\0\0\0\x06\x01s\0\x14\0\0\0org.freedesktop.DBus\0\0\0\0\
        \x02\x01s\0\x14\0\0\0org.freedesktop.DBus\0\0\0\0\x03\x01s\0\x05\0\0\0Hello\0\0\0";
    assert_eq!(hello.marshal(1).unwrap()[..], expected[..]);
    let written = call(Writer::new("s").string("a")).marshal(0x0102).unwrap();
    let expected = b"l\x01\0\x01\x06\0\0\0\x02\x01\0\0\x57\0\0\0\
        \x01\x01o\0\x02\0\0\0/o\0\0\0\0\0\0\x06\x01s\0\x0b\0\0\0com.example\0\0\0\0\0\
        \x02\x01s\0\x0d\0\0\0com.example.I\0\0\0\x03\x01s\0\x01\0\0\0M\0\0\0\0\0\0\0\x08\x01g\0\x01s\0\0\x01\0\0\0a\0";
    assert_eq!(written[..], expected[..]);
    let long = "x".repeat(message::LONGEST);
    assert_eq!(call(Writer::new("s").string(&long)).marshal(1), Err(Error::TooLong));
}

#[test]
fn an_answer_is_found_among_what_is_said() {
    let item = "/org/freedesktop/secrets/collection/login/1".to_owned();
    assert_eq!(search(FOUND), Ok([vec![item.clone()], vec![]]));
    // A signal, an answer to another call, and the call of a method that we do not have.
    let mut other = FOUND.to_vec();
    other[52] = 2;
    assert_eq!(&FOUND[48..56], b"\x05\x01u\0\x03\0\0\0");
    let mut called = NAME_ACQUIRED.to_vec();
    called[1] = 1;
    let said = [NAME_ACQUIRED, &other, &called, FOUND].concat();
    assert_eq!(search(&said), Ok([vec![item], vec![]]));
    assert_eq!(search(&[NAME_ACQUIRED, &other].concat()), Err(Error::Lost));
}

#[test]
fn a_bus_may_write_numbers_in_either_order() {
    let said = b"B\x02\x01\x01\0\0\0\x04\0\0\0\x09\0\0\0\x0f\x05\x01u\0\0\0\0\x03\x08\x01g\0\x01b\0\0\0\0\0\x01";
    let (bus, _end) = hearing(said, 2);
    let answer = bus.call(&call(Writer::default())).unwrap();
    assert_eq!(answer.values("b").unwrap().boolean(), Ok(true));
}

#[test]
fn what_is_cut_off_is_an_error_wherever_it_is() {
    let said = [NAME_ACQUIRED, FOUND].concat();
    for length in 0..said.len() {
        assert_eq!(search(&said[..length]), Err(Error::Lost), "after {length} bytes");
    }
}

#[test]
fn a_wrong_byte_is_an_error_or_another_text_and_never_a_panic() {
    let (mut errors, mut others) = (0, 0);
    for at in 0..FOUND.len() {
        for wrong in [0, 1, 7, 0x7f, 0xff, FOUND[at] ^ 1, FOUND[at] ^ 0x80] {
            let mut said = FOUND.to_vec();
            said[at] = wrong;
            match search(&said) {
                Err(_) => errors += 1,
                Ok(_) => others += 1,
            }
        }
    }
    assert!(errors > others, "{errors} {others}");
}

#[test]
fn a_message_of_another_protocol_is_refused_before_it_is_read() {
    for (at, wrong, why) in [
        (0, &b"x"[..], "an unknown order of bytes"),
        (1, b"\0", "a header of another protocol"),
        (3, b"\x02", "a header of another protocol"),
        (4, b"\xff\xff\xff\xff", "a message that is too long"),
        (4, b"\0\0\x40\0", "a message that is too long"),
        (8, b"\0\0\0\0", "a header of another protocol"),
        (12, b"\xff\xff\xff\xff", "a message that is too long"),
    ] {
        let mut said = FOUND[..16].to_vec();
        said[at..at + wrong.len()].copy_from_slice(wrong);
        assert_eq!(search(&said), Err(Error::Malformed(why)), "{wrong:?} at {at}");
    }
    for (what, why) in [
        (&b"\x05\x01u\0\x03\0\0\0"[..], "an answer of another type"),
        (b"\x05\x01s\0\x03\0\0\0foo\0", "a field of another type"),
        (b"\x08\x01g\0\x04aoao\0", "a header that lacks a field"),
        (b"\x63\x03(u)\0", "a field of an unknown type"),
        (b"\x01\x01o\0\x01\0\0\0a\0", "a path that is none"),
    ] {
        assert_eq!(search(&answer_with(what)), Err(Error::Malformed(why)), "{what:?}");
    }
    // What a later version may say of a message is passed over.
    let later = answer_with(b"\x63\x01s\0\x01\0\0\0x\0\0\0\0\0\0\0\x05\x01u\0\x03\0\0\0\x08\x01g\0\0\0");
    let (bus, _end) = hearing(&later, 2);
    assert!(bus.call(&call(Writer::default())).unwrap().values("").is_ok());
}

/// A message of nothing but these fields, that is an answer.
fn answer_with(fields: &[u8]) -> Vec<u8> {
    let mut said = b"l\x02\0\x01\0\0\0\0\x01\0\0\0".to_vec();
    said.extend_from_slice(&u32::try_from(fields.len()).unwrap().to_le_bytes());
    said.extend_from_slice(fields);
    said.resize(said.len().next_multiple_of(8), 0);
    said
}

/// A message of this kind, about the call of this number if it answers one.
pub(in crate::keyring) fn said(
    kind: u8,
    to: Option<u32>,
    fields: &[(u8, &str, &str)],
    types: &'static str,
    values: &Writer,
) -> Vec<u8> {
    let head = Writer::default().array(8, |head| {
        let head = to.into_iter().fold(head, |head, to| head.align(8).byte(5).signature("u").number(to));
        let head = fields
            .iter()
            .fold(head, |head, (code, kind, value)| head.align(8).byte(*code).signature(kind).string(value));
        head.align(8).byte(8).signature("g").signature(types)
    });
    let mut said = vec![b'l', kind, 0, 1];
    said.extend_from_slice(&u32::try_from(values.as_bytes().len()).unwrap().to_le_bytes());
    said.extend_from_slice(b"\x09\0\0\0");
    // In the message the length of the fields is where their alignment needs no padding after it.
    said.extend_from_slice(&head.as_bytes()[..4]);
    said.extend_from_slice(&head.as_bytes()[8..]);
    said.resize(said.len().next_multiple_of(8), 0);
    said.extend_from_slice(values.as_bytes());
    said
}

/// That the call of this number has failed.
pub(in crate::keyring) fn error(to: u32, name: &str) -> Vec<u8> {
    said(3, Some(to), &[(4, "s", name)], "s", &Writer::new("s").string("words"))
}

#[test]
fn errors_are_told_apart() {
    for (name, expected) in [
        ("org.freedesktop.DBus.Error.ServiceUnknown", Error::NoService),
        ("org.freedesktop.DBus.Error.NameHasNoOwner", Error::NoService),
        ("org.freedesktop.DBus.Error.Spawn.ExecFailed", Error::NoService),
        ("org.freedesktop.DBus.Error.NoReply", Error::Lost),
        ("org.freedesktop.DBus.Error.Disconnected", Error::Lost),
        ("org.freedesktop.DBus.Error.Timeout", Error::TimedOut),
        ("org.freedesktop.DBus.Error.AccessDenied", refused("org.freedesktop.DBus.Error.AccessDenied")),
        ("org.freedesktop.Secret.Error.IsLocked", refused("org.freedesktop.Secret.Error.IsLocked")),
        ("a.b\u{1b}[2J", Error::Malformed("a name that is none")),
    ] {
        assert_eq!(search(&error(3, name)), Err(expected), "{name}");
    }
}

fn refused(name: &str) -> Error {
    Error::Refused(name.to_owned())
}

#[test]
fn a_signal_is_heard_before_and_after_the_call_returns() {
    let signal = |path, member, dismissed| {
        let fields = [(1, "o", path), (2, "s", "com.example.I"), (3, "s", member)];
        said(4, None, &fields, "bv", &Writer::new("bv").boolean(dismissed).signature("s").string(""))
    };
    let ours = signal("/o", "Done", true);
    let others = [signal("/p", "Done", false), signal("/o", "Doing", false)].concat();
    let returned = |to| said(2, Some(to), &[], "", &Writer::default());
    let hear = |said: &[&[u8]]| {
        // First the bus is told what is listened to: that is call 3.
        let (bus, _end) = hearing(&[&returned(3), &said.concat()[..]].concat(), 2);
        let heard = bus.call_and_hear(&call(Writer::default()), "Done", PATIENCE)?;
        heard.values("bv")?.boolean()
    };
    assert_eq!(hear(&[&others, &ours, &returned(4)]), Ok(true));
    assert_eq!(hear(&[&returned(4), &others, &ours]), Ok(true));
    assert_eq!(hear(&[&returned(4), &others]), Err(Error::Lost));
    assert_eq!(hear(&[&others, &error(4, "com.example.No"), &ours]), Err(refused("com.example.No")));
}

#[test]
fn silence_ends() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let stream = Stream::over(ours);
    stream.within(Duration::from_millis(5));
    assert!(matches!(stream.receive(), Err(Error::TimedOut)));
    // A bus that takes nothing either.
    stream.within(Duration::from_millis(5));
    assert_eq!(stream.write(&vec![0; 1 << 24]), Err(Error::TimedOut));
}
