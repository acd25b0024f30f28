//! Values as they travel (D-Bus specification, "Marshalling"), little-endian.

use zeroize::Zeroizing;

/// Arguments of a call, written one after the other. What they hold may be secret.
#[derive(Default)]
pub(in crate::keyring) struct Writer {
    signature: &'static str,
    bytes: Zeroizing<Vec<u8>>,
}

impl Writer {
    /// Arguments of these types, of which none is written yet.
    pub(in crate::keyring) fn new(signature: &'static str) -> Self {
        Self { signature, bytes: Zeroizing::new(Vec::new()) }
    }

    /// The same, with so much room that a secret is not left behind where the arguments outgrow it.
    pub(in crate::keyring) fn with_room(self, bytes: usize) -> Self {
        Self { bytes: Zeroizing::new(Vec::with_capacity(bytes)), ..self }
    }

    /// The types of the arguments.
    pub(super) fn types(&self) -> &'static str {
        self.signature
    }

    pub(in crate::keyring) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Goes on where a value of this alignment may begin, as do a structure and an entry of a dictionary: at 8.
    pub(in crate::keyring) fn align(mut self, alignment: usize) -> Self {
        let length = self.bytes.len().next_multiple_of(alignment);
        self.bytes.resize(length, 0);
        self
    }

    pub(super) fn byte(mut self, byte: u8) -> Self {
        self.bytes.push(byte);
        self
    }

    pub(super) fn number(self, number: u32) -> Self {
        self.align(4).raw(&number.to_le_bytes())
    }

    pub(in crate::keyring) fn boolean(self, boolean: bool) -> Self {
        self.number(boolean.into())
    }

    /// A string, or the path of an object.
    pub(in crate::keyring) fn string(self, text: &str) -> Self {
        self.number(length(text.len())).raw(text.as_bytes()).byte(0)
    }

    /// A signature; also what a variant begins with.
    pub(in crate::keyring) fn signature(self, signature: &str) -> Self {
        self.byte(u8::try_from(signature.len()).unwrap_or(u8::MAX)).raw(signature.as_bytes()).byte(0)
    }

    /// An array of bytes.
    pub(in crate::keyring) fn bytes(self, bytes: &[u8]) -> Self {
        self.number(length(bytes.len())).raw(bytes)
    }

    /// An array of what `fill` writes, each element aligned so.
    pub(in crate::keyring) fn array(self, alignment: usize, fill: impl FnOnce(Self) -> Self) -> Self {
        let started = self.number(0);
        let at = started.bytes.len() - 4;
        let started = started.align(alignment);
        let start = started.bytes.len();
        let mut filled = fill(started);
        let length = length(filled.bytes.len() - start);
        filled.bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
        filled
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }
}

/// What is longer than this can say is not sent: [`super::message::LONGEST`] is far below.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Writer {
        /// What only a service writes.
        pub(in crate::keyring) fn long(self, long: u64) -> Self {
            self.align(8).raw(&long.to_le_bytes())
        }
    }

    #[test]
    fn values_are_written_as_the_specification_has_them() {
        assert_eq!(Writer::new("s").string("foo").as_bytes(), b"\x03\0\0\0foo\0");
        assert_eq!(Writer::new("sb").string("+").boolean(true).as_bytes(), b"\x01\0\0\0+\0\0\0\x01\0\0\0");
        assert_eq!(Writer::new("v").signature("u").number(0x0102_0304).as_bytes(), b"\x01u\0\0\x04\x03\x02\x01");
        assert_eq!(Writer::new("ayb").bytes(b"ab").boolean(false).as_bytes(), b"\x02\0\0\0ab\0\0\0\0\0\0");
        let paths = Writer::new("ao").array(4, |array| array.string("/a").string("/"));
        assert_eq!(paths.as_bytes(), b"\x0e\0\0\0\x02\0\0\0/a\0\0\x01\0\0\0/\0");
        // The length does not count the padding before the first element, and is there for no element as well.
        let entries = Writer::new("a{ss}").array(8, |array| array.align(8).string("k").string(""));
        assert_eq!(entries.as_bytes(), b"\x0d\0\0\0\0\0\0\0\x01\0\0\0k\0\0\0\0\0\0\0\0");
        assert_eq!(Writer::new("a{ss}").array(8, |none| none).as_bytes(), [0; 8]);
    }
}
