//! From TOML text to typed values, and errors that say file, line, key, what was expected and what was near.

mod blame;
mod expected;
mod overlooked;
mod syntax;

use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, NamedSource, SourceSpan};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

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

/// The file that is read: the name that errors show, and its text.
#[derive(Clone, Copy)]
struct Source<'a> {
    file: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn error(
        self,
        span: Range<usize>,
        message: String,
        label: &'static str,
        help: Option<String>,
    ) -> SpecError {
        let Source { file, text } = self;
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
}

impl SpecError {
    /// An error at the value of the key that `path` leads to.
    pub(crate) fn at_key(file: &str, text: &str, path: &[String], message: &str, help: String) -> Self {
        let document = DeTable::parse(text).ok();
        // Where the way ends early, as deep as it leads.
        let span =
            (1..=path.len()).rev().find_map(|deep| Some(find(document.as_ref()?, &path[..deep])?.span()));
        let message = format!("`{}`: {message}", joined(path));
        Source { file, text }.error(span.unwrap_or(0..0), message, "here", Some(help))
    }
}

/// A document as it was parsed.
type Document<'a> = Spanned<DeTable<'a>>;
/// The way to a value: tables by key, lists by number.
type Steps = Vec<String>;

/// What serde says of a document.
struct Refusal {
    path: Steps,
    message: String,
    span: Option<Range<usize>>,
}

/// Reads a value from TOML text; `file` is the name that errors show.
pub(crate) fn from_toml<T: DeserializeOwned + Serialize>(file: &str, text: &str) -> Result<T, SpecError> {
    let source = Source { file, text };
    let document = DeTable::parse(text).map_err(|error| syntax::describe(source, &error))?;
    let refusal = match read::<T>(document.clone()) {
        Ok(value) => match overlooked::find(&document, &value) {
            Some(refusal) => refusal,
            None => return Ok(value),
        },
        Err(refusal) => blame::list_for_table::<T>(&document, &refusal)
            .unwrap_or_else(|| blame::find::<T>(&document, refusal)),
    };
    Err(describe::<T>(source, &document, &refusal))
}

fn read<T: DeserializeOwned>(document: Document) -> Result<T, Refusal> {
    serde_path_to_error::deserialize(toml::Deserializer::from(document)).map_err(|error| {
        let path = steps(&error.path().to_string());
        let inner = error.into_inner();
        let message = inner.message().lines().next().unwrap_or_default().to_owned();
        Refusal { path, message, span: inner.span() }
    })
}

/// "heads[0].layers[1]" in steps: heads, 0, layers, 1.
fn steps(path: &str) -> Steps {
    path.split(['.', '[', ']']).filter(|step| !step.is_empty()).map(str::to_owned).collect()
}

/// The same for a person: "heads[0].layers[1]".
fn joined(path: &[String]) -> String {
    let mut words = String::new();
    for step in path {
        match step.parse::<usize>() {
            Ok(number) => words.push_str(&format!("[{number}]")),
            Err(_) if words.is_empty() => words.push_str(step),
            Err(_) => words.push_str(&format!(".{step}")),
        }
    }
    words
}

/// The value that a way leads to.
fn find<'a, 'i>(document: &'a Document<'i>, path: &[String]) -> Option<&'a Spanned<DeValue<'i>>> {
    let (first, rest) = path.split_first()?;
    let mut value = document.get_ref().get(first.as_str())?;
    for step in rest {
        value = match value.get_ref() {
            DeValue::Table(table) => table.get(step.as_str())?,
            DeValue::Array(array) => array.get(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

/// Where a key of the table stands that a way leads to.
fn key_of(document: &Document, path: &[String], name: &str) -> Option<Range<usize>> {
    let table = match path {
        [] => document.get_ref(),
        path => find(document, path)?.get_ref().as_table()?,
    };
    table.get_key_value(name).map(|(key, _)| key.span())
}

/// The value that a way leads to, to change it.
fn find_mut<'a, 'i>(document: &'a mut Document<'i>, path: &[String]) -> Option<&'a mut Spanned<DeValue<'i>>> {
    let (first, rest) = path.split_first()?;
    let mut value = document.get_mut().get_mut(first.as_str())?;
    for step in rest {
        value = match value.get_mut() {
            DeValue::Table(table) => table.get_mut(step.as_str())?,
            DeValue::Array(array) => array.get_mut(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

/// Turns serde's sentence about a value into one about a key of a study file.
fn describe<T: DeserializeOwned>(source: Source, document: &Document, refusal: &Refusal) -> SpecError {
    let Refusal { path, message: sentence, span } = refusal;
    let value = find(document, path);
    let span = value.map(Spanned::span).or(span.clone()).unwrap_or(0..0);
    let quoted: Vec<&str> = sentence.split('`').skip(1).step_by(2).collect();
    let table = |path: &[String]| match path {
        [] => "at the top level".to_owned(),
        path if path.iter().any(|step| step.parse::<usize>().is_ok()) => format!("in `{}`", joined(path)),
        path => format!("in [{}]", joined(path)),
    };
    if let Some(name) = sentence.strip_prefix("unknown field ").and(quoted.first()) {
        // The path ends in the key, but within a list's entries in the entry.
        let parent = path.strip_suffix(&[(*name).to_owned()]).unwrap_or(path);
        let message = format!("unknown key `{name}` {}", table(parent));
        let span = key_of(document, parent, name).unwrap_or(span);
        // The reader takes the key that says the kind as its own.
        let kind = blame::KINDS.iter().find(|kind| key_of(document, parent, kind).is_some());
        let kind = kind.filter(|kind| !quoted[1..].contains(kind)).copied();
        let known: Vec<&str> = kind.into_iter().chain(quoted[1..].iter().copied()).collect();
        return source.error(span, message, "no such key", Some(nearest(name, &known, "keys")));
    }
    if let Some(name) = sentence.strip_prefix("missing field ").and(quoted.first()) {
        let message = format!("the key `{name}` is missing {}", table(path));
        let help = "every key is written down, so that a file says all that it does; `inkling study --print-spec` \
                    and `inkling model cnn --toml` show whole ones";
        return source.error(span, message, "it belongs here", Some(help.into()));
    }
    let key = joined(path);
    if let Some(name) = sentence.strip_prefix("unknown variant ").and(quoted.first()) {
        let message = format!("`{key}`: `{name}` is not one of its values");
        return source.error(span, message, "here", Some(nearest(name, &quoted[1..], "values")));
    }
    let found = value.map_or_else(|| "what is there".into(), |value| expected::found(source.text, value));
    let expected = expected::expected::<T>(document, refusal);
    let hint = value.map_or("", |value| expected::hint(value.get_ref(), &expected));
    let help = format!("expected {expected}{hint}");
    source.error(span, format!("`{key}` cannot be {found}"), "here", Some(help))
}

fn nearest(name: &str, valid: &[&str], what: &str) -> String {
    let list = valid.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let near = valid
        .iter()
        .map(|key| (strsim::normalized_damerau_levenshtein(name, key), key))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((_, key)) => format!("did you mean `{key}`? The {what} here are {list}"),
        None => format!("the {what} here are {list}"),
    }
}
