//! What hides a secret on its way to the Secret Service and back: the algorithm `dh-ietf1024-sha256-aes128-cbc-pkcs7`
//! (Secret Service specification, "Transfer of Secrets").

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use ring::hkdf;
use zeroize::Zeroizing;

use super::group::{self, Exponent};
use super::service::service_call;
use crate::keyring::bus::{Bus, Error, Reader, Writer};

const ENCRYPTED: &str = "dh-ietf1024-sha256-aes128-cbc-pkcs7";
const PLAIN: &str = "plain";

/// How long the key, a block and its initialization vector are.
pub(super) const BLOCK: usize = 16;
type Block = [u8; BLOCK];

/// A session of the service.
pub(super) struct Session {
    path: String,
    /// There is none where the service knows no encryption.
    key: Option<Key>,
}

struct Key(Zeroizing<Block>);

/// A secret as it travels.
pub(super) struct Sealed {
    parameters: Vec<u8>,
    value: Zeroizing<Vec<u8>>,
}

impl Sealed {
    /// How much room it takes in a message, about.
    pub(super) fn room(&self) -> usize {
        self.value.len() + 512
    }
}

impl Session {
    /// Opens one, with an exponent that nobody can foresee.
    pub(super) fn open(bus: &Bus, exponent: &Exponent) -> Result<Self, Error> {
        let key = group::public(exponent);
        let leading = key.iter().take_while(|&&byte| byte == 0).count();
        let arguments = Writer::new("sv").string(ENCRYPTED).signature("ay").bytes(&key[leading..]);
        match bus.call(&service_call("OpenSession", arguments)) {
            Ok(answer) => {
                let mut values = answer.values("vo")?;
                values.variant("ay")?;
                let key = Key::agreed(values.bytes()?, exponent).ok_or(Error::Malformed("a key that hides nothing"))?;
                Self::at(values, Some(key))
            }
            // The specification leaves encryption to the service. Without it the secret is seen by whoever listens on
            // the bus: that takes being this user, who may ask the service as well.
            Err(Error::Refused(name)) if name == "org.freedesktop.DBus.Error.NotSupported" => {
                let arguments = Writer::new("sv").string(PLAIN).signature("s").string("");
                let answer = bus.call(&service_call("OpenSession", arguments))?;
                let mut values = answer.values("vo")?;
                values.variant("s")?;
                values.string()?;
                Self::at(values, None)
            }
            Err(error) => Err(error),
        }
    }

    fn at(mut values: Reader<'_>, key: Option<Key>) -> Result<Self, Error> {
        let path = values.path()?.to_owned();
        values.end()?;
        Ok(Self { path, key })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Makes a secret ready to travel, with an initialization vector that nobody can foresee.
    pub(super) fn seal(&self, secret: &[u8], vector: Block) -> Sealed {
        match &self.key {
            Some(key) => Sealed { parameters: vector.to_vec(), value: Zeroizing::new(key.encrypt(secret, vector)) },
            None => Sealed { parameters: Vec::new(), value: Zeroizing::new(secret.to_vec()) },
        }
    }

    /// Writes a secret.
    pub(super) fn write(&self, arguments: Writer, secret: &Sealed) -> Writer {
        arguments.align(8).string(&self.path).bytes(&secret.parameters).bytes(&secret.value).string("text/plain")
    }

    /// Reads a secret.
    pub(super) fn read(&self, values: &mut Reader<'_>) -> Result<Vec<u8>, Error> {
        values.align(8)?;
        let (session, parameters, value) = (values.path()?, values.bytes()?, values.bytes()?);
        // Others write whatever they like for what the secret is.
        values.string()?;
        if session != self.path {
            return Err(Error::Malformed("a secret of another session"));
        }
        match &self.key {
            Some(key) => key.decrypt(value, parameters).ok_or(Error::Malformed("a secret that does not decrypt")),
            None => Ok(value.to_vec()),
        }
    }
}

impl Key {
    /// The key that both sides come to (HKDF with SHA-256, without salt and information).
    fn agreed(theirs: &[u8], exponent: &Exponent) -> Option<Self> {
        let shared = Zeroizing::new(group::shared(theirs, exponent)?);
        let mut key = Zeroizing::new([0; BLOCK]);
        let material = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&*shared);
        material.expand(&[], Length).ok()?.fill(&mut *key).ok()?;
        Some(Self(key))
    }

    fn encrypt(&self, secret: &[u8], vector: Block) -> Vec<u8> {
        cbc::Encryptor::<Aes128>::new((&*self.0).into(), &vector.into()).encrypt_padded_vec::<Pkcs7>(secret)
    }

    fn decrypt(&self, value: &[u8], vector: &[u8]) -> Option<Vec<u8>> {
        let vector = Block::try_from(vector).ok()?;
        let mut secret = Zeroizing::new(value.to_vec());
        let decryptor = cbc::Decryptor::<Aes128>::new((&*self.0).into(), &vector.into());
        let length = decryptor.decrypt_padded::<Pkcs7>(&mut secret).ok()?.len();
        secret.truncate(length);
        Some(std::mem::take(&mut *secret))
    }
}

