//! How a connection is made: plain or through a proxy, within the request's deadline, with TLS on top.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use ureq::http::Uri;
use ureq::unversioned::transport::time::Duration;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// Holds every read and write of a connection to the deadline of its request.
///
/// The clock goes on while a process is stopped, or its container frozen. An answer that came in the meantime is one
/// that may have spent a token: it is taken, however late it is looked for. What ureq measures itself would not be.
#[derive(Debug)]
pub(super) struct Deadline(pub(super) Instant);

impl<In: Transport> Connector<In> for Deadline {
    type Out = Bounded<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        Ok(chained.map(|transport| Bounded { transport, deadline: self.0 }))
    }
}

pub(super) struct Bounded<In> {
    transport: In,
    deadline: Instant,
}

/// So long a read may take whose deadline has passed: what is there is there.
const GLANCE: Duration = Duration::from_millis(1);

impl<In> Bounded<In> {
    fn bound(&self, mut timeout: NextTimeout) -> NextTimeout {
        let left = Duration::Exact(self.deadline.saturating_duration_since(Instant::now()));
        if left < timeout.after {
            timeout.after = left;
        }
        timeout
    }
}

impl<In: Transport> Transport for Bounded<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.transport.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let timeout = self.bound(timeout);
        self.transport.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        match self.transport.await_input(self.bound(timeout)) {
            Err(ureq::Error::Timeout(_)) => self.transport.await_input(NextTimeout { after: GLANCE, ..timeout }),
            awaited => awaited,
        }
    }

    fn is_open(&mut self) -> bool {
        self.transport.is_open()
    }

    fn is_tls(&self) -> bool {
        self.transport.is_tls()
    }
}

impl<In> fmt::Debug for Bounded<In> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Bounded").finish_non_exhaustive()
    }
}

/// Raises a flag once the connection to the server itself, not to a proxy, is ready for the request.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) target: Uri,
    pub(super) arrived: Arc<AtomicBool>,
}

impl<In: Transport> Connector<In> for Arrival {
    type Out = In;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        if chained.is_some() && *details.uri == self.target {
            self.arrived.store(true, Ordering::SeqCst);
        }
        Ok(chained)
    }
}
