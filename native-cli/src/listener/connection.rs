//! One browser at the listener: reads the head of its request, without blocking and within limits.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use hallpass_core::{Call, Page, Secret};
use zeroize::Zeroizing;

use crate::page;

/// The largest head of a request.
const HEAD: usize = 8 * 1024;
/// The most header fields.
const FIELDS: usize = 64;
/// The longest that a head may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest that the writing of an answer, and then what the browser still sends, is attended to.
const FAREWELL: Duration = Duration::from_secs(1);

/// A connection, and how far it is.
pub(super) struct Connection {
    stream: TcpStream,
    since: Instant,
    state: State,
}

enum State {
    /// The head is coming in.
    Reading(Zeroizing<Vec<u8>>),
    /// The head is here, the request waits to be handed in or answered.
    Waiting(Call),
    /// The answer goes out.
    Writing(Vec<u8>),
    /// The answer is out; what still comes is thrown away, so that closing does not take the answer back.
    Leaving,
    /// Nothing more to do.
    Over,
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        let _ = stream.set_nodelay(true);
        Ok(Self { stream, since: Instant::now(), state: State::Reading(Zeroizing::new(Vec::with_capacity(HEAD))) })
    }

    /// Does what can be done now.
    pub(super) fn advance(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Over);
        self.state = match state {
            State::Reading(head) => self.read(head),
            State::Writing(rest) => self.write(rest),
            State::Leaving => self.leave(),
            other => other,
        };
    }

    /// The request, once it is here.
    pub(super) fn call(&self) -> Option<&Call> {
        match &self.state {
            State::Waiting(call) => Some(call),
            _ => None,
        }
    }

    /// Whether it must not be put out to make room: its request is here and not answered.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting(_))
    }

    /// Whether its answer is not out yet.
    pub(super) fn is_writing(&self) -> bool {
        matches!(self.state, State::Writing(_))
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// When it came, or when its answer began to go out.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// Answers the request that is waiting.
    pub(super) fn answer(&mut self, page: Page) {
        let is_head = self.call().is_some_and(|call| call.method == "HEAD");
        let (status, headers, body) = page::render(page);
        self.state = self.respond(status, &headers, if is_head { "" } else { &body });
    }

    fn read(&mut self, mut head: Zeroizing<Vec<u8>>) -> State {
        let mut buffer = Zeroizing::new([0; 2048]);
        loop {
            let room = (HEAD - head.len()).min(buffer.len());
            let Some(space) = buffer.get_mut(..room).filter(|space| !space.is_empty()) else {
                return self.turn_away(431);
            };
            match self.stream.read(space) {
                Ok(0) => return State::Over,
                Ok(amount) => head.extend_from_slice(buffer.get(..amount).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return if self.since.elapsed() > PATIENCE { self.turn_away(408) } else { State::Reading(head) };
                }
                Err(_) => return State::Over,
            }
            match parse(&head) {
                Ok(Some(call)) => return State::Waiting(call),
                Ok(None) => {}
                Err(status) => return self.turn_away(status),
            }
        }
    }

    /// Answers what is no proper request.
    fn turn_away(&mut self, status: u16) -> State {
        let (_, headers, body) = page::render(Page::BadRequest);
        self.respond(status, &headers, &body)
    }

    fn respond(&mut self, status: u16, headers: &[(&'static str, String)], body: &str) -> State {
        let reason = match status {
            200 => "OK",
            404 => "Not Found",
            408 => "Request Timeout",
            431 => "Request Header Fields Too Large",
            _ => "Bad Request",
        };
        let mut text = format!("HTTP/1.1 {status} {reason}\r\n");
        for (name, value) in headers {
            text.push_str(name);
            text.push_str(": ");
            text.push_str(value);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        text.push_str(body);
        self.since = Instant::now();
        self.write(text.into_bytes())
    }

    fn write(&mut self, mut rest: Vec<u8>) -> State {
        while !rest.is_empty() {
            match self.stream.write(&rest) {
                Ok(0) => return State::Over,
                Ok(amount) => drop(rest.drain(..amount)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return if self.since.elapsed() > FAREWELL { State::Over } else { State::Writing(rest) };
                }
                Err(_) => return State::Over,
            }
        }
        if self.stream.shutdown(Shutdown::Write).is_err() { State::Over } else { self.leave() }
    }

    fn leave(&mut self) -> State {
        let mut waste = Zeroizing::new([0; 4096]);
        // Bounded, so that one who sends without end does not hold up the others.
        for _ in 0..64 {
            match self.stream.read(waste.as_mut_slice()) {
                Ok(0) => return State::Over,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return State::Over,
            }
        }
        if self.since.elapsed() > FAREWELL { State::Over } else { State::Leaving }
    }
}

/// Reads a head: `None` while it is not whole, the status to answer when it is no proper one.
fn parse(head: &[u8]) -> Result<Option<Call>, u16> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(431),
        Err(_) => return Err(400),
    }
    let (Some(method), Some(target)) = (request.method, request.path) else { return Err(400) };
    let mut hosts = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case("host"));
    let host = hosts.next().map(|field| std::str::from_utf8(field.value));
    if hosts.next().is_some() {
        return Err(400); // RFC 9112, section 3.2
    }
    let host = host.transpose().map_err(|_| 400_u16)?.map(str::to_owned);
    Ok(Some(Call { method: method.to_owned(), target: Secret::new(target), host }))
}
