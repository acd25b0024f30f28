//! Rust's doc comments, as a reader of TypeScript needs them.

use super::Variants;

/// The lines of a comment, without links into Rust and with the names that JSON has.
pub(super) fn translated(text: &str, variants: &Variants) -> Vec<String> {
    let text = without_links(text.trim());
    let mut parts: Vec<String> = text.split('`').map(ToOwned::to_owned).collect();
    for code in parts.iter_mut().skip(1).step_by(2) {
        if code == "None" {
            "null".clone_into(code);
        } else if let Some(name) = variants.get(code.as_str()) {
            name.clone_into(code);
        }
    }
    parts.join("`").lines().map(ToOwned::to_owned).collect()
}

/// `[text](target)` and `[text]` become `text`, unless the target is a web page.
fn without_links(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        result += before;
        let Some((label, tail)) = after.split_once(']') else {
            result += "[";
            rest = after;
            continue;
        };
        let target = tail.strip_prefix('(').and_then(|tail| tail.split_once(')'));
        match target {
            Some((target, tail)) if !target.contains("://") => {
                result += label;
                rest = tail;
            }
            None if label.starts_with('`') => {
                result += label;
                rest = tail;
            }
            _ => {
                result += "[";
                rest = after;
            }
        }
    }
    result + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_into_rust_are_plain_text() {
        assert_eq!(without_links("see [`Event`](crate::Event) or [`Flow`]."), "see `Event` or `Flow`.");
        assert_eq!(without_links("may be\n[given\nup](Effect::x)"), "may be\ngiven\nup");
        assert_eq!(without_links("[RFC](https://rfc) a[0] ["), "[RFC](https://rfc) a[0] [");
    }

    #[test]
    fn variants_have_their_names_in_json() {
        let variants = Variants::from([("Event::TimedOut".to_owned(), "timed_out".to_owned())]);
        assert_eq!(translated("`None`, `Event::TimedOut`, None", &variants), ["`null`, `timed_out`, None"]);
    }
}
