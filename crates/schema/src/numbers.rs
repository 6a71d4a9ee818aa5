//! Numbers of a study: the ranges that the arithmetic holds, one reader for all of them, and how numbers are printed.
//!
//! Networks are trained in 32-bit floating point with denormal numbers flushed to zero. A number that would become zero,
//! one or infinity there is refused where it is read, with the range that can be held.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The range of a real number in a study file or on the command line.
#[derive(Debug, Clone, Copy)]
pub struct Interval {
    /// Whether zero is allowed besides what lies in the range.
    zero: bool,
    least: f64,
    most: f64,
    /// What is expected, in words that follow "expected".
    words: &'static str,
    example: &'static str,
}

/// The smallest number above zero that is not flushed to zero.
const SMALLEST: f64 = f32::MIN_POSITIVE as f64;
const LARGEST: f64 = f32::MAX as f64;
/// The largest share below one: anything nearer is one in 32-bit arithmetic.
const BELOW_ONE: f64 = 1.0 - f32::EPSILON as f64 / 2.0;

const fn interval(least: f64, most: f64, words: &'static str, example: &'static str) -> Interval {
    Interval { zero: false, least, most, words, example }
}

impl Interval {
    /// Above zero: learning rates, weights of regularisers.
    pub const POSITIVE: Interval = interval(
        SMALLEST,
        LARGEST,
        "a finite number above 0 (32-bit arithmetic holds 1.2e-38 to 3.4e38), such as",
        "0.001",
    );
    /// At least zero: weights of losses, decays of weights.
    pub const NOT_NEGATIVE: Interval = Interval {
        zero: true,
        ..interval(
            SMALLEST,
            LARGEST,
            "a finite number of at least 0 (32-bit arithmetic holds 0 and 1.2e-38 to 3.4e38), such as",
            "0.01",
        )
    };
    /// A share that is never the whole: momenta, dropout, tolerances.
    pub const SHARE: Interval = Interval {
        zero: true,
        ..interval(
            SMALLEST,
            BELOW_ONE,
            "a share from 0 up to, not including, 1 (at most 0.9999999, and 0 or at least 1.2e-38), such as",
            "0.9",
        )
    };
    /// A share that may be the whole: the weight of a loss among two.
    pub(crate) const WEIGHT_OF_TWO: Interval = Interval {
        zero: true,
        ..interval(SMALLEST, 1.0, "a share from 0 to 1 (0, or at least 1.2e-38), such as", "0.25")
    };
    /// A share above zero: the momentum of batch normalisation.
    pub(crate) const SOME_SHARE: Interval =
        interval(SMALLEST, 1.0, "a share above 0 and up to 1 (at least 1.2e-38), such as", "0.1");
    /// Adam's ε. The root of a second moment is zero or at least the root of the smallest number, 1.1e-19: a smaller ε would
    /// leave steps without a bound where the squares of small gradients vanish.
    pub(crate) const EPSILON: Interval = interval(
        1.1e-19,
        LARGEST,
        "a small number of at least 1.1e-19 (below it, squares of gradients vanish in 32-bit arithmetic), such as",
        "1e-8",
    );
    /// What is added to a variance before its root is divided by.
    pub(crate) const EPSILON_OF_VARIANCE: Interval = interval(
        SMALLEST,
        LARGEST,
        "a small number above 0 (32-bit arithmetic holds 1.2e-38 to 3.4e38), such as",
        "1e-5",
    );
    /// The power of a frequency in the Fourier basis: from 16 on, its smallest scales would vanish beside its largest.
    pub(crate) const DECAY: Interval =
        Interval { zero: true, ..interval(SMALLEST, 10.0, "a number from 0 to 10, such as", "1.0") };
    /// Degrees of a turn.
    pub(crate) const DEGREES: Interval =
        interval(SMALLEST, 360.0, "a number of degrees above 0 and up to 360, such as", "15.0");
    /// The standard deviation of noise in the argument of a logistic function, which is saturated long before a million.
    pub(crate) const DEVIATION: Interval =
        interval(SMALLEST, 1e6, "a number above 0 and up to 1,000,000, such as", "0.5");

