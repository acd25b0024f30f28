//! Messages (D-Bus specification, "Message Format").

use zeroize::Zeroizing;

use super::reader::{Order, Reader};
use super::{Error, Writer};

/// The longest message that is sent or read. The specification allows 128 MiB; a record has some thousand bytes.
pub(super) const LONGEST: usize = 4 * 1024 * 1024;

const VERSION: u8 = 1;
/// Kinds of messages.
const METHOD_CALL: u8 = 1;
const METHOD_RETURN: u8 = 2;
const ERROR: u8 = 3;
const SIGNAL: u8 = 4;
/// Fields of a header.
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;

/// A call of a method.
pub(in crate::keyring) struct Call<'a> {
    pub(in crate::keyring) destination: &'a str,
    pub(in crate::keyring) path: &'a str,
    pub(in crate::keyring) interface: &'a str,
    pub(in crate::keyring) member: &'a str,
    pub(in crate::keyring) arguments: Writer,
}

impl Call<'_> {
    /// The message that makes this call, numbered.
    pub(super) fn marshal(&self, serial: u32) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (body, types) = (self.arguments.as_bytes(), self.arguments.types());
        let field = |fields: Writer, code, kind, value| fields.align(8).byte(code).signature(kind).string(value);
        let header = Writer::default()
            .byte(b'l')
            .byte(METHOD_CALL)
            .byte(0)
            .byte(VERSION)
            .number(u32::try_from(body.len()).map_err(|_| Error::TooLong)?)
            .number(serial)
            .array(8, |fields| {
                let fields = field(fields, PATH, "o", self.path);
                let fields = field(fields, DESTINATION, "s", self.destination);
                let fields = field(fields, INTERFACE, "s", self.interface);
                let fields = field(fields, MEMBER, "s", self.member);
                if types.is_empty() { fields } else { fields.align(8).byte(SIGNATURE).signature("g").signature(types) }
            })
            .align(8);
        if header.as_bytes().len() + body.len() > LONGEST {
            return Err(Error::TooLong);
        }
        Ok(Zeroizing::new([header.as_bytes(), body].concat()))
    }
}

/// What every message begins with.
#[derive(Debug)]
pub(super) struct Header {
    order: Order,
    kind: u8,
    /// How long the fields are, and what follows them.
    fields: usize,
    body: usize,
}

impl Header {
    pub(super) const START: usize = 16;

    pub(super) fn read(start: [u8; Self::START]) -> Result<Self, Error> {
        let order = match start[0] {
            b'l' => Order::Little,
            b'B' => Order::Big,
            _ => return Err(Error::Malformed("an unknown order of bytes")),
        };
        let mut reader = Reader::new(&start[1..], order);
        let (kind, _flags, version) = (reader.byte()?, reader.byte()?, reader.byte()?);
        let mut reader = Reader::new(&start[4..], order);
        let (body, serial, fields) = (reader.number()?, reader.number()?, reader.number()?);
        if kind == 0 || version != VERSION || serial == 0 {
            return Err(Error::Malformed("a header of another protocol"));
        }
        let short = |length| usize::try_from(length).ok().filter(|length| *length <= LONGEST);
        match (short(fields), short(body)) {
            (Some(fields), Some(body)) if fields + body <= LONGEST => Ok(Self { order, kind, fields, body }),
            _ => Err(Error::Malformed("a message that is too long")),
        }
    }

    /// How many bytes follow.
    pub(super) fn rest(&self) -> usize {
        self.fields.next_multiple_of(8) + self.body
    }

    /// The message whose other bytes these are.
    pub(super) fn message(&self, rest: Zeroizing<Vec<u8>>) -> Result<Message, Error> {
        const LACKS: Error = Error::Malformed("a header that lacks a field");
        let start = self.fields.next_multiple_of(8);
        let (head, _) = rest.split_at_checked(start).ok_or(LACKS)?;
        let fields = Fields::read(&head[..self.fields], self.order)?;
        if head[self.fields..].iter().any(|&byte| byte != 0) {
            return Err(Error::Malformed("padding that is not zero"));
        }
        let owned = |text: Option<&str>| text.map(str::to_owned).ok_or(LACKS);
        let kind = match self.kind {
            METHOD_RETURN => Kind::Return { to: fields.reply_serial.ok_or(LACKS)? },
            ERROR => Kind::Error { to: fields.reply_serial.ok_or(LACKS)?, name: owned(fields.error_name)? },
            SIGNAL => Kind::Signal {
                path: owned(fields.path)?,
                interface: owned(fields.interface)?,
                member: owned(fields.member)?,
            },
            _ => Kind::Other,
        };
        let signature = fields.signature.unwrap_or_default().to_owned();
        Ok(Message { kind, signature, rest, start, order: self.order })
    }
}

/// The fields of a header that say something to a client.
#[derive(Default)]
struct Fields<'a> {
    path: Option<&'a str>,
    interface: Option<&'a str>,
    member: Option<&'a str>,
    error_name: Option<&'a str>,
    reply_serial: Option<u32>,
    signature: Option<&'a str>,
}

impl<'a> Fields<'a> {
    fn read(bytes: &'a [u8], order: Order) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, order);
        let mut fields = Self::default();
        while !reader.is_at_end() {
            reader.align(8)?;
            let code = reader.byte()?;
            match (code, reader.signature()?) {
                (PATH, "o") => fields.path = Some(reader.path()?),
                (INTERFACE, "s") => fields.interface = Some(reader.string()?),
                (MEMBER, "s") => fields.member = Some(reader.string()?),
                (ERROR_NAME, "s") => fields.error_name = Some(name(reader.string()?)?),
                (REPLY_SERIAL, "u") => fields.reply_serial = Some(reader.number()?),
                (SIGNATURE, "g") => fields.signature = Some(reader.signature()?),
                (PATH..=REPLY_SERIAL | SIGNATURE, _) => return Err(Error::Malformed("a field of another type")),
                // What a later version adds is passed over, where its length is known without its type.
                (_, "s" | "o") => drop(reader.string()?),
                (_, "u" | "i" | "b" | "h") => drop(reader.number()?),
                (_, "g") => drop(reader.signature()?),
                _ => return Err(Error::Malformed("a field of an unknown type")),
            }
        }
        Ok(fields)
    }
}

/// The name of an error. It is shown.
fn name(name: &str) -> Result<&str, Error> {
    let is_name = name.len() <= 255 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte));
    if is_name { Ok(name) } else { Err(Error::Malformed("a name that is none")) }
}

/// A message that was received.
pub(in crate::keyring) struct Message {
    pub(super) kind: Kind,
    signature: String,
    /// The fields, and from `start` the values.
    rest: Zeroizing<Vec<u8>>,
    start: usize,
    order: Order,
}

/// What a message is.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// The call of this number has returned.
    Return {
        to: u32,
    },
    /// The call of this number has failed.
    Error {
        to: u32,
        name: String,
    },
    Signal {
        path: String,
        interface: String,
        member: String,
    },
    /// Nothing that a client listens to.
    Other,
}

impl Message {
    /// The values, which have to be of these types.
    pub(in crate::keyring) fn values(&self, signature: &str) -> Result<Reader<'_>, Error> {
        if self.signature != signature {
            return Err(Error::Malformed("an answer of another type"));
        }
        Ok(Reader::new(&self.rest[self.start..], self.order))
    }

    pub(super) fn is_signal(&self, of: &str, from: &str, name: &str) -> bool {
        matches!(&self.kind, Kind::Signal { path, interface, member }
            if path == of && interface == from && member == name)
    }
}
