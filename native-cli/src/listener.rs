//! Receives the redirect of a browser login on the loopback addresses.

mod connection;
mod port;
mod service;

use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hallpass_core::{Event, Listen, Page};

#[cfg(target_os = "linux")]
pub(crate) use port::process_name;
pub(crate) use port::try_port;
use service::{Reply, Service};

/// The longest that a reply may take to be written.
const REPLY: Duration = Duration::from_secs(2);

/// The loopback callback of one login.
///
/// Every well-formed request is handed in as [`Event::Called`], one at a time: the next one waits until this one
/// was [answered](Listener::reply). What is no HTTP, or too much, is turned away here. Dropping the listener stops
/// it at once and frees its port.
#[derive(Debug)]
pub struct Listener {
    redirect_uri: String,
    replies: Option<Sender<Reply>>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Binds the first of the ports that is free on 127.0.0.1 and on `[::1]` (where there is one) and starts to
    /// hand in what comes as `Called` through `events`.
    ///
    /// # Errors
    ///
    /// A clause for a person: each port, and why it could not be had.
    pub fn open(listen: &Listen, events: Sender<Event>) -> Result<Self, String> {
        let (port, sockets) = port::bind(&listen.ports)?;
        let redirect_uri = format!("http://127.0.0.1:{port}{}", listen.path);
        Self::start(redirect_uri, sockets, events)
    }

    fn start(redirect_uri: String, sockets: Vec<TcpListener>, events: Sender<Event>) -> Result<Self, String> {
        let (replies, received): (_, Receiver<Reply>) = mpsc::channel();
        let service = Service::new(sockets, received, events).map_err(|error| error.to_string())?;
        let thread = thread::Builder::new()
            .name("hallpass-listener".into())
            .spawn(move || service.run())
            .map_err(|error| format!("no thread can be started ({error})"))?;
        Ok(Self { redirect_uri, replies: Some(replies), thread: Some(thread) })
    }

    /// The redirect URI: `http://127.0.0.1:{port}{path}`.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Answers the browser whose request was handed in last, and returns once the answer is on its way (or the
    /// browser has gone). After a page that [is the last](Page::is_last) nothing more is listened for.
    pub fn reply(&mut self, page: Page) {
        let (done, written) = mpsc::channel();
        if self.replies.as_ref().is_some_and(|replies| replies.send(Reply { page, done }).is_ok()) {
            let _ = written.recv_timeout(REPLY);
        }
        if page.is_last() {
            self.stop();
        }
    }

    fn stop(&mut self) {
        drop(self.replies.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop();
    }
}
