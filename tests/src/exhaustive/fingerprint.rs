//! Short names for states: 128 bits that stand for all of one.

use std::hash::{BuildHasher, Hash, Hasher};

/// A hasher of two independent lanes, each a chain of folded multiplications.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fingerprint(u64, u64);

impl Fingerprint {
    /// The fingerprint of a value.
    pub(super) fn of(value: &impl Hash) -> u128 {
        let mut hasher = Self(0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344);
        value.hash(&mut hasher);
        // Once more, so that the last word is spread as well.
        hasher.write_u64(0x0bad_5eed);
        (u128::from(hasher.0) << 64) | u128::from(hasher.1)
    }
}

fn fold(value: u64, factor: u64) -> u64 {
    let product = u128::from(value) * u128::from(factor);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are wanted")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}

impl Hasher for Fingerprint {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
        self.write_u64(bytes.len() as u64);
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = fold(self.0 ^ word, 0xa076_1d64_78bd_642f).rotate_left(23) ^ word;
        self.1 = fold(self.1.wrapping_add(word) ^ 0xe703_7ed1_a0b4_28db, 0x8ebc_6af0_9c88_c6e3) ^ word.rotate_left(32);
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u16(&mut self, value: u16) {
        self.write_u64(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}

/// Hashes keys that need no protection against an adversary.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quick;

impl BuildHasher for Quick {
    type Hasher = QuickHasher;

    fn build_hasher(&self) -> QuickHasher {
        QuickHasher(Fingerprint(0x4528_21e6_38d0_1377, 0xbe54_66cf_34e9_0c6c))
    }
}

/// The hasher of [`Quick`].
#[expect(unnameable_types, reason = "nobody needs to name it")]
#[derive(Clone, Copy, Debug)]
pub struct QuickHasher(Fingerprint);

impl Hasher for QuickHasher {
    fn finish(&self) -> u64 {
        self.0.0 ^ self.0.1.rotate_left(17)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    fn write_u64(&mut self, word: u64) {
        self.0.write_u64(word);
    }
}