/// The length of a key.
struct Length;

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        BLOCK
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// The hash of `ours`. What the others are was computed by Python and its package `cryptography`.
    const OURS: &str = "ae0bec9e9d33c56354bd612c8a6010840324fc5b9786ce0a18b696b304b09397";
    const OUR_KEY: &str = "357ce5dc126a89f276ae440fe9c75605376b38e2d6be0013140d403e127519eb94c6178523eba373a5ccb9c1d61c8a5\
        aa7033755f9feae823bfe6f0c625bf329779e438964b9235c07623d66ec953fddb0976083d441c1ac2650acd73927d0155e7e7c056804e7f9\
        95cf03f7de9704112bd4f14992750442a5dcfe03f37619f7";
    const THEIR_KEY: &str = "156797dbd60fec0c370a8d02ae026c21df22016560f6514f4e97a3cbb7a2ea5dc506a0cc50f880f51d054e75e7c93\
        aa6ec435936afa7958209df06a015c7d3d508ed1a660c68ba93a4df1222a6b0163a83ea25728b4976a5ddafa916778e2da583dbc575d3c746\
        954e87f3a34bdeb18a31b81c179ad5f256d52be0620a2f42aa";
    /// What is agreed on with this one begins with a byte that is zero, and which belongs to it.
    const ZERO_KEY: &str = "a3ba0fe92a646b7409d0f80ba894345b718421e484aabe8675b4e03f295e3d7bcd76c1693771e5d87fd269c6d9a67e\
        69db7a5297c6805112a757049a295940776455bfccf3c1658e9ac3117533c221026ea74804bfc93b026b6bf7c57f7dc816e302cff1c0e693e\
        611c85a33bc0ef657cb24b50390062514e4d199630db4656a";

    fn exponent() -> Exponent {
        hex(OURS).try_into().unwrap()
    }

    #[test]
    fn the_key_is_the_one_that_the_service_comes_to() {
        assert_eq!(group::public(&exponent())[..], hex(OUR_KEY));
        for (theirs, key) in
            [(THEIR_KEY, "b02966f69db7dad2918d2318d1470e05"), (ZERO_KEY, "5577380602495fc2d231e328b3a37189")]
        {
            let agreed = Key::agreed(&hex(theirs), &exponent()).unwrap();
            assert_eq!(agreed.0[..], hex(key));
            // A sign before the number, as libraries for signed numbers write it.
            let signed = Key::agreed(&[&[0], &hex(theirs)[..]].concat(), &exponent()).unwrap();
            assert_eq!(signed.0[..], hex(key));
        }
    }

    #[test]
    fn a_secret_is_encrypted_as_the_service_decrypts_it() {
        let key = Key::agreed(&hex(THEIR_KEY), &exponent()).unwrap();
        let vector: Block = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let session = Session { path: "/s".to_owned(), key: Some(key) };
        let sealed = session.seal(b"{\"a\":\"b c\"}", vector);
        assert_eq!(sealed.value[..], hex("6f4217e1886d4458cfa0bf025da95713"));
        assert_eq!(sealed.parameters, vector);
        assert_eq!(session.key.unwrap().decrypt(&sealed.value, &vector).unwrap(), b"{\"a\":\"b c\"}");
    }

    #[test]
    fn what_does_not_decrypt_is_an_error() {
        let key = Key(Zeroizing::new([7; BLOCK]));
        let value = key.encrypt(&[0; 32], [9; BLOCK]);
        assert_eq!(key.decrypt(&value, &[9; BLOCK]), Some(vec![0; 32]));
        assert_eq!(key.decrypt(&[], &[9; BLOCK]), None);
        assert_eq!(key.decrypt(&value[1..], &[9; BLOCK]), None);
        assert_eq!(key.decrypt(&value[..32], &[9; BLOCK]), None);
        assert_eq!(key.decrypt(&value, &[9; BLOCK - 1]), None);
        assert_eq!(key.decrypt(&value, &[]), None);
    }

    fn secret_of(session: &Session, of: &str, sealed: &Sealed) -> Result<Vec<u8>, Error> {
        let other = Session { path: of.to_owned(), key: None };
        let arguments = other.write(Writer::new("(oayays)"), sealed);
        let bytes = arguments.as_bytes().to_vec();
        session.read(&mut Reader::little(&bytes))
    }

    #[test]
    fn a_secret_of_another_session_is_not_taken() {
        let session = Session { path: "/s/1".to_owned(), key: None };
        let sealed = session.seal(b"secret", [0; BLOCK]);
        assert_eq!(secret_of(&session, "/s/1", &sealed), Ok(b"secret".to_vec()));
        assert_eq!(secret_of(&session, "/s/2", &sealed), Err(Error::Malformed("a secret of another session")));
        let encrypted = Session { key: Some(Key(Zeroizing::new([7; BLOCK]))), ..session };
        let sealed = encrypted.seal(b"secret", [3; BLOCK]);
        assert_eq!(secret_of(&encrypted, "/s/1", &sealed), Ok(b"secret".to_vec()));
    }
}
