//! The browser module: flows, each in a memory of its own, and nothing that decides. The class around them is
//! `ts/flow.ts`: it enters a flow before it calls anything else, and lets it go once.
#![cfg(target_family = "wasm")]
#![no_std]
#![allow(
    unsafe_code,
    reason = "`#[wasm_bindgen]` expands to unsafe calls into JavaScript, and an allocator is unsafe by its nature"
)]

extern crate alloc;

mod memory;

use alloc::boxed::Box;
use alloc::string::String;
use core::cell::Cell;
use core::ptr::{null_mut, with_exposed_provenance_mut};

use hallpass_core::Secret;
use hallpass_core::codec::Conversation;
use memory::{Memory, Region};
use wasm_bindgen::prelude::wasm_bindgen;

#[global_allocator]
static MEMORY: Memory = Memory::new();

/// A flow, in the region that it asks for memory. It is never dropped: the region is overwritten.
struct Flow {
    region: *mut Region,
    conversation: Conversation,
}

/// The flow that was entered.
struct Entered(Cell<*mut Flow>);

// SAFETY: a module without threads is never entered twice at once.
unsafe impl Sync for Entered {}

static ENTERED: Entered = Entered(Cell::new(null_mut()));

/// A flow that is not started yet: what it is called in the other functions. It is entered.
#[wasm_bindgen]
pub fn open() -> usize {
    let region = MEMORY.open();
    // Without memory for it there is no flow, and what the page has entered before is another one's.
    if region.is_null() {
        core::arch::wasm32::unreachable();
    }
    let flow = Box::into_raw(Box::new(Flow { region, conversation: Conversation::default() }));
    ENTERED.0.set(flow);
    flow.expose_provenance()
}

/// Lets the arguments of the next calls, and what they ask for, come from this flow's memory.
#[wasm_bindgen]
pub fn enter(flow: usize) {
    let flow = with_exposed_provenance_mut::<Flow>(flow);
    ENTERED.0.set(flow);
    // SAFETY: the class passes what `open` has given it, and nothing after `close`.
    unsafe { MEMORY.enter((*flow).region) };
}

/// Lets the entered flow go, and overwrites all that it has had, and the stack that it was moved through.
#[wasm_bindgen]
pub fn close() {
    let flow = ENTERED.0.replace(null_mut());
    // SAFETY: the flow was entered, so that it is open, and nobody else has it.
    unsafe { MEMORY.close((*flow).region) };
    memory::overwrite_stack();
}

/// Begins, and says what to do first.
#[wasm_bindgen]
pub fn start(request: &str, now: f64, seed: &[u8]) -> String {
    answer(&entered().start(request, now, seed))
}

/// Goes on with what happened, and says what to do next.
#[wasm_bindgen]
pub fn step(now: f64, event: &str) -> String {
    answer(&entered().step(now, event))
}

/// In which state each machine is, from the outermost in: the JSON of a list.
#[cfg(feature = "trace")]
#[wasm_bindgen]
pub fn states() -> String {
    entered().states()
}

/// What of the flow must survive a redirect of the page.
#[wasm_bindgen]
pub fn suspend() -> String {
    answer(&entered().suspend())
}

/// Goes on with a flow that was suspended.
#[wasm_bindgen]
pub fn resume(suspended: &str, request: &str, now: f64) -> String {
    answer(&entered().resume(suspended, request, now))
}

fn entered() -> &'static mut Conversation {
    // SAFETY: the class enters a flow first, one call ends before the next begins, and none keeps this.
    unsafe { &mut (*ENTERED.0.get()).conversation }
}

fn answer(message: &Secret) -> String {
    message.expose().into()
}

/// What the standard library would bring along, and with it 6 KB of words for panics that nobody can read.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
