//! The network between a flow and the authorization server.

use hallpass::authorization_server::{Delivery, Request, Served};
use hallpass_core::{Event, HttpMethod, HttpRequest, HttpResponse, Reach, RequestFailure, Timestamp};

use super::{ISSUER, World};

/// A response with this body.
pub fn response(status: u16, body: &str) -> Event {
    Event::Responded(HttpResponse { status, headers: Vec::new(), body: body.into() })
}

impl World {
    /// The next request to this URL is not for the authorization server: this comes of it.
    pub fn answers(&mut self, url: &str, event: Event) {
        self.scripted.push((url.to_owned(), event));
    }

    pub(super) fn send(&mut self, request: HttpRequest) -> Event {
        let method = match request.method {
            HttpMethod::Get => "GET",
            HttpMethod::Post => "POST",
        };
        if let Some(at) = self.scripted.iter().position(|(url, _)| *url == request.url) {
            self.sent.push(format!("{method} {}", request.url));
            self.requests.push(request);
            return self.scripted.remove(at).1;
        }
        let Some(target) = request.url.strip_prefix(ISSUER) else {
            let detail = format!("no such host in this world: {}", request.url);
            return Event::RequestFailed(RequestFailure::new(Reach::NotSent, detail));
        };
        let path = target.split('?').next().unwrap_or_default();
        self.sent.push(format!("{method} {path}"));
        let served = self.server.respond(
            self.now.milliseconds(),
            &Request {
                method: method.to_owned(),
                target: target.to_owned(),
                headers: request
                    .headers
                    .iter()
                    .map(|(name, value)| (name.clone(), value.expose().to_owned()))
                    .collect(),
                body: request.body.as_ref().map(|body| body.expose().as_bytes().to_vec()).unwrap_or_default(),
            },
        );
        let deadline = request.deadline;
        self.requests.push(request);
        self.arrive(served, deadline)
    }

    fn arrive(&mut self, served: Served, deadline: u64) -> Event {
        let Served { response, delay_ms, delivery } = served;
        self.wait(i64::try_from(delay_ms.min(deadline)).unwrap_or_default());
        let lost = |reach, detail: &str| Event::RequestFailed(RequestFailure::new(reach, detail));
        if delay_ms > deadline {
            return lost(Reach::Unanswered, "no answer in time");
        }
        match delivery {
            Delivery::Whole => Event::Responded(HttpResponse {
                status: response.status,
                headers: response
                    .headers
                    .iter()
                    .map(|(name, value)| (name.clone(), value.as_str().into()))
                    .chain(self.dates.then(|| ("Date".to_owned(), imf_fixdate(self.now).into())))
                    .collect(),
                body: response.text().into(),
            }),
            Delivery::AnswerLost | Delivery::RequestLost => lost(Reach::Unanswered, "the connection was closed"),
            Delivery::Broken { .. } => lost(Reach::Broken(response.status), "the connection was closed in the answer"),
        }
    }
}

/// A time in the first weeks of the world, as RFC 9110 has it, section 5.6.7; nobody reads the name of the day.
fn imf_fixdate(now: Timestamp) -> String {
    let text = now.to_string();
    let (date, time) = (&text[..10], &text[11..19]);
    let month = ["Nov", "Dec"][usize::from(&date[5..7] == "12")];
    format!("Day, {} {month} {} {time} GMT", &date[8..], &date[..4])
}
