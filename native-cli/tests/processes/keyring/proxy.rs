//! Between the program and its bus: every call is seen before the bus sees it, and may be held back or kept.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Forward,
    /// The bus never hears of it.
    Keep,
}

/// Judges the calls by their number, beginning with 0, and their name. It may take its time.
pub(crate) type Judge = dyn Fn(usize, &str) -> Verdict + Send + Sync;

/// Listens at a path that is not there yet, and leads to the bus. The threads end with the connections, the last of them
/// with the test.
pub(crate) fn start(path: &Path, bus: &Path, judge: Arc<Judge>) {
    let listener = UnixListener::bind(path).unwrap();
    let (bus, count) = (bus.to_owned(), Arc::new(AtomicUsize::new(0)));
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let Ok(service) = UnixStream::connect(&bus) else { return };
            let (mut back, mut front) = (service.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || {
                let _ = std::io::copy(&mut back, &mut front);
                let _ = front.shutdown(Shutdown::Both);
            });
            let (judge, count) = (Arc::clone(&judge), Arc::clone(&count));
            thread::spawn(move || {
                let _ = carry(client, &service, &|name| judge(count.fetch_add(1, Ordering::SeqCst), name));
                let _ = service.shutdown(Shutdown::Both);
            });
        }
    });
}

/// Carries what a client says to the bus: the lines of the handshake, then message by message.
fn carry(mut client: UnixStream, mut bus: &UnixStream, judge: &dyn Fn(&str) -> Verdict) -> std::io::Result<()> {
    const BEGIN: &[u8] = b"BEGIN\r\n";
    let (mut pending, mut begun, mut chunk) = (Vec::new(), false, [0; 4096]);
    loop {
        let read = client.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        pending.extend_from_slice(&chunk[..read]);
        if !begun {
            let end = pending.windows(BEGIN.len()).position(|window| window == BEGIN);
            begun = end.is_some();
            let handshake: Vec<_> = pending.drain(..end.map_or(pending.len(), |end| end + BEGIN.len())).collect();
            bus.write_all(&handshake)?;
        }
        while let Some(length) = length_of(&pending).filter(|length| begun && pending.len() >= *length) {
            let message: Vec<_> = pending.drain(..length).collect();
            if member(&message).is_none_or(|name| judge(name) == Verdict::Forward) {
                bus.write_all(&message)?;
            }
        }
    }
}

/// The length of the message that begins here (D-Bus specification, "Message Format").
fn length_of(bytes: &[u8]) -> Option<usize> {
    (bytes.len() >= 16).then(|| 16 + number(bytes, 12).next_multiple_of(8) + number(bytes, 4))
}

fn number(bytes: &[u8], at: usize) -> usize {
    assert_eq!(bytes[0], b'l', "little-endian");
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

/// The name of the method that a message calls.
fn member(message: &[u8]) -> Option<&str> {
    const METHOD_CALL: u8 = 1;
    const MEMBER: u8 = 3;
    if message[1] != METHOD_CALL {
        return None;
    }
    let (mut at, end) = (16_usize, 16 + number(message, 12));
    while at < end {
        at = at.next_multiple_of(8);
        // Each field: its code, the signature of its value (one letter here), the value.
        let (code, kind) = (message[at], message[at + 2]);
        at += 4;
        match kind {
            b'g' => at += 2 + usize::from(message[at]),
            b'u' => at = at.next_multiple_of(4) + 4,
            _ => {
                at = at.next_multiple_of(4);
                let length = number(message, at);
                if code == MEMBER {
                    return std::str::from_utf8(&message[at + 4..at + 4 + length]).ok();
                }
                at += 4 + length + 1;
            }
        }
    }
    None
}
