//! The list of legal transitions in a machine's documentation.

use super::{DONE, Transition};

/// One line of the list, without what runs inside the state.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) state: String,
    pub(super) transitions: Vec<Transition>,
}

/// The first paragraph, and the list.
///
/// # Panics
/// When a line is not written as all are.
pub(super) fn read(documentation: &str) -> (String, Vec<Line>) {
    let about = documentation.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let mut items: Vec<String> = Vec::new();
    for line in documentation.lines() {
        if let Some(item) = line.strip_prefix("- `") {
            items.push(format!("`{item}"));
        } else if let (Some(item), true) = (items.last_mut(), line.starts_with("  ")) {
            *item += " ";
            *item += line.trim();
        }
    }
    let states: Vec<String> = items.iter().filter_map(|item| Some(names(item).into_iter().next()?.0)).collect();
    (about, items.iter().map(|item| read_line(item, &states)).collect())
}

fn read_line(item: &str, states: &[String]) -> Line {
    let (state, rest) = item.split_once('→').unwrap_or_else(|| panic!("`{item}` leads nowhere"));
    let state = state.trim().trim_matches('`').to_owned();
    let mut transitions = Vec::new();
    for case in rest.split(" · ") {
        let (on, targets) = case.split_once('→').unwrap_or_else(|| panic!("`{case}` of {state} leads nowhere"));
        assert!(!targets.contains('→'), "`{case}` of {state} goes in two steps");
        let on = waited_for(on);
        let mut found = targets_of(targets, states);
        assert!(!found.is_empty(), "`{targets}` of {state} names no state");
        transitions.extend(found.drain(..).map(|(to, when)| Transition {
            from: state.clone(),
            to,
            on: on.clone(),
            when,
        }));
    }
    Line { state, transitions }
}

/// The events, or the words; nothing where a machine runs inside, whose end is waited for.
fn waited_for(text: &str) -> Vec<String> {
    let text = text.trim();
    if text.starts_with('(') {
        return Vec::new();
    }
    let events: Vec<String> = names(text).into_iter().map(|(name, _)| name).collect();
    if events.is_empty() { vec![text.to_owned()] } else { events }
}

/// The states in the prose, and what stands after each.
fn targets_of(text: &str, states: &[String]) -> Vec<(String, String)> {
    let text = bare_done(text);
    let mut found: Vec<(String, String)> = Vec::new();
    for (name, after) in names(&text) {
        if name == DONE || states.contains(&name) {
            found.push((name, clause(&after)));
        } else if let Some((_, when)) = found.last_mut() {
            format!("{when} {name} {}", clause(&after)).trim().clone_into(when);
        }
    }
    found
}

/// `done` is a word of the list: it is made a name like the others.
fn bare_done(text: &str) -> String {
    let words = text.split(' ').map(|word| match word.strip_prefix(DONE) {
        Some(rest) if rest.chars().all(|c| c.is_ascii_punctuation()) => format!("`{DONE}`{rest}"),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// What stands in backticks, and the text up to the next.
fn names(text: &str) -> Vec<(String, String)> {
    let parts: Vec<&str> = text.split('`').collect();
    let pairs = parts.get(1..).unwrap_or_default().chunks(2);
    pairs.map(|pair| (pair[0].to_owned(), (*pair.get(1).unwrap_or(&"")).to_owned())).collect()
}

/// A clause without the words that join it to the next.
fn clause(text: &str) -> String {
    let text = text.trim().trim_start_matches(',').trim();
    let text = text.strip_suffix("or").filter(|rest| rest.is_empty() || rest.ends_with([' ', ','])).unwrap_or(text);
    text.trim().trim_end_matches([',', ';']).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transition(from: &str, on: &[&str], to: &str, when: &str) -> Transition {
        let on = on.iter().map(|&name| name.to_owned()).collect();
        Transition { from: from.to_owned(), to: to.to_owned(), on, when: when.to_owned() }
    }

    #[test]
    fn a_list_is_read() {
        let text = "About it,\nin two lines.\n\n- `Peeking` → (reading) → done, or `Locking`\n- `Locking` → `Locked`, \
                    `Late` → `Peeking`, or `Renewing` where it\n  must be · any other event → done\n- `Renewing` → any event → done";
        let (about, lines) = read(text);
        assert_eq!(about, "About it, in two lines.");
        let transitions: Vec<Transition> = lines.into_iter().flat_map(|line| line.transitions).collect();
        assert_eq!(
            transitions,
            [
                transition("Peeking", &[], "done", ""),
                transition("Peeking", &[], "Locking", ""),
                transition("Locking", &["Locked", "Late"], "Peeking", ""),
                transition("Locking", &["Locked", "Late"], "Renewing", "where it must be"),
                transition("Locking", &["any other event"], "done", ""),
                transition("Renewing", &["any event"], "done", ""),
            ]
        );
    }
}
