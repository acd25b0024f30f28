//! Sends the HTTP requests of a machine: once, without redirects, and knowing how far each got.

mod address;
mod connect;
mod failure;
mod proxy;
mod settings;
#[cfg(feature = "tls")]
mod tls;

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use hallpass_core::{Event, HttpMethod, HttpRequest, HttpResponse, Reach, RequestFailure, Secret};
use ureq::http::{Request, Response, Uri};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, TcpConnector};
use ureq::{Agent, Body, SendBody};
use zeroize::Zeroizing;

pub(crate) use address::Address;
pub(crate) use failure::UNTRUSTED;
pub use proxy::Proxies;
pub use settings::Settings;
#[cfg(feature = "tls")]
pub(crate) use tls::read_certificates;

/// The largest body of an answer.
const MOST: usize = 1024 * 1024;

/// How often a waiting request looks whether it was cancelled.
const GLANCE: Duration = Duration::from_millis(20);

/// An HTTP client. Making one costs nothing: certificates are loaded when the first `https` request is sent.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    #[cfg(feature = "tls")]
    tls: tls::Tls,
}

impl Client {
    /// A client with these settings.
    pub fn new(settings: Settings) -> Self {
        Self {
            inner: Arc::new(Inner {
                settings,
                #[cfg(feature = "tls")]
                tls: tls::Tls::default(),
            }),
        }
    }

    /// Sends a request, once, and waits for the whole answer: `Responded` with any status (redirects are not
    /// followed), or `RequestFailed`.
    ///
    /// An interruptible request is `Cancelled` soon after `cancelled` says so; what was on its way then ends by
    /// itself, behind the caller's back. Any other request is seen through to its end.
    pub fn send(&self, request: &HttpRequest, cancelled: &(dyn Fn() -> bool + Sync)) -> Event {
        if !request.interruptible {
            return self.inner.exchange(request);
        }
        if cancelled() {
            return Event::Cancelled;
        }
        let (answer, answers) = mpsc::channel();
        let (inner, copy) = (self.inner.clone(), request.clone());
        let work = move || drop(answer.send(inner.exchange(&copy)));
        if thread::Builder::new().name("hallpass-http".into()).spawn(work).is_err() {
            return self.inner.exchange(request);
        }
        loop {
            match answers.recv_timeout(GLANCE) {
                Ok(event) => return event,
                Err(RecvTimeoutError::Timeout) if cancelled() => return Event::Cancelled,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Event::RequestFailed(RequestFailure::new(
                        Reach::Unanswered,
                        "the request ended without a result",
                    ));
                }
            }
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Client").field("settings", &self.inner.settings).finish_non_exhaustive()
    }
}

impl Inner {
    fn exchange(&self, request: &HttpRequest) -> Event {
        self.attempt(request).map_or_else(Event::RequestFailed, Event::Responded)
    }

    fn attempt(&self, request: &HttpRequest) -> Result<HttpResponse, RequestFailure> {
        let not_sent = |detail: String| RequestFailure::new(Reach::NotSent, detail);
        let begin = Instant::now();
        let time = Duration::from_millis(request.deadline);
        let deadline = begin.checked_add(time).ok_or_else(|| not_sent("the deadline is out of reach".into()))?;
        let address = Address::parse(&request.url).map_err(|why| not_sent(format!("its address {why}")))?;
        let proxy = self.settings.proxies.choose(address)?;
        let through = proxy.as_ref().map(|proxy| proxy.shown.clone());
        let target: Uri = request.url.parse().map_err(|_| not_sent("its address cannot be read".into()))?;

        let arrived = Arc::new(AtomicBool::new(false));
        let needs_tls = address.is_https || proxy.as_ref().is_some_and(|proxy| proxy.is_https);
        let chain =
            ().chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(connect::Deadline(deadline));
        let last = connect::Arrival { target: target.clone(), arrived: arrived.clone() };
        let config = Agent::config_builder()
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .max_idle_connections(0)
            // Once the request is on its way nothing but the connection itself may end it: see `connect::Deadline`.
            .timeout_resolve(Some(time / 2))
            .timeout_connect(Some(time / 2))
            .proxy(proxy.map(|proxy| proxy.server))
            .user_agent(self.settings.user_agent.as_deref().unwrap_or_default())
            .build();
        #[cfg(feature = "tls")]
        let agent = {
            let trust = if needs_tls { Some(self.trust()?) } else { None };
            Agent::with_parts(config, chain.chain(tls::TlsConnector(trust)).chain(last), DefaultResolver::default())
        };
        #[cfg(not(feature = "tls"))]
        let agent = {
            if needs_tls {
                return Err(not_sent("this build of Hallpass has no TLS".into()));
            }
            Agent::with_parts(config, chain.chain(last), DefaultResolver::default())
        };

        let mut body =
            Watched { rest: request.body.as_ref().map_or(&[], |body| body.expose().as_bytes()), read: false };
        let has_body = !body.rest.is_empty();
        let outcome = run(&agent, target, request, &mut body);
        let is_sent = if has_body { body.read } else { arrived.load(Ordering::SeqCst) };
        let reach = if is_sent { Reach::Unanswered } else { Reach::NotSent };
        let describe =
            |error: &ureq::Error| failure::describe(error, address.host, through.as_deref(), request.deadline);
        let response = outcome.map_err(|error| RequestFailure::new(reach, describe(&error)))?;
        let status = response.status().as_u16();
        receive(response).map_err(|error| RequestFailure::new(Reach::Broken(status), describe(&error)))
    }

    #[cfg(feature = "tls")]
    fn trust(&self) -> Result<Arc<rustls::ClientConfig>, RequestFailure> {
        let added = self.settings.ca_certificates.as_ref();
        self.tls.configuration(added.map(|(variable, path)| (variable.as_str(), path.as_path())))
    }
}

fn run(
    agent: &Agent,
    target: Uri,
    request: &HttpRequest,
    body: &mut Watched<'_>,
) -> Result<Response<Body>, ureq::Error> {
    let method = match request.method {
        HttpMethod::Get => "GET",
        HttpMethod::Post => "POST",
    };
    let mut builder = Request::builder().method(method).uri(target);
    for (name, value) in &request.headers {
        if !name.eq_ignore_ascii_case("content-length") {
            builder = builder.header(name, value.expose());
        }
    }
    if request.body.is_none() && request.method == HttpMethod::Get {
        return agent.run(builder.body(SendBody::none())?);
    }
    // Without this header a reader's body would go out in chunks, which some token endpoints do not take.
    let builder = builder.header("content-length", body.rest.len());
    agent.run(builder.body(SendBody::from_reader(body))?)
}

/// Reads the body to its end; an error loses all of it.
fn receive(response: Response<Body>) -> Result<HttpResponse, ureq::Error> {
    let (parts, body) = response.into_parts();
    let room = body.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(16 * 1024);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room.min(MOST)));
    let most = u64::try_from(MOST).unwrap_or(u64::MAX);
    body.into_with_config().limit(most + 1).reader().take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MOST {
        return Err(ureq::Error::BodyExceedsLimit(most));
    }
    let headers = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), Secret::new(value.to_str().ok()?))))
        .collect();
    let body = match std::str::from_utf8(&bytes) {
        Ok(text) => Secret::new(text),
        Err(_) => Secret::new(String::from_utf8_lossy(&bytes).into_owned()),
    };
    Ok(HttpResponse { status: parts.status.as_u16(), headers, body })
}

/// A request body that knows whether any of it was taken: ureq reads it only once the connection stands.
struct Watched<'a> {
    rest: &'a [u8],
    read: bool,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read = true;
        self.rest.read(buffer)
    }
}