    /// Whether a number lies in the range once it is rounded to 32 bits.
    pub fn holds(&self, value: f64) -> bool {
        // The bounds are numbers of 32 bits, so that what lies between them is rounded to what lies between them.
        self.zero && value == 0.0 || (self.least..=self.most).contains(&value)
    }

    /// Reads a number from an argument of the command line.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(&self, text: &str) -> Result<f64, String> {
        match text.parse::<f64>() {
            Ok(value) if self.holds(value) => Ok(value),
            _ if text.contains(',') => Err(format!("write a decimal point, not a comma: expected {self}")),
            _ => Err(format!("expected {self}")),
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.words, self.example)
    }
}

impl Visitor<'_> for Interval {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<f64, E> {
        // Of zero there is one.
        if self.holds(value) {
            Ok(value + 0.0)
        } else {
            Err(E::invalid_value(de::Unexpected::Float(value), &self))
        }
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<f64, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<f64, E> {
        self.visit_f64(value as f64)
    }
}

/// Readers for keys of one range each, for serde's `deserialize_with`.
macro_rules! readers {
    ($($name:ident: $interval:ident),* $(,)?) => {
        $(pub(crate) fn $name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
            deserializer.deserialize_any(Interval::$interval)
        })*
    };
}

readers! {
    positive: POSITIVE, not_negative: NOT_NEGATIVE, share: SHARE, some_share: SOME_SHARE, epsilon: EPSILON,
    epsilon_of_variance: EPSILON_OF_VARIANCE, decay: DECAY, degrees: DEGREES, deviation: DEVIATION,
}

/// A number above zero that may be absent.
pub(crate) fn some_positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    positive(deserializer).map(Some)
}

/// Lists of such numbers.
macro_rules! lists {
    ($($name:ident: $one:ident),* $(,)?) => {
        $(pub(crate) fn $name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
            struct One(f64);
            impl<'de> Deserialize<'de> for One {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserializer.deserialize_any(Interval::$one).map(One)
                }
            }
            Ok(Vec::<One>::deserialize(deserializer)?.into_iter().map(|One(value)| value).collect())
        })*
    };
}

lists! { weights: NOT_NEGATIVE, lambdas: WEIGHT_OF_TWO }

/// The range of a whole number.
#[derive(Debug, Clone, Copy)]
struct Whole {
    least: u64,
    most: u64,
    example: &'static str,
}

/// The largest count of anything: products of two still fit 64 bits.
const MOST: u64 = u32::MAX as u64;
const COUNT: Whole = Whole { least: 1, most: MOST, example: "50" };

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Whole { least, most, example } = self;
        match *most {
            u64::MAX => write!(f, "a whole number from {least} to 2⁶⁴ − 1, such as {example}"),
            MOST => write!(f, "a whole number of at least {least}, such as {example} (and at most {MOST})"),
            _ => write!(f, "a whole number from {least} to {most}, such as {example}"),
        }
    }
}

impl Visitor<'_> for Whole {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<u64, E> {
        if (self.least..=self.most).contains(&value) {
            Ok(value)
        } else {
            Err(E::invalid_value(de::Unexpected::Unsigned(value), &self))
        }
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<u64, E> {
        match u64::try_from(value) {
            Ok(value) => self.visit_u64(value),
            Err(_) => Err(E::invalid_value(de::Unexpected::Signed(value), &self)),
        }
    }
}

fn whole<'de, D: Deserializer<'de>>(range: Whole, deserializer: D) -> Result<usize, D::Error> {
    Ok(deserializer.deserialize_any(range)? as usize)
}

/// A count of at least one.
pub(crate) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    whole(COUNT, deserializer)
}

/// A count of at least one that may be absent.
pub(crate) fn some_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    count(deserializer).map(Some)
}

/// Height and width of images that may be absent.
pub(crate) fn some_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<[usize; 2]>, D::Error> {
    struct Side(usize);
    impl<'de> Deserialize<'de> for Side {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            whole(Whole { least: 1, most: 1024, example: "28" }, deserializer).map(Side)
        }
    }
    exactly::<D, Side, 2>(deserializer).map(|sides| Some(sides.map(|Side(side)| side)))
}

