//! The socket: whole messages, before a deadline, with a bus of this user.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::net::{SocketAddr, UnixStream};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::Error;
use super::message::{Header, Message};

/// A connection, and the moment until which it is read and written.
pub(super) struct Stream {
    socket: UnixStream,
    deadline: Cell<Instant>,
}

impl Stream {
    pub(super) fn connect(address: &SocketAddr) -> Result<Self, Error> {
        let socket = UnixStream::connect_addr(address).map_err(|error| Error::NoBus(error.to_string()))?;
        check_owner(&socket)?;
        Ok(Self::over(socket))
    }

    pub(super) fn over(socket: UnixStream) -> Self {
        Self { socket, deadline: Cell::new(Instant::now() + super::PATIENCE) }
    }

    /// Says how long what comes now may take.
    pub(super) fn within(&self, patience: Duration) {
        self.deadline.set(Instant::now() + patience);
    }

    /// The next message. What it holds may be secret.
    pub(super) fn receive(&self) -> Result<Message, Error> {
        let mut start = [0; Header::START];
        self.read(&mut start)?;
        let header = Header::read(start)?;
        let mut rest = Zeroizing::new(vec![0; header.rest()]);
        self.read(&mut rest)?;
        header.message(rest)
    }

    pub(super) fn write(&self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let written = self.patiently(UnixStream::set_write_timeout, |mut socket| socket.write(bytes))?;
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    /// Reads what has come, up to the length of the buffer.
    pub(super) fn read_some(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.patiently(UnixStream::set_read_timeout, |mut socket| socket.read(buffer))
    }

    fn read(&self, buffer: &mut [u8]) -> Result<(), Error> {
        let mut filled = 0;
        while filled < buffer.len() {
            filled += self.read_some(&mut buffer[filled..])?;
        }
        Ok(())
    }

    /// Does something to the socket until it has done a part of it: never of nothing.
    fn patiently(
        &self,
        set_timeout: fn(&UnixStream, Option<Duration>) -> io::Result<()>,
        mut act: impl FnMut(&UnixStream) -> io::Result<usize>,
    ) -> Result<usize, Error> {
        loop {
            let left = self.deadline.get().saturating_duration_since(Instant::now());
            // Zero is no timeout but an error.
            if left.is_zero() {
                return Err(Error::TimedOut);
            }
            set_timeout(&self.socket, Some(left)).map_err(|_| Error::Lost)?;
            match act(&self.socket) {
                Ok(0) => return Err(Error::Lost),
                Ok(done) => return Ok(done),
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => return Err(Error::TimedOut),
                    _ => return Err(Error::Lost),
                },
            }
        }
    }
}

/// Whoever listens where a bus has been, and may no longer be, would be given secrets: an abstract name, and a path in a
/// folder for all, can be taken by anybody once the session is over. The system's own processes could read them anyway.
#[cfg(target_os = "linux")]
fn check_owner(socket: &UnixStream) -> Result<(), Error> {
    let owner = rustix::net::sockopt::socket_peercred(socket).map_err(|error| Error::NoBus(error.to_string()))?.uid;
    if owner.is_root() || owner == rustix::process::geteuid() {
        return Ok(());
    }
    Err(Error::NoBus(format!("it belongs to another user ({})", owner.as_raw())))
}

/// Not every system tells who listens.
#[cfg(not(target_os = "linux"))]
fn check_owner(_: &UnixStream) -> Result<(), Error> {
    Ok(())
}
