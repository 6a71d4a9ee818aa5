//! What the figures of Tasks 3 and 4 share: the two kinds of network, their marks, and how numbers are written.

use super::canvas::{Canvas, Style};
use super::colour::{CURVES, Rgb, WHITE};
pub(super) use super::names::fitted;
use super::raster::marker;

/// A kind of network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Mlp,
    Cnn,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Mlp => "MLP",
            Kind::Cnn => "CNN",
        }
    }

    /// What its depth counts.
    pub(super) fn layers(self) -> &'static str {
        match self {
            Kind::Mlp => "hidden layers",
            Kind::Cnn => "convolutions",
        }
    }

    pub(super) fn colour(self) -> Rgb {
        match self {
            Kind::Mlp => CURVES[0].0,
            Kind::Cnn => CURVES[3].0,
        }
    }

    /// A disc or a square with the depth in it.
    pub(super) fn mark(self, canvas: &mut Canvas, at: (f64, f64), depth: &str) {
        let label = match self {
            Kind::Mlp => 0,
            Kind::Cnn => 1,
        };
        mark(canvas, at, label, 6.2, self.colour());
        canvas.text(at, depth, Style::new(8).bold().colour(WHITE));
    }
}

/// The radius of marks this far apart on a curve; none where their white edges would hide the line between them.
pub(super) fn mark_radius(distance: f64) -> Option<f64> {
    (distance >= 2.4).then(|| (0.25 * distance).clamp(0.8, 2.0))
}

/// A filled mark of one of the ten shapes, as large as a disc of this radius.
pub(super) fn mark(canvas: &mut Canvas, (x, y): (f64, f64), shape: usize, radius: f64, colour: Rgb) {
    let corners: Vec<(f64, f64)> =
        marker(shape).iter().map(|(u, v)| (x + u * radius, y + v * radius)).collect();
    canvas.polygon(&corners, colour);
}

/// A p value with two figures that count, or that it is below a thousandth.
pub(super) fn p_value(p: f64) -> String {
    if p < 0.001 {
        "<\u{a0}0.001".into()
    } else if p < 0.0995 {
        format!("{p:.3}")
    } else {
        format!("{p:.2}")
    }
}

/// A difference of two shares of one in percentage points, with its sign.
pub(super) fn points(difference: f64) -> String {
    let number = format!("{:.2}", (100.0 * difference).abs());
    let sign = if number.bytes().all(|digit| matches!(digit, b'0' | b'.')) {
        ""
    } else if difference < 0.0 {
        "−"
    } else {
        "+"
    };
    format!("{sign}{number}")
}

/// Labels of an axis of shares whose ticks are `step` apart.
pub(super) fn share_format(step: f64) -> fn(f64) -> String {
    // A label is a plain function, so there is one for each number of decimals.
    if step > 0.0099 {
        |share| super::percent(share, 0)
    } else if step > 0.000_99 {
        |share| super::percent(share, 1)
    } else {
        |share| super::percent(share, 2)
    }
}

/// A distance of 1, 2 or 5 times a power of ten that divides a range into about so many parts.
pub(super) fn even_step((low, high): (f64, f64), parts: f64) -> f64 {
    let rough = (high - low) / parts;
    let power = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|&step| step >= rough)
        .unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_figures_write_them() {
        assert_eq!([0.0004, 0.0123, 0.0996, 1.0].map(p_value), ["<\u{a0}0.001", "0.012", "0.10", "1.00"]);
        assert_eq!([0.0012, -0.0012, 0.0, -0.000_01].map(points), ["+0.12", "−0.12", "0.00", "0.00"]);
        assert_eq!(even_step((0.0, 1.0), 4.0), 0.5);
        assert!((even_step((0.965, 1.0), 4.0) - 0.01).abs() < 1e-12);
    }
}
