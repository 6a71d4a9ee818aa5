//! From TOML text to typed values, and errors that say file, line, key, what was expected and what was near.

mod blame;
mod expected;
mod overlooked;
mod path;
mod shown;
mod syntax;

use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, NamedSource, SourceSpan};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use thiserror::Error;
use toml::Spanned;
use toml::de::DeTable;

use path::{KINDS, Step, Steps, find, joined, key_of, place};
use shown::shown;

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
            span: (start..span.end.clamp(start, text.len())).into(),
        }
    }
}

impl SpecError {
    /// What is wrong and what to do, without the place.
    pub(crate) fn words(self) -> (String, String) {
        (self.message, self.help.unwrap_or_default())
    }

    /// An error at the value of the key that `path` leads to; a number in it is an entry's of a list.
    pub(crate) fn at_key(file: &str, text: &str, path: &[String], message: &str, help: String) -> Self {
        let document = DeTable::parse(text).ok();
        let path = path::of_own_words(path);
        // Where the way ends early, as deep as it leads.
        let span =
            (1..=path.len()).rev().find_map(|deep| Some(find(document.as_ref()?, &path[..deep])?.span()));
        let message = format!("`{}`: {message}", joined(&path));
        Source { file, text }.error(span.unwrap_or(0..0), message, "here", Some(help))
    }
}

/// A document as it was parsed.
type Document<'a> = Spanned<DeTable<'a>>;
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
        let path = path::steps(error.path());
        let inside_a_text = error.path().iter().any(|step| matches!(step, Segment::Enum { .. }));
        let inner = error.into_inner();
        // A table `{ online = 1 }` in the place of the text "online": what it holds is not at fault.
        let message = if inside_a_text { "" } else { inner.message() };
        Refusal { path, message: message.to_owned(), span: inner.span() }
    })
}

/// Turns serde's sentence about a value into one about a key of a study file.
fn describe<T: DeserializeOwned>(source: Source, document: &Document, refusal: &Refusal) -> SpecError {
    let Refusal { path, message: sentence, span } = refusal;
    let value = find(document, path);
    let span = value.map(Spanned::span).or(span.clone()).unwrap_or(0..0);
    if let Some((name, known)) = unknown("field", sentence) {
        // The path ends in the key, but within a list's entries in the entry.
        let parent = path.strip_suffix(&[Step::Key(name.to_owned())]).unwrap_or(path);
        let message = format!("unknown key `{}` {}", shown(name), place(parent));
        let span = key_of(document, parent, name).unwrap_or(span);
        // The reader takes the key that says the kind as its own.
        let kind = KINDS.iter().find(|kind| key_of(document, parent, kind).is_some());
        let kind = kind.filter(|kind| !known.contains(kind)).copied();
        let known: Vec<&str> = kind.into_iter().chain(known).collect();
        return source.error(span, message, "no such key", Some(nearest(name, &known, "keys")));
    }
    if let Some(name) = sentence.strip_prefix("missing field ") {
        let message = format!("the key {name} is missing {}", place(path));
        let missing = expected::missing::<T>(document, path, name.trim_matches('`'));
        let help = match missing {
            Some(expected) => format!("every key is written down; expected here: {expected}"),
            None => "every key is written down; `inkling study --print-spec` and `inkling model cnn --toml` show whole \
                     files"
                .into(),
        };
        return source.error(span, message, "it belongs here", Some(help));
    }
    let key = joined(path);
    if let Some((name, known)) = unknown("variant", sentence) {
        let message = format!("`{key}`: `{}` is not one of its values", shown(name));
        return source.error(span, message, "here", Some(nearest(name, &known, "values")));
    }
    let found = value.map_or_else(|| "what is there".into(), |value| expected::found(source.text, value));
    let expected = expected::expected::<T>(document, refusal);
    let hint = value.map_or("", |value| expected::hint(value.get_ref(), &expected));
    let help = format!("expected {expected}{hint}");
    source.error(span, format!("`{key}` cannot be {found}"), "here", Some(help))
}

/// "unknown field `a`, expected one of `b`, `c`" in parts: a, and b and c. The name, which the file brings, may hold anything.
fn unknown<'a>(what: &str, sentence: &'a str) -> Option<(&'a str, Vec<&'a str>)> {
    let rest = sentence.strip_prefix("unknown ")?.strip_prefix(what)?.strip_prefix(" `")?;
    let (name, known) = rest.rsplit_once("`, expected ").or_else(|| rest.rsplit_once("`, there are no "))?;
    Some((name, known.split('`').skip(1).step_by(2).collect()))
}

/// Keys of version 0.1, and what they are called now.
const RENAMED: [(&str, &str); 4] =
    [("batch", "batch_size"), ("initial", "initializer"), ("kernel", "kernel_size"), ("size", "pool_size")];

pub(crate) fn nearest(name: &str, valid: &[&str], what: &str) -> String {
    let list = valid.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let renamed = RENAMED.into_iter().find(|(old, new)| *old == name && valid.contains(new));
    if let Some((old, new)) = renamed {
        return format!("`{old}` is called `{new}` since version 0.2; the {what} here are {list}");
    }
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
