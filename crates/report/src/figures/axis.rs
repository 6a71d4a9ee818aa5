//! Axes: what they are called, and where they have ticks with which labels.

use std::sync::Arc;

use super::percent;

/// An axis of a panel.
pub(super) struct Axis<'a> {
    pub(super) range: (f64, f64),
    pub(super) log: bool,
    /// Distance of ticks; a logarithmic axis has them by itself.
    pub(super) step: Option<f64>,
    pub(super) format: fn(f64) -> String,
    pub(super) title: &'a str,
    /// Points from the axis to the middle of its title; at zero it stands clear of the labels.
    pub(super) gap: f64,
}

impl<'a> Axis<'a> {
    /// An axis with ticks at round numbers, which divide it into about so many parts.
    pub(super) fn linear(range: (f64, f64), parts: f64, format: fn(f64) -> String) -> Axis<'a> {
        Axis { range, log: false, step: Some(even_step(range, parts)), format, title: "", gap: 0.0 }
    }

    pub(super) fn log(range: (f64, f64), format: fn(f64) -> String) -> Axis<'a> {
        Axis { range, log: true, step: None, format, title: "", gap: 0.0 }
    }

    /// An axis of shares, in per cent.
    pub(super) fn shares(range: (f64, f64), parts: f64) -> Axis<'a> {
        Axis::linear(range, parts, share_format(even_step(range, parts)))
    }

    /// An axis of shares that has room for some, with a margin in proportion to their range, and of `least` at least.
    pub(super) fn around(
        shares: impl IntoIterator<Item = f64>,
        (margin, least): (f64, f64),
        parts: f64,
    ) -> Axis<'a> {
        let (low, high) = extent(shares, (0.0, 1.0));
        let margin = (margin * (high - low)).max(least);
        Axis::shares(((low - margin).max(0.0), (high + margin).min(1.0)), parts)
    }

    /// An axis of losses or other positive numbers of any size.
    pub(super) fn positive(range: (f64, f64)) -> Axis<'a> {
        let format = |value: f64| {
            let decimals = (-value.log10().floor()).clamp(0.0, 6.0) as usize;
            format!("{value:.decimals$}")
        };
        Axis::log(range, format)
    }

    /// An axis from the beginning of a training to the end of its last epoch.
    pub(super) fn epochs(last: f64, parts: f64) -> Axis<'a> {
        // Marks at the end of the last epoch stand clear of the edge.
        let range = (0.0, last + (0.03 * last).max(0.06));
        let step = if last <= 2.0 { 0.5 } else { even_step((0.0, last), parts).max(1.0) };
        Axis::linear(range, parts, whole_or_tenths).step(step).titled("epoch")
    }

    pub(super) fn titled(self, title: &'a str) -> Axis<'a> {
        Axis { title, ..self }
    }

    pub(super) fn step(self, step: f64) -> Axis<'a> {
        Axis { step: Some(step), ..self }
    }

    /// The same ticks without a word.
    pub(super) fn silent(&self) -> Axis<'a> {
        Axis { format: |_| String::new(), title: "", gap: 0.0, ..*self }
    }

    /// What stands at the ticks. A logarithmic axis of many decades has labels at some of them alone, and those that would
    /// be long are short: `1e10`.
    pub(super) fn labels(&self) -> Arc<dyn Fn(f64) -> String + Send + Sync> {
        /// Labels of a logarithmic axis.
        const MOST: f64 = 6.0;
        /// Letters that there is room for.
        const LETTERS: usize = 6;
        let Axis { range: (low, high), log, format, .. } = *self;
        if !log {
            return Arc::new(format);
        }
        let every = ((high / low).log10() / MOST).ceil().max(1.0);
        Arc::new(move |value| {
            let decade = value.log10().round();
            let is_decade = (value.log10() - decade).abs() < 1e-6;
            let label = format(value);
            if label.is_empty() || every > 1.0 && !(is_decade && decade.rem_euclid(every) < 0.5) {
                return String::new();
            }
            if label.chars().count() <= LETTERS {
                return label;
            }
            // Not in raised digits, of which many fonts have some alone.
            format!("{value:.0e}")
        })
    }
}

/// The smallest and the largest of some numbers; these two where there is none.
pub(super) fn extent(values: impl IntoIterator<Item = f64>, otherwise: (f64, f64)) -> (f64, f64) {
    let widest = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
    let (low, high) = values.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), widest);
    if low <= high { (low, high) } else { otherwise }
}

/// The label of a tick: a whole number where it is one, else with one decimal.
pub(super) fn whole_or_tenths(value: f64) -> String {
    let decimals = if (value - value.round()).abs() < 1e-6 { 0 } else { 1 };
    format!("{value:.decimals$}").replace('-', "−")
}

/// Labels of an axis of shares whose ticks are `step` apart.
fn share_format(step: f64) -> fn(f64) -> String {
    // A label is a plain function, so there is one for each number of decimals.
    if step > 0.0099 {
        |share| percent(share, 0)
    } else if step > 0.000_99 {
        |share| percent(share, 1)
    } else {
        |share| percent(share, 2)
    }
}

/// A distance of 1, 2 or 5 times a power of ten that divides a range into about so many parts.
pub(super) fn even_step((low, high): (f64, f64), parts: f64) -> f64 {
    let rough = (high - low) / parts;
    let power = 10_f64.powf(rough.log10().floor());
    let fits = |step: &f64| *step >= rough;
    [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(fits).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logarithmic_axis_has_few_labels_and_none_is_long() {
        for (low, high) in [(0.01, 1.0), (1e-6, 5.0), (0.3, 4e5), (1e-6, 1e38), (2.0, 1e307)] {
            let format = |value: f64| format!("{value}");
            let axis = Axis { range: (low, high), log: true, step: None, format, title: "", gap: 0.0 };
            let label = axis.labels();
            let decades = low.log10().ceil() as i32..=high.log10().floor() as i32;
            let labels: Vec<String> = decades.map(|decade| label(10_f64.powi(decade))).collect();
            let shown: Vec<&String> = labels.iter().filter(|label| !label.is_empty()).collect();
            assert!((1..=7).contains(&shown.len()), "{low} to {high}: {shown:?}");
            assert!(shown.iter().all(|label| label.chars().count() <= 6), "{shown:?}");
        }
    }

    #[test]
    fn steps_are_round_and_labels_tell_ticks_apart() {
        assert_eq!(even_step((0.0, 1.0), 4.0), 0.5);
        assert!((even_step((0.965, 1.0), 4.0) - 0.01).abs() < 1e-12);
        assert_eq!(share_format(0.005)(0.985), "98.5\u{a0}%");
    }
}
