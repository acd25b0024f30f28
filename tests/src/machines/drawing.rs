//! The machines as diagrams in a page of documentation.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{DONE, Machine};

const HEAD: &str = "<!-- Written from the lists above the machines: change those, then run
HALLPASS_RECORD=1 cargo test -p hallpass-tests --test machines -->
# The machines

Every flow is a value that is in one state at a time. These are the states and the legal transitions of each
machine, drawn from the lists in their documentation; the tests hold every flow that they run against them.

A box with a second name runs that machine inside: it goes on when that one has ended. Two rules hold everywhere and are
not drawn: every state may end its machine with an error, and what holds a lock leaves through `Unlocking`, whatever
happens. `hallpass demo --serve` has a page that shows them at work.
";

pub(super) fn page(machines: &BTreeMap<String, Machine>) -> String {
    let mut page = HEAD.to_owned();
    // Those that start a flow come first, and what runs inside them after.
    for (name, machine) in in_order(machines) {
        let Machine { title, file, about, .. } = machine;
        let title = sentence(title);
        write!(page, "\n## {title}\n\n{about}\n\n[`{name}`](../src/{file})\n\n{}", diagram(machine))
            .expect("writing to memory cannot fail");
    }
    page
}

/// Each machine before those that run inside it, as far as that can be.
fn in_order(machines: &BTreeMap<String, Machine>) -> Vec<(&String, &Machine)> {
    let inside: Vec<&String> =
        machines.values().flat_map(|machine| machine.states.iter().filter_map(|state| state.runs.as_ref())).collect();
    let mut order: Vec<&String> = Vec::new();
    let mut open: Vec<&String> = machines.keys().filter(|name| !inside.contains(name)).collect();
    while !open.is_empty() {
        let name = open.remove(0);
        if order.contains(&name) {
            continue;
        }
        order.push(name);
        open.splice(0..0, machines[name].states.iter().filter_map(|state| state.runs.as_ref()));
    }
    order.into_iter().map(|name| (name, &machines[name])).collect()
}

fn diagram(machine: &Machine) -> String {
    let mut lines = vec!["```mermaid".to_owned(), "stateDiagram-v2".to_owned()];
    for state in &machine.states {
        if let Some(runs) = &state.runs {
            lines.push(format!("    {0}: {0}<br>({runs})", state.name));
        }
    }
    if let Some(first) = machine.states.first() {
        lines.push(format!("    [*] --> {}", first.name));
    }
    for transition in &machine.transitions {
        let to = if transition.to == DONE { "[*]" } else { &*transition.to };
        let label = [transition.on.join(", "), transition.when.clone()];
        let label: Vec<String> = label.into_iter().filter(|part| !part.is_empty()).collect();
        let label = label.join("<br>").replace([':', ';'], ",");
        let label = if label.is_empty() { label } else { format!(": {label}") };
        lines.push(format!("    {} --> {to}{label}", transition.from));
    }
    lines.push("```\n".to_owned());
    lines.join("\n")
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
