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
    if let Some((message, help)) = shape(source.text, &source.text[line.clone()], &parser) {
        return source.error(line, message, "in this line", Some(help));
    }
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

/// What is wrong with a line that is no `key = value` at all, or with all lines.
fn shape(text: &str, line: &str, parser: &str) -> Option<(String, String)> {
    let line = line.trim();
    if parser.contains("recursion") || parser.contains("recurse") {
        let message = "tables or lists are nested too deeply to be read".to_owned();
        return Some((message, "no study and no network needs more than a few levels".into()));
    }
    if text.contains('\r') && !text.contains('\n') {
        let message =
            "the lines end with carriage returns alone, as they did on old Macintosh computers".to_owned();
        return Some((message, "save the file with the line ends of Unix (LF) or Windows (CRLF)".into()));
    }
    if ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|mark| line.starts_with(mark)) {
        let message = "this line is a mark of a conflict between two versions of the file".to_owned();
        return Some((
            message,
            "keep one of the versions, and remove the marks `<<<<<<<`, `=======`, `>>>>>>>`".into(),
        ));
    }
    let bare =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    if let Some(name) = line.trim_start_matches('[').strip_suffix(']').filter(|_| !line.starts_with('['))
        && bare(name)
    {
        return Some((format!("the header `{line}` lacks its first bracket"), format!("write [{name}]")));
    }
    if let Some(name) = line.strip_prefix('[').filter(|_| !line.ends_with(']'))
        && bare(name)
    {
        return Some((format!("the header `{line}` lacks its last bracket"), format!("write [{name}]")));
    }
    if let Some((key, value)) = line.split_once(':').filter(|_| !line.contains('='))
        && bare(key.trim())
    {
        let (key, value) = (key.trim(), value.trim());
        return Some((format!("`{key}` is followed by a colon"), format!("write {key} = {value}")));
    }
    None
}

/// What is wrong with a value, and what to write.
fn slip(key: &str, value: &str) -> Option<(String, String)> {
    // What follows a number sign is a comment, unless it stands in quotes.
    let value =
        if value.contains(['"', '\'']) { value } else { value.split('#').next().unwrap_or_default().trim() };
    let Some(first) = value.chars().next() else {
        return Some((
            format!("`{key}` has no value"),
            format!("write one after the equals sign, such as {key} = 1"),
        ));
    };
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
    if let Some(rest) = value.strip_prefix(['\u{2212}', '\u{2013}', '\u{2014}']).filter(|rest| digits(rest)) {
        let message = format!("`{key}`: the sign before `{rest}` is a dash, not the minus of a keyboard");
        return Some((message, format!("write {key} = -{rest}")));
    }
    if let Some((number, _)) = value.split_once("//").filter(|(number, _)| digits(number.trim())) {
        let message = format!("`{key}`: a comment begins with a number sign, not with `//`");
        return Some((message, format!("write {key} = {} # …", number.trim())));
    }
    if let Some(number) = value.strip_suffix(';').filter(|number| digits(number.trim())) {
        let message = format!("`{key}`: a line of TOML does not end with a semicolon");
        return Some((message, format!("write {key} = {}", number.trim())));
    }
    if let Some(number) = value.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok()) {
        let message = format!("`{key}`: `{value}` is a percentage");
        return Some((message, format!("write the share: {key} = {}", number / 100.0)));
    }
    if let Some((above, below)) = value.split_once('/')
        && let (Ok(above), Ok(below)) = (above.trim().parse::<f64>(), below.trim().parse::<f64>())
    {
        let message = format!("`{key}`: `{value}` is a fraction, which TOML does not compute");
        return Some((message, format!("write the number: {key} = {}", above / below)));
    }
    if first == '0' && value.len() > 1 && value.chars().all(|c| c.is_ascii_digit()) {
        let bare = value.trim_start_matches('0');
        let bare = if bare.is_empty() { "0" } else { bare };
        let message = format!("`{key}`: a number does not begin with a zero that means nothing");
        return Some((message, format!("write {key} = {bare}")));
    }
    let end = value.find(|c: char| !(c.is_ascii_digit() || "+-_.".contains(c))).unwrap_or(value.len());
    if end > 0
        && end < value.len()
        && first.is_ascii_digit()
        && value[end..].chars().all(char::is_alphanumeric)
    {
        let message = format!("`{key}`: `{value}` is neither a number nor a text in quotes");
        return Some((
            message,
            format!("numbers stand alone, without unit or letter: {key} = {}", &value[..end]),
        ));
    }
    if first.is_ascii_digit() && value.contains(' ') && digits(&value.replace(' ', "")) {
        let help = format!("write {key} = {}", value.replace(' ', ""));
        return Some((format!("`{key}`: the number `{value}` holds a space"), help));
    }
    None
}
