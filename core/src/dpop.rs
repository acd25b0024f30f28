//! Proofs of possession: tokens that are bound to a key are worth nothing without it (RFC 9449).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::base64url;
use crate::json::{self, quoted};
use crate::token_response::ErrorAnswer;
use crate::{Effect, Endpoints, HttpResponse, Key, Provider, Secret, Timestamp, header};

/// A clock that is wrong by less, in milliseconds, is not why a proof is refused.
const TOLERANCE: u64 = 5_000;

/// The public half of a key that the shell keeps.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct PublicKey {
    kty: String,
    crv: String,
    x: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    y: Option<String>,
}

json::object! { PublicKey { kty, crv, x, y } }

impl PublicKey {
    /// Reads a JWK (RFC 7517). Of its members only those of a public key are kept: what a shell hands over besides goes
    /// nowhere. `None` where it is neither P-256 nor Ed25519.
    pub(crate) fn parse(jwk: &Secret) -> Option<Self> {
        let key: Self = json::parse(jwk.expose()).ok()?;
        key.algorithm().is_some().then_some(key)
    }

    /// What it signs with (RFC 7518, section 3.4; RFC 8037).
    pub(crate) fn algorithm(&self) -> Option<&'static str> {
        match (self.kty.as_str(), self.crv.as_str(), &self.y) {
            ("EC", "P-256", Some(_)) => Some("ES256"),
            ("OKP", "Ed25519", None) => Some("EdDSA"),
            _ => None,
        }
    }

    /// The JWK with its members as RFC 7638, section 3, orders them.
    pub(crate) fn text(&self) -> String {
        let y = self.y.as_ref().map(|y| format!(r#","y":{}"#, quoted(y))).unwrap_or_default();
        format!(r#"{{"crv":{},"kty":{},"x":{}{y}}}"#, quoted(&self.crv), quoted(&self.kty), quoted(&self.x))
    }

    /// Its thumbprint (RFC 7638), by which a server knows it again (`jkt`).
    pub(crate) fn thumbprint(&self) -> String {
        base64url::encode(Sha256::digest(self.text()))
    }
}

/// A key that tokens are bound to, and what the server has said about proofs with it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Possession {
    key: Key,
    public: PublicKey,
    nonce: Option<String>,
    /// How far this clock is ahead of the server's, in milliseconds, where a proof was refused for it.
    ahead: i64,
    /// The request that is under way was refused once for its proof.
    is_second: bool,
}

/// What a proof is made for.
pub(crate) struct Target<'a> {
    /// The method, in upper case.
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    /// What no other proof with this key may have.
    pub(crate) id: &'a str,
    /// The token that is shown along with it, at a resource (section 7).
    pub(crate) access_token: Option<&'a Secret>,
}

impl Possession {
    pub(crate) fn new(key: Key, public: PublicKey, nonce: Option<String>) -> Self {
        Self { key, public, nonce, ahead: 0, is_second: false }
    }

    pub(crate) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Tells the request after a refusal from the one before.
    pub(crate) fn occasion(&self, purpose: &str) -> String {
        if self.is_second { format!("{purpose}/again") } else { purpose.to_owned() }
    }

    /// The same key, with the nonce of another server.
    pub(crate) fn with_nonce(self, nonce: Option<String>) -> Self {
        Self { nonce, ..self }
    }

    /// The same key, for a request that has not been refused yet.
    pub(crate) fn afresh(self) -> Self {
        Self { is_second: false, ..self }
    }

