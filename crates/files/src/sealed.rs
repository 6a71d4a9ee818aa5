//! JSON documents that are sealed: they hold a checksum of their own contents.
//!
//! Beside its own members, a sealed document has two at the top: `format`, the number of the format, and `checksum`,
//! the SHA-256 in hexadecimal of all other members as compact JSON with sorted keys. So a reader notices any change of
//! what it would believe, and a change of white space changes nothing. What is no JSON object is sealed as the member
//! `$value` of one. Documents with neither member come from older programs and are read as they are.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The format that this program writes, and the newest that it reads.
const FORMAT: u64 = 1;

/// How every sealed document begins.
pub(crate) const BEGINNING: &str = "{\n  \"format\": ";

const FORMAT_KEY: &str = "format";
const CHECKSUM_KEY: &str = "checksum";
/// The member that holds what is no object.
const VALUE_KEY: &str = "$value";

/// Why a document is not believed.
#[derive(Debug, Error)]
pub enum SealError {
    /// It is no JSON, or no JSON of the kind that is expected.
    #[error("{0}")]
    Json(#[from] serde_json::Error),

    /// A sealed document has lost a part of its seal.
    #[error("it has the member `{there}` but no valid member `{missing}`")]
    HalfSealed {
        /// The member that is there.
        there: &'static str,
        /// The other one.
        missing: &'static str,
    },

    /// The contents are not those that were sealed.
    #[error("the SHA-256 of its contents is {found}, but it states {expected}")]
    WrongChecksum {
        /// The checksum of what is there.
        found: String,
        /// The one that it holds.
        expected: String,
    },

    /// A newer program wrote it.
    #[error("it has the format {found}, but this program knows only the formats up to {known}")]
    Newer {
        /// Its format.
        found: u64,
        /// The newest format that this program reads.
        known: u64,
    },
}

/// `value` as an indented, sealed JSON document that ends in a line feed.
///
/// # Panics
/// When the type has no JSON form, such as a map whose keys are not strings, or has a member that the seal needs.
pub fn to_json<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    const NO_FORM: &str = "a type that is written as JSON has a JSON form";
    let plain = serde_json::to_string_pretty(value).expect(NO_FORM);
    // From the text, which is what a reader will have: a number of 32 bits reads back with 64.
    let Value::Object(mut members) = serde_json::from_str(&plain).expect(NO_FORM) else {
        return to_json(&Map::from_iter([(
            VALUE_KEY.to_owned(),
            serde_json::to_value(value).expect(NO_FORM),
        )]));
    };
    for key in [FORMAT_KEY, CHECKSUM_KEY] {
        assert!(!members.contains_key(key), "the member `{key}` is the seal's own");
    }
    members.insert(FORMAT_KEY.to_owned(), FORMAT.into());
    let checksum = checksum(members);
    let rest = plain[1..].trim_start();
    let comma = if rest == "}" { "\n" } else { ",\n  " };
    format!("{BEGINNING}{FORMAT},\n  \"{CHECKSUM_KEY}\": \"{checksum}\"{comma}{rest}\n").into_bytes()
}

/// Whether a document begins as a sealed one does, whatever follows.
pub fn begins_sealed(document: &[u8]) -> bool {
    document.starts_with(BEGINNING.as_bytes())
}

/// The value in a document, after its seal was checked.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, SealError> {
    Ok(serde_json::from_value(open(serde_json::from_slice(bytes)?)?)?)
}

/// Checks the seal of a document, and takes it off.
fn open(document: Value) -> Result<Value, SealError> {
    let mut members = match document {
        Value::Object(members) if [FORMAT_KEY, CHECKSUM_KEY].iter().any(|key| members.contains_key(*key)) => {
            members
        }
        unsealed => return Ok(unsealed),
    };
    let format = members.get(FORMAT_KEY).and_then(Value::as_u64);
    let expected = match (format, members.remove(CHECKSUM_KEY)) {
        (Some(_), Some(Value::String(checksum))) => checksum,
        (None, _) => return Err(SealError::HalfSealed { there: CHECKSUM_KEY, missing: FORMAT_KEY }),
        _ => return Err(SealError::HalfSealed { there: FORMAT_KEY, missing: CHECKSUM_KEY }),
    };
    let found = checksum(members.clone());
    if found != expected {
        return Err(SealError::WrongChecksum { found, expected });
    }
    // Only now is what it says believed.
    match format {
        Some(found) if found > FORMAT => return Err(SealError::Newer { found, known: FORMAT }),
        _ => members.remove(FORMAT_KEY),
    };
    match members.remove(VALUE_KEY) {
        Some(value) if members.is_empty() => Ok(value),
        Some(value) => {
            members.insert(VALUE_KEY.to_owned(), value);
            Ok(Value::Object(members))
        }
        None => Ok(Value::Object(members)),
    }
}

