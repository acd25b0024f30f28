//! The Node addon: a flow, which decides, and the native shell, which performs. What is between them is TypeScript.
#![allow(unsafe_code, reason = "what `#[napi]` expands to calls into Node, which is unsafe")]

pub mod flow;
pub mod native;
pub mod opening;
mod text;
