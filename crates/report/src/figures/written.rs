//! Numbers as figures write them: as the text and the terminal do, with units that stay on their line.

use inkling_schema::format::{self, unbroken};

pub(super) use inkling_schema::format::{counted, fixed, list, points, share, thousands};

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

/// A number with about three figures that count.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    let decimals = if size >= 99.5 {
        0
    } else if size >= 9.95 {
        1
    } else if size >= 0.0995 || size == 0.0 {
        2
    } else if size >= 0.00095 {
        4
    } else {
        return format!("{value:.0e}").replace('-', "−");
    };
    let text = format!("{value:.decimals$}");
    let zero = text.bytes().all(|letter| matches!(letter, b'-' | b'0' | b'.'));
    if zero { text.trim_start_matches('-').into() } else { text.replace('-', "−") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_figures() {
        let numbers = [123.4, 12.34, -1.234, 0.1234, 0.01234, 0.00001234, -0.0].map(number);
        assert_eq!(numbers, ["123", "12.3", "−1.23", "0.12", "0.0123", "1e−5", "0.00"]);
    }
}
