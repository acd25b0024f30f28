//! The age file format, with a passphrase: <https://age-encryption.org/v1>.
//!
//! What Codex's encrypted store is written in. Of the format this is what one program needs that keeps one secret under
//! one passphrase: a single scrypt stanza, binary.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::{hkdf, hmac};
use zeroize::Zeroizing;

/// The work that a new file asks of whoever guesses: 2 to this power. It is little, for nobody guesses a passphrase of 256
/// random bits.
const WORK: u8 = 12;
/// The most work that is done for a file: 4 GiB of memory. Others write what takes them a second.
const MOST_WORK: u8 = 22;

const VERSION: &str = "age-encryption.org/v1";
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;

/// Encrypts. `random` is 48 bytes that nobody can foresee.
pub(super) fn encrypt(plaintext: &[u8], passphrase: &str, random: &[u8; 48]) -> Option<Vec<u8>> {
    let (file_key, rest) = random.split_first_chunk::<16>()?;
    let (salt, nonce) = rest.split_at(16);
    let mut body = file_key.to_vec();
    wrapping_key(passphrase, salt, WORK)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key([0; 12]), Aad::empty(), &mut body)
        .ok()?;
    let mut file =
        format!("{VERSION}\n-> scrypt {} {WORK}\n{}\n---", BASE64.encode(salt), BASE64.encode(body)).into_bytes();
    let mac = hmac::sign(&header_key(file_key)?, &file);
    file.extend_from_slice(format!(" {}\n", BASE64.encode(mac)).as_bytes());
    file.extend_from_slice(nonce);
    let key = payload_key(file_key, nonce)?;
    let chunks = plaintext.chunks(CHUNK).collect::<Vec<_>>();
    // A payload of nothing is one chunk of nothing.
    let chunks = if chunks.is_empty() { vec![&[][..]] } else { chunks };
    for (index, chunk) in chunks.iter().enumerate() {
        let mut sealed = chunk.to_vec();
        let nonce = chunk_nonce(index, index + 1 == chunks.len());
        key.seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed).ok()?;
        file.append(&mut sealed);
    }
    Some(file)
}

/// Decrypts.
///
/// # Errors
/// What is wrong, in words for a person: not such a file, another passphrase, a changed file.
pub(super) fn decrypt(file: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    const FOREIGN: &str = "it is no age file with a passphrase";
    const CHANGED: &str = "it has been changed or cut short";
    let header = Header::read(file).ok_or(FOREIGN)?;
    if header.work > MOST_WORK {
        return Err("it asks for more work than is done for a file");
    }
    let mut wrapped = header.wrapped;
    let file_key = wrapping_key(passphrase, &header.salt, header.work)
        .ok_or(FOREIGN)?
        .open_in_place(Nonce::assume_unique_for_key([0; 12]), Aad::empty(), &mut wrapped)
        .map_err(|_| "its key is another one than the keyring's")?;
    let file_key = Zeroizing::new(<[u8; 16]>::try_from(&*file_key).map_err(|_| FOREIGN)?);
    hmac::verify(&header_key(&file_key).ok_or(FOREIGN)?, header.text, &header.mac).map_err(|_| CHANGED)?;
    let (nonce, payload) = header.payload.split_at_checked(16).ok_or(CHANGED)?;
    let key = payload_key(&file_key, nonce).ok_or(FOREIGN)?;
    let mut plaintext = Zeroizing::new(Vec::with_capacity(payload.len()));
    let chunks = payload.chunks(CHUNK + TAG);
    let last = chunks.len().checked_sub(1).ok_or(CHANGED)?;
    for (index, chunk) in chunks.enumerate() {
        let mut sealed = Zeroizing::new(chunk.to_vec());
        let opened =
            key.open_in_place(chunk_nonce(index, index == last), Aad::empty(), &mut sealed).map_err(|_| CHANGED)?;
        if opened.is_empty() && index > 0 {
            return Err(CHANGED);
        }
        plaintext.extend_from_slice(opened);
    }
    Ok(plaintext)
}

/// What stands before the payload.
struct Header<'a> {
    /// What the authentication code is over.
    text: &'a [u8],
    salt: Vec<u8>,
    work: u8,
    wrapped: Vec<u8>,
    mac: Vec<u8>,
    payload: &'a [u8],
}

impl<'a> Header<'a> {
    fn read(file: &'a [u8]) -> Option<Self> {
        let mut rest = file;
        let mut line = || {
            let end = rest.iter().take(256).position(|&byte| byte == b'\n')?;
            let (line, after) = (std::str::from_utf8(&rest[..end]).ok()?, &rest[end + 1..]);
            rest = after;
            Some(line)
        };
        let version = line()?;
        let (salt, work) = line()?.strip_prefix("-> scrypt ")?.split_once(' ')?;
        let wrapped = line()?;
        let mac = line()?.strip_prefix("--- ")?;
        let text = &file[..file.len() - rest.len() - mac.len() - 2];
        (version == VERSION && !work.starts_with(['0', '+'])).then_some(())?;
        Some(Self {
            text,
            salt: BASE64.decode(salt).ok().filter(|salt| salt.len() == 16)?,
            work: work.parse().ok()?,
            wrapped: BASE64.decode(wrapped).ok()?,
            mac: BASE64.decode(mac).ok()?,
            payload: rest,
        })
    }
}

