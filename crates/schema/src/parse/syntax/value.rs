//! Values that TOML does not have.

use toml::de::{DeTable, DeValue};

use super::super::shown::shown;
use super::Slip;

/// What a value can be.
const VALUES: &str = "a value is a number such as 0.5, a text in quotes, true or false, a list such as [1, 2], or a table such as \
                      { a = 1 }";

/// Marks of quotation that no keyboard's are.
const TYPOGRAPHIC: [char; 8] =
    ['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{201a}', '\u{ab}', '\u{bb}'];
/// Dashes that look like a minus.
const DASHES: [char; 3] = ['\u{2212}', '\u{2013}', '\u{2014}'];

/// What is wrong with a value, in words that follow its key; a rule that mends it; and what to write by it.
type Advice = (String, String, String);

/// Whether this is a value as it stands.
pub(super) fn is_value(written: &str) -> bool {
    !written.contains('\n')
        && DeValue::parse(written).is_ok()
        && DeTable::parse(&format!("a = {written}")).is_ok_and(|table| table.get_ref().len() == 1)
}

/// A line without what follows a number sign outside quotes.
pub(super) fn without_comment(line: &str) -> &str {
    let mut quote = None;
    for (place, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') => return &line[..place],
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    line
}

/// What is wrong with the value of a key that is one.
pub(super) fn slip(key: &str, written: &str) -> Slip {
    let name = shown(key);
    if written.is_empty() {
        return Slip::new(
            format!("`{name}` has no value"),
            format!("a value stands after the equals sign, such as {key} = 1"),
        );
    }
    let known: [fn(&str) -> Option<Advice>; 12] = [
        equals_signs,
        quotation,
        backslash,
        dash,
        comment,
        word,
        decimal_point,
        separators,
        sign_or_zero,
        computed,
        bracket,
        unit,
    ];
    for advice in known {
        if let Some((what, rule, instead)) = advice(written) {
            let help = match is_value(&instead) {
                true => format!("{rule}: write {key} = {instead}"),
                false => rule,
            };
            return Slip::new(format!("`{name}`: {what}"), help);
        }
    }
    if is_value(written) {
        return Slip::new(
            format!("`{name}`: `{}` cannot be read here", shown(written)),
            "a line is `key = value`",
        );
    }
    Slip::new(format!("`{name}`: `{}` is not a value of TOML", shown(written)), VALUES)
}

fn advice(what: impl Into<String>, rule: impl Into<String>, instead: impl Into<String>) -> Option<Advice> {
    Some((what.into(), rule.into(), instead.into()))
}

fn has_quotes(written: &str) -> bool {
    written.contains(['"', '\''])
}

fn equals_signs(written: &str) -> Option<Advice> {
    if let Some(rest) = written.strip_prefix(['=', '>', ':']) {
        return advice(
            "its value follows more than an equals sign",
            "one equals sign is enough",
            rest.trim(),
        );
    }
    let is_one_value = has_quotes(written) || written.starts_with(['[', '{']);
    let what = format!("`{}` holds another equals sign", shown(written));
    let another = !is_one_value && written.contains('=');
    another.then(|| (what, "each `key = value` has a line of its own".into(), String::new()))
}

fn quotation(written: &str) -> Option<Advice> {
    if written.contains(TYPOGRAPHIC) {
        let what = "the quotation marks are typographic";
        return advice(what, "texts have straight quotation marks", written.replace(TYPOGRAPHIC, "\""));
    }
    let (first, last) = (written.chars().next()?, written.chars().next_back()?);
    let is_mark = |mark: char| ['"', '\''].contains(&mark) && written.matches(mark).count() == 1;
    let what = "a quotation mark is missing";
    if is_mark(first) {
        return advice(what, "a text ends with the mark that it begins with", format!("{written}{first}"));
    }
    if is_mark(last) && !written.starts_with(['[', '{']) {
        return advice(what, "a text begins with the mark that it ends with", format!("{last}{written}"));
    }
    let texts = first == last && ['"', '\''].contains(&first) && written.matches(first).count() > 2;
    let several =
        texts && !written.contains('\\') && !written.starts_with("\"\"\"") && !written.starts_with("'''");
    several.then(|| {
        let what = format!("`{}` is more than one text", shown(written));
        (what, "a key has one value; put several into a list, such as [\"a\", \"b\"]".into(), String::new())
    })
}

fn backslash(written: &str) -> Option<Advice> {
    let inner = written.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') || inner.contains('\'') {
        return None;
    }
    let what = "the backslash begins an escape that TOML does not have";
    advice(what, "texts in single quotes are taken as they stand", format!("'{inner}'"))
}

