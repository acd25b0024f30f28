//! The Diffie-Hellman group of a session: Oakley group 2, 1024 bits (RFC 2409 §6.2).
//!
//! What is computed with an exponent takes the same steps for each of them.

use zeroize::Zeroize as _;

/// A number below 2¹⁰²⁴, its least significant digits first.
type Number = [u64; DIGITS];

const DIGITS: usize = 16;
/// How many bytes a number has.
pub(super) const BYTES: usize = DIGITS * 8;

const PRIME: Number = [
    0xffff_ffff_ffff_ffff,
    0x4928_6651_ece6_5381,
    0xae9f_2411_7c4b_1fe6,
    0xee38_6bfb_5a89_9fa5,
    0x0bff_5cb6_f406_b7ed,
    0xf44c_42e9_a637_ed6b,
    0xe485_b576_625e_7ec6,
    0x4fe1_356d_6d51_c245,
    0x302b_0a6d_f25f_1437,
    0xef95_19b3_cd3a_431b,
    0x514a_0879_8e34_04dd,
    0x020b_bea6_3b13_9b22,
    0x2902_4e08_8a67_cc74,
    0xc4c6_628b_80dc_1cd1,
    0xc90f_daa2_2168_c234,
    0xffff_ffff_ffff_ffff,
];

/// What a side chooses and tells nobody. Of a group of so many bits, the 160 to 256 bits of an exponent are no easier to
/// find than the exponent is by way of the group (RFC 3526 §8).
pub(super) type Exponent = [u8; 32];

/// What the other side is told: 2 to the power of the exponent, its most significant byte first.
pub(super) fn public(exponent: &Exponent) -> [u8; BYTES] {
    let mut two = [0; DIGITS];
    two[0] = 2;
    power(two, exponent)
}

/// What both sides know then and nobody else, of what the other side has told. `None` where that is no element that could
/// hide anything: 0, 1, the last, or none of the group.
pub(super) fn shared(theirs: &[u8], exponent: &Exponent) -> Option<[u8; BYTES]> {
    let leading = theirs.iter().take_while(|&&byte| byte == 0).count();
    let bytes = theirs.get(leading..)?;
    let mut number = [0; BYTES];
    number.get_mut(BYTES.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    let element = from_bytes(&number);
    let mut last = PRIME;
    last[0] -= 1;
    let mut one = [0; DIGITS];
    one[0] = 1;
    let is_between = element.iter().rev().lt(last.iter().rev()) && element.iter().rev().gt(one.iter().rev());
    is_between.then(|| power(element, exponent))
}

/// `base` to the power of `exponent`, modulo the prime.
fn power(base: Number, exponent: &Exponent) -> [u8; BYTES] {
    // In Montgomery's form a number stands for itself times 2¹⁰²⁴: that of 1 is what is left of 2¹⁰²⁴, and doubled so
    // often it is what turns others into the form.
    let one = subtracted(&[0; DIGITS], &PRIME).0;
    let mut square = one;
    for _ in 0..64 * DIGITS {
        square = sum(&square, &square);
    }
    let mut base = product(&base, &square);
    let mut result = one;
    for bit in exponent.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)) {
        result = product(&result, &result);
        let mut other = product(&result, &base);
        choose(bit.into(), &mut result, &other);
        other.zeroize();
    }
    let mut unit = [0; DIGITS];
    unit[0] = 1;
    let mut plain = product(&result, &unit);
    base.zeroize();
    result.zeroize();
    let bytes = to_bytes(&plain);
    plain.zeroize();
    bytes
}

/// The product of two numbers in Montgomery's form. The prime ends in 64 ones, so that its negative inverse modulo 2⁶⁴ is 1
/// and the digit to be removed says itself how many primes remove it.
fn product(left: &Number, right: &Number) -> Number {
    let mut digits = [0; DIGITS];
    let mut top = 0;
    for &factor in right {
        let mut carry = 0;
        for (digit, &other) in digits.iter_mut().zip(left) {
            (*digit, carry) = sum_of_product(*digit, other, factor, carry);
        }
        let (high, over) = carry_into(top, carry);
        let times = digits[0];
        (_, carry) = sum_of_product(digits[0], PRIME[0], times, 0);
        for at in 1..DIGITS {
            (digits[at - 1], carry) = sum_of_product(digits[at], PRIME[at], times, carry);
        }
        let (last, again) = carry_into(high, carry);
        digits[DIGITS - 1] = last;
        top = over + again;
    }
    reduced(digits, top)
}

/// The sum of two numbers, modulo the prime.
fn sum(left: &Number, right: &Number) -> Number {
    let mut digits = [0; DIGITS];
    let mut carry = 0;
    for ((digit, &left), &right) in digits.iter_mut().zip(left).zip(right) {
        (*digit, carry) = sum_of_product(left, right, 1, carry);
    }
    reduced(digits, carry)
}

