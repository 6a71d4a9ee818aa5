//! From TOML text to typed values, and errors that say file, line, key, what was expected and what was near.

use std::fmt::Display;
use std::sync::Arc;

use miette::{Diagnostic, NamedSource, SourceSpan};
use serde::de::{DeserializeOwned, Error as _, Unexpected};
use serde::{Deserialize, Deserializer};
use thiserror::Error;
use toml::de::DeValue;

/// Something wrong in a study file.
#[derive(Debug, Error, Diagnostic)]
#[error("{file}, line {line}: {message}")]
pub struct SpecError {
    file: String,
    line: usize,
    message: String,
    label: &'static str,
    #[help]
    help: Option<String>,
    #[source_code]
    source_code: Arc<NamedSource<String>>,
    #[label("{label}")]
    span: SourceSpan,
}

impl SpecError {
    fn new(
        file: &str,
        text: &str,
        span: std::ops::Range<usize>,
        message: String,
        label: &'static str,
        help: Option<String>,
    ) -> Self {
        let start = span.start.min(text.len());
        let line = text.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count() + 1;
        SpecError {
            file: file.into(),
            line,
            message,
            label,
            help,
            source_code: Arc::new(NamedSource::new(file, text.to_owned())),
            span: (start, span.end.min(text.len()).saturating_sub(start)).into(),
        }
    }

    /// An error at the value of the key that `path` leads to.
    pub(crate) fn at_key(file: &str, text: &str, path: &[&str], message: String, help: String) -> Self {
        let span = span_of(text, path).unwrap_or(0..0);
        SpecError::new(file, text, span, format!("`{}`: {message}", path.join(".")), "here", Some(help))
    }
}

/// The place of a key's value in a TOML text. `path` leads through tables by name and through lists by number.
fn span_of(text: &str, path: &[&str]) -> Option<std::ops::Range<usize>> {
    let document = toml::de::DeTable::parse(text).ok()?;
    let (first, rest) = path.split_first()?;
    let mut value = document.get_ref().get(*first)?;
    for step in rest {
        value = match value.get_ref() {
            DeValue::Table(table) => table.get(*step)?,
            DeValue::Array(array) => array.get(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value.span())
}

/// "heads[0].layers[1]" in steps: heads, 0, layers, 1.
fn steps(path: &str) -> Vec<&str> {
    path.split(['.', '[', ']']).filter(|step| !step.is_empty()).collect()
}

/// Reads a value from TOML text; `file` is the name that errors show.
pub(crate) fn from_toml<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, SpecError> {
    let syntax = |error: toml::de::Error| {
        let span = error.span().unwrap_or(0..0);
        let message = format!("this is not TOML: {}", error.message().replace('\n', ", "));
        SpecError::new(file, text, span, message, "reading stopped here", None)
    };
    let deserializer = toml::Deserializer::parse(text).map_err(syntax)?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        let known = inner.span().unwrap_or(0..0);
        // Within a list, serde knows only the list's place; the path leads to the entry.
        let entry = span_of(text, &steps(&path)).filter(|entry| entry.len() < known.len());
        describe(file, text, &path, entry.unwrap_or(known), inner.message())
    })
}

/// Turns serde's sentence about a value into one about a key of a study file.
fn describe(
    file: &str,
    text: &str,
    path: &str,
    span: std::ops::Range<usize>,
    serde_message: &str,
) -> SpecError {
    let sentence = serde_message.lines().next().unwrap_or_default();
    let quoted: Vec<&str> = sentence.split('`').skip(1).step_by(2).collect();
    let table = |path: &str| match path {
        "" | "." => "at the top level".to_owned(),
        path if path.contains('[') => format!("in `{path}`"),
        path => format!("in [{path}]"),
    };
    if let Some(name) = sentence.strip_prefix("unknown field ").and(quoted.first()) {
        // The path ends in the key, but within a list's entries in the entry.
        let parent = match path.strip_suffix(*name) {
            Some(parent) => parent.trim_end_matches('.'),
            None => path,
        };
        let message = format!("unknown key `{name}` {}", table(parent));
        return SpecError::new(file, text, span, message, "no such key", nearest(name, &quoted[1..], "keys"));
    }
    if let Some(name) = sentence.strip_prefix("missing field ").and(quoted.first()) {
        let message = format!("the key `{name}` is missing {}", table(path));
        let help = "every key is written down, so that a file says all that it does; `inkling study --print-spec` \
                    and `inkling model cnn --toml` show whole ones";
        return SpecError::new(file, text, span, message, "it belongs here", Some(help.into()));
    }
    if let Some(name) = sentence.strip_prefix("unknown variant ").and(quoted.first()) {
        let message = format!("`{path}`: `{name}` is not one of its values");
        return SpecError::new(file, text, span, message, "here", nearest(name, &quoted[1..], "values"));
    }
    let (what, expected) = match sentence.split_once(", expected ") {
        Some((what, expected)) => (what, Some(format!("expected {}", plain_words(expected)))),
        None => (sentence, None),
    };
    SpecError::new(file, text, span, format!("`{path}`: {what}"), "here", expected)
}

/// Rust's names for numbers, as a person would say them.
fn plain_words(expected: &str) -> String {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of at least 0".into(),
        "f32" | "f64" => "a number".into(),
        "a sequence" => "a list".into(),
        other if other.starts_with("struct ") => "a table".into(),
        other => other.into(),
    }
}

fn nearest(name: &str, valid: &[&str], what: &str) -> Option<String> {
    let list = valid.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let near = valid
        .iter()
        .map(|key| (strsim::normalized_damerau_levenshtein(name, key), key))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    Some(match near {
        Some((_, key)) => format!("did you mean `{key}`? The {what} here are {list}"),
        None => format!("the {what} here are {list}"),
    })
}

fn refuse<T, E: serde::de::Error>(value: f64, expected: impl Display) -> Result<T, E> {
    Err(E::invalid_value(Unexpected::Float(value), &expected.to_string().as_str()))
}

/// A finite number above zero.
pub(crate) fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(deserializer)?;
    if value.is_finite() && value > 0.0 { Ok(value) } else { refuse(value, "a finite number above 0") }
}

/// A finite number of at least zero.
pub(crate) fn not_negative<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(deserializer)?;
    if value.is_finite() && value >= 0.0 { Ok(value) } else { refuse(value, "a finite number of at least 0") }
}

/// A number from 0 up to, not including, 1.
pub(crate) fn fraction<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(deserializer)?;
    if (0.0..1.0).contains(&value) {
        Ok(value)
    } else {
        refuse(value, "a share from 0 up to, not including, 1")
    }
}

/// A whole number of at least one.
pub(crate) fn positive_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let value = i64::deserialize(deserializer)?;
    match usize::try_from(value) {
        Ok(count) if count > 0 => Ok(count),
        _ => Err(D::Error::invalid_value(Unexpected::Signed(value), &"a whole number of at least 1")),
    }
}
