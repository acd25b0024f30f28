//! What is asked of a Secret Service: <https://specifications.freedesktop.org/secret-service>.

use std::time::Duration;

use super::group::Exponent;
use super::session::{Sealed, Session};
use crate::keyring::bus::{Bus, Call, Error, Message, Reader, Writer};

const NAME: &str = "org.freedesktop.secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
pub(super) const COLLECTION: &str = "org.freedesktop.Secret.Collection";
pub(super) const ITEM: &str = "org.freedesktop.Secret.Item";
const PROMPT: &str = "org.freedesktop.Secret.Prompt";

/// What stands for no object.
const NONE: &str = "/";

/// How long a question to a person stays on the screen.
const A_PERSON: Duration = Duration::from_secs(5 * 60);

/// The service, with a session on it.
pub(super) struct Service {
    bus: Bus,
    session: Session,
}

/// The items of a search.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) unlocked: Vec<String>,
    pub(super) locked: Vec<String>,
}

/// What is asked of the service itself.
pub(super) fn service_call(member: &'static str, arguments: Writer) -> Call<'static> {
    call("/org/freedesktop/secrets", SERVICE, member, arguments)
}

fn call<'a>(path: &'a str, interface: &'a str, member: &'a str, arguments: Writer) -> Call<'a> {
    Call { destination: NAME, path, interface, member, arguments }
}

impl Service {
    /// Opens a session, with an exponent that nobody can foresee.
    pub(super) fn open(bus: Bus, exponent: &Exponent) -> Result<Self, Error> {
        let session = Session::open(&bus, exponent)?;
        Ok(Self { bus, session })
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// The items that have these attributes, and perhaps others.
    pub(super) fn search(&self, attributes: &[(&str, &str)]) -> Result<Found, Error> {
        let answer = self.bus.call(&service_call("SearchItems", dictionary(Writer::new("a{ss}"), attributes)))?;
        let mut values = answer.values("aoao")?;
        let found = Found { unlocked: values.paths()?, locked: values.paths()? };
        values.end()?;
        Ok(found)
    }

    /// Unlocks items or collections; a person may be asked.
    pub(super) fn unlock(&self, objects: &[String]) -> Result<(), Error> {
        let fill = |array: Writer| objects.iter().fold(array, |array, object| array.string(object));
        let answer = self.bus.call(&service_call("Unlock", Writer::new("ao").array(4, fill)))?;
        let mut values = answer.values("aoo")?;
        values.paths()?;
        self.prompt(&mut values)
    }

    /// The collection for what belongs nowhere else, if there is one.
    pub(super) fn default_collection(&self) -> Result<Option<String>, Error> {
        let answer = self.bus.call(&service_call("ReadAlias", Writer::new("s").string("default")))?;
        let mut values = answer.values("o")?;
        let path = values.path()?;
        values.end()?;
        Ok((path != NONE).then(|| path.to_owned()))
    }

    /// Whether an object of this kind is locked.
    pub(super) fn is_locked(&self, path: &str, kind: &str) -> Result<bool, Error> {
        let answer = self.property(path, kind, "Locked")?;
        let mut values = answer.values("v")?;
        values.variant("b")?;
        let is_locked = values.boolean()?;
        values.end()?;
        Ok(is_locked)
    }

    /// When an item was last changed, in seconds since the Unix epoch.
    pub(super) fn modified(&self, item: &str) -> Result<u64, Error> {
        let answer = self.property(item, ITEM, "Modified")?;
        let mut values = answer.values("v")?;
        values.variant("t")?;
        let modified = values.long()?;
        values.end()?;
        Ok(modified)
    }

    pub(super) fn secret(&self, item: &str) -> Result<Vec<u8>, Error> {
        let arguments = Writer::new("o").string(self.session.path());
        let answer = self.bus.call(&call(item, ITEM, "GetSecret", arguments))?;
        let mut values = answer.values("(oayays)")?;
        let secret = self.session.read(&mut values)?;
        values.end()?;
        Ok(secret)
    }

    pub(super) fn set_secret(&self, item: &str, secret: &Sealed) -> Result<(), Error> {
        let arguments = self.session.write(Writer::new("(oayays)").with_room(secret.room()), secret);
        self.bus.call(&call(item, ITEM, "SetSecret", arguments))?.values("")?.end()
    }

    /// Creates an item, or replaces the secret of the one that has these attributes.
    pub(super) fn create(
        &self,
        collection: &str,
        label: &str,
        attributes: &[(&str, &str)],
        secret: &Sealed,
    ) -> Result<(), Error> {
        let properties = |entries: Writer| {
            let entries = entries.align(8).string("org.freedesktop.Secret.Item.Label").signature("s").string(label);
            let entries = entries.align(8).string("org.freedesktop.Secret.Item.Attributes").signature("a{ss}");
            dictionary(entries, attributes)
        };
        let arguments = Writer::new("a{sv}(oayays)b").with_room(secret.room() + 1024).array(8, properties);
        let arguments = self.session.write(arguments, secret).boolean(true);
        let answer = self.bus.call(&call(collection, COLLECTION, "CreateItem", arguments))?;
        let mut values = answer.values("oo")?;
        values.path()?;
        self.prompt(&mut values)
    }

    pub(super) fn delete(&self, item: &str) -> Result<(), Error> {
        let answer = self.bus.call(&call(item, ITEM, "Delete", Writer::default()))?;
        self.prompt(&mut answer.values("o")?)
    }

    /// Lets a person answer what the service asks, if it asks: the last of its values says so.
    fn prompt(&self, values: &mut Reader<'_>) -> Result<(), Error> {
        let path = values.path()?;
        values.end()?;
        if path == NONE {
            return Ok(());
        }
        // Ours is no window that the question could stand before.
        let arguments = Writer::new("s").string("");
        let completed = self.bus.call_and_hear(&call(path, PROMPT, "Prompt", arguments), "Completed", A_PERSON)?;
        let dismissed = completed.values("bv")?.boolean()?;
        if dismissed { Err(Error::Refused(super::IS_LOCKED.to_owned())) } else { Ok(()) }
    }

    fn property(&self, path: &str, interface: &str, name: &str) -> Result<Message, Error> {
        let arguments = Writer::new("ss").string(interface).string(name);
        self.bus.call(&call(path, "org.freedesktop.DBus.Properties", "Get", arguments))
    }
}

fn dictionary(arguments: Writer, pairs: &[(&str, &str)]) -> Writer {
    arguments.array(8, |entries| {
        pairs.iter().fold(entries, |entries, (key, value)| entries.align(8).string(key).string(value))
    })
}