/// Channels of images that may be absent: the check of a study refuses 2.
pub(crate) fn some_channels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    whole(Whole { least: 1, most: 3, example: "1" }, deserializer).map(Some)
}

/// A count that may be zero.
pub(crate) fn any_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    whole(Whole { least: 0, ..COUNT }, deserializer)
}

/// Steps of an integral, whose error falls with their square.
pub(crate) fn integration_steps<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    whole(Whole { least: 1, most: 10_000, example: "50" }, deserializer)
}

/// Pictures side by side in one figure, as many as `inkling look dream --seeds` takes.
pub(crate) fn side_by_side<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    whole(Whole { least: 1, most: 64, example: "8" }, deserializer)
}

/// Pictures of a way, as many as `inkling look dream --frames` takes.
pub(crate) fn frames<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    whole(Whole { least: 2, most: 1000, example: "9" }, deserializer)
}

/// Directions of lines in a plane: more than a million are nearer to each other than the images are.
pub(crate) fn directions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    whole(Whole { least: 1, most: 1_000_000, example: "180" }, deserializer)
}

/// Counts of at least one: units, filters, sides of kernels.
pub(crate) fn counts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<usize>, D::Error> {
    struct One(usize);
    impl<'de> Deserialize<'de> for One {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            count(deserializer).map(One)
        }
    }
    Ok(Vec::<One>::deserialize(deserializer)?.into_iter().map(|One(value)| value).collect())
}

/// A list of exactly `N` entries; serde's own arrays drop what comes after them.
pub(crate) fn exactly<'de, D, T, const N: usize>(deserializer: D) -> Result<[T; N], D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    all(Vec::<T>::deserialize(deserializer)?)
}

fn all<T, E: de::Error, const N: usize>(entries: Vec<T>) -> Result<[T; N], E> {
    entries.try_into().map_err(|entries: Vec<T>| {
        E::invalid_length(entries.len(), &format!("a list of {N} entries").as_str())
    })
}

/// Sides of a kernel or window, or of an image with its channels: exactly `N` counts of at least one.
pub(crate) fn sides<'de, D: Deserializer<'de>, const N: usize>(
    deserializer: D,
) -> Result<[usize; N], D::Error> {
    all(counts(deserializer)?)
}

/// The same, where it may be absent.
pub(crate) fn some_exactly<'de, D, T, const N: usize>(deserializer: D) -> Result<Option<[T; N]>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    exactly(deserializer).map(Some)
}

/// A seed: any number of 64 bits. TOML's numbers end at 2⁶³ − 1 for most readers, so that a larger one is written in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seed(u64);

impl Serialize for Seed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(self.0) {
            Ok(small) => serializer.serialize_i64(small),
            Err(_) => serializer.collect_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Seed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SeedVisitor;
        const RANGE: Whole = Whole { least: 0, most: u64::MAX, example: "1" };
        impl Visitor<'_> for SeedVisitor {
            type Value = u64;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{RANGE}")
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<u64, E> {
                Ok(value)
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<u64, E> {
                RANGE.visit_i64(value)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
                text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(SeedVisitor).map(Seed)
    }
}

/// A seed in a study, for serde's `with`.
pub(crate) mod seed {
    use super::{Deserialize, Deserializer, Seed, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(seed: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        Seed(*seed).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        Seed::deserialize(deserializer).map(|Seed(seed)| seed)
    }
}

/// A seed that may be left out, for serde's `with`.
pub(crate) mod some_seed {
    use super::{Deserialize, Deserializer, Seed, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(seed: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        seed.map(Seed).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
        Seed::deserialize(deserializer).map(|Seed(seed)| Some(seed))
    }
}

/// Several seeds in a study, for serde's `with`.
pub(crate) mod seeds {
    use super::{Deserialize, Deserializer, Seed, Serializer};

