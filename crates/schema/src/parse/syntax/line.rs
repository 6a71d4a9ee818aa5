//! Lines that are neither a comment, a header nor `key = value`.

use std::ops::Range;

use toml::de::DeTable;

use super::super::shown::shown;
use super::{Slip, value};

/// What a name of a key or table is made of.
const NAMES: &str = "names are made of the letters a to z, digits, `_` and `-`";

/// The line that holds a place.
pub(super) fn at(text: &str, place: usize) -> Range<usize> {
    let mut place = place.min(text.len());
    while !text.is_char_boundary(place) {
        place -= 1;
    }
    // A parser that wanted more stops at the line's end or at the next line's start.
    let before = text[..place].trim_end_matches(['\n', '\r', ' ']);
    let at_start = text[..place].ends_with('\n');
    let place = if at_start { before.len() } else { place };
    let start = text[..place].rfind('\n').map_or(0, |end| end + 1);
    let end = text[place..].find('\n').map_or(text.len(), |length| place + length);
    start..end
}

/// A mark that a tool for versions of files left behind.
pub(super) fn conflict(line: &str) -> Option<Slip> {
    ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|mark| line.starts_with(mark)).then(|| {
        Slip::new(
            "this line is a mark of a conflict between two versions of the file",
            "keep one of the versions, and remove the marks `<<<<<<<`, `=======`, `>>>>>>>`",
        )
    })
}

/// What is wrong with a line.
pub(super) fn slip(line: &str) -> Slip {
    let line = value::without_comment(line).trim();
    if ["//", "/*", "--", ";", "%"].iter().any(|mark| line.starts_with(mark)) {
        let written = shown(line);
        return Slip::new(
            format!("`{written}` is neither a header nor `key = value`"),
            "a comment begins with a number sign, `#`",
        );
    }
    if line.starts_with('[') || line.ends_with(']') && !line.contains('=') {
        return header(line);
    }
    match line.split_once('=') {
        Some((key, value)) => assignment(key.trim(), value.trim()),
        None => no_assignment(line),
    }
}

fn is_key(key: &str) -> bool {
    DeTable::parse(&format!("{key} = 1")).is_ok_and(|table| table.get_ref().len() == 1)
}

fn header(line: &str) -> Slip {
    let written = shown(line);
    let name = line.trim_matches(['[', ']']).trim();
    let (before, after) =
        (line.len() - line.trim_start_matches('[').len(), line.len() - line.trim_end_matches(']').len());
    if !is_key(name) {
        let help = format!("a header is [name] or [[name]], alone in its line; {NAMES}");
        return Slip::new(format!("`{written}` is not a header"), help);
    }
    let what = match (before, after) {
        (0, _) => "lacks its first bracket",
        (_, 0) => "lacks its last bracket",
        _ => "has not as many brackets before its name as after it",
    };
    let help = match before.max(after) {
        1 => format!("write [{name}]"),
        _ => format!("a header is [{name}], and of each table of a list [[{name}]]"),
    };
    Slip::new(format!("the header `{written}` {what}"), help)
}

fn assignment(key: &str, written: &str) -> Slip {
    if is_key(key) {
        return value::slip(key, written);
    }
    let shown_key = shown(key);
    if key.is_empty() {
        return Slip::new("there is no key before the equals sign", "a line is `key = value`");
    }
    if let Some(name) =
        key.strip_suffix([':', '+', '-', '*', '!', '<']).map(str::trim_end).filter(|name| is_key(name))
    {
        return match value::is_value(written) {
            true => Slip::new(
                format!("`{name}` is followed by more than an equals sign"),
                format!("write {name} = {written}"),
            ),
            false => Slip::new(
                format!("`{name}` is followed by more than an equals sign"),
                "a line is `key = value`",
            ),
        };
    }
    Slip::new(format!("`{shown_key}` is not a key of TOML"), format!("{NAMES}; put others in quotes"))
}

fn no_assignment(line: &str) -> Slip {
    let written = shown(line);
    let parts = line.split_once(':').or_else(|| line.split_once(char::is_whitespace));
    if let Some((key, value)) = parts.map(|(key, value)| (key.trim(), value.trim()))
        && is_key(key)
    {
        let what = if line.contains(':') { "is followed by a colon" } else { "lacks its equals sign" };
        let help = match value::is_value(value) {
            true => format!("write {key} = {value}"),
            false => "a line is `key = value`".into(),
        };
        return Slip::new(format!("`{}` {what}", shown(key)), help);
    }
    if is_key(line) {
        return Slip::new(
            format!("`{written}` has no value"),
            format!("a line is `key = value`, such as {line} = 1"),
        );
    }
    Slip::new(
        format!("`{written}` is neither a header nor `key = value`"),
        "a line is `key = value`, a [header], or a comment, which begins with a number sign, `#`",
    )
}