fn dash(written: &str) -> Option<Advice> {
    let instead = written.replace(DASHES, "-");
    let what = "there is a dash in the place of a minus sign";
    (written.contains(DASHES) && !has_quotes(written))
        .then(|| (what.into(), "a minus sign is `-`".into(), instead))
}

fn comment(written: &str) -> Option<Advice> {
    if has_quotes(written) {
        return None;
    }
    let marks = ["//", "/*"];
    if let Some(value) = marks.iter().find_map(|mark| written.split_once(mark)).map(|(value, _)| value.trim())
        && !value.is_empty()
    {
        return advice(
            "`//` and `/*` begin no comment",
            "a comment begins with a number sign, `#`",
            format!("{value} # …"),
        );
    }
    let value = written.strip_suffix(';')?.trim();
    advice("a semicolon ends the line", "lines of TOML end without one", value)
}

fn word(written: &str) -> Option<Advice> {
    let is_word = written.starts_with(char::is_alphabetic) && !written.contains(['"', '\'', '[', '{', '\\']);
    if !is_word {
        return None;
    }
    let what = format!("`{}` is neither a number nor a text in quotes", shown(written));
    let small = written.to_lowercase();
    match small.as_str() {
        "true" | "false" => return advice(what, "this word is written in lower case", small),
        "none" | "null" | "nil" => {
            return advice(what, "TOML has no empty value; a key that may be missing is left out", "");
        }
        "nan" | "inf" | "infinity" => return advice(what, "every number of a study is finite", ""),
        _ => {}
    }
    advice(what, "texts stand in quotes", format!("\"{written}\""))
}

/// `.5`, `5.`, `1.e3`.
fn decimal_point(written: &str) -> Option<Advice> {
    let (before, after) = written.split_once('.')?;
    let has_left = before.ends_with(|c: char| c.is_ascii_digit());
    let has_right = after.starts_with(|c: char| c.is_ascii_digit());
    let is_number = written.parse::<f64>().is_ok();
    (is_number && !(has_left && has_right)).then(|| {
        let (zero, nought) = (if has_left { "" } else { "0" }, if has_right { "" } else { "0" });
        let what = format!("`{}` lacks a digit beside its decimal point", shown(written));
        (what, "digits stand on both sides".into(), format!("{before}{zero}.{nought}{after}"))
    })
}

/// Decimal commas, thousands, several numbers.
fn separators(written: &str) -> Option<Advice> {
    let is_number = |text: &str| text.trim().parse::<f64>().is_ok();
    let written_out = shown(written);
    let in_a_list = |separator: &[char]| {
        let all: Vec<&str> =
            written.split(separator).map(str::trim).filter(|part| !part.is_empty()).collect();
        let are = all.len() > 1 && all.iter().all(|part| is_number(part));
        are.then(|| format!("[{}]", all.join(", ")))
    };
    let is_thousands = |mark: char| {
        let mut groups = written.split(mark);
        let leads = groups.next().is_some_and(|first| (1..=3).contains(&first.trim_start_matches('-').len()));
        let mut count = 0;
        let threes = groups.all(|group| {
            count += 1;
            group.len() == 3 && group.chars().all(|c| c.is_ascii_digit())
        });
        leads && threes && count > 0 && is_number(&written.replace(mark, ""))
    };
    if let Some(mark) =
        ['\'', ' ', '\u{a0}', '\u{202f}', '\u{2009}'].into_iter().find(|&mark| is_thousands(mark))
    {
        let what = format!("the number `{written_out}` holds separators");
        return advice(what, "digits stand without spaces or marks", written.replace(mark, ""));
    }
    match written.matches(',').count() {
        1 if is_number(&written.replace(',', ".")) => {
            let what = format!("`{written_out}` has a decimal comma");
            advice(what, "numbers have a decimal point", written.replace(',', "."))
        }
        // 1.000,5
        1 if written.contains('.')
            && written.find('.') < written.find(',')
            && is_number(&written.replace('.', "").replace(',', ".")) =>
        {
            let what = format!("`{written_out}` has a decimal comma");
            let plain = written.replace('.', "").replace(',', ".");
            advice(what, "numbers have a decimal point, and none between thousands", plain)
        }
        _ => {
            let list = in_a_list(&[',', ' ', ';'])?;
            advice(format!("`{written_out}` is more than one number"), "several stand in a list", list)
        }
    }
}