fn wrapping_key(passphrase: &str, salt: &[u8], work: u8) -> Option<LessSafeKey> {
    let salt = [b"age-encryption.org/v1/scrypt", salt].concat();
    let mut key = Zeroizing::new([0; 32]);
    let cost = scrypt::Params::new(work, 8, 1).ok()?;
    scrypt::scrypt(passphrase.as_bytes(), &salt, &cost, &mut *key).ok()?;
    Some(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &*key).ok()?))
}

fn header_key(file_key: &[u8; 16]) -> Option<hmac::Key> {
    Some(hmac::Key::new(hmac::HMAC_SHA256, &*derived(file_key, &[], b"header")?))
}

fn payload_key(file_key: &[u8; 16], nonce: &[u8]) -> Option<LessSafeKey> {
    let key = derived(file_key, nonce, b"payload")?;
    Some(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &*key).ok()?))
}

fn derived(file_key: &[u8; 16], salt: &[u8], purpose: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(file_key)
        .expand(&[purpose], hkdf::HKDF_SHA256)
        .ok()?
        .fill(&mut *key)
        .ok()?;
    Some(key)
}

/// The number of the chunk in eleven bytes, then whether it is the last.
fn chunk_nonce(index: usize, is_last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&(index as u64).to_be_bytes());
    nonce[11] = u8::from(is_last);
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSPHRASE: &str = "b3BlbiBzZXNhbWU=";

    fn sealed(plaintext: &[u8]) -> Vec<u8> {
        encrypt(plaintext, PASSPHRASE, &[7; 48]).unwrap()
    }

    #[test]
    fn a_file_of_the_age_program_is_read() {
        // age 1.1.1: `age -p`, with the passphrase above.
        let file = "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCB0ZzkxS0tTY0hqcFE0SzJTUFI1aWp3IDE4CmhWODN6SzgzdUcrN29r\
             Q21KZEpiSHVJVE0weGErQThCcHFLV1lzNzlmcVUKLS0tIDVEOVhPSFhMWHRTbENpUkthamtmSk9uUndwNVl6czBYTEpJaFB4\
             bDBiYXcKGNFwG5q3WxEcqnLeUE+7I4haT6omq+nknjTQEUKxBGceYjYbPUbGZkhu2e2UfH6M1YTBGWqmoOXl9rWvuahpDG1h\
             lpknStiyzb9bxQktHorEMmbfdzCtxLHDvT2rXH4ILzdvRqqFM35fF1JJnFRK2r1aDSJjwyIDFSnnq5dSgGjlPbXfxV9pVs8X\
             pF+M65u58JI=";
        let file = base64::prelude::BASE64_STANDARD.decode(file).unwrap();
        let text = decrypt(&file, PASSPHRASE).unwrap();
        assert!(text.starts_with(b"{\"version\":1,\"secrets\":{\"global/CODEX_AUTH\""));
    }

    #[test]
    fn what_was_encrypted_is_decrypted() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK] {
            let plaintext = vec![b'x'; length];
            assert_eq!(**decrypt(&sealed(&plaintext), PASSPHRASE).unwrap(), plaintext, "{length}");
        }
    }

    #[test]
    fn another_passphrase_opens_nothing() {
        assert!(decrypt(&sealed(b"text"), "another").unwrap_err().contains("key"));
    }

    #[test]
    fn a_file_that_was_touched_anywhere_is_refused() {
        let file = sealed(b"text");
        for position in 0..file.len() {
            let mut touched = file.clone();
            touched[position] ^= 1;
            // The work factor: a large one must not be tried.
            assert!(decrypt(&touched, PASSPHRASE).is_err(), "byte {position}");
            assert!(decrypt(&file[..position], PASSPHRASE).is_err(), "cut at {position}");
        }
        assert!(decrypt(&[file, vec![0]].concat(), PASSPHRASE).is_err());
    }

    #[test]
    fn chunks_cannot_be_left_out() {
        let file = sealed(&vec![b'x'; 2 * CHUNK + 9]);
        let short = &file[..file.len() - 9 - TAG];
        assert!(decrypt(short, PASSPHRASE).is_err());
    }

    #[test]
    fn no_file_may_ask_for_much_work() {
        let text = String::from_utf8_lossy(&sealed(b"text")[..60]).replace(" 12\n", " 30\n");
        let file = [text.as_bytes(), &sealed(b"text")[60..]].concat();
        assert!(decrypt(&file, PASSPHRASE).unwrap_err().contains("more work"));
    }
}
