//! The network, and the server behind it.

use hallpass_core::{Effect, Event, HttpRequest, HttpResponse, Reach, RequestFailure};

use super::world::{Happening, Part, World};
use crate::exhaustive::{End, Family, ISSUER, LIFETIME, Mutation, Token, Verdict, refresh_tokens_in};

/// A request takes at most so long to arrive, or never does.
const LATEST: i64 = 2_500;

/// What becomes of a request that has arrived.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    Answered,
    AnswerLost,
    AnswerBroken,
    AnsweredTooLate,
    /// Refused without being looked at.
    Refused(u16),
    /// A gateway answers in the server's place; the server may have done it.
    Gateway {
        status: u16,
        done: bool,
    },
}

impl World {
    pub(super) fn asks(&mut self, process: usize, request: &HttpRequest) {
        let body = request.body.as_ref().map_or("", |body| body.expose());
        let token = refresh_tokens_in(body).first().copied();
        match (request.url.strip_prefix(ISSUER), token) {
            (Some("/device"), None) => self.tell(
                process,
                responded(
                    200,
                    r#"{"device_code":"c","user_code":"AB","verification_uri":"https://id.example/e","interval":5}"#,
                ),
            ),
            (Some("/token"), None) => {
                let family = u16::try_from(self.families.len()).unwrap_or(u16::MAX);
                self.families.push(Family::default());
                let answer = self.grants(Token { family, generation: 0 }, self.now);
                self.tell(process, answer);
            }
            (Some("/revoke"), Some(token)) => {
                self.is_revoked(process, token);
                let family = &mut self.families[usize::from(token.family)];
                family.ended = family.ended.or(Some(End::Asked));
                self.tell(process, responded(200, ""));
            }
            (Some("/token"), Some(token)) => self.spends(process, token, request.deadline),
            _ => self.fail(format!("no server answers {}", request.url)),
        }
    }

    fn spends(&mut self, process: usize, token: Token, deadline: u64) {
        self.counts.sent += 1;
        self.may_be_sent(token);
        self.processes[process].sending = Some(token);
        let deadline = i64::try_from(deadline).unwrap_or(i64::MAX);
        let faults = self.plan.faults;
        let serial = self.processes[process].serial;
        let delay = if self.random.below(10) == 0 { LATEST } else { 100 };
        let delay = 1 + self.random.milliseconds(delay);
        if !self.chaos {
            return self.later(
                delay,
                Happening::Arrives { process, serial, token, fate: Fate::Answered, deadline: self.now + deadline },
            );
        }
        if self.random.happens(faults.not_sent) {
            return self.unanswered(process, 0, Reach::NotSent);
        }
        if self.random.happens(faults.lost_request) {
            let pause = self.random.milliseconds(deadline);
            return self.unanswered(process, pause, Reach::Unanswered);
        }
        let fate = if self.random.happens(faults.busy) {
            Fate::Refused(self.random.choose(&[503, 429, 500]))
        } else if self.random.happens(faults.gateway) {
            Fate::Gateway { status: self.random.choose(&[502, 504]), done: self.random.below(2) == 0 }
        } else if self.random.happens(faults.lost_answer) {
            Fate::AnswerLost
        } else if self.random.happens(faults.broken) {
            Fate::AnswerBroken
        } else if self.random.happens(faults.slow) {
            Fate::AnsweredTooLate
        } else {
            Fate::Answered
        };
        self.later(delay, Happening::Arrives { process, serial, token, fate, deadline: self.now + deadline });
    }

    /// A request arrives at the server. Its client may be dead by now.
    pub(super) fn arrives(&mut self, process: usize, serial: u32, token: Token, fate: Fate, deadline: i64) {
        let verdict = match fate {
            Fate::Refused(_) | Fate::Gateway { done: false, .. } => Verdict::Rejected,
            _ => self.redeems(token),
        };
        let runner = &self.processes[process];
        let waits = runner.serial == serial && matches!(runner.turn, Some((_, Effect::Http(_))));
        self.tell_tale(|| format!("the server finds {}: {verdict:?}, {fate:?}, awaited: {waits}", token.text()));
        if !waits {
            return;
        }
        let delay = 1 + self.random.milliseconds(200);
        match fate {
            Fate::Refused(_) if self.plan.is(Mutation::TroubleIsALogout) => {
                self.is_finished(process, token);
                self.boundary(process, delay, Part::Ends(responded(400, r#"{"error":"invalid_grant"}"#)));
            }
            Fate::Refused(status) | Fate::Gateway { status, .. } => {
                self.knowledge.is_open(token);
                self.boundary(process, delay, Part::Ends(responded(status, "")));
            }
            Fate::AnswerLost => {
                let pause = self.random.milliseconds(deadline - self.now);
                self.unanswered(process, pause, Reach::Unanswered);
            }
            Fate::AnsweredTooLate => self.unanswered(process, deadline - self.now, Reach::Unanswered),
            Fate::AnswerBroken => match verdict {
                Verdict::Granted(..) => {
                    self.is_finished(process, token);
                    self.unanswered(process, delay, Reach::Broken(200));
                }
                Verdict::Rejected => self.unanswered(process, delay, Reach::Broken(400)),
            },
            Fate::Answered => {
                let answer = match verdict {
                    Verdict::Granted(generation, at) => {
                        let successor = Token { generation, ..token };
                        self.is_answered(process, token, successor);
                        self.grants(successor, at)
                    }
                    Verdict::Rejected => {
                        self.is_finished(process, token);
                        responded(400, r#"{"error":"invalid_grant"}"#)
                    }
                };
                self.boundary(process, delay, Part::Ends(answer));
            }
        }
    }

    fn redeems(&mut self, token: Token) -> Verdict {
        let (now, reuse) = (self.now, self.plan.reuse);
        let family = &mut self.families[usize::from(token.family)];
        let before = *family;
        let verdict = family.redeem(token.generation, reuse, now);
        if matches!(verdict, Verdict::Granted(..)) {
            self.counts.refreshes += 1;
        }
        if before.ended.is_none() && family.ended == Some(End::Reused) {
            self.is_killed(Token { generation: before.current, ..token });
        }
        verdict
    }

    fn grants(&mut self, token: Token, at: i64) -> Event {
        self.expires_at = at + LIFETIME;
        responded(200, &token.answer(self.plan.style, at))
    }

    fn unanswered(&mut self, process: usize, pause: i64, reach: Reach) {
        if let (Reach::Unanswered | Reach::NotSent | Reach::Broken(400), Some(token)) =
            (reach, self.processes[process].sending)
        {
            self.knowledge.is_open(token);
        }
        self.counts.unanswered += u64::from(reach == Reach::Unanswered);
        let failure = RequestFailure::new(reach, "");
        self.boundary(process, pause, Part::Ends(Event::RequestFailed(failure)));
    }
}

fn responded(status: u16, body: &str) -> Event {
    Event::Responded(HttpResponse { status, headers: Vec::new(), body: body.into() })
}