    /// What to sign for a proof (section 4.2): header and claims.
    pub(crate) fn signing_input(&self, target: &Target<'_>, now: Timestamp) -> Secret {
        let algorithm = self.public.algorithm().unwrap_or_default();
        let header = format!(r#"{{"typ":"dpop+jwt","alg":"{algorithm}","jwk":{}}}"#, self.public.text());
        let url = target.url.split(['?', '#']).next().unwrap_or_default();
        let issued_at = now.plus(self.ahead.saturating_neg()).milliseconds().div_euclid(1000);
        let token = |token: &Secret| format!(r#","ath":"{}""#, base64url::encode(Sha256::digest(token.expose())));
        let claims = format!(
            r#"{{"jti":{},"htm":{},"htu":{},"iat":{issued_at}{}{}}}"#,
            quoted(target.id),
            quoted(target.method),
            quoted(url),
            target.access_token.map(token).unwrap_or_default(),
            self.nonce.as_ref().map(|nonce| format!(r#","nonce":{}"#, quoted(nonce))).unwrap_or_default(),
        );
        Secret::new(format!("{}.{}", base64url::encode(header), base64url::encode(claims)))
    }

    pub(crate) fn sign(&self, input: Secret) -> Effect {
        let algorithm = self.public.algorithm().unwrap_or_default().to_owned();
        Effect::Sign { key: self.key.clone(), algorithm, input }
    }

    /// What a refusal asks for, where it is one of the proof and nothing else was looked at: the same request once
    /// again, with the nonce that the server wants (section 8) or by its clock. Once: a server that is never content
    /// has its refusal count.
    pub(crate) fn again(&self, response: &HttpResponse, now: Timestamp) -> Option<Self> {
        if self.is_second || !matches!(response.status, 400 | 401) {
            return None;
        }
        let ahead = header::date(response).map(|date| now.since(date)).filter(|ahead| ahead.unsigned_abs() > TOLERANCE);
        let nonce = nonce(response);
        let helps = match ErrorAnswer::parse(&response.body)?.error.as_str() {
            "use_dpop_nonce" => nonce.is_some(),
            "invalid_dpop_proof" => ahead.is_some(),
            _ => false,
        };
        let ahead = ahead.unwrap_or(self.ahead);
        helps.then(|| Self { nonce: nonce.or_else(|| self.nonce.clone()), ahead, is_second: true, ..self.clone() })
    }
}

/// The nonce for the next proof (section 8.2), if it is of the kind that section 8.1 allows.
pub(crate) fn nonce(response: &HttpResponse) -> Option<String> {
    let nonce = response.header("dpop-nonce")?;
    let is_proper = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    (!nonce.is_empty() && nonce.len() <= 512 && nonce.bytes().all(is_proper)).then(|| nonce.to_owned())
}

/// Whether a login shall bind its tokens to a key: where the server announces an algorithm that can be had here, unless
/// the provider is configured not to. OpenAI's dialect does without.
pub(crate) fn is_wanted(provider: &Provider, endpoints: &Endpoints) -> bool {
    let known = |algorithm: &String| matches!(algorithm.as_str(), "ES256" | "EdDSA");
    provider.dpop && !provider.is_openai() && endpoints.dpop_algorithms.iter().any(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// The key of RFC 9449, section 4.1.
    const JWK: &str = r#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#;

    fn possession() -> Possession {
        Possession::new(Key::NewProof, PublicKey::parse(&JWK.into()).unwrap(), None)
    }

    fn decoded(input: &Secret) -> (String, String) {
        let text = |part: &str| String::from_utf8(base64url::decode(part).unwrap()).unwrap();
        let (header, claims) = input.expose().split_once('.').unwrap();
        (text(header), text(claims))
    }

    #[test]
    fn the_thumbprint_is_the_one_of_rfc_9449_section_6_1() {
        assert_eq!(possession().public().thumbprint(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    }

    #[test]
    fn no_private_member_is_kept_and_no_other_kind_of_key_taken() {
        let with = |rest: &str| JWK.replace("\"kty\"", &format!("{rest},\"kty\""));
        let key = PublicKey::parse(&with(r#""d":"canary""#).into()).unwrap();
        assert!(!format!("{key:?}{}", key.text()).contains("canary"));
        for jwk in ["", "{}", r#"{"kty":"oct","k":"x"}"#, r#"{"kty":"EC","crv":"P-384","x":"a","y":"b"}"#] {
            assert_eq!(PublicKey::parse(&jwk.into()), None, "{jwk}");
        }
        assert_eq!(PublicKey::parse(&JWK.replace("\"y\"", "\"z\"").into()), None);
    }

    #[test]
    fn a_proof_is_for_one_method_and_one_url_without_its_query() {
        let target = Target { method: "POST", url: "https://id.example/token?a=b#c", id: "i", access_token: None };
        let (header, claims) = decoded(&possession().signing_input(&target, Timestamp::from_seconds(1_562_262_616)));
        let jwk = possession().public().text();
        assert_eq!(header, format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk}}}"#));
        assert_eq!(claims, r#"{"jti":"i","htm":"POST","htu":"https://id.example/token","iat":1562262616}"#);
    }

    #[test]
    fn at_a_resource_it_names_the_token_by_its_hash() {
        // RFC 9449, section 7.1.
        let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU".into();
        let target = Target { method: "GET", url: "https://r.example/x", id: "i", access_token: Some(&token) };
        let (_, claims) = decoded(&possession().signing_input(&target, Timestamp::from_seconds(1)));
        assert!(claims.ends_with(r#","ath":"fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"}"#), "{claims}");
    }

    fn refusal(error: &str, headers: &[(&str, &str)]) -> HttpResponse {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect::<Vec<_>>();
        HttpResponse { status: 400, headers, body: format!(r#"{{"error":"{error}"}}"#).into() }
    }

    #[test]
    fn a_nonce_is_taken_once() {
        let now = Timestamp::from_seconds(1);
        let wants = |nonce| refusal("use_dpop_nonce", &[("DPoP-Nonce", nonce)]);
        let second = possession().again(&wants("n1"), now).unwrap();
        let target = Target { method: "POST", url: "https://id.example/token", id: "i", access_token: None };
        assert!(decoded(&second.signing_input(&target, now)).1.contains(r#","nonce":"n1"}"#));
        assert_eq!(second.again(&wants("n2"), now), None, "a server that is never content is not asked for ever");
        assert!(second.afresh().again(&wants("n2"), now).is_some());
        for nonce in ["", "with space", "with\"quote", "with\\backslash", "\u{e9}"] {
            assert_eq!(possession().again(&wants(nonce), now), None, "{nonce}");
        }
        assert_eq!(possession().again(&refusal("invalid_grant", &[("DPoP-Nonce", "n")]), now), None);
        assert_eq!(possession().again(&HttpResponse { status: 500, ..wants("n") }, now), None);
    }

    #[test]
    fn a_proof_by_a_wrong_clock_is_made_again_by_the_servers() {
        let now = Timestamp::parse("1994-11-06T09:49:37Z").unwrap();
        let date = [("Date", "Sun, 06 Nov 1994 08:49:37 GMT")];
        let second = possession().again(&refusal("invalid_dpop_proof", &date), now).unwrap();
        let target = Target { method: "POST", url: "https://id.example/token", id: "i", access_token: None };
        assert!(decoded(&second.signing_input(&target, now)).1.contains(r#""iat":784111777"#));
        let right = now.plus(-3_600_000);
        assert_eq!(possession().again(&refusal("invalid_dpop_proof", &date), right), None, "it is not the clock");
    }
}
