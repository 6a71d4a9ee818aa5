//! Setting values of a study by their keys: `cnn.training.learning_rate`, `cnn.networks."3 conv".filters`.

use std::fmt;

use miette::Diagnostic;
use serde::Serialize;
use thiserror::Error;
use toml::{Table, Value};

use crate::parse::nearest;
use crate::study::{Study, Task};

/// A key of a study and the value that it gets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// The way to the value, as TOML writes a dotted key. An entry of a list of tables goes by its name, or by its number from 0.
    pub key: String,
    /// The value.
    pub value: Value,
}

/// Why a study cannot have a value.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[error("{message}")]
pub struct SettingError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    #[help]
    pub help: String,
}

impl SettingError {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> SettingError {
        SettingError { message: message.into(), help: help.into() }
    }
}

impl Setting {
    /// Reads `KEY=VALUE`. A value that is none of TOML is a text, so that a shell's quotes are enough: `cnn.padding=valid`.
    ///
    /// # Errors
    /// Where there is no key, or no value.
    pub fn parse(text: &str) -> Result<Setting, SettingError> {
        const HELP: &str = "give KEY=VALUE, such as cnn.training.learning_rate=3e-4";
        let mut quote = None;
        let at = text.char_indices().find(|&(_, letter)| {
            match (quote, letter) {
                (None, '"' | '\'') => quote = Some(letter),
                (Some(open), letter) if open == letter => quote = None,
                _ => {}
            }
            quote.is_none() && letter == '='
        });
        let Some((at, _)) = at else {
            return Err(SettingError::new(format!("`{text}` sets no value"), HELP));
        };
        let (key, value) = (text[..at].trim(), text[at + 1..].trim());
        if value.is_empty() {
            return Err(SettingError::new(format!("`{text}` has no value"), HELP));
        }
        steps(key)?;
        let read = format!("value = {value}").parse::<Table>().ok().filter(|table| table.len() == 1);
        let read = read.and_then(|mut table| table.remove("value"));
        Ok(Setting { key: key.to_owned(), value: read.unwrap_or_else(|| Value::String(value.to_owned())) })
    }

    /// The value, where it is a number.
    pub fn number(&self) -> Option<f64> {
        match self.value {
            Value::Integer(number) => Some(number as f64),
            Value::Float(number) => Some(number),
            _ => None,
        }
    }

    /// The last part of the key.
    pub fn name(&self) -> String {
        steps(&self.key).ok().and_then(|mut steps| steps.pop()).unwrap_or_else(|| self.key.clone())
    }

    /// The value as a person writes it; of a number with many digits, as a program may try, the first six.
    pub fn shown(&self) -> String {
        match &self.value {
            Value::Float(number) => {
                let rounded = format!("{number:.5e}").parse::<f64>().unwrap_or(*number);
                let short = rounded == 0.0 || (1e-3..1e6).contains(&rounded.abs());
                if short { rounded.to_string() } else { format!("{rounded:e}") }
            }
            Value::String(text) => text.clone(),
            value => value.to_string(),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.name(), self.shown())
    }
}

/// The steps of a dotted key, of which those in quotes may hold anything.
pub(crate) fn steps(key: &str) -> Result<Vec<String>, SettingError> {
    let refused = || {
        SettingError::new(
            format!("`{key}` is no key of a study"),
            "give the names on the way to it with dots between them, and names with spaces in quotes: \
             cnn.networks.\"3 conv\".filters",
        )
    };
    let mut table: Table = format!("{key} = 0").parse().map_err(|_| refused())?;
    let mut steps = Vec::new();
    loop {
        let mut entries = std::mem::take(&mut table).into_iter();
        let (Some((step, value)), None) = (entries.next(), entries.next()) else { return Err(refused()) };
        steps.push(step);
        match value {
            Value::Table(inner) => table = inner,
            Value::Integer(0) => return Ok(steps),
            _ => return Err(refused()),
        }
    }
}

