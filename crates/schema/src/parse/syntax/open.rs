//! Lists, tables and texts over several lines that are not closed where the parser stops.

use std::ops::Range;

use super::{Slip, value};

/// Something that began and has not ended.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Opening {
    place: usize,
    mark: &'static str,
}

/// What is wrong with a value of several lines that was open where the parser stopped, and where it begins.
pub(super) fn slip(text: &str, stop: usize, stopped: Range<usize>) -> Option<(Range<usize>, Slip)> {
    let opening = open_at(text, stop)?;
    let begins = opening.place..opening.place + opening.mark.len();
    if opening.mark.len() == 3 {
        let message = format!("the text that begins with `{}` is not closed", opening.mark);
        return Some((begins, Slip::new(message, format!("it ends with another `{}`", opening.mark))));
    }
    let stop = stop.min(text.len());
    let after = text[stop..].trim_start();
    // Within one line, the line is looked at.
    if stopped.contains(&opening.place) && !text[stop..stopped.end.max(stop)].trim().is_empty() {
        return None;
    }
    let (what, closing) = if opening.mark == "[" { ("list", "]") } else { ("table", "}") };
    let starts_another = |line: &str| {
        let key = line.split_once('=').map(|(key, _)| key);
        line.is_empty()
            || line.starts_with('[')
            || what == "list" && key.is_some_and(|key| !key.contains(['{', '[', '"']))
    };
    let entry = value::without_comment(&text[stopped]).trim().trim_end_matches(',');
    let message = match [entry, after.lines().next().unwrap_or_default()].into_iter().any(starts_another) {
        true => format!("the {what} that begins here is not closed"),
        false => format!("the {what} that begins here cannot be read from `{}` on", super::shown(entry)),
    };
    let help = format!("entries are separated by commas, and the {what} ends with `{closing}`");
    Some((begins, Slip::new(message, help)))
}

/// The innermost value that has begun before a place and not ended.
fn open_at(text: &str, stop: usize) -> Option<Opening> {
    let mut open: Vec<Opening> = Vec::new();
    let (mut place, mut is_line_start) = (0, true);
    while place < stop.min(text.len()) {
        let rest = &text[place..];
        let first = rest.chars().next()?;
        let header = is_line_start && open.is_empty() && first == '[';
        let length = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            _ if header => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => match text_length(rest, first) {
                Ok(length) => length,
                Err(mark) => {
                    open.push(Opening { place, mark });
                    break;
                }
            },
            '[' | '{' => {
                open.push(Opening { place, mark: if first == '[' { "[" } else { "{" } });
                1
            }
            ']' | '}' => {
                open.pop();
                1
            }
            other => other.len_utf8(),
        };
        is_line_start = first == '\n' || is_line_start && first.is_whitespace();
        place += length;
    }
    open.pop()
}

/// The length of a text in quotes with them; else the mark that it begins with. One in single marks ends with its line.
fn text_length(rest: &str, quote: char) -> Result<usize, &'static str> {
    let (triple, mark) = if quote == '"' { ("\"\"\"", "\"\"\"") } else { ("'''", "'''") };
    let escapes = quote == '"';
    let multiline = rest.starts_with(triple);
    let start = if multiline { 3 } else { 1 };
    let mut is_escaped = false;
    for (place, c) in rest[start..].char_indices() {
        let at = start + place;
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if escapes => is_escaped = true,
            '\n' if !multiline => return Ok(at),
            _ if multiline && rest[at..].starts_with(triple) => return Ok(at + 3),
            c if c == quote && !multiline => return Ok(at + 1),
            _ => {}
        }
    }
    if multiline { Err(mark) } else { Ok(rest.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_found() {
        for (text, open) in [
            ("a = [1, 2", Some((4, "["))),
            ("a = [1, 2]", None),
            ("a = [{ b = 1", Some((5, "{"))),
            ("[a]\nb = 1", None),
            ("[a\nb = [", Some((7, "["))),
            ("a = \"[\" # [", None),
            ("a = '''[", Some((4, "'''"))),
            ("a = \"\"\"\\\"\"\"", Some((4, "\"\"\""))),
            ("a = \"x\nb = 1", None),
            ("a = [\"\\\"]\", 1", Some((4, "["))),
        ] {
            let found = open_at(text, text.len()).map(|opening| (opening.place, opening.mark));
            assert_eq!(found, open, "{text}");
        }
    }
}
