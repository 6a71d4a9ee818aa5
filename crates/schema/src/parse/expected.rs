//! What stands in a file, and what was expected there, in words that a person understands.

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::path::{KINDS, Step, find, find_mut};
use super::{Document, Refusal, read, unknown};

/// Characters of a value that are repeated in an error.
const SHOWN: usize = 40;

/// A table in words.
const TABLE: &str = "a table, such as lines of `key = value` under a [header]";

/// A table that says of which kind it is.
const TABLE_OF_A_KIND: &str = "a table with a `kind`";

/// What stands there, as it was written.
pub(super) fn found(text: &str, value: &Spanned<DeValue>) -> String {
    let written = text.get(value.span()).unwrap_or_default();
    let short = written.chars().count() <= SHOWN && !written.contains('\n');
    match value.get_ref() {
        DeValue::String(_) if short => format!("the text `{written}`"),
        DeValue::String(_) => "this text".into(),
        DeValue::Datetime(_) => format!("the date `{written}`"),
        // Headers in double brackets.
        DeValue::Array(list)
            if written.starts_with("[[") && list.iter().all(|entry| entry.get_ref().is_table()) =>
        {
            "a list of tables".into()
        }
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
    let words = |sentence: &str| sentence.rsplit_once(", expected ").map(|(_, words)| words.to_owned());
    let variants = || {
        let sentence = with(DeValue::String("?".into()))?.message;
        let (_, known) = unknown("variant", &sentence)?;
        let quoted: Vec<String> = known.iter().map(|word| format!("\"{word}\"")).collect();
        (!quoted.is_empty()).then(|| format!("one of the texts {}", quoted.join(", ")))
    };
    // Of a number that no type holds, the reader says nothing that helps.
    let said = words(&refusal.message).and_then(|words| plain(&words));
    let of = |value: DeValue<'static>| plain(&words(&with(value)?.message)?);
    let is_whole =
        find(document, &refusal.path).is_some_and(|value| matches!(value.get_ref(), DeValue::Integer(_)));
    let refused = || is_whole.then(|| ["0", "-1"].into_iter().find_map(|text| of(number(text)))).flatten();
    let expected = said.or_else(refused).or_else(|| of(DeValue::Boolean(true)));
    // An unknown key makes the reader list those that a table has.
    let keys = || {
        let mut table = DeTable::new();
        table.insert(Spanned::new(0..0, "?".into()), Spanned::new(0..0, DeValue::Boolean(true)));
        let sentence = with(DeValue::Table(table))?.message;
        let (_, known) = unknown("field", &sentence)?;
        let known: Vec<String> = known.iter().map(|key| format!("{key} = …")).collect();
        (!known.is_empty()).then(|| format!("a table, such as {{ {} }}", known.join(", ")))
    };
    // Of a table with a kind, the kinds that there are here.
    let table_of = |entry: (&'static str, String)| {
        let mut table = DeTable::new();
        table.insert(Spanned::new(0..0, entry.0.into()), Spanned::new(0..0, DeValue::String(entry.1.into())));
        with(DeValue::Table(table))
    };
    let kinds = || {
        KINDS.into_iter().find_map(|tag| {
            let sentence = table_of((tag, "?".into()))?.message;
            let (_, known) = unknown("variant", &sentence)?;
            let first = *known.first()?;
            let lacks = |refusal: Refusal| refusal.message.starts_with("missing field ");
            let more = if table_of((tag, first.to_owned())).is_some_and(lacks) { ", …" } else { "" };
            Some(format!("a table with a `{tag}`, such as {{ {tag} = \"{first}\"{more} }}"))
        })
    };
    match expected {
        Some(expected) if expected == TABLE => keys().unwrap_or(expected),
        Some(expected) if expected == TABLE_OF_A_KIND => kinds().unwrap_or(expected),
        Some(expected) => expected,
        None => variants().unwrap_or_else(|| "a value of another kind".into()),
    }
}

/// What belongs in the place of a key that a table lacks.
pub(super) fn missing<T: DeserializeOwned>(document: &Document, path: &[Step], name: &str) -> Option<String> {
    let mut document = document.clone();
    let table = match path {
        [] => document.get_mut(),
        path => match find_mut(&mut document, path)?.get_mut() {
            DeValue::Table(table) => table,
            _ => return None,
        },
    };
    let nothing = Spanned::new(0..0, DeValue::Boolean(true));
    table.insert(Spanned::new(0..0, name.to_owned().into()), nothing);
    let refusal = read::<T>(document.clone()).err()?;
    let path = [path, &[Step::Key(name.to_owned())]].concat();
    let is_of_key = path.starts_with(&refusal.path) && !refusal.message.starts_with("missing field ");
    is_of_key.then(|| expected::<T>(&document, &Refusal { path, ..refusal }))
}

/// A number as a file holds it.
fn number(text: &'static str) -> DeValue<'static> {
    DeValue::parse(text).expect("it is a number of TOML").into_inner()
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
        "u16" => "a whole number from 0 to 65535, such as 2".into(),
        "u32" => "a whole number from 0 to 4294967295, such as 2".into(),
        "u64" | "usize" => "a whole number from 0 to 2⁶⁴ − 1, such as 2".into(),
        "f32" | "f64" => "a number, such as 0.5".into(),
        "a boolean" => "true or false".into(),
        "a string" | "a borrowed string" | "a character" => "a text in quotes, such as \"mnist\"".into(),
        "a sequence" => "a list in square brackets, such as [1, 2]".into(),
        "a map" => TABLE.to_owned(),
        other if other.starts_with("struct ") => TABLE.to_owned(),
        other if other.starts_with("internally tagged enum ") => TABLE_OF_A_KIND.to_owned(),
        other => {
            let length = other.strip_prefix("an array of length ")?;
            format!("a list of {length} entries, such as [1, 2]")
        }
    })
}
