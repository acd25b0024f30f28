//! Text on its way into JavaScript, and the JSON that it is.

use hallpass_core::Secret;
use napi::bindgen_prelude::ToNapiValue;
use napi::{Env, Error, JsString, Result, Status, sys};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The text goes straight into JavaScript's memory; Rust's own copy is overwritten when it is dropped.
pub(crate) fn give<'js>(env: &'js Env, text: &Secret) -> Result<JsString<'js>> {
    env.create_string(text.expose())
}

/// A text that a promise is resolved with.
pub(crate) struct Given(pub(crate) Secret);

impl ToNapiValue for Given {
    unsafe fn to_napi_value(env: sys::napi_env, given: Self) -> Result<sys::napi_value> {
        // SAFETY: the caller vouches for the environment, as for every other value.
        unsafe { <&str>::to_napi_value(env, given.0.expose()) }
    }
}

/// Reads what the TypeScript of this package has written. What is wrong with it is not quoted: it may be a secret.
pub(crate) fn read<T: DeserializeOwned>(json: String) -> Result<T> {
    let json = Secret::new(json);
    serde_json::from_str(json.expose()).map_err(|_| {
        let what = std::any::type_name::<T>().rsplit("::").next().unwrap_or_default();
        Error::new(Status::InvalidArg, format!("this is the JSON of no {what}"))
    })
}

/// The JSON of what the TypeScript of this package reads.
pub(crate) fn write(value: &impl Serialize) -> Secret {
    // Writing to memory cannot fail, and no type here has a key that is not text.
    Secret::new(serde_json::to_string(value).unwrap_or_default())
}
