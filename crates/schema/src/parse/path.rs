//! The way to a value of a document, step by step: never a text, because a key may hold dots, brackets and anything else.

use std::ops::Range;

use serde_path_to_error::{Path, Segment};
use toml::Spanned;
use toml::de::DeValue;

use super::Document;
use super::shown::shown;

/// Keys that say what kind of table it is.
pub(super) const KINDS: [&str; 2] = ["kind", "layer"];

/// A step from a value to one that it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// To the value of a key of a table.
    Key(String),
    /// To an entry of a list, counted from 0.
    Entry(usize),
}

/// The way to a value: tables by key, lists by number.
pub(super) type Steps = Vec<Step>;

/// The way that serde noted, as far as it leads through tables and lists.
pub(super) fn steps(path: &Path) -> Steps {
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(Step::Entry(*index)),
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    path.iter().map_while(step).collect()
}

/// A way that the program itself wrote down, where a number is an entry's.
pub(super) fn of_own_words(words: &[String]) -> Steps {
    let step = |word: &String| word.parse().map_or_else(|_| Step::Key(word.clone()), Step::Entry);
    words.iter().map(step).collect()
}

/// The way for a person: "heads[0].layers[1]". Keys that do not stand without quotes in a file have quotes here too.
pub(super) fn joined(path: &[Step]) -> String {
    let mut words = String::new();
    for step in path {
        match step {
            Step::Entry(number) => words.push_str(&format!("[{number}]")),
            Step::Key(key) => {
                let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                let key = match !key.is_empty() && key.chars().all(bare) {
                    true => shown(key).into_owned(),
                    false => format!("\"{}\"", shown(key)),
                };
                words.push_str(if words.is_empty() { "" } else { "." });
                words.push_str(&key);
            }
        }
    }
    words
}

/// Where something stands, for a person: "at the top level", "in [mlp.training]", "in `heads[0]`".
pub(super) fn place(path: &[Step]) -> String {
    match path {
        [] => "at the top level".to_owned(),
        path if path.iter().any(|step| matches!(step, Step::Entry(_))) => format!("in `{}`", joined(path)),
        path => format!("in [{}]", joined(path)),
    }
}

/// The value that a way leads to.
pub(super) fn find<'a, 'i>(document: &'a Document<'i>, path: &[Step]) -> Option<&'a Spanned<DeValue<'i>>> {
    let (Step::Key(first), rest) = path.split_first()? else { return None };
    let mut value = document.get_ref().get(first.as_str())?;
    for step in rest {
        value = match (value.get_ref(), step) {
            (DeValue::Table(table), Step::Key(key)) => table.get(key.as_str())?,
            (DeValue::Array(array), Step::Entry(number)) => array.get(*number)?,
            _ => return None,
        };
    }
    Some(value)
}

/// The value that a way leads to, to change it.
pub(super) fn find_mut<'a, 'i>(
    document: &'a mut Document<'i>,
    path: &[Step],
) -> Option<&'a mut Spanned<DeValue<'i>>> {
    let (Step::Key(first), rest) = path.split_first()? else { return None };
    let mut value = document.get_mut().get_mut(first.as_str())?;
    for step in rest {
        value = match (value.get_mut(), step) {
            (DeValue::Table(table), Step::Key(key)) => table.get_mut(key.as_str())?,
            (DeValue::Array(array), Step::Entry(number)) => array.get_mut(*number)?,
            _ => return None,
        };
    }
    Some(value)
}

/// Where a key of the table stands that a way leads to.
pub(super) fn key_of(document: &Document, path: &[Step], name: &str) -> Option<Range<usize>> {
    let table = match path {
        [] => document.get_ref(),
        path => find(document, path)?.get_ref().as_table()?,
    };
    table.get_key_value(name).map(|(key, _)| key.span())
}