    pub(crate) fn serialize<S: Serializer>(seeds: &[u64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(seeds.iter().map(|&seed| Seed(seed)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
        Ok(Vec::<Seed>::deserialize(deserializer)?.into_iter().map(|Seed(seed)| seed).collect())
    }
}

/// A number with the fewest digits that tell it from every other one, as a power of ten where it would be long: 0.9995,
/// 1e-20, 3.4e38.
pub fn legible(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-4..1e6).contains(&size) { value.to_string() } else { format!("{value:e}") }
}

/// Numbers with six digits, or as many more as tell them all apart: λ of 0.9999999 and 1 are not both "1".
pub fn apart(values: &[f64]) -> Vec<String> {
    let rounded = |digits: usize| -> Vec<String> {
        let round = |value: &f64| {
            format!("{value:.*e}", digits - 1).parse().map_or_else(|_| legible(*value), legible)
        };
        values.iter().map(round).collect()
    };
    let tells = |words: &Vec<String>| {
        (0..words.len()).all(|i| (0..i).all(|j| words[i] != words[j] || values[i] == values[j]))
    };
    (6..=17).map(rounded).find(tells).unwrap_or_else(|| values.iter().map(|&value| legible(value)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_a_range_holds_is_no_other_kind_of_number_in_32_bits(value in any::<f64>()) {
            for range in [Interval::POSITIVE, Interval::EPSILON, Interval::SOME_SHARE] {
                prop_assert!(!range.holds(value) || (value as f32).is_normal() && value > 0.0, "{range}: {value}");
            }
            for range in [Interval::NOT_NEGATIVE, Interval::SHARE, Interval::WEIGHT_OF_TWO] {
                let rounded = value as f32;
                prop_assert!(!range.holds(value) || value == 0.0 || rounded.is_normal() && value > 0.0, "{range}: {value}");
            }
            prop_assert!(!Interval::SHARE.holds(value) || (value as f32) < 1.0);
        }

        #[test]
        fn a_legible_number_is_read_back_as_it_was(value in any::<f64>()) {
            prop_assume!(value.is_finite());
            prop_assert_eq!(legible(value).parse::<f64>().unwrap(), value);
        }
    }

    #[test]
    fn ranges_end_where_the_arithmetic_does() {
        for (range, inside, outside) in [
            (Interval::POSITIVE, [1.2e-38, 3.4e38], [1e-39, 3.5e38]),
            (Interval::NOT_NEGATIVE, [0.0, 3.4e38], [1e-46, 1e39]),
            (Interval::SHARE, [0.0, 0.999_999_9], [-1e-30, 0.999_999_99]),
            (Interval::WEIGHT_OF_TWO, [0.0, 1.0], [1e-46, 1.000_000_1]),
            (Interval::EPSILON, [1.1e-19, 1.0], [1e-50, f64::INFINITY]),
            (Interval::DECAY, [0.0, 10.0], [-1.0, 10.5]),
        ] {
            assert!(inside.iter().all(|&value| range.holds(value)), "{range}");
            assert!(outside.iter().all(|&value| !range.holds(value)), "{range}");
            assert!(!range.holds(f64::NAN) && !range.holds(f64::NEG_INFINITY), "{range}");
            assert!(range.holds(range.example.parse().unwrap()), "the example of: {range}");
        }
    }

    #[test]
    fn numbers_are_printed_apart_with_few_digits() {
        assert_eq!(apart(&[0.0, 0.25, 0.5, 1.0]), ["0", "0.25", "0.5", "1"]);
        assert_eq!(apart(&[0.9995, 0.9999, 1.0]), ["0.9995", "0.9999", "1"]);
        assert_eq!(apart(&[0.999_999_9, 1.0]), ["0.9999999", "1"]);
        assert_eq!(apart(&[1.0 / 3.0]), ["0.333333"]);
        assert_eq!(apart(&[1.2e-38, 0.5]), ["1.2e-38", "0.5"]);
        assert_eq!([1e39, 1e-46, 0.1, 1000.0, -2.5].map(legible), ["1e39", "1e-46", "0.1", "1000", "-2.5"]);
    }
}