/// A dotted key of these steps, in quotes where they need some.
fn joined(steps: &[String]) -> String {
    let bare = |step: &str| {
        !step.is_empty() && step.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    let quoted = |step: &String| match bare(step) {
        true => step.clone(),
        false => Value::String(step.clone()).to_string(),
    };
    steps.iter().map(quoted).collect::<Vec<_>>().join(".")
}

impl Study {
    /// This study with other values.
    ///
    /// # Errors
    /// Where a key does not exist, with the nearest one that does, and what reading a study with these values refuses.
    pub fn with_settings(&self, settings: &[Setting]) -> Result<Study, SettingError> {
        let mut table = Table::try_from(self).expect("a study is made of tables, numbers and strings");
        for Setting { key, value } in settings {
            let steps = steps(key)?;
            // A table that is not there would be read as one that lacks most of its keys.
            if !table.contains_key(&steps[0]) && Task::ALL.iter().any(|task| task.name() == steps[0]) {
                let message = format!("`{key}` cannot be set: the study has no [{}]", steps[0]);
                let tables = self.tasks().into_iter().map(|task| format!("[{}]", task.name()));
                let help = format!("it has {}", tables.collect::<Vec<_>>().join(", "));
                return Err(SettingError::new(message, help));
            }
            set(&mut table, &steps, value)?;
        }
        let text = toml::to_string(&table).expect("a table of TOML can be written");
        Study::from_toml("the study", &text).map_err(|error| {
            let (message, mut help) = error.words();
            let mut unknown = settings.iter().filter_map(|setting| {
                let steps = steps(&setting.key).ok()?;
                message.contains(&format!("unknown key `{}` at the top level", steps[0])).then_some(steps)
            });
            // A last name alone, or the right name in the wrong place.
            if let Some(near) = unknown.find_map(|steps| self.nearest_key(&steps, &Task::ALL.map(Task::name)))
            {
                help = format!("did you mean `{near}`?");
            }
            SettingError { message, help }
        })
    }

    /// The key in one of these tables that ends with the same name and is otherwise most like this one.
    pub(crate) fn nearest_key(&self, steps: &[String], tables: &[&str]) -> Option<String> {
        let (wanted, last) = (joined(steps), steps.last()?);
        let likeness = |key: &Vec<String>| strsim::normalized_damerau_levenshtein(&joined(key), &wanted);
        let keys = self.keys();
        let same = keys.iter().filter(|key| key.last() == Some(last) && tables.contains(&key[0].as_str()));
        same.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).map(|key| joined(key))
    }

    /// Every key that is written down, as the steps to it.
    pub(crate) fn keys(&self) -> Vec<Vec<String>> {
        fn collect(value: &Value, path: &mut Vec<String>, keys: &mut Vec<Vec<String>>) {
            let mut inner = |step: String, value: &Value| {
                path.push(step);
                keys.push(path.clone());
                collect(value, path, keys);
                path.pop();
            };
            match value {
                Value::Table(table) => table.iter().for_each(|(key, value)| inner(key.clone(), value)),
                Value::Array(entries) if entries.iter().all(Value::is_table) => {
                    for (number, entry) in entries.iter().enumerate() {
                        inner(name(entry).map_or_else(|| number.to_string(), str::to_owned), entry);
                    }
                }
                _ => {}
            }
        }
        let table = Table::try_from(self).expect("a study is made of tables, numbers and strings");
        let mut keys = Vec::new();
        collect(&Value::Table(table), &mut Vec::new(), &mut keys);
        keys
    }
}

/// The name of an entry of a list.
fn name(entry: &Value) -> Option<&str> {
    entry.get("name").and_then(Value::as_str)
}

/// Puts a value where the steps lead, making tables on the way: whether they may be there is for the reader of the study to say.
fn set(table: &mut Table, steps: &[String], value: &Value) -> Result<(), SettingError> {
    let (last, way) = steps.split_last().expect("a key has a step");
    let mut place = Place::Table(table);
    for (deep, step) in way.iter().enumerate() {
        place = place.inner(step).map_err(|known| refused(&steps[..=deep], known))?;
    }
    match place {
        Place::Table(table) => {
            table.insert(last.clone(), value.clone());
        }
        other => *other.entry(last).map_err(|known| refused(steps, known))? = value.clone(),
    }
    Ok(())
}

/// Where the steps of a key have led.
enum Place<'a> {
    Table(&'a mut Table),
    List(&'a mut Vec<Value>),
    /// A number or text, which holds nothing.
    Value,
}

impl<'a> Place<'a> {
    /// What a step leads to; the error has the names that there are.
    fn inner(self, step: &str) -> Result<Place<'a>, Vec<String>> {
        let value = match self {
            Place::Table(table) => table.entry(step.to_owned()).or_insert_with(|| Value::Table(Table::new())),
            other => other.entry(step)?,
        };
        Ok(match value {
            Value::Table(table) => Place::Table(table),
            Value::Array(entries) => Place::List(entries),
            _ => Place::Value,
        })
    }

    /// The entry of a list that has this name, or else this number.
    fn entry(self, step: &str) -> Result<&'a mut Value, Vec<String>> {
        let Place::List(entries) = self else { return Err(Vec::new()) };
        let names: Vec<String> = entries.iter().filter_map(name).map(str::to_owned).collect();
        let named = entries.iter().position(|entry| name(entry) == Some(step));
        let number = named.or_else(|| step.parse().ok()).filter(|&number| number < entries.len());
        number.map_or(Err(names), |number| Ok(&mut entries[number]))
    }
}

fn refused(steps: &[String], known: Vec<String>) -> SettingError {
    let (last, way) = steps.split_last().expect("a key has a step");
    let message = format!("unknown key `{last}` in `{}`", joined(way));
    let help = match known.as_slice() {
        [] => format!("`{}` holds no keys", joined(way)),
        known => nearest(last, &known.iter().map(String::as_str).collect::<Vec<_>>(), "names"),
    };
    SettingError::new(message, help)
}

#[cfg(test)]
mod tests;
