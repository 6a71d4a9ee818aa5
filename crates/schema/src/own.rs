//! Images of a person's own in a study file.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::multitask::GroupSpec;
use crate::numbers::{seed, some_channels, some_size};

/// A data set that a study reads from files of a person's own, and uses under a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSetSpec {
    /// The name that tasks use.
    pub name: String,
    /// A folder with a sub-folder for each class, an `.npz`, `.csv` or `.parquet` file, a folder of IDX files, or the name of a
    /// set that was published, such as `kmnist`. A path that is not absolute begins where the study file lies.
    pub source: String,
    /// Height and width of the images; by itself the size that all have, if no side is above 64, else 32 × 32.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_size")]
    pub size: Option<[usize; 2]>,
    /// 1 for grey, 3 for colour; by itself 1 if all images are grey.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_channels")]
    pub channels: Option<usize>,
    /// How an image of another shape gets the size.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fit: FitSpec,
    /// Where test images come from.
    #[serde(default, skip_serializing_if = "is_default")]
    pub test: TestSpec,
    /// Seed of the draw of test images and of the order of all.
    #[serde(default = "first", skip_serializing_if = "is_first", with = "seed")]
    pub seed: u64,
    /// Whether rows and columns are exchanged, as EMNIST's files need it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub transposed: bool,
    /// Groups of its classes, for task 6.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupSpec>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn first() -> u64 {
    1
}

fn is_first(seed: &u64) -> bool {
    *seed == first()
}

/// How an image of another shape gets the size that is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FitSpec {
    /// Each side is scaled for itself.
    #[default]
    Stretch,
    /// Scaled until the size is covered, and cut.
    Crop,
    /// Scaled until it fits, on black.
    Pad,
}

/// Where test images come from, if the source has none of its own.
#[derive(Debug, Clone, PartialEq)]
pub enum TestSpec {
    /// This share of each class is drawn.
    Share(f64),
    /// Another source.
    Source(String),
}

impl Default for TestSpec {
    fn default() -> Self {
        TestSpec::Share(0.2)
    }
}

impl Serialize for TestSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            TestSpec::Share(share) => serializer.serialize_f64(*share),
            TestSpec::Source(source) => serializer.serialize_str(source),
        }
    }
}

impl<'de> Deserialize<'de> for TestSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = TestSpec;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str(
                    "a share above 0 and below 1, such as 0.2, or the folder or file of the test images",
                )
            }

            fn visit_f64<E: Error>(self, share: f64) -> Result<TestSpec, E> {
                let range = share > 0.0 && share < 1.0;
                range
                    .then_some(TestSpec::Share(share))
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Float(share), &self))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<TestSpec, E> {
                Err(E::invalid_value(serde::de::Unexpected::Signed(number), &self))
            }

            fn visit_str<E: Error>(self, source: &str) -> Result<TestSpec, E> {
                Ok(TestSpec::Source(source.to_owned()))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
