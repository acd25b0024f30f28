//! Services that a desktop would rather not have: without encryption, locked, asking, going away. Each is a script of what
//! it is asked and what it answers.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;

use super::*;
use crate::keyring::bus::Writer;
use crate::keyring::bus::tests::{error, over, said};

/// A method, perhaps after the path of its object, and what is said when it is called: `answer` makes it of the number of the call.
type Line = (&'static str, Box<dyn Fn(u32) -> Vec<u8> + Send>);

fn returns(types: &'static str, values: impl FnOnce(Writer) -> Writer) -> Box<dyn Fn(u32) -> Vec<u8> + Send> {
    let values = values(Writer::new(types));
    Box::new(move |to| said(2, Some(to), &[], types, &values))
}

fn fails(name: &'static str) -> Box<dyn Fn(u32) -> Vec<u8> + Send> {
    Box::new(move |to| error(to, name))
}

fn paths(values: Writer, paths: &[&str]) -> Writer {
    values.array(4, |array| paths.iter().fold(array, |array, path| array.string(path)))
}

fn found(unlocked: &'static [&str], locked: &'static [&str]) -> Line {
    ("SearchItems", returns("aoao", |values| paths(paths(values, unlocked), locked)))
}

/// Sessions that are not encrypted, so that the script can be read.
fn plain() -> [Line; 2] {
    [
        ("OpenSession", fails("org.freedesktop.DBus.Error.NotSupported")),
        ("OpenSession", returns("vo", |values| values.signature("s").string("").string("/s"))),
    ]
}

fn holds(secret: &'static [u8]) -> Line {
    let values = |values: Writer| values.align(8).string("/s").bytes(&[]).bytes(secret).string("text/plain");
    ("/i GetSecret", returns("(oayays)", values))
}

/// Unlocking asks a person, who does it or dismisses the question.
fn asks(dismissed: bool) -> [Line; 3] {
    let completed = Writer::new("bv").boolean(dismissed).signature("s").string("");
    let fields = [(1, "o", "/p"), (2, "s", "org.freedesktop.Secret.Prompt"), (3, "s", "Completed")];
    let signal = said(4, None, &fields, "bv", &completed);
    let prompt = move |to| [said(2, Some(to), &[], "", &Writer::default()), signal.clone()].concat();
    [
        ("Unlock", returns("aoo", |values| paths(values, &[]).string("/p"))),
        ("AddMatch", returns("", |values| values)),
        ("Prompt", Box::new(prompt)),
    ]
}

/// The service of a script. It ends when it has been asked all of it, and panics when it is asked something else.
fn open(script: impl IntoIterator<Item = Line>) -> (Result<Connection, Error>, JoinHandle<()>) {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let script: Vec<_> = script.into_iter().collect();
    let service = std::thread::spawn(move || {
        for (member, answer) in script {
            let mut start = [0; 16];
            theirs.read_exact(&mut start).unwrap();
            let number = |at: usize| u32::from_le_bytes(start[at..at + 4].try_into().unwrap());
            let mut rest = vec![0; (number(12).next_multiple_of(8) + number(4)) as usize];
            theirs.read_exact(&mut rest).unwrap();
            let (path, member) = member.split_once(' ').unwrap_or(("/", member));
            for field in [format!("\x01\x01o\0{path}"), format!("\x03\x01s\0{member}\0")] {
                let (kind, value) = field.split_at(4);
                let is_it =
                    |window: &[u8]| window.starts_with(kind.as_bytes()) && window[8..].starts_with(value.as_bytes());
                assert!(rest.windows(field.len() + 4).any(is_it), "{field:?}: {}", rest.escape_ascii());
            }
            theirs.write_all(&answer(number(8))).unwrap();
        }
        assert_eq!(theirs.read(&mut [0]).unwrap(), 0, "and nothing else");
    });
    (Service::open(over(ours, 0), &[7; 32]).map(Connection), service)
}

/// What a job comes to with the service of a script, which has to be asked all of it.
fn with<T>(
    script: impl IntoIterator<Item = Line>,
    job: impl FnOnce(&Connection, &Entry, &Turn) -> Result<T, Trouble>,
) -> Result<T, StoreTrouble> {
    let (connection, service) = open(script);
    let entry = Entry { service: "Codex Auth", account: "cli|0".to_owned() };
    let done = job(&connection.unwrap(), &entry, &Turn::default());
    service.join().unwrap();
    done.map_err(|(kind, _)| kind)
}

fn save(connection: &Connection, entry: &Entry, turn: &Turn) -> Result<(), Trouble> {
    connection.save(entry, &Secret::from("{}".to_owned()), turn)
}

#[test]
fn a_service_without_encryption_is_used_without() {
    let script = plain().into_iter().chain([found(&["/i"], &[]), holds(b"secret")]);
    assert_eq!(with(script, Connection::load), Ok(Some(b"secret".to_vec())));
    let (connection, service) = open([("OpenSession", fails("org.freedesktop.DBus.Error.AccessDenied"))]);
    assert!(connection.is_err(), "no other refusal makes it go on without");
    service.join().unwrap();
}

#[test]
fn a_key_that_anybody_could_know_is_refused() {
    for theirs in [&[][..], &[1], &[0; 128]] {
        let answer = returns("vo", |values| values.signature("ay").bytes(theirs).string("/s"));
        let (connection, service) = open([("OpenSession", answer)]);
        assert_eq!(connection.err(), Some(Error::Malformed("a key that hides nothing")));
        service.join().unwrap();
    }
}

#[test]
fn a_person_is_asked_to_unlock_it() {
    let script = plain().into_iter().chain([found(&[], &["/i"])]).chain(asks(false)).chain([holds(b"secret")]);
    assert_eq!(with(script, Connection::load), Ok(Some(b"secret".to_vec())));
    for job in [|on: &Connection, entry: &Entry, turn: &Turn| on.load(entry, turn).map(drop), save] {
        let script = plain().into_iter().chain([found(&[], &["/i"])]).chain(asks(true));
        assert_eq!(with(script, job), Err(StoreTrouble::Locked), "the question was dismissed");
    }
}

#[test]
fn a_new_entry_is_created_in_a_collection_that_is_unlocked_first() {
    let script = plain().into_iter().chain([
        found(&[], &[]),
        ("ReadAlias", returns("o", |values| values.string("/c"))),
        ("Get", returns("v", |values| values.signature("b").boolean(true))),
    ]);
    let script = script.chain(asks(false));
    let script = script.chain([("CreateItem", returns("oo", |values| values.string("/i").string("/")))]);
    assert_eq!(with(script, save), Ok(()));
}

#[test]
fn of_several_the_newest_counts_and_all_are_written() {
    let modified = |of, time: u64| -> Line { (of, returns("v", |values| values.signature("t").long(time))) };
    let script = plain().into_iter().chain([
        found(&["/i", "/j"], &[]),
        modified("/i Get", 9),
        modified("/j Get", 3),
        holds(b"newest"),
    ]);
    assert_eq!(with(script, Connection::load), Ok(Some(b"newest".to_vec())));
    let written = |of| -> Line { (of, returns("", |values| values)) };
    let script =
        plain().into_iter().chain([found(&["/i", "/j"], &[]), written("/i SetSecret"), written("/j SetSecret")]);
    assert_eq!(with(script, save), Ok(()));
}

#[test]
fn what_goes_wrong_is_told_apart() {
    for (name, kind) in [
        ("org.freedesktop.Secret.Error.IsLocked", StoreTrouble::Locked),
        ("org.freedesktop.Secret.Error.NoSession", StoreTrouble::Other),
        ("org.freedesktop.Secret.Error.NoSuchObject", StoreTrouble::Other),
        ("org.freedesktop.DBus.Error.ServiceUnknown", StoreTrouble::Unavailable),
        // It may have been written.
        ("org.freedesktop.DBus.Error.NoReply", StoreTrouble::Other),
        ("org.freedesktop.DBus.Error.Failed", StoreTrouble::Other),
    ] {
        let script = plain().into_iter().chain([found(&["/i"], &[]), ("SetSecret", fails(name))]);
        assert_eq!(with(script, save), Err(kind), "{name}");
    }
}

#[test]
fn nobody_waiting_nothing_is_written() {
    let abandoned = |on: &Connection, entry: &Entry, turn: &Turn| {
        turn.abandon();
        save(on, entry, turn)
    };
    let script = plain().into_iter().chain([found(&["/i"], &[])]);
    assert_eq!(with(script, abandoned), Err(StoreTrouble::TimedOut));
    // Nor is anybody asked to unlock what nobody waits for.
    let script = plain().into_iter().chain([found(&[], &["/i"])]);
    assert_eq!(with(script, abandoned), Err(StoreTrouble::TimedOut));
}
