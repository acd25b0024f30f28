//! The network side of the native shell, against real sockets.

mod browser;
mod command;
mod http;
mod limits;
mod listener;
mod port;
mod servers;
#[cfg(feature = "tls")]
mod signing;
#[cfg(feature = "tls")]
mod tls;