/// The SHA-256 of members as compact JSON with sorted keys.
fn checksum(members: Map<String, Value>) -> String {
    let mut canonical = Value::Object(members);
    canonical.sort_all_objects();
    crate::hex(Sha256::new().chain_update(canonical.to_string()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Found {
        zeta: f64,
        alpha: Vec<f32>,
        seed: u64,
        words: String,
    }

    fn found() -> Found {
        Found { zeta: 0.1 + 0.2, alpha: vec![0.1, 1e-7, 3.4e38], seed: u64::MAX, words: "é \"\n".into() }
    }

    #[test]
    fn a_value_comes_back_and_its_members_keep_their_order() {
        let text = String::from_utf8(to_json(&found())).unwrap();
        assert_eq!(from_json::<Found>(text.as_bytes()).unwrap(), found());
        let places =
            ["\"format\": 1", "\"checksum\"", "\"zeta\"", "\"alpha\"", "\"seed\""].map(|key| text.find(key));
        assert!(places.is_sorted() && places[0].is_some(), "{text}");
        assert!(text.ends_with("}\n"));
        // Not the order of the members and not the white space, but the contents are sealed.
        let again = serde_json::from_str::<Value>(&text).unwrap().to_string();
        assert_eq!(from_json::<Found>(again.as_bytes()).unwrap(), found());
    }

    #[test]
    fn the_checksum_is_the_same_in_every_version_of_the_program() {
        let text = String::from_utf8(to_json(&BTreeMap::from([("b", 0.5), ("a", 1e-7)]))).unwrap();
        // printf '{"a":1e-7,"b":0.5,"format":1}' | sha256sum
        assert!(text.contains("067ef4352fdcfc0798888d1466a807ecea09bfe0d5bec9ea20e0dd994f7c721a"), "{text}");
    }

    #[test]
    fn what_is_no_object_is_sealed_too() {
        assert_eq!(from_json::<Vec<u8>>(&to_json(&[1, 2])).unwrap(), [1, 2]);
        assert_eq!(from_json::<String>(&to_json("spec")).unwrap(), "spec");
        assert_eq!(from_json::<Value>(&to_json(&())).unwrap(), Value::Null);
        let empty = BTreeMap::<String, u8>::new();
        assert_eq!(from_json::<BTreeMap<String, u8>>(&to_json(&empty)).unwrap(), empty);
    }

    #[test]
    fn what_older_programs_wrote_is_read() {
        let plain = serde_json::to_vec(&found()).unwrap();
        assert_eq!(from_json::<Found>(&plain).unwrap(), found());
        assert_eq!(from_json::<Vec<u8>>(b"[1, 2]").unwrap(), [1, 2]);
    }

    #[test]
    fn half_a_seal_a_wrong_one_and_a_newer_format_are_refused() {
        let whole: Value = serde_json::from_slice(&to_json(&found())).unwrap();
        let refused = |change: &dyn Fn(&mut Map<String, Value>)| {
            let mut document = whole.clone();
            change(document.as_object_mut().unwrap());
            from_json::<Found>(document.to_string().as_bytes()).unwrap_err()
        };
        for (key, words) in
            [("format", "no valid member `format`"), ("checksum", "no valid member `checksum`")]
        {
            let error = refused(&|members| drop(members.remove(key)));
            assert!(error.to_string().contains(words), "{error}");
            let error = refused(&|members| drop(members.insert(key.into(), Value::Null)));
            assert!(error.to_string().contains(words), "{error}");
        }
        let error = refused(&|members| drop(members.insert("zeta".into(), 0.4.into())));
        assert!(matches!(error, SealError::WrongChecksum { .. }), "{error}");
        // A newer format is believed where the checksum is right, and only there.
        let error = refused(&|members| drop(members.insert("format".into(), 2.into())));
        assert!(matches!(error, SealError::WrongChecksum { .. }), "{error}");
        let error = refused(&|members| {
            members.insert("format".into(), 2.into());
            members.remove("checksum");
            let right = checksum(members.clone());
            members.insert("checksum".into(), right.into());
        });
        assert!(matches!(error, SealError::Newer { found: 2, known: 1 }), "{error}");
    }

    #[test]
    fn every_flipped_bit_is_refused_or_changes_nothing() {
        let whole = to_json(&found());
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(read) = from_json::<Found>(&bytes) {
                assert_eq!(read, found(), "bit {bit}");
            }
        }
    }
}
