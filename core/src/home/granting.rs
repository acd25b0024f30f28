//! Finding out who has granted the tokens that a home holds.

use crate::record::Tokens;
use crate::sidecar::Sidecar;
use crate::{Configuration, Provider};

/// Whose tokens these are: the provider of the login that is remembered, one that is configured, or, as in
/// Codex, OpenAI's dialect at the issuer that the record names. A record that names none is OpenAI's.
pub(crate) fn provider_of(tokens: &Tokens, sidecar: &Sidecar, configuration: &Configuration) -> Provider {
    let configured = || core::iter::once(&configuration.provider).chain(&configuration.providers);
    let Some(provenance) = tokens.provenance() else {
        return configured().find(|provider| provider.is_openai()).cloned().unwrap_or_else(Provider::openai);
    };
    let same =
        |provider: &&Provider| provider.issuer == provenance.issuer && provider.client_id == provenance.client_id;
    configured()
        .find(same)
        .cloned()
        .or_else(|| sidecar.provider(provenance))
        .unwrap_or_else(|| Provider::of_openai(&provenance.issuer, &provenance.client_id))
}
