//! Text that is not TOML: the slips that people make, in their own words.

use std::ops::Range;

use super::{Source, SpecError};

/// The error for a text that the parser refuses.
pub(super) fn describe(source: Source, error: &toml::de::Error) -> SpecError {
    let span = error.span().unwrap_or(0..0);
    let parser = error.message().replace('\n', ", ");
    if parser.contains("duplicate key") || parser.contains("cannot extend") || parser.contains("redefine") {
        let written = source.text.get(span.clone()).unwrap_or_default().trim();
        let message = format!("`{written}` is there twice");
        let help = "keep one of the two; where a list of tables is meant, each has a header in double brackets, such as \
                    [[mlp.networks]]";
        return source.error(span, message, "the second time", Some(help.into()));
    }
    let line = line_of(source.text, span.start);
    match source.text[line.clone()].split_once('=').and_then(|(key, value)| slip(key.trim(), value.trim())) {
        Some((message, help)) => source.error(line, message, "in this line", Some(help)),
        None => {
            let help = "a line is `key = value`: texts in quotes, numbers with a decimal point, lists in square brackets";
            let message = format!("this is not TOML: {parser}");
            source.error(span, message, "reading stopped here", Some(help.into()))
        }
    }
}

/// The line that holds a place.
fn line_of(text: &str, place: usize) -> Range<usize> {
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

/// What is wrong with a value, and what to write.
fn slip(key: &str, value: &str) -> Option<(String, String)> {
    // What follows a number sign is a comment, unless it stands in quotes.
    let value =
        if value.contains(['"', '\'']) { value } else { value.split('#').next().unwrap_or_default().trim() };
    let first = value.chars().next()?;
    let digits =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || "eE+-_.".contains(c));
    if let Some((whole, rest)) = value.split_once(',')
        && digits(whole.trim_start_matches('-'))
        && digits(rest.trim())
    {
        let help = format!("write a decimal point: {key} = {whole}.{}", rest.trim());
        return Some((format!("`{key}`: `{value}` has a decimal comma"), help));
    }
    if ["\u{201c}", "\u{201d}", "\u{201e}", "\u{2018}", "\u{2019}"].iter().any(|mark| value.contains(mark)) {
        let message = format!("`{key}`: the quotation marks are not those of a keyboard");
        return Some((message, format!("write {key} = \"…\" with straight quotation marks")));
    }
    if ['"', '\''].contains(&first) && value.matches(first).count() == 1 {
        let message = format!("`{key}`: a quotation mark is missing");
        return Some((message, format!("close the text where it ends: {key} = {value}{first}")));
    }
    let number = value.parse::<f64>();
    if first == '.'
        || value.ends_with('.') && number.is_ok()
        || (first == '+' || first == '-') && value[1..].starts_with('.')
    {
        let help = format!("write a digit on both sides of the decimal point, such as {key} = 0.5");
        return Some((format!("`{key}`: `{value}` is no number of TOML"), help));
    }
    if first.is_alphabetic() && !value.contains(['"', '\'', '[', '{']) {
        let message = format!("`{key}`: the value `{value}` is neither a number nor a text in quotes");
        return Some((message, format!("texts stand in quotes: {key} = \"{value}\"")));
    }
    if first.is_ascii_digit() && value.contains(' ') && digits(&value.replace(' ', "")) {
        let help = format!("write {key} = {}", value.replace(' ', ""));
        return Some((format!("`{key}`: the number `{value}` holds a space"), help));
    }
    None
}