/// The number with this digit above it, less the prime where it is not below that. It is below twice the prime.
fn reduced(mut digits: Number, top: u64) -> Number {
    let (less, borrow) = subtracted(&digits, &PRIME);
    choose(top | (1 - borrow), &mut digits, &less);
    digits
}

/// The difference, modulo 2¹⁰²⁴, and whether it would be below zero.
fn subtracted(left: &Number, right: &Number) -> (Number, u64) {
    let mut digits = [0; DIGITS];
    let mut borrow = false;
    for ((digit, left), &right) in digits.iter_mut().zip(left).zip(right) {
        let (less, first) = left.overflowing_sub(right);
        let (less, second) = less.overflowing_sub(borrow.into());
        (*digit, borrow) = (less, first | second);
    }
    (digits, borrow.into())
}

/// Takes the other number where the bit is 1.
fn choose(bit: u64, number: &mut Number, other: &Number) {
    let mask = bit.wrapping_neg();
    for (digit, other) in number.iter_mut().zip(other) {
        *digit ^= (*digit ^ other) & mask;
    }
}

/// `sum + left × right + carry`: its digit, and what is carried on. It cannot overflow.
#[allow(clippy::cast_possible_truncation, reason = "the digit and what is above it")]
fn sum_of_product(sum: u64, left: u64, right: u64, carry: u64) -> (u64, u64) {
    let wide = u128::from(left) * u128::from(right) + u128::from(sum) + u128::from(carry);
    (wide as u64, (wide >> 64) as u64)
}

fn carry_into(digit: u64, carry: u64) -> (u64, u64) {
    let (digit, over) = digit.overflowing_add(carry);
    (digit, over.into())
}

fn to_bytes(number: &Number) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    for (place, digit) in bytes.chunks_exact_mut(8).zip(number.iter().rev()) {
        place.copy_from_slice(&digit.to_be_bytes());
    }
    bytes
}

fn from_bytes(bytes: &[u8; BYTES]) -> Number {
    let mut number = [0; DIGITS];
    for (digit, bytes) in number.iter_mut().zip(bytes.rchunks_exact(8)) {
        *digit = bytes.iter().fold(0, |digit, &byte| digit << 8 | u64::from(byte));
    }
    number
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::super::session::tests::hex;
    use super::*;

    fn hash(bytes: &[u8]) -> [u8; 32] {
        Sha256::digest(bytes).into()
    }

    fn below_prime(difference: u8) -> [u8; BYTES] {
        let mut bytes = to_bytes(&PRIME);
        bytes[BYTES - 1] -= difference;
        bytes
    }

    /// `pow(2, exponent, prime)` in Python, sixty-four times: each exponent is the hash of the power before.
    #[test]
    fn powers_are_those_of_arithmetic() {
        let mut number = [0; BYTES];
        number[BYTES - 1] = 2;
        for _ in 0..64 {
            let exponent = hash(&number);
            number = shared(&number, &exponent).unwrap();
        }
        assert_eq!(number[..8], 0xbd6e_5e81_d8f1_120c_u64.to_be_bytes());
        let expected = "a1e2069782eb7729961fb7bdc3369bbae12b57b20af5dbc5463fcd6976451eba";
        assert_eq!(hash(&number)[..], hex(expected));
        let greatest = below_prime(2);
        let expected = "5d416a6b1f36f4675d348b4046a4f5e77bac61f8b22f160959814dff2a334635";
        let power = shared(&greatest, &[0xff; 32]).unwrap();
        assert_eq!(hash(&power)[..], hex(expected));
    }

    #[test]
    fn both_sides_come_to_the_same() {
        let (ours, theirs) = (hash(b"ours"), hash(b"theirs"));
        assert_eq!(shared(&public(&theirs), &ours), shared(&public(&ours), &theirs));
        assert_ne!(shared(&public(&theirs), &ours), shared(&public(&theirs), &theirs));
    }

    #[test]
    fn what_hides_nothing_is_refused() {
        let ours = hash(b"ours");
        let (last, prime) = (below_prime(1), below_prime(0));
        for theirs in [&[][..], &[0], &[1], &[0; 300], &last, &prime, &[0xff; BYTES], &[1; BYTES + 1]] {
            assert_eq!(shared(theirs, &ours), None, "{theirs:?}");
        }
        // A sign before the number is not a digit of it, and no digit that is zero has to be there.
        let two = shared(&[2], &ours);
        assert!(two.is_some_and(|two| two == public(&ours)));
        assert_eq!(shared(&[[0; BYTES], [2; BYTES]].concat(), &ours), shared(&[2; BYTES], &ours));
    }
}
