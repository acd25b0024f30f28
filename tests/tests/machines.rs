//! The diagrams are those of the machines, and every recorded conversation goes along them.

use hallpass_core::{Flow, Machine as _, Seed, Step, Timestamp};
use hallpass_tests::machines::Machines;
use hallpass_tests::transcript::{Said, Transcript};
use hallpass_tests::{repository, settle};

#[test]
fn the_diagrams_are_up_to_date() {
    let machines = Machines::of_core();
    settle(&repository().join("wasm/playground/machines.json"), &machines.json());
    settle(&repository().join("core/docs/machines.md"), &machines.page());
}

#[test]
fn every_transcript_goes_along_the_lists() {
    let mut steps = 0;
    for transcript in Transcript::all() {
        steps += walk(&transcript);
    }
    assert!(steps > 200, "{steps} steps are too few to prove anything");
}

fn walk(transcript: &Transcript) -> usize {
    let mut steps = 0;
    let mut flow: Option<Box<Flow>> = None;
    for turn in &transcript.turns {
        let now = Timestamp::from_milliseconds(turn.now);
        let before = flow.as_deref().map(Flow::states);
        let step = match (&turn.said, flow.take()) {
            (Said::Request(request), _) => Flow::start(request.clone(), now, Seed::new(transcript.seed())),
            (Said::Event(event), Some(flow)) => flow.step(now, event.clone()),
            // What is said after the end is refused.
            (Said::Event(_), None) => continue,
        };
        if let Step::Perform { machine, .. } = step {
            let after = machine.states();
            assert!(!Machines::of_core().known(&after).is_empty(), "{} is nowhere: {after:?}", transcript.name);
            if let Some(before) = before {
                Machines::of_core().follow(&before, &after);
                steps += 1;
            }
            flow = Some(machine);
        }
    }
    steps
}
