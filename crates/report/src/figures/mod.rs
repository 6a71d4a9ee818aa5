//! The figures of the report, drawn from a finished study.

mod accuracy;
mod axis;
mod canvas;
mod colour;
mod confusion;
mod curves;
mod forms;
mod inside;
mod mcnemar;
mod multitask;
mod names;
mod networks;
mod pca;
mod perceptron;
mod plane;
mod raster;
mod registry;
mod scatter;
mod separability;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use self::plane::plane;
pub use self::registry::draw;
#[cfg(test)]
pub(crate) use self::registry::names;
use inkling_schema::outcome::DataSetFacts;

use crate::Figure;
use crate::results::Look;

/// Draws the figures of one look into a network; `data` names the classes.
pub(crate) fn draw_look(look: &Look, data: Option<&DataSetFacts>) -> Vec<Figure> {
    inside::look(look, data)
}

/// A share of one as percent, with this many decimals.
fn percent(share: f64, decimals: usize) -> String {
    format!("{}\u{a0}%", rounded(share * 100.0, decimals))
}

/// A number with this many decimals, halves away from zero as the text of the report rounds them: `format!` alone would make
/// 12.5 a 12 in a figure where the text beside it says 13.
fn rounded(number: f64, decimals: usize) -> String {
    let scale = 10_f64.powi(decimals as i32);
    format!("{:.decimals$}", (number * scale).round() / scale)
}

/// A share of one in per cent with one decimal, or with two where one would make it look like all.
fn share_number(share: f64) -> String {
    let decimals = if (0.9995..1.0).contains(&share) { 2 } else { 1 };
    rounded(share * 100.0, decimals)
}

/// A number with one decimal and a true minus sign, never a negative zero.
fn signed(number: f64) -> String {
    let number = (number * 10.0).round() / 10.0;
    let sign = if number < 0.0 { "−" } else { "" };
    format!("{sign}{:.1}", number.abs())
}

/// A whole number with a comma between thousands.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut groups: Vec<&str> = if first > 0 { vec![&digits[..first]] } else { Vec::new() };
    groups.extend((first..digits.len()).step_by(3).map(|from| &digits[from..from + 3]));
    groups.join(",")
}

/// Words as a list: "a", "a and b", "a, b and c".
fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [word] => word.clone(),
        [words @ .., last] => format!("{} and {last}", words.join(", ")),
    }
}
