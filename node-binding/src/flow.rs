//! The core, as every host has it.

use hallpass_core::Secret;
use hallpass_core::codec::Conversation;
use napi::bindgen_prelude::Uint8Array;
use napi::{Env, Error, JsString, Result};
use napi_derive::napi;

use crate::text;

/// A flow. Documented in `types.d.ts`.
#[napi]
#[derive(Default)]
pub struct Flow(Conversation);

/// 32 bytes from the operating system's generator, to start a flow with.
#[napi]
pub fn seed() -> Result<Uint8Array> {
    let mut bytes = vec![0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::from_reason(format!("the operating system gives no random numbers: {error}")))?;
    Ok(bytes.into())
}

#[napi]
impl Flow {
    /// A flow that is not started yet.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins, and says what to do first.
    #[napi(catch_unwind)]
    pub fn start<'js>(&mut self, env: &'js Env, request: String, now: f64, seed: &[u8]) -> Result<JsString<'js>> {
        text::give(env, &self.0.start(Secret::new(request).expose(), now, seed))
    }

    /// Goes on with what happened, and says what to do next.
    #[napi(catch_unwind)]
    pub fn step<'js>(&mut self, env: &'js Env, now: f64, event: String) -> Result<JsString<'js>> {
        text::give(env, &self.0.step(now, Secret::new(event).expose()))
    }

    /// What of this flow must survive a redirect of the page.
    #[napi(catch_unwind)]
    pub fn suspend<'js>(&self, env: &'js Env) -> Result<JsString<'js>> {
        text::give(env, &self.0.suspend())
    }

    /// Goes on with a flow that was suspended.
    #[napi(catch_unwind)]
    pub fn resume<'js>(
        &mut self,
        env: &'js Env,
        suspended: String,
        request: String,
        now: f64,
    ) -> Result<JsString<'js>> {
        text::give(env, &self.0.resume(Secret::new(suspended).expose(), Secret::new(request).expose(), now))
    }
}
