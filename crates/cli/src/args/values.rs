//! Values of options: what is taken, and what a person is told who gives something else.

use std::ffi::OsStr;
use std::fmt::Display;
use std::marker::PhantomData;
use std::num::{IntErrorKind, NonZeroUsize, ParseIntError};
use std::str::FromStr;
use std::thread;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, Error, ValueEnum};
use inkling_schema::{RunId, Setting, TrainingPrecision};

/// A whole number of at least 1.
pub(crate) fn counting(text: &str) -> Result<NonZeroUsize, String> {
    number(text, "at least 1, such as 10", usize::MAX)
}

/// A number of steps or of images, up to the largest that a study may have.
pub(crate) fn steps(text: &str) -> Result<NonZeroUsize, String> {
    let steps = text.trim().parse::<u32>().ok().and_then(|steps| NonZeroUsize::new(steps as usize));
    steps.ok_or_else(|| {
        format!("expected a whole number of at least 1, such as 256, and of at most {}", u32::MAX)
    })
}

/// Images of a step that is timed: more take memory that a machine may not have.
pub(crate) fn batch(text: &str) -> Result<NonZeroUsize, String> {
    const MOST: usize = 2000;
    let batch = text.trim().parse().ok().filter(|batch: &NonZeroUsize| batch.get() <= MOST);
    batch.ok_or_else(|| format!("expected a whole number of at least 1, such as 10, and of at most {MOST}"))
}

/// A whole number of at least 0.
pub(crate) fn whole(text: &str) -> Result<usize, String> {
    number(text, "at least 0, such as 10", usize::MAX)
}

/// A rate of multiply-adds a second.
pub(crate) fn rate(text: &str) -> Result<f64, String> {
    let rate = text.trim().parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate >= 1.0);
    rate.ok_or_else(|| "expected a number of at least 1, such as 4e10".to_owned())
}

/// The id of a run.
pub(crate) fn run_id(text: &str) -> Result<RunId, String> {
    RunId::try_from(text.to_owned()).map_err(|error| format!("{error}; `inkling plan` lists ids"))
}

/// A key of a study with its value.
pub(crate) fn setting(text: &str) -> Result<Setting, String> {
    Setting::parse(text).map_err(|error| format!("{}; {}", error.message, error.help))
}

/// The seed of a random stream.
pub(crate) fn seed(text: &str) -> Result<u64, String> {
    number(text, "at least 0, such as 7", u64::MAX)
}

/// The number of a group.
pub(crate) fn group(text: &str) -> Result<u32, String> {
    number(text, "at least 0, such as 7", u32::MAX)
}

/// A whole number between two others.
pub(crate) fn between<const LEAST: u32, const MOST: u32>(text: &str) -> Result<u32, String> {
    let number = text.trim().parse().ok().filter(|number| (LEAST..=MOST).contains(number));
    number.ok_or_else(|| format!("expected a whole number from {LEAST} to {MOST}"))
}

/// Takes the names of precisions of training.
pub(crate) fn precisions() -> impl TypedValueParser<Value = TrainingPrecision> {
    let named = TrainingPrecision::NAMED.map(|(name, help, _)| PossibleValue::new(name).help(help));
    PossibleValuesParser::new(named).map(|word| {
        let known = TrainingPrecision::NAMED.into_iter().find(|(name, _, _)| *name == word);
        known.expect("one of the names").2
    })
}

/// Height and width, such as `28x28`.
pub(crate) fn size(text: &str) -> Result<[usize; 2], String> {
    let sides = text.trim().to_lowercase();
    let side = |text: &str| text.trim().parse::<usize>().ok().filter(|side| (1..=1024).contains(side));
    let both = sides.split_once(['x', '×']).and_then(|(height, width)| Some([side(height)?, side(width)?]));
    both.ok_or_else(|| "expected height and width of 1 to 1024 pixels, such as 28x28".into())
}

/// The channels of an image.
pub(crate) fn channels(text: &str) -> Result<usize, String> {
    match text.trim() {
        "1" => Ok(1),
        "3" => Ok(3),
        _ => Err("expected 1 for grey or 3 for colour".into()),
    }
}

/// A number of threads that a machine can start.
pub(crate) fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let most = most_threads();
    let largest = format!("{most}, the most threads that are started on this machine");
    let threads: NonZeroUsize = number(text, "at least 1, such as 4", &largest)?;
    if threads.get() > most {
        return Err(at_most(&largest));
    }
    Ok(threads)
}

/// The most threads that are started: more make a machine stand still.
pub(crate) fn most_threads() -> usize {
    const ANYWHERE: usize = 1024;
    thread::available_parallelism().map_or(ANYWHERE, |cores| ANYWHERE.max(4 * cores.get()))
}

/// A whole number that `expected` describes; `largest` is the largest that there is.
fn number<N: FromStr<Err = ParseIntError>>(
    text: &str,
    expected: &str,
    largest: impl Display,
) -> Result<N, String> {
    text.trim().parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => at_most(largest),
        _ => format!("expected a whole number of {expected}"),
    })
}

