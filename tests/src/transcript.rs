//! Recorded conversations: what went over a boundary, replayed through every build and compared byte for byte.
//!
//! The files lie in `tests/transcripts`. A scenario records what it says to core; the Node addon and the
//! browser module replay the same files (`tests/replay`).

use std::path::PathBuf;

use hallpass_core::codec::Conversation;
use hallpass_core::{Event, Request, Timestamp};
use serde::{Deserialize, Serialize};

/// A recorded conversation.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Transcript {
    /// What it shows; the file has the same name.
    pub name: String,
    /// The seed, in hexadecimal digits.
    pub seed: String,
    /// What was said, in order.
    pub turns: Vec<Turn>,
}

/// What was said to core, and what it answered.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Turn {
    /// When, in milliseconds since the Unix epoch.
    pub now: i64,
    /// What was said.
    #[serde(flatten)]
    pub said: Said,
    /// What core answered, exactly.
    pub message: String,
}

/// What can be said to core.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// How every conversation begins.
    Request(Request),
    /// How it goes on.
    Event(Event),
}

/// Records a conversation while a scenario has it.
#[derive(Debug)]
pub struct Recorder {
    transcript: Transcript,
    conversation: Conversation,
}

impl Recorder {
    /// Begins as a scenario does that calls `Flow::start` with the same values.
    pub fn start(name: &str, request: &Request, now: Timestamp, seed: [u8; 32]) -> Self {
        let seed = hex(&seed);
        let transcript = Transcript { name: name.to_owned(), seed, turns: Vec::new() };
        let mut recorder = Self { transcript, conversation: Conversation::default() };
        recorder.turn(now, Said::Request(request.clone()));
        recorder
    }

    /// Goes on as a scenario does that calls `Flow::step` with the same values.
    pub fn step(&mut self, now: Timestamp, event: &Event) {
        self.turn(now, Said::Event(event.clone()));
    }

    /// Compares the conversation with its file; with `HALLPASS_RECORD=1` writes it instead.
    ///
    /// # Panics
    /// When they differ.
    pub fn finish(self) {
        let path = folder().join(&self.transcript.name).with_extension("json");
        crate::settle(&path, &self.transcript.to_json());
    }

    fn turn(&mut self, now: Timestamp, said: Said) {
        let now = now.milliseconds();
        let message = said.to(&mut self.conversation, now, &self.transcript.seed);
        self.transcript.turns.push(Turn { now, said, message });
    }
}

impl Transcript {
    /// Every transcript of the repository.
    ///
    /// # Panics
    /// When one cannot be read.
    pub fn all() -> Vec<Self> {
        let mut paths: Vec<_> = std::fs::read_dir(folder())
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .unwrap_or_else(|error| panic!("{}: {error}", folder().display()))
            .into_iter()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        paths.sort();
        let read = |path: &PathBuf| {
            let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        paths.iter().map(read).collect()
    }

    /// Has the conversation once more.
    ///
    /// # Panics
    /// When core answers another thing than it did.
    pub fn replay(&self) {
        let mut conversation = Conversation::default();
        for (number, turn) in (1..).zip(&self.turns) {
            let message = turn.said.to(&mut conversation, turn.now, &self.seed);
            assert_eq!(message, turn.message, "{}: turn {number} is answered in another way", self.name);
        }
    }

    /// The seed with which the flow was started.
    ///
    /// # Panics
    /// When it is not 32 bytes long.
    pub fn seed(&self) -> [u8; 32] {
        bytes(&self.seed).try_into().expect("a seed is 32 bytes long")
    }

    fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a transcript has text keys only") + "\n"
    }
}

impl Said {
    fn to(&self, conversation: &mut Conversation, now: i64, seed: &str) -> String {
        let json = |result: serde_json::Result<String>| result.expect("what is said has text keys only");
        #[expect(clippy::cast_precision_loss, reason = "JavaScript's times are no more precise")]
        let now = now as f64;
        let message = match self {
            Self::Request(request) => conversation.start(&json(serde_json::to_string(request)), now, &bytes(seed)),
            Self::Event(event) => conversation.step(now, &json(serde_json::to_string(event))),
        };
        message.expose().to_owned()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|half| char::from_digit(half.into(), 16)).collect()
}

fn bytes(digits: &str) -> Vec<u8> {
    let byte = |at: usize| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..digits.len()).step_by(2).map(|at| byte(at).expect("a seed is written in hexadecimal digits")).collect()
}

fn folder() -> PathBuf {
    crate::repository().join("tests/transcripts")
}
