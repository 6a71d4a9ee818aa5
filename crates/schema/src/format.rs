//! Numbers and lists as text, in one way for figures, the report and the terminal.
//!
//! Halves are rounded away from zero, negative numbers have a true minus sign, and no number reads as zero, as all or as
//! certain unless it is. A unit follows after a plain space, which
//! [`unbroken`] keeps whole where type is set.

/// A number with this many decimals.
///
/// `format!` alone would round 12.5 to 12, write the hyphen for the minus sign, and know a negative zero.
pub fn fixed(number: f64, decimals: usize) -> String {
    let scale = 10_f64.powi(decimals as i32);
    let size = (number.abs() * scale).round() / scale;
    let sign = if number < 0.0 && size > 0.0 { "−" } else { "" };
    format!("{sign}{size:.decimals$}")
}

/// A whole number with a comma between thousands: "2,310".
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut groups: Vec<&str> = if first > 0 { vec![&digits[..first]] } else { Vec::new() };
    groups.extend((first..digits.len()).step_by(3).map(|from| &digits[from..from + 3]));
    groups.join(",")
}

/// A share of one in per cent without the sign, with this many decimals or with as many more as keep it from reading 0 or
/// 100 where it is neither.
pub fn share(share: f64, decimals: usize) -> String {
    /// Below this a share counts as nothing.
    const NOTHING: f64 = 1e-9;
    if share.abs() < NOTHING {
        return "0".into();
    }
    if (1.0 - share).abs() < NOTHING {
        return "100".into();
    }
    let written = |decimals: usize| fixed(100.0 * share, decimals);
    let whole = |decimals: usize| [0.0, 100.0].map(|edge| fixed(edge, decimals));
    (decimals..=decimals + 9)
        .find(|&decimals| !whole(decimals).contains(&written(decimals)))
        .map_or_else(|| written(decimals), written)
}

/// A share of one in per cent: "97.6 %".
pub fn percent(share: f64, decimals: usize) -> String {
    format!("{} %", self::share(share, decimals))
}

/// The shares between two: "97.60 % to 98.10 %", or one of them where both read alike.
pub fn percent_range(low: f64, high: f64, decimals: usize) -> String {
    let [low, high] = [low, high].map(|share| percent(share, decimals));
    if low == high { low } else { format!("{low} to {high}") }
}

/// A p value with two digits that count, or that it is below a thousandth.
pub fn p_value(p: f64) -> String {
    if p < 0.001 {
        "< 0.001".into()
    } else if p < 0.0995 {
        fixed(p, 3)
    } else {
        fixed(p, 2)
    }
}

/// A probability in per cent. A softmax reaches 1 in floating point and never in truth, so nothing reads certain or
/// impossible.
pub fn probability(p: f64) -> String {
    match p {
        p if p >= 0.9995 => "> 99.9 %".into(),
        p if p < 0.0005 => "< 0.1 %".into(),
        p => format!("{} %", fixed(100.0 * p, 1)),
    }
}

/// A difference of two shares of one in percentage points, with its sign.
pub fn points(difference: f64) -> String {
    let number = fixed(100.0 * difference, 2);
    if number.starts_with('−') || number == "0.00" { number } else { format!("+{number}") }
}

/// A measured time: never "0.0 s", however short it was.
pub fn seconds(seconds: f64) -> String {
    match seconds {
        short if short < 9.5e-6 => "less than 0.01 ms".into(),
        short if short < 0.95e-3 => format!("{} ms", fixed(1e3 * short, 2)),
        short if short < 0.0995 => format!("{} ms", fixed(1e3 * short, 0)),
        short if short < 0.995 => format!("{} s", fixed(short, 2)),
        short if short < 99.5 => format!("{} s", fixed(short, 1)),
        long => format!("{} s", thousands(long.round() as usize)),
    }
}

/// A time as a person says it: "7.3 s", "12 min 5 s", "1 h 20 min".
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..=99 => self::seconds(seconds),
        100..=5999 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// The text with spaces that do not break between a number and its unit or sign.
