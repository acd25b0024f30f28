//! The browser module: one opaque class, and nothing that decides.
#![allow(
    unsafe_code,
    reason = "`#[wasm_bindgen]` expands to unsafe calls into JavaScript, and an allocator is unsafe by its nature"
)]
#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

#[cfg(target_family = "wasm")]
mod memory;

use alloc::string::String;
use alloc::vec::Vec;

use hallpass_core::Secret;
use hallpass_core::codec::Conversation;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use zeroize::Zeroizing;

/// A flow. Documented in `types.d.ts`.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Flow(Conversation);

#[wasm_bindgen]
impl Flow {
    /// A flow that is not started yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins, and says what to do first.
    pub fn start(&mut self, request: String, now: f64, seed: Vec<u8>) -> JsValue {
        answer(&self.0.start(Secret::new(request).expose(), now, &Zeroizing::new(seed)))
    }

    /// Goes on with what happened, and says what to do next.
    pub fn step(&mut self, now: f64, event: String) -> JsValue {
        answer(&self.0.step(now, Secret::new(event).expose()))
    }

    /// In which state each machine is, from the outermost in: the JSON of a list.
    #[cfg(feature = "trace")]
    pub fn states(&self) -> String {
        self.0.states()
    }

    /// What of this flow must survive a redirect of the page.
    pub fn suspend(&self) -> JsValue {
        answer(&self.0.suspend())
    }

    /// Goes on with a flow that was suspended.
    pub fn resume(&mut self, suspended: String, request: String, now: f64) -> JsValue {
        answer(&self.0.resume(Secret::new(suspended).expose(), Secret::new(request).expose(), now))
    }
}

/// The message goes straight into JavaScript's memory; Rust's own copies are overwritten when they are dropped.
fn answer(message: &Secret) -> JsValue {
    JsValue::from_str(message.expose())
}

/// What the standard library would bring along, and with it 6 KB of words for panics that nobody can read.
#[cfg(target_family = "wasm")]
mod runtime {
    #[global_allocator]
    static ALLOCATOR: super::memory::Memory = super::memory::Memory;

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        core::arch::wasm32::unreachable()
    }
}
