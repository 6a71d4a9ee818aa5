//! What stands in a file, and what was expected there, in words that a person understands.

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Document, Refusal, find_mut, read};

/// Characters of a value that are repeated in an error.
const SHOWN: usize = 40;

/// A table in words.
const TABLE: &str = "a table, such as lines of `key = value` under a [header]";

/// What stands there, as it was written.
pub(super) fn found(text: &str, value: &Spanned<DeValue>) -> String {
    let written = text.get(value.span()).unwrap_or_default();
    let short = written.chars().count() <= SHOWN && !written.contains('\n');
    match value.get_ref() {
        DeValue::String(_) if short => format!("the text `{written}`"),
        DeValue::String(_) => "this text".into(),
        DeValue::Datetime(_) => format!("the date `{written}`"),
        DeValue::Array(_) if short && written.starts_with('[') => format!("the list `{written}`"),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
        _ if short => format!("`{written}`"),
        _ => "this number".into(),
    }
}

/// What else may help: numbers that stand in quotes, tables that should be lists of tables.
pub(super) fn hint(value: &DeValue, expected: &str) -> &'static str {
    match value {
        DeValue::String(text) if expected.contains("number") || expected.contains("share") => {
            let number = text.trim().replace(',', ".");
            match number.parse::<f64>() {
                Ok(_) if number.contains('.') && !expected.contains("whole number") => {
                    "; numbers stand without quotes, with a decimal point"
                }
                Ok(_) => "; numbers stand without quotes",
                Err(_) => "",
            }
        }
        DeValue::Float(_) if expected.contains("whole number") => "; a whole number has no decimal point",
        DeValue::Table(_) if expected.starts_with("a list") => {
            "; a list of tables has a header in double brackets, such as [[mlp.networks]]"
        }
        DeValue::Array(_) if expected.starts_with("a table") => {
            "; a single table has a header in single brackets"
        }
        _ => "",
    }
}

/// What was expected in the place of a refusal.
pub(super) fn expected<T: DeserializeOwned>(document: &Document, refusal: &Refusal) -> String {
    // Some sentences of the reader say nothing of it: then what it says of another value does.
    let with = |value: DeValue<'static>| {
        let mut document = document.clone();
        let place = find_mut(&mut document, &refusal.path)?;
        *place = Spanned::new(place.span(), value);
        read::<T>(document).err()
    };
    let words = |sentence: &str| sentence.split_once(", expected ").map(|(_, words)| words.to_owned());
    let variants = || {
        let sentence = with(DeValue::String("?".into()))?.message;
        let quoted: Vec<&str> = sentence.split('`').skip(1).step_by(2).skip(1).collect();
        let known = sentence.starts_with("unknown variant") && !quoted.is_empty();
        known.then(|| {
            format!(
                "one of the texts {}",
                quoted.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
            )
        })
    };
    let expected = words(&refusal.message).or_else(|| words(&with(DeValue::Boolean(true))?.message));
    // An unknown key makes the reader list those that a table has.
    let keys = || {
        let mut table = DeTable::new();
        table.insert(Spanned::new(0..0, "?".into()), Spanned::new(0..0, DeValue::Boolean(true)));
        let sentence = with(DeValue::Table(table))?.message;
        let known: Vec<String> =
            sentence.split('`').skip(1).step_by(2).skip(1).map(|key| format!("{key} = …")).collect();
        let listed = sentence.starts_with("unknown field") && !known.is_empty();
        listed.then(|| format!("a table, such as {{ {} }}", known.join(", ")))
    };
    match expected {
        Some(expected) => match plain(&expected) {
            Some(plain) if plain == TABLE => keys().unwrap_or(plain),
            Some(plain) => plain,
            None => variants().unwrap_or_else(|| "a value of another kind".into()),
        },
        None => variants().unwrap_or_else(|| "a value of another kind".into()),
    }
}

/// serde's names for what it expects, as a person would say them; nothing for a name out of several.
fn plain(expected: &str) -> Option<String> {
    let numbers =
        ["a number", "a finite number", "a whole number", "a share", "a small number", "a list of "];
    if numbers.iter().any(|words| expected.starts_with(words)) {
        return Some(expected.to_owned());
    }
    Some(match expected {
        "u8" => "a whole number from 0 to 255, such as 2".into(),
        "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" => {
            "a whole number of at least 0, such as 2".into()
        }
        "f32" | "f64" => "a number, such as 0.5".into(),
        "a boolean" => "true or false".into(),
        "a string" | "a borrowed string" | "a character" => "a text in quotes, such as \"mnist\"".into(),
        "a sequence" => "a list in square brackets, such as [1, 2]".into(),
        "a map" => TABLE.to_owned(),
        other if other.starts_with("struct ") => TABLE.to_owned(),
        other if other.starts_with("internally tagged enum ") => {
            "a table with a `kind`, such as { kind = \"constant\" }".into()
        }
        other => {
            let length = other.strip_prefix("an array of length ")?;
            format!("a list of {length} entries, such as [1, 2]")
        }
    })
}
