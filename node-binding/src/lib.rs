//! The Node addon: one opaque class, and nothing that decides.
#![allow(unsafe_code, reason = "what `#[napi]` expands to calls into Node, which is unsafe")]

use hallpass_core::Secret;
use hallpass_core::codec::Conversation;
use napi::{Env, JsString, Result};
use napi_derive::napi;

/// A flow. Documented in `index.d.ts`.
#[napi]
#[derive(Default)]
pub struct Flow(Conversation);

#[napi]
impl Flow {
    /// A flow that is not started yet.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins, and says what to do first.
    #[napi]
    pub fn start<'js>(&mut self, env: &'js Env, request: String, now: f64, seed: &[u8]) -> Result<JsString<'js>> {
        answer(env, &self.0.start(Secret::new(request).expose(), now, seed))
    }

    /// Goes on with what happened, and says what to do next.
    #[napi]
    pub fn step<'js>(&mut self, env: &'js Env, now: f64, event: String) -> Result<JsString<'js>> {
        answer(env, &self.0.step(now, Secret::new(event).expose()))
    }

    /// What of this flow must survive a redirect of the page.
    #[napi]
    pub fn suspend<'js>(&self, env: &'js Env) -> Result<JsString<'js>> {
        answer(env, &self.0.suspend())
    }

    /// Goes on with a flow that was suspended.
    #[napi]
    pub fn resume<'js>(
        &mut self,
        env: &'js Env,
        suspended: String,
        request: String,
        now: f64,
    ) -> Result<JsString<'js>> {
        answer(env, &self.0.resume(Secret::new(suspended).expose(), Secret::new(request).expose(), now))
    }
}

/// The message goes straight into JavaScript's memory; Rust's own copy is overwritten when it is dropped.
fn answer<'js>(env: &'js Env, message: &Secret) -> Result<JsString<'js>> {
    env.create_string(message.expose())
}