pub fn unbroken(text: &str) -> String {
    let mut before = ' ';
    let unbroken = |letter: char| {
        let joins = letter == ' ' && (before.is_ascii_digit() || matches!(before, '<' | '>'));
        before = letter;
        if joins { '\u{a0}' } else { letter }
    };
    text.chars().map(unbroken).collect()
}

/// A whole number in a sentence: in words below ten.
pub fn spelled(number: usize) -> String {
    const WORDS: [&str; 10] = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    WORDS.get(number).map_or_else(|| thousands(number), |word| (*word).to_owned())
}

/// So many things: "1 pair", "2,310 pairs".
pub fn counted(number: usize, one: &str) -> String {
    format!("{} {one}{}", thousands(number), if number == 1 { "" } else { "s" })
}

/// Words as a list: "a", "a and b", "a, b and c".
pub fn list(words: &[impl AsRef<str>]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.as_slice() {
        [] => String::new(),
        [word] => (*word).to_owned(),
        [words @ .., last] => format!("{} and {last}", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_as_a_reader_meets_them() {
        assert_eq!([12.5, -0.04, -1.26, 0.0].map(|n| fixed(n, 1)), ["12.5", "0.0", "−1.3", "0.0"]);
        assert_eq!([12.5, 13.5].map(|n| fixed(n, 0)), ["13", "14"]);
        assert_eq!([0, 999, 1000, 26_395_689].map(thousands), ["0", "999", "1,000", "26,395,689"]);
        assert_eq!([0.0, 0.5, 0.9996, 1.0].map(|s| percent(s, 1)), ["0 %", "50.0 %", "99.96 %", "100 %"]);
        assert_eq!(percent(0.0004, 0), "0.04 %");
        assert_eq!(percent_range(0.976, 0.981, 2), "97.60 % to 98.10 %");
        assert_eq!(percent_range(0.97601, 0.97602, 2), "97.60 %");
        assert_eq!([0.0004, 0.0123, 0.0996, 1.0].map(p_value), ["< 0.001", "0.012", "0.10", "1.00"]);
        assert_eq!([1.0, 0.9994, 0.5, 0.0].map(probability), ["> 99.9 %", "99.9 %", "50.0 %", "< 0.1 %"]);
        assert_eq!([0.0012, -0.0012, 0.0, -0.000_01].map(points), ["+0.12", "−0.12", "0.00", "0.00"]);
        assert_eq!([0, 9, 10, 1200].map(spelled), ["no", "nine", "10", "1,200"]);
        assert_eq!([counted(1, "pair"), counted(2310, "pair")], ["1 pair", "2,310 pairs"]);
        assert_eq!([&["a"][..], &["a", "b"], &["a", "b", "c"]].map(list), ["a", "a and b", "a, b and c"]);
    }

    #[test]
    fn times_are_never_nothing() {
        let told = [1e-9, 0.0004, 0.012, 0.25, 7.34, 250.0].map(seconds);
        assert_eq!(told, ["less than 0.01 ms", "0.40 ms", "12 ms", "0.25 s", "7.3 s", "250 s"]);
        assert_eq!(
            [7.34, 725.0, 4800.0, 7260.0].map(duration),
            ["7.3 s", "12 min 5 s", "80 min 0 s", "2 h 1 min"]
        );
    }

    #[test]
    fn a_unit_stays_with_its_number() {
        assert_eq!(unbroken("less than 0.01 ms"), "less than 0.01\u{a0}ms");
        assert_eq!(unbroken("97.60 % to 98 %"), "97.60\u{a0}% to 98\u{a0}%");
        assert_eq!(unbroken("> 99.9 %"), ">\u{a0}99.9\u{a0}%");
    }

    proptest! {
        #[test]
        fn only_what_is_nothing_or_all_reads_so(value in 0.0..=1.0_f64, decimals in 0_usize..3) {
            let edge = !(1e-9..=1.0 - 1e-9).contains(&value);
            let text = share(value, decimals);
            prop_assert_eq!(["0", "100"].contains(&text.as_str()), edge, "{} is {}", value, text);
            let zero = text.chars().all(|letter| matches!(letter, '0' | '.'));
            prop_assert_eq!(zero, value < 1e-9, "{} is {}", value, text);
        }
    }
}
