//! Which entry of a table or list is at fault, where serde names the whole.
//!
//! serde reads a table with a `kind` as one value before it looks at the other keys, so that the way to an error ends at the
//! table. The key at fault is the one that alone, beside the `kind`, is refused with the same words.

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::DeValue;

use super::path::{KINDS, Step, find as value_at, find_mut};
use super::{Document, Refusal, overlooked, read};

/// The same refusal with a way that leads as deep as can be told.
pub(super) fn find<T: DeserializeOwned>(document: &Document, mut refusal: Refusal) -> Refusal {
    let whole = refusal.path.clone();
    while let Some(deeper) = step::<T>(document, &refusal, &whole) {
        refusal.path.push(deeper);
    }
    refusal
}

/// The refusal of the first list on the way where a table is needed: then it is at fault, and not what it holds.
pub(super) fn list_for_table<T: DeserializeOwned>(document: &Document, refusal: &Refusal) -> Option<Refusal> {
    (1..=refusal.path.len()).map(|deep| &refusal.path[..deep]).find_map(|path| {
        value_at(document, path)?.get_ref().as_array()?;
        let mut document = document.clone();
        *find_mut(&mut document, path)?.get_mut() = DeValue::Boolean(true);
        let sentence = read::<T>(document).err()?.message;
        let (_, expected) = sentence.rsplit_once(", expected ")?;
        let is_for_table = expected == "a map"
            || ["struct ", "internally tagged enum "].iter().any(|kind| expected.starts_with(kind));
        is_for_table.then(|| overlooked::no_table(path))
    })
}

/// The entry at fault of the value that the refusal's way leads to, if it is one of a table or list; serde's own way ends at
/// `whole`.
fn step<T: DeserializeOwned>(document: &Document, refusal: &Refusal, whole: &[Step]) -> Option<Step> {
    let same = |reduce: &dyn Fn(&mut Spanned<DeValue>)| {
        let mut document = document.clone();
        find_mut(&mut document, &refusal.path).is_some_and(|value| {
            reduce(value);
            true
        }) && read::<T>(document).is_err_and(|error| error.message == refusal.message && error.path == whole)
    };
    match value_at(document, &refusal.path)?.get_ref() {
        DeValue::Table(table) => {
            let kind = table.keys().map(|key| key.get_ref().as_ref()).find(|key| KINDS.contains(key))?;
            let mut keys = table.keys().map(|key| key.get_ref().as_ref()).filter(|&key| key != kind);
            if refusal.message.starts_with("missing field ") {
                // What a table itself lacks is noticed after all its keys are read, a key that it does not know among them.
                let inner = |keys: &[&str]| {
                    same(&|value| {
                        keep(value, keys);
                        add_unknown(value);
                    })
                };
                return keys.find(|key| inner(&[kind, key])).map(|key| Step::Key(key.to_owned()));
            }
            // First whether the kind alone is at fault: then every other key would seem to be.
            std::iter::once(kind)
                .chain(keys)
                .find(|key| same(&|value| keep(value, &[kind, key])))
                .map(|key| Step::Key(key.to_owned()))
        }
        DeValue::Array(array) => {
            // Where no list is wanted, or one of another length, the whole is at fault.
            if refusal.message.starts_with("invalid length ") || same(&empty) {
                return None;
            }
            let each = (0..array.len()).find(|&number| same(&|value| repeat(value, number)));
            each.map(Step::Entry)
        }
        _ => None,
    }
}

/// Takes all other keys out of a table.
fn keep(value: &mut Spanned<DeValue>, keys: &[&str]) {
    if let DeValue::Table(table) = value.get_mut() {
        let all: Vec<String> = table.keys().map(|key| key.get_ref().to_string()).collect();
        all.iter().filter(|key| !keys.contains(&key.as_str())).for_each(|key| {
            table.remove(key.as_str());
        });
    }
}

/// Gives a table one more key, which comes last and which nothing knows.
fn add_unknown(value: &mut Spanned<DeValue>) {
    if let DeValue::Table(table) = value.get_mut() {
        table.insert(Spanned::new(0..0, "~".into()), Spanned::new(0..0, DeValue::Boolean(true)));
    }
}

/// Takes every entry out of a list.
fn empty(value: &mut Spanned<DeValue>) {
    if let DeValue::Array(array) = value.get_mut() {
        *array = toml::de::DeArray::new();
    }
}

/// Puts one entry of a list in the place of all.
fn repeat(value: &mut Spanned<DeValue>, number: usize) {
    if let DeValue::Array(array) = value.get_mut() {
        let entry = array[number].clone();
        array.iter_mut().for_each(|other| *other = entry.clone());
    }
}
