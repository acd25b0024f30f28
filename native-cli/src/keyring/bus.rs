//! A connection to the session bus, as much of it as a client of one service needs: calls, their answers, and one signal.
//! <https://dbus.freedesktop.org/doc/dbus-specification.html>

mod address;
mod error;
mod handshake;
mod message;
mod reader;
mod stream;
#[cfg(test)]
pub(super) mod tests;
mod writer;

use std::cell::Cell;
use std::time::Duration;

pub(super) use error::Error;
pub(super) use message::{Call, Message};
pub(super) use reader::Reader;
pub(super) use writer::Writer;

use message::Kind;
use stream::Stream;

/// How long the thread waits that makes a call. Who waits for the thread has given up before: this only ends it.
const PATIENCE: Duration = Duration::from_secs(20);

/// The session bus, which knows this connection by a name.
pub(super) struct Bus {
    stream: Stream,
    serial: Cell<u32>,
}

impl Bus {
    /// Connects to the first address that takes a connection.
    pub(super) fn open() -> Result<Self, Error> {
        let mut outcome = Err(Error::NoBus("no address of a socket".to_owned()));
        for address in address::session()? {
            outcome = Self::connect(&address);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    fn connect(address: &address::Address) -> Result<Self, Error> {
        let bus = Self { stream: Stream::connect(&address.socket)?, serial: Cell::new(0) };
        handshake::authenticate(&bus.stream, address.guid.as_deref())?;
        bus.ask("Hello", Writer::default())?;
        Ok(bus)
    }

    /// Calls a method and waits for what it returns.
    pub(super) fn call(&self, call: &Call<'_>) -> Result<Message, Error> {
        self.stream.within(PATIENCE);
        let serial = self.send(call)?;
        loop {
            let message = self.stream.receive()?;
            if let Some(answer) = answer(message, serial) {
                return answer;
            }
        }
    }

    /// Calls a method of an object and waits for a signal of the same object, which may come before the method returns.
    pub(super) fn call_and_hear(&self, call: &Call<'_>, signal: &str, patience: Duration) -> Result<Message, Error> {
        let &Call { path, interface, destination, .. } = call;
        let rule =
            format!("type='signal',sender='{destination}',path='{path}',interface='{interface}',member='{signal}'");
        self.ask("AddMatch", Writer::new("s").string(&rule))?;
        self.stream.within(patience);
        let serial = self.send(call)?;
        loop {
            let message = self.stream.receive()?;
            if message.is_signal(path, interface, signal) {
                return Ok(message);
            }
            if let Some(Err(error)) = answer(message, serial) {
                return Err(error);
            }
        }
    }

    /// Calls a method of the bus itself.
    fn ask(&self, member: &str, arguments: Writer) -> Result<Message, Error> {
        let name = "org.freedesktop.DBus";
        self.call(&Call { destination: name, path: "/org/freedesktop/DBus", interface: name, member, arguments })
    }

    fn send(&self, call: &Call<'_>) -> Result<u32, Error> {
        let serial = self.serial.get().wrapping_add(1).max(1);
        self.serial.set(serial);
        self.stream.write(&call.marshal(serial)?)?;
        Ok(serial)
    }
}

/// What a message says to the call of this number, if it is the answer to it.
fn answer(message: Message, serial: u32) -> Option<Result<Message, Error>> {
    match &message.kind {
        Kind::Return { to } if *to == serial => Some(Ok(message)),
        Kind::Error { to, name } if *to == serial => Some(Err(Error::named(name))),
        _ => None,
    }
}
