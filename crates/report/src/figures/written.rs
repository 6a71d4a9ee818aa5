//! Numbers as figures write them: as the text and the terminal do, with units that stay on their line.

use inkling_schema::format::{self, unbroken};

pub(super) use inkling_schema::format::{fixed, list, points, share, thousands};

pub(super) fn percent(share: f64, decimals: usize) -> String {
    unbroken(&format::percent(share, decimals))
}

pub(super) fn p_value(p: f64) -> String {
    unbroken(&format::p_value(p))
}

pub(super) fn probability(p: f64) -> String {
    unbroken(&format::probability(p))
}

/// A time at the tick of an axis, as short as it can be: "5 ms", "0.5 s", "2 s".
pub(super) fn tick_seconds(seconds: f64) -> String {
    let text = unbroken(&format::seconds(seconds));
    let Some((number, unit)) = text.split_once('\u{a0}') else { return text };
    let short =
        if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    format!("{short}\u{a0}{unit}")
}
