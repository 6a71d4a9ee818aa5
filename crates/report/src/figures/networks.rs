//! What the figures of Tasks 3 and 4 share: the two kinds of network, and how numbers are written.

pub(super) use super::axis::even_step;
use super::colour::{CURVES, Rgb};
use super::forms::key::{Key, Sign};
pub(super) use super::names::fitted;
use crate::document::facts::compared::same_data;
use crate::{NetworksResults, Results};

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
    fn layers(self) -> &'static str {
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

    /// The shape of its marks, which have the depth in them: a disc, a square.
    pub(super) fn shape(self) -> usize {
        self as usize
    }

    pub(super) fn explain(self, key: &mut Key) {
        let meaning = format!("{} with n {}", self.name(), self.layers());
        key.add(Sign::Lettered(self.shape(), self.colour(), "n"), meaning);
    }
}

/// The CNNs, beside the MLPs where these were trained and tested on the same images.
pub(super) fn compared<'a>(
    found: &'a Results,
    cnns: &'a NetworksResults,
) -> Vec<(Kind, &'a NetworksResults)> {
    let mlps = found.mlps.iter().filter(|mlps| same_data(mlps, cnns)).map(|mlps| (Kind::Mlp, mlps));
    mlps.chain([(Kind::Cnn, cnns)]).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_figures_write_them() {
        assert_eq!([0.0004, 0.0123, 0.0996, 1.0].map(p_value), ["<\u{a0}0.001", "0.012", "0.10", "1.00"]);
        assert_eq!([0.0012, -0.0012, 0.0, -0.000_01].map(points), ["+0.12", "−0.12", "0.00", "0.00"]);
    }
}
