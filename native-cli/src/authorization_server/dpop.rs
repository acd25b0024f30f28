//! Proofs of possession (RFC 9449): tokens that are bound to their holder's key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::mint::{base64url, digest};
use super::options::{Dpop, PublicKey};
use super::routes::Turn;
use super::token::Refusal;
use super::{AuthorizationServer, FamilyId, jwt};

/// A proof may be so old or so far ahead, in milliseconds.
const TOLERANCE_MS: i64 = 60_000;
/// A nonce is replaced after so long, and taken for as long again.
const NONCE_MS: i64 = 300_000;

impl AuthorizationServer {
    /// The thumbprint of the key whose possession the request proves; `None` where it holds no proof. `token` is the
    /// access token beside it, at a resource.
    pub(super) fn possession(&mut self, turn: &Turn<'_>, token: Option<&str>) -> Result<Option<String>, Refusal> {
        if self.options.dpop == Dpop::NotOffered {
            return Ok(None);
        }
        let mut proofs = turn.request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("dpop"));
        match (proofs.next(), proofs.next()) {
            (None, _) => Ok(None),
            (Some((_, proof)), None) => self.check_proof(turn, proof, token).map(Some),
            (Some(_), Some(_)) => Err(invalid("more than one proof")),
        }
    }

    fn check_proof(&mut self, turn: &Turn<'_>, proof: &str, token: Option<&str>) -> Result<String, Refusal> {
        let (key, thumbprint) = key_of(proof).ok_or(invalid("the head of the proof is malformed"))?;
        let claims = jwt::verify(proof, &key).ok_or(invalid("the signature is wrong"))?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("htm") != Some(turn.request.method.as_str()) {
            return Err(invalid("it is for another method"));
        }
        if text("htu") != Some(format!("{}{}", self.options.issuer, turn.path).as_str()) {
            return Err(invalid("it is for another address"));
        }
        let issued_at = claims.get("iat").and_then(Value::as_i64).unwrap_or_default().saturating_mul(1000);
        if issued_at.abs_diff(self.now) > TOLERANCE_MS.unsigned_abs() {
            return Err(invalid("it is from another time"));
        }
        if text("ath") != token.map(|token| base64url(&digest(token))).as_deref() {
            return Err(invalid("it is for another token"));
        }
        let nonces = [self.proof_nonce(0), self.proof_nonce(1)];
        if self.options.dpop == Dpop::NonceWanted
            && !text("nonce").is_some_and(|nonce| nonces.iter().any(|n| n == nonce))
        {
            return Err(Refusal::new("use_dpop_nonce", "the proof must hold the nonce of the answer's header"));
        }
        let id = text("jti").filter(|id| !id.is_empty()).ok_or(invalid("jti is missing"))?;
        let seen = digest(&format!("{thumbprint}\n{id}"));
        match self.assertions.insert(seen, self.now.saturating_add(2 * TOLERANCE_MS)) {
            None => Ok(thumbprint),
            Some(_) => Err(invalid("it was shown before")),
        }
    }

    /// The nonce for proofs at this moment, or so many before.
    pub(super) fn proof_nonce(&self, before: i64) -> String {
        let number = self.now.div_euclid(NONCE_MS).saturating_sub(before);
        let fixed = base64url(&self.mint.fixed("proof nonce"));
        base64url(&digest(&format!("{fixed}\n{number}")))
    }

    /// Binds a family that begins to a key.
    pub(super) fn bind(&mut self, family: FamilyId, thumbprint: Option<String>) {
        if let Some(found) = self.families.get_mut(family) {
            found.thumbprint = thumbprint;
        }
    }
}

const fn invalid(description: &'static str) -> Refusal {
    Refusal::new("invalid_dpop_proof", description)
}

/// The public key in a proof's head, and its thumbprint (RFC 7638).
fn key_of(proof: &str) -> Option<(PublicKey, String)> {
    let head: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(proof.split('.').next()?).ok()?).ok()?;
    let jwk = head.get("jwk").filter(|_| head.get("typ") == Some(&json!("dpop+jwt")))?;
    if jwk.get("d").is_some() {
        return None;
    }
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
    let (key, members) = match (text("kty")?, text("crv")?) {
        ("EC", crv @ "P-256") => {
            let point = [&[4], bytes("x")?.as_slice(), bytes("y")?.as_slice()].concat();
            let members = format!(r#"{{"crv":"{crv}","kty":"EC","x":"{}","y":"{}"}}"#, text("x")?, text("y")?);
            (PublicKey::P256(point), members)
        }
        ("OKP", crv @ "Ed25519") => {
            let members = format!(r#"{{"crv":"{crv}","kty":"OKP","x":"{}"}}"#, text("x")?);
            (PublicKey::Ed25519(bytes("x")?), members)
        }
        _ => return None,
    };
    Some((key, base64url(&digest(&members))))
}