/// `--1`, `-01`, `007`, `1_`, `1__0`.
fn sign_or_zero(written: &str) -> Option<Advice> {
    let bare = written.trim_start_matches(['+', '-']);
    let signs = written.len() - bare.len();
    if bare.is_empty() || !bare.chars().all(|c| c.is_ascii_digit() || "_.eE+-".contains(c)) {
        return None;
    }
    let written_out = shown(written);
    if signs > 1 {
        return advice(
            format!("`{written_out}` has more than one sign"),
            "a number has one sign at most",
            bare,
        );
    }
    if bare.starts_with('_') || bare.ends_with('_') || bare.contains("__") {
        let what = format!("`{written_out}` has an underscore that is not between two digits");
        return advice(what, "numbers may do without", written.replace('_', ""));
    }
    let digits = bare.trim_start_matches('0');
    let zeros = bare.len() - digits.len();
    let number = if digits.starts_with(|c: char| c.is_ascii_digit()) {
        digits.to_owned()
    } else {
        format!("0{digits}")
    };
    (zeros > 0 && number != bare).then(|| {
        let what = format!("the number `{written_out}` begins with a zero that means nothing");
        (what, "other digits come first".into(), format!("{}{number}", &written[..signs]))
    })
}

/// Percentages, fractions, powers and other sums.
fn computed(written: &str) -> Option<Advice> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let written_out = shown(written);
    if let Some(percent) = written.strip_suffix('%').and_then(number) {
        return advice(
            format!("`{written_out}` is a percentage"),
            "a share is a number",
            (percent / 100.0).to_string(),
        );
    }
    if let Some((above, below)) = written.split_once('/')
        && let (Some(above), Some(below)) = (number(above), number(below))
    {
        let what = format!("`{written_out}` is a fraction, which TOML does not compute");
        return advice(what, "a value is a number", (above / below).to_string());
    }
    let is_sum = written.chars().any(|c| c.is_ascii_digit())
        && written.chars().all(|c| c.is_ascii_digit() || " .eE+-*^/()×·\u{b1}".contains(c))
        && written.contains(['*', '^', '×', '·', '\u{b1}', '+', '/']);
    let is_bare = written.parse::<f64>().is_err() && !written.ends_with(['e', 'E', '+', '-']);
    (is_sum && is_bare).then(|| {
        let what = format!("`{written_out}` would have to be computed, which TOML does not do");
        (what, "a value is the number itself, such as 0.001 or 1e-3".into(), String::new())
    })
}

fn bracket(written: &str) -> Option<Advice> {
    if let Some(inner) = written.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return advice("round brackets hold no list", "lists have square brackets", format!("[{inner}]"));
    }
    let written_out = shown(written);
    if written.starts_with('[') {
        let what = format!("the list `{written_out}` cannot be read");
        let inner = written.strip_prefix('[')?.trim_end_matches(']').trim_end_matches(',');
        let entries: Vec<&str> =
            inner.split([',', ';', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).collect();
        return advice(
            what,
            "a list is closed, and a comma stands between two entries",
            format!("[{}]", entries.join(", ")),
        );
    }
    if written.starts_with('{') {
        let rule = "a table is closed, and a comma stands between two of its `key = value`, such as { a = 1, b = 2 }";
        return advice(format!("the table `{written_out}` cannot be read"), rule, "");
    }
    let closing = written.ends_with([']', '}']) && !has_quotes(written);
    closing.then(|| {
        (
            format!("`{written_out}` has no first bracket"),
            "a list has two, such as [1, 2]".into(),
            String::new(),
        )
    })
}

/// `3000 images`, `0.1f`, `1e`, `$5`.
fn unit(written: &str) -> Option<Advice> {
    let end = written.find(|c: char| !(c.is_ascii_digit() || "+-_.".contains(c))).unwrap_or(written.len());
    let (number, rest) = written.split_at(end);
    let what = format!("`{}` is neither a number nor a text in quotes", shown(written));
    if number.parse::<f64>().is_ok() && ["e", "E", "e+", "e-", "E+", "E-"].contains(&rest) {
        let what = format!("`{}` lacks the digits of its exponent", shown(written));
        return advice(what, "a number in powers of ten is written as 1e-3 is", "");
    }
    let is_hexadecimal = number == "0" && rest.starts_with(['x', 'o', 'b']);
    if number.parse::<f64>().is_ok() && !has_quotes(rest) && !is_hexadecimal {
        let rule = match rest.chars().all(|c| c.is_alphabetic() || c.is_whitespace()) {
            true => "numbers stand alone, without unit or letter",
            false => "numbers stand alone",
        };
        return advice(what, rule, number);
    }
    None
}
