//! A URL as a picture to scan, where the terminal can show one.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use super::report::{has_colour, size};

/// The lines of a QR code for this URL; nothing where they would not fit or not be legible.
pub(super) fn lines(url: &str) -> Option<Vec<String>> {
    let (columns, _) = size()?;
    speaks_unicode().then(|| draw(url, columns, has_colour()))?
}

fn draw(url: &str, columns: usize, colour: bool) -> Option<Vec<String>> {
    let code = QrCode::with_error_correction_level(url, EcLevel::L).ok()?;
    let width = code.width() + 8;
    if width > columns {
        return None;
    }
    // A scanner wants dark on light. Without colours the blocks are drawn as light, which is right on a dark terminal.
    let mut render = code.render::<Dense1x2>();
    if !colour {
        render.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark);
    }
    let picture = render.quiet_zone(true).build();
    let dress = |line: &str| if colour { format!("\u{1b}[30;107m{line}\u{1b}[0m") } else { line.to_owned() };
    Some(picture.lines().map(dress).chain([String::new()]).collect())
}

/// Whether the half blocks arrive as such: on Unix the locale tells.
fn speaks_unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_default()
        .to_ascii_lowercase();
    cfg!(windows) || locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://auth.openai.com/codex/device";

    #[test]
    fn it_fits_or_is_left_out() {
        let lines = draw(URL, 80, false).unwrap();
        let width = lines[0].chars().count();
        assert!(lines.iter().all(|line| line.is_empty() || line.chars().count() == width));
        assert!(draw(URL, width, false).is_some());
        assert_eq!(draw(URL, width - 1, false), None);
    }

    #[test]
    fn colours_are_given_back_at_the_end_of_each_line() {
        let lines = draw(URL, 80, true).unwrap();
        assert!(lines.iter().all(|line| line.is_empty() || line.ends_with("\u{1b}[0m")));
    }
}
