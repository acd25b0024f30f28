//! Words that are safe and pleasant to read on a terminal.

use std::fmt::Write as _;

use hallpass_core::Timestamp;

/// Takes out of a text what could command a terminal or turn its reading order: the control characters
/// C0 and C1, and the invisible and bidirectional formats of Unicode. Everything that came from a server
/// passes through here.
pub(crate) fn safe(text: &str) -> String {
    text.chars()
        .filter_map(|character| match character {
            '\t' | '\n' => Some(' '),
            character if character.is_control() || is_format(character) => None,
            character => Some(character),
        })
        .collect()
}

fn is_format(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The same for a JSON text, where nothing may get lost: what `safe` takes out is escaped.
pub(crate) fn escape(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_control() || is_format(character) {
            // In a JSON text these stand in strings only.
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// A line that is broken between words where it would be longer than a terminal is wide, and goes on under its
/// second column where it has two. What stands in backticks is to be copied, and stays whole, as a long word does.
pub(crate) fn wrap(line: &str, width: usize) -> String {
    if visible(line) <= width {
        return line.to_owned();
    }
    let indent = line.len() - line.trim_start_matches(' ').len();
    let second = line.trim_start_matches(' ').find("  ").map_or(indent, |gap| {
        let gap = indent + gap;
        line.len() - line.get(gap..).unwrap_or_default().trim_start_matches(' ').len()
    });
    let column = if second * 2 <= width { second } else { indent };
    let (head, text) = line.split_at_checked(column).unwrap_or(("", line));
    let mut wrapped = head.to_owned();
    let mut used = visible(head);
    for (index, word) in words(text).enumerate() {
        let length = visible(word);
        if index > 0 && used + 1 + length > width {
            wrapped.push('\n');
            wrapped.extend(std::iter::repeat_n(' ', column));
            used = column;
        } else if index > 0 {
            wrapped.push(' ');
            used += 1;
        }
        wrapped.push_str(word);
        used += length;
    }
    wrapped
}

/// The parts between spaces, but for those in backticks.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |character| {
        is_quoted ^= character == '`';
        character == ' ' && !is_quoted
    })
}

/// How many columns a text takes, its colours apart.
fn visible(text: &str) -> usize {
    let mut is_colour = false;
    let is_seen = |character: &char| {
        let is_seen = !is_colour && *character != '\u{1b}';
        is_colour = (is_colour || *character == '\u{1b}') && *character != 'm';
        is_seen
    };
    text.chars().filter(is_seen).count()
}

/// `in 52 minutes (2026-11-24T04:30:00Z)`, or `3 days ago (…)`.
pub(crate) fn moment(at: Timestamp, now: Timestamp) -> String {
    let distance = at.since(now);
    let duration = duration(distance.saturating_abs());
    let relative = if distance >= 0 { format!("in {duration}") } else { format!("{duration} ago") };
    format!("{relative} ({})", seconds_only(at))
}

/// A duration in its largest whole unit, cut off: an hour and a half is `1 hour`.
pub(crate) fn duration(milliseconds: i64) -> String {
    // A moment less than three minutes is three minutes to a person.
    let seconds = milliseconds.saturating_add(500) / 1000;
    let (count, unit) = match seconds {
        ..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

fn seconds_only(at: Timestamp) -> String {
    let text = at.to_string();
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_commands_a_terminal_gets_through() {
        let hostile = "red\u{1b}[31m \u{9b}2J\u{7}bell\r\u{202e}txet\u{2066}\u{200b}\u{feff}\nnext\tcell é 日本";
        assert_eq!(safe(hostile), "red[31m 2Jbelltxet next cell é 日本");
    }

    #[test]
    fn json_keeps_what_it_says_and_commands_no_terminal() {
        let text = serde_json::Value::from("\u{1b}[2J\u{9b}2J\u{7f}\u{202e}\u{e0041}é").to_string();
        let escaped = escape(&text);
        assert_eq!(escaped, "\"\\u001b[2J\\u009b2J\\u007f\\u202e\\udb40\\udc41é\"");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), serde_json::from_str::<String>(&escaped).unwrap());
    }

    #[test]
    fn lines_break_between_words_and_go_on_in_their_column() {
        for (width, line, expected) in [
            (22, "short", "short"),
            (22, "nothing in here fits in one line", "nothing in here fits\nin one line"),
            (34, "  plan          pro and a lot more", "  plan          pro and a lot more"),
            (22, "  key  a value that is long", "  key  a value that is\n       long"),
            (25, "  a-key-and-more  a value that is long", "  a-key-and-more  a value\n  that is long"),
            (22, "error: run `hallpass login --x` now", "error: run\n`hallpass login --x`\nnow"),
            (22, "https://id.example.com/authorize?a=b", "https://id.example.com/authorize?a=b"),
            (20, "\u{1b}[1;31merror:\u{1b}[0m it fits here", "\u{1b}[1;31merror:\u{1b}[0m it fits here"),
            (0, "", ""),
        ] {
            assert_eq!(wrap(line, width), expected);
        }
    }

    #[test]
    fn moments_are_relative_and_absolute() {
        let now = Timestamp::from_seconds(1_795_454_709);
        let text = |seconds: i64| moment(now.plus(seconds * 1000), now);
        assert_eq!(text(3_120), "in 52 minutes (2026-11-23T18:17:09Z)");
        assert_eq!(text(-60), "1 minute ago (2026-11-23T17:24:09Z)");
        assert_eq!(text(-3 * 86_400), "3 days ago (2026-11-20T17:25:09Z)");
        assert!(text(0).starts_with("in 0 seconds"));
        assert!(text(47 * 3600).starts_with("in 47 hours"));
    }

    #[test]
    fn no_time_is_too_far() {
        let far = moment(Timestamp::from_milliseconds(i64::MAX), Timestamp::from_milliseconds(i64::MIN));
        assert!(far.contains("days"), "{far}");
    }
}
