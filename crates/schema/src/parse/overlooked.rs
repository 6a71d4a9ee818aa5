//! What serde reads without a word although no file should say it: keys in a table whose `kind` has none, lists in the
//! place of tables, and tables in the place of texts.
//!
//! What was read is written again and laid beside the document: a key that did not come back was overlooked, and a list that
//! came back as a table was taken for one by the order of its entries.

use serde::Serialize;
use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::path::{KINDS, Step, Steps};
use super::{Document, Refusal};

/// The first thing in the document that the value does not have, if there is one.
pub(super) fn find<T: Serialize>(document: &Document, value: &T) -> Option<Refusal> {
    let read = serde_json::to_value(value).ok()?;
    in_table(document.get_ref(), read.as_object()?, &mut Steps::new())
}

fn in_table(written: &DeTable, read: &Map<String, Value>, path: &mut Steps) -> Option<Refusal> {
    // Elsewhere serde refuses keys that it does not know, and what is empty may be left out when it is written.
    let is_of_a_kind = KINDS.iter().any(|kind| written.contains_key(*kind));
    written.iter().find_map(|(key, value)| {
        let key = key.get_ref();
        match read.get(key.as_ref()) {
            Some(read) => within(value.get_ref(), read, path, Step::Key(key.to_string())),
            None if is_of_a_kind => {
                let known: Vec<String> = read.keys().map(|key| format!("`{key}`")).collect();
                let message = format!("unknown field `{key}`, expected one of {}", known.join(", "));
                Some(Refusal {
                    path: [&path[..], &[Step::Key(key.to_string())]].concat(),
                    message,
                    span: None,
                })
            }
            None => None,
        }
    })
}

fn within(written: &DeValue, read: &Value, path: &mut Steps, step: Step) -> Option<Refusal> {
    path.push(step);
    let found = match (written, read) {
        (DeValue::Table(written), Value::Object(read)) => in_table(written, read, path),
        (DeValue::Array(_), Value::Object(_)) => Some(no_table(path)),
        // A table such as { online = {} } is taken for the text "online".
        (DeValue::Table(_) | DeValue::Array(_), Value::String(_)) => {
            Some(Refusal { path: path.clone(), message: String::new(), span: None })
        }
        (DeValue::Array(written), Value::Array(read)) => {
            let mut both = written.iter().zip(read).enumerate();
            both.find_map(|(number, (written, read))| {
                within(written.get_ref(), read, path, Step::Entry(number))
            })
        }
        _ => None,
    };
    path.pop();
    found
}

/// The refusal of a list where a table is needed.
pub(super) fn no_table(path: &[Step]) -> Refusal {
    Refusal { path: path.to_owned(), message: "invalid type: sequence, expected a map".into(), span: None }
}