fn at_most(largest: impl Display) -> String {
    format!("expected a whole number of at most {largest}")
}

/// The names of a list, in whatever case they are written.
#[derive(Debug, Clone)]
pub(super) struct Names<E> {
    /// What each of them is.
    what: &'static str,
    kind: PhantomData<E>,
}

/// Takes the names of `E`, each of which is `what`, such as "a task".
pub(super) fn names<E: ValueEnum>(what: &'static str) -> Names<E> {
    Names { what, kind: PhantomData }
}

impl<E: ValueEnum + Send + Sync + 'static> TypedValueParser for Names<E> {
    type Value = E;

    fn parse_ref(&self, command: &Command, option: Option<&Arg>, value: &OsStr) -> Result<E, Error> {
        let text = value.to_string_lossy();
        let word = text.trim();
        if let Ok(found) = E::from_str(word, true) {
            return Ok(found);
        }
        let known: Vec<String> =
            self.possible_values().into_iter().flatten().map(|name| name.get_name().into()).collect();
        let near = known
            .iter()
            .map(|name| (strsim::damerau_levenshtein(&word.to_lowercase(), name), name))
            .filter(|(distance, _)| *distance <= 2)
            .min();
        let place = option.map(|option| format!(" for '{option}'")).unwrap_or_default();
        let what = self.what;
        let problem = match (word, near) {
            ("", _) => format!("{what} is missing{place}: an entry is empty"),
            (_, Some((_, near))) => format!("'{word}' is not {what}{place}; did you mean '{near}'?"),
            _ => format!("'{word}' is not {what}{place}"),
        };
        let message = format!("{problem}\n\n  give one or more of: {}\n", known.join(", "));
        Err(Error::raw(ErrorKind::InvalidValue, message).with_cmd(command))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(E::value_variants().iter().filter_map(ValueEnum::to_possible_value)))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::Cli;

    fn refused(command: &str) -> String {
        Cli::try_parse_from(command.split(' ')).expect_err(command).render().to_string()
    }

    #[test]
    fn a_number_that_is_none_is_told_in_words() {
        for command in [
            "inkling study --threads 0",
            "inkling study --threads -2",
            "inkling study --threads two",
            "inkling study --threads 1.5",
            "inkling bench --rounds 0",
            "inkling bench --batch 1e3",
            "inkling model cnn --batch -1",
        ] {
            assert!(refused(command).contains("expected a whole number of at least 1, such as"), "{command}");
        }
        for command in [
            "inkling study --seed -1",
            "inkling study --seed 1.5",
            "inkling study --seed 0x7",
            "inkling bundle --group x",
            "inkling bundle --group -7",
            "inkling bench --after -1",
        ] {
            assert!(refused(command).contains("expected a whole number of at least 0, such as"), "{command}");
        }
        assert!(
            refused("inkling study --seed 18446744073709551616").contains("at most 18446744073709551615")
        );
        assert!(refused("inkling bundle --group 4294967296").contains("at most 4294967295"));
    }

    #[test]
    fn numbers_of_a_look_are_told_in_words_too() {
        for (option, words) in [
            ("--index -1", "expected a whole number of at least 0, such as"),
            ("--steps 0", "expected a whole number of at least 1, such as"),
            ("--seed x", "expected a whole number of at least 0, such as"),
            ("--seeds 65", "expected a whole number from 1 to 64"),
            ("--seeds -1", "expected a whole number from 1 to 64"),
            ("--learning-rate -0.1", "expected a finite number above 0"),
            ("--l2 -1e9", "expected a finite number of at least 0"),
        ] {
            let text = refused(&format!("inkling look dream out --class 2 {option}"));
            assert!(text.contains(words), "{text}");
        }
    }

    #[test]
    fn more_threads_than_a_machine_can_start_are_refused_with_the_most() {
        let most = most_threads();
        assert!(most >= 1024);
        let text = refused("inkling study --threads 100000");
        assert!(
            text.contains(&format!("at most {most}, the most threads that are started on this machine")),
            "{text}"
        );
        assert!(
            refused("inkling bench --threads 99999999999999999999").contains(&format!("at most {most}, "))
        );
        assert_eq!(threads(&most.to_string()).unwrap().get(), most);
    }

    #[test]
    fn a_name_is_taken_in_any_case_and_a_wrong_or_missing_one_is_told() {
        assert!(Cli::try_parse_from(["inkling", "study", "--only", "PCA, Mlp"]).is_ok());
        let empty = refused("inkling study --only pca,,mlp");
        assert!(
            empty.contains("a task is missing for '--only <TASK>'") && empty.contains("pca, perceptron"),
            "{empty}"
        );
        assert!(
            refused("inkling study --only pcaa")
                .contains("'pcaa' is not a task for '--only <TASK>'; did you mean 'pca'?")
        );
        let work = refused("inkling bench pac");
        assert!(
            work.contains("'pac' is not something to time") && work.contains("did you mean 'pca'?"),
            "{work}"
        );
    }
}
