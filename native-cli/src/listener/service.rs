//! The one thread of a listener: takes connections, hands their requests in one by one, writes the answers.

use std::io;
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use hallpass_core::{Call, Event, Page};

use super::connection::Connection;

/// The most connections at a time.
const MOST: usize = 32;
/// The most connections taken in one go, so that a flood of them does not keep the others from being served.
const ACCEPTS: usize = 256;
/// How long a connection may keep its place without a whole request when others want it.
const GRACE: Duration = Duration::from_millis(20);
/// How long it rests when somebody is connected.
const BUSY: Duration = Duration::from_millis(2);
/// How long it rests when nobody is.
const IDLE: Duration = Duration::from_millis(20);
/// The longest it stays to get its last answers out.
const FAREWELL: Duration = Duration::from_millis(500);

/// What to answer, and whom to tell when it is done.
pub(super) struct Reply {
    pub(super) page: Page,
    pub(super) done: Sender<()>,
}

pub(super) struct Service {
    sockets: Vec<TcpListener>,
    replies: Receiver<Reply>,
    events: Sender<Event>,
    connections: Vec<Connection>,
    /// The request that was handed in and is not answered.
    current: Option<Connection>,
}

impl Service {
    pub(super) fn new(sockets: Vec<TcpListener>, replies: Receiver<Reply>, events: Sender<Event>) -> io::Result<Self> {
        for socket in &sockets {
            socket.set_nonblocking(true)?;
        }
        Ok(Self { sockets, replies, events, connections: Vec::with_capacity(MOST), current: None })
    }

    /// Serves until the last page is out or the other end of the channel is gone.
    pub(super) fn run(mut self) {
        loop {
            let is_crowded = self.accept();
            self.connections.iter_mut().for_each(Connection::advance);
            self.connections.retain(|connection| !connection.is_over());
            if !self.hand_in() {
                return;
            }
            let rest = match (is_crowded, self.connections.is_empty()) {
                (true, _) => Duration::ZERO,
                (false, false) => BUSY,
                (false, true) => IDLE,
            };
            match self.replies.recv_timeout(rest) {
                Ok(reply) => {
                    let is_last = reply.page.is_last();
                    self.answer(reply.page);
                    if is_last {
                        self.sockets.clear();
                        self.finish();
                    }
                    let _ = reply.done.send(());
                    if is_last {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Takes whoever is there. Room is made by putting out the one that has been there longest without a whole
    /// request: a browser sends its request at once, whoever dawdles loses its place. When all of them have sent
    /// theirs or have only just come, further ones wait in the system's backlog. `true` when there may be more to take.
    fn accept(&mut self) -> bool {
        for _ in 0..ACCEPTS {
            let room = self.connections.len() < MOST;
            let slowest = longest(&self.connections, |connection| {
                !connection.is_waiting() && connection.since().elapsed() > GRACE
            });
            if !room && slowest.is_none() {
                return false;
            }
            let Some(stream) = self.sockets.iter().find_map(|socket| socket.accept().ok()) else { return false };
            let Ok(mut connection) = Connection::new(stream.0) else { continue };
            connection.advance();
            if let Some(index) = slowest.filter(|_| !room) {
                self.connections.swap_remove(index);
            }
            self.connections.push(connection);
        }
        true
    }

    /// Hands in the request that has waited longest, unless one is out already. `false` when nobody listens.
    fn hand_in(&mut self) -> bool {
        if self.current.is_some() {
            return true;
        }
        let next = longest(&self.connections, Connection::is_waiting);
        let Some(connection) = next.map(|index| self.connections.swap_remove(index)) else { return true };
        let Some(call) = connection.call().cloned() else { return true };
        self.current = Some(connection);
        self.events.send(Event::Called(call)).is_ok()
    }

    fn answer(&mut self, page: Page) {
        let Some(mut connection) = self.current.take() else { return };
        let call = connection.call().cloned();
        connection.answer(page);
        self.connections.push(connection);
        if page.is_last() {
            self.answer_the_others(page, call.as_ref());
        }
    }

    /// With the last page everybody who still waits gets an answer; a browser that asked twice, the same one.
    fn answer_the_others(&mut self, page: Page, answered: Option<&Call>) {
        for connection in &mut self.connections {
            if let Some(call) = connection.call() {
                let is_same = Some(call) == answered;
                connection.answer(if is_same { page } else { Page::NotFound });
            }
        }
    }

    /// Gets the answers out that are on their way.
    fn finish(&mut self) {
        let begin = Instant::now();
        while self.connections.iter().any(Connection::is_writing) && begin.elapsed() < FAREWELL {
            std::thread::sleep(BUSY);
            self.connections.iter_mut().for_each(Connection::advance);
        }
    }
}

/// The one that has been there longest among those of a kind.
fn longest(connections: &[Connection], kind: impl Fn(&Connection) -> bool) -> Option<usize> {
    connections
        .iter()
        .enumerate()
        .filter(|(_, connection)| kind(connection))
        .min_by_key(|(_, connection)| connection.since())
        .map(|(index, _)| index)
}
