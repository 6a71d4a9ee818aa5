//! Colour scales of numbers: what covers them, the colour of each, and the bar that says so.

use super::super::canvas::{Canvas, Frame};
use super::super::colour::{self, Rgb};
use super::super::number;
use super::text::Face;

/// Width of a bar in points.
const BAR: f64 = 72.0;
/// Points between a bar and its labels.
const GAP: f64 = 3.0;

/// From zero to a number, or to both sides of zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    /// What it is the scale of, where a figure has several.
    name: &'static str,
    high: f64,
    signed: bool,
    /// Whether some numbers lie beyond it.
    beyond: bool,
}

impl Scale {
    /// From blue over white at zero to red, for all of some signed numbers.
    pub(super) fn signed<'a>(values: impl Iterator<Item = &'a f64>) -> Scale {
        let high = values.fold(0.0_f64, |largest, value| largest.max(value.abs()));
        Scale { name: "", high: if high > 0.0 { high } else { 1.0 }, signed: true, beyond: false }
    }

    /// The scale that covers this share of the numbers other than zero, of which few may be much larger than the rest. Where
    /// none is below zero, it goes from dark at zero to bright.
    pub(super) fn covering(values: &[f32], share: f64) -> Scale {
        let mut sizes: Vec<f32> = values.iter().map(|v| v.abs()).filter(|&v| v > 0.0).collect();
        sizes.sort_unstable_by(f32::total_cmp);
        let most = sizes.last().copied().unwrap_or(1.0);
        let high = sizes.get((share * sizes.len() as f64) as usize).copied().unwrap_or(most);
        let signed = values.iter().any(|&v| v < 0.0);
        Scale { name: "", high: high.into(), signed, beyond: high < most }
    }

    /// The same scale with both sides of zero.
    pub(super) fn of_both_signs(self) -> Scale {
        Scale { signed: true, ..self }
    }

    pub(super) fn named(self, name: &'static str) -> Scale {
        Scale { name, ..self }
    }

    pub(super) fn colour(&self, value: f64) -> Rgb {
        let map = if self.signed { colour::diverging } else { colour::viridis };
        map(value / self.high)
    }

    /// The lowest and the highest number that it tells from those beyond.
    pub(super) fn ends(&self) -> [String; 2] {
        let high = number(self.high);
        [if self.signed { format!("−{high}") } else { "0".into() }, high]
    }

    fn labels(&self) -> [String; 2] {
        let [low, high] = self.ends();
        let low = if self.beyond && self.signed { format!("≤ {low}") } else { low };
        let high = if self.beyond { format!("≥ {high}") } else { high };
        [if self.name.is_empty() { low } else { format!("{}  {low}", self.name) }, high]
    }

    /// How much of a line the bar takes with its labels.
    pub(super) fn width(&self) -> f64 {
        BAR + 2.0 * GAP + self.labels().iter().map(|label| Face::Plain.width(label)).sum::<f64>()
    }

    /// Draws the bar with its labels, from a point in the middle of the line rightwards.
    pub(super) fn draw(&self, canvas: &mut Canvas, (x, y): (f64, f64)) {
        let [low, high] = self.labels();
        let frame = Frame { x: x + Face::Plain.width(&low) + GAP, y: y - 3.0, width: BAR, height: 6.0 };
        let from = if self.signed { -self.high } else { 0.0 };
        canvas.colour_bar(frame, |t| self.colour(from + t * (self.high - from)), &[]);
        canvas.text((frame.x - GAP, y), &low, Face::Plain.style().end());
        canvas.text((frame.right() + GAP, y), &high, Face::Plain.style().start());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_covers_all_but_a_few_and_says_so() {
        let mut values: Vec<f32> = (0..=1000).map(|i| i as f32 / 1000.0).collect();
        values.push(50.0);
        let scale = Scale::covering(&values, 0.99);
        assert_eq!(scale.labels(), ["0", "≥ 0.99"]);
        assert_eq!(scale.colour(2.0), colour::viridis(1.0));
        values.push(-0.5);
        let scale = Scale::covering(&values, 0.99);
        assert_eq!(
            (scale.labels(), scale.ends()),
            (["≤ −0.99", "≥ 0.99"].map(str::to_owned), ["−0.99", "0.99"].map(str::to_owned))
        );
        assert_eq!(scale.colour(0.0), colour::WHITE);
        assert_eq!(Scale::covering(&[0.0; 3], 0.99).labels(), ["0", "1.00"]);
        assert_eq!(Scale::signed([0.0, -2.0].iter()).labels(), ["−2.00", "2.00"]);
    }
}
