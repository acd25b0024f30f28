//! The native shell, one effect at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use hallpass::{Cancellation, Lines, Opener, Person, Shell};
use hallpass_core::{Effect, Place, Prompt, Slot};
use napi::bindgen_prelude::Object;
use napi::{Env, Error, JsString, Result};
use napi_derive::napi;

use crate::text::{self, Given};

/// What one flow asks of this machine: files, keyring, locks, the listener, commands, keys. Documented in `ts/native.ts`.
#[napi]
pub struct Native {
    shell: Arc<Mutex<Shell>>,
    cancellation: Cancellation,
    notices: Arc<Mutex<Vec<String>>>,
    typed: Sender<String>,
}

#[napi]
impl Native {
    /// The shell of a home: whether a record in the keyring is encrypted, and whether pages are opened here.
    #[napi(constructor)]
    pub fn new(home: String, encrypts: bool, opens: bool) -> Self {
        let notices = Arc::<Mutex<Vec<String>>>::default();
        let (typed, lines) = mpsc::channel();
        let person = Elsewhere { notices: notices.clone(), lines: Some(lines) };
        let mut shell = Shell::new(PathBuf::from(home), Box::new(person));
        shell.encrypt_record(encrypts);
        shell.set_opener(if opens { Opener::Desktop } else { Opener::Nothing });
        let cancellation = shell.cancellation();
        Self { shell: Arc::new(Mutex::new(shell)), cancellation, notices, typed }
    }

    /// Performs an effect on a thread of its own: Node's pool is left to Node, which resolves names on it.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn perform<'js>(&self, env: &'js Env, effect: String) -> Result<Object<'js>> {
        let effect: Effect = text::read(effect)?;
        let (deferred, promise) = env.create_deferred()?;
        let shell = self.shell.clone();
        let work = move || match catch_unwind(AssertUnwindSafe(|| text::write(&perform(&shell, effect)))) {
            Ok(event) => deferred.resolve(move |_| Ok(Given(event))),
            Err(_) => deferred.reject(Error::from_reason("the native library has panicked")),
        };
        let spawned = thread::Builder::new().name("hallpass".into()).spawn(work);
        spawned.map_err(|error| Error::from_reason(format!("no thread can be started ({error})")))?;
        Ok(promise)
    }

    /// Reads a slot here and now: nothing where that would wait or ask somebody, and `perform` does it.
    #[napi(catch_unwind)]
    pub fn load_at_once<'js>(&self, env: &'js Env, slot: String) -> Result<Option<JsString<'js>>> {
        let slot: Slot = text::read(slot)?;
        let event = self.shell.lock().unwrap_or_else(PoisonError::into_inner).load_at_once(slot);
        event.map(|event| text::give(env, &text::write(&event))).transpose()
    }

    /// Ends what is being performed, if it may be ended.
    #[napi]
    pub fn cancel(&self) {
        self.cancellation.cancel();
    }

    /// Gives up what belongs to a flow that has ended.
    #[napi]
    pub fn finish(&self) {
        self.shell.lock().unwrap_or_else(PoisonError::into_inner).finish();
    }

    /// Hands in what a person typed while a browser login waits.
    #[napi]
    pub fn enter(&self, line: String) {
        // Where nobody reads lines, no login waits for one.
        let _ = self.typed.send(line);
    }

    /// What a person should know since this was asked last.
    #[napi]
    pub fn notices(&self) -> Vec<String> {
        std::mem::take(&mut self.notices.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where a store keeps credentials, for a person; the place is JSON, as everything that crosses.
    #[napi]
    pub fn location(&self, place: String) -> Result<String> {
        let place: Place = text::read(place)?;
        Ok(self.shell.lock().unwrap_or_else(PoisonError::into_inner).location(place))
    }
}

fn perform(shell: &Mutex<Shell>, effect: Effect) -> hallpass_core::Event {
    // What a panic leaves behind is a shell between two effects.
    shell.lock().unwrap_or_else(PoisonError::into_inner).perform(effect)
}

/// A person who is spoken with in JavaScript.
struct Elsewhere {
    notices: Arc<Mutex<Vec<String>>>,
    lines: Option<Receiver<String>>,
}

impl Person for Elsewhere {
    fn present(&mut self, _: &Prompt) {}

    fn notice(&mut self, message: &str) {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).push(message.to_owned());
    }

    fn lines(&mut self) -> Option<Lines> {
        self.lines.take().map(|lines| Box::new(lines.into_iter()) as Lines)
    }
}
