//! Values as they have travelled (D-Bus specification, "Marshalling"). Nothing is believed: lengths, padding, ends.

use super::Error;

/// The order of the bytes of numbers. Whoever sends chooses it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Order {
    Little,
    Big,
}

/// Values one after the other. Its first byte is where alignment is counted from.
#[derive(Clone, Debug)]
pub(in crate::keyring) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    order: Order,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], order: Order) -> Self {
        Self { bytes, at: 0, order }
    }

    /// That nothing follows.
    pub(in crate::keyring) fn end(&self) -> Result<(), Error> {
        if self.is_at_end() { Ok(()) } else { Err(Error::Malformed("more than its signature says")) }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Goes on where a value of this alignment begins.
    pub(in crate::keyring) fn align(&mut self, alignment: usize) -> Result<(), Error> {
        let padding = self.take(self.at.next_multiple_of(alignment) - self.at)?;
        if padding.iter().all(|&byte| byte == 0) { Ok(()) } else { Err(Error::Malformed("padding that is not zero")) }
    }

    pub(super) fn byte(&mut self) -> Result<u8, Error> {
        self.fixed().map(|[byte]| byte)
    }

    pub(super) fn number(&mut self) -> Result<u32, Error> {
        self.align(4)?;
        let bytes = self.fixed()?;
        Ok(if self.order == Order::Little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    pub(in crate::keyring) fn long(&mut self) -> Result<u64, Error> {
        self.align(8)?;
        let bytes = self.fixed()?;
        Ok(if self.order == Order::Little { u64::from_le_bytes(bytes) } else { u64::from_be_bytes(bytes) })
    }

    pub(in crate::keyring) fn boolean(&mut self) -> Result<bool, Error> {
        match self.number()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Error::Malformed("a boolean that is neither")),
        }
    }

    pub(in crate::keyring) fn string(&mut self) -> Result<&'a str, Error> {
        let length = self.length()?;
        self.text(length)
    }

    /// The path of an object.
    pub(in crate::keyring) fn path(&mut self) -> Result<&'a str, Error> {
        let path = self.string()?;
        let is_part =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let is_path = path == "/" || path.strip_prefix('/').is_some_and(|path| path.split('/').all(is_part));
        if is_path { Ok(path) } else { Err(Error::Malformed("a path that is none")) }
    }

    /// An array of paths.
    pub(in crate::keyring) fn paths(&mut self) -> Result<Vec<String>, Error> {
        let mut array = self.array(4)?;
        let mut paths = Vec::new();
        while !array.is_at_end() {
            paths.push(array.path()?.to_owned());
        }
        Ok(paths)
    }

    /// An array of bytes.
    pub(in crate::keyring) fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let length = self.length()?;
        self.take(length)
    }

    /// The elements of an array.
    pub(super) fn array(&mut self, alignment: usize) -> Result<Self, Error> {
        let length = self.length()?;
        self.align(alignment)?;
        let start = self.at;
        self.take(length)?;
        Ok(Self { bytes: &self.bytes[..self.at], at: start, order: self.order })
    }

    pub(super) fn signature(&mut self) -> Result<&'a str, Error> {
        let length = self.byte()?;
        self.text(length.into())
    }

    /// The beginning of a variant that has to hold a value of this type, which follows.
    pub(in crate::keyring) fn variant(&mut self, of: &str) -> Result<(), Error> {
        if self.signature()? == of { Ok(()) } else { Err(Error::Malformed("a variant of another type")) }
    }

    fn length(&mut self) -> Result<usize, Error> {
        usize::try_from(self.number()?).map_err(|_| TOO_SHORT)
    }

    fn text(&mut self, length: usize) -> Result<&'a str, Error> {
        let text = self.take(length)?;
        if self.byte()? != 0 || text.contains(&0) {
            return Err(Error::Malformed("a text whose end is elsewhere"));
        }
        std::str::from_utf8(text).map_err(|_| Error::Malformed("a text that is not UTF-8"))
    }

    fn fixed<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], Error> {
        self.take(LENGTH)?.try_into().map_err(|_| TOO_SHORT)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let rest = self.bytes.get(self.at..).ok_or(TOO_SHORT)?;
        let taken = rest.get(..length).ok_or(TOO_SHORT)?;
        self.at += length;
        Ok(taken)
    }
}

const TOO_SHORT: Error = Error::Malformed("a message that ends too early");

#[cfg(test)]
mod tests {
    use super::*;

    impl<'a> Reader<'a> {
        /// Of bytes as [`super::super::Writer`] writes them.
        pub(in crate::keyring) fn little(bytes: &'a [u8]) -> Self {
            Self::new(bytes, Order::Little)
        }
    }

    #[test]
    fn values_are_read_in_either_order() {
        let mut reader = Reader::little(b"\x03\0\0\0foo\0\x01\0\0\0\0\0\0\0\x08\x07\x06\x05\x04\x03\x02\x01");
        assert_eq!(
            (reader.string(), reader.boolean(), reader.long()),
            (Ok("foo"), Ok(true), Ok(0x0102_0304_0506_0708))
        );
        assert_eq!(reader.end(), Ok(()));
        let mut reader = Reader::new(b"\0\0\0\x03foo\0\0\0\0\x01\0\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08", Order::Big);
        assert_eq!(
            (reader.string(), reader.boolean(), reader.long()),
            (Ok("foo"), Ok(true), Ok(0x0102_0304_0506_0708))
        );
        assert_eq!(reader.end(), Ok(()));
    }

    #[test]
    fn an_array_ends_where_it_says() {
        let mut reader = Reader::little(b"\x0e\0\0\0\x02\0\0\0/a\0\0\x01\0\0\0/\0\0\0\x02\0\0\0ab");
        assert_eq!(reader.paths(), Ok(vec!["/a".to_owned(), "/".to_owned()]));
        assert_eq!(reader.bytes(), Ok(&b"ab"[..]));
        assert_eq!(reader.end(), Ok(()));
        // An element that reaches beyond the end of its array is none, though there are bytes after it.
        assert!(Reader::little(b"\x05\0\0\0\x02\0\0\0/a\0\0\0\0\0\0").paths().is_err());
        assert!(Reader::little(b"\xff\xff\xff\xff\x02\0\0\0/a\0").paths().is_err());
        assert!(Reader::little(b"\0\0\0\0rest").end().is_err());
    }

    #[test]
    fn what_lies_is_not_believed() {
        for bytes in [
            &b"\x04\0\0\0foo\0"[..],
            b"\x02\0\0\0foo\0",
            b"\x03\0\0\0f\0o\0",
            b"\x03\0\0\0fo\xff\0",
            b"\x03\0\0\0foo\x01",
            b"\xff\xff\xff\xff",
            b"\xff\xff\xff\x7ffoo\0",
        ] {
            assert!(Reader::little(bytes).string().is_err(), "{bytes:?}");
        }
        for path in ["", "a", "/a/", "//", "/a//b", "/a-b", "/é", "/a b"] {
            let written = [&u32::try_from(path.len()).unwrap().to_le_bytes()[..], path.as_bytes(), b"\0"].concat();
            assert!(Reader::little(&written).path().is_err(), "{path}");
        }
        let mut padded = Reader::little(b"\x01\x01\0\0\x01\0\0\0");
        assert_eq!((padded.byte(), padded.number()), (Ok(1), Err(Error::Malformed("padding that is not zero"))));
        assert!(Reader::little(b"\x02\0\0\0").boolean().is_err());
        assert!(Reader::little(b"\x01s\0\0").variant("ay").is_err());
        assert!(Reader::little(b"\x02ay").variant("ay").is_err());
    }
}
