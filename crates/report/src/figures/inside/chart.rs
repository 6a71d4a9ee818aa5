//! Curves over the steps of a run, in panels side by side with a key above.

use super::super::axis::{Axis, even_step, extent};
use super::super::canvas::{Canvas, Frame, TEXT_WIDTH};
use super::super::colour::{GREY, Rgb};
use super::super::thousands;
use super::sheet::Band;
use super::text::Face;

/// Points from the left edge of a panel's room to its axis, and from its end to the right edge.
const AXIS: f64 = 42.0;
const RIGHT: f64 = 12.0;

/// Panels side by side.
#[derive(Default)]
pub(super) struct Chart {
    /// What the colours mean.
    pub(super) key: Vec<(String, Rgb)>,
    pub(super) panels: Vec<Panel>,
}

/// Curves with axes.
pub(super) struct Panel {
    /// What the curves are of.
    pub(super) title: &'static str,
    /// Whether that is a share of one.
    pub(super) share: bool,
    pub(super) curves: Vec<Curve>,
}

/// Values after steps.
pub(super) struct Curve {
    pub(super) points: Vec<(f64, f64)>,
    pub(super) colour: Rgb,
    pub(super) width: f64,
}

impl Chart {
    /// The chart as a band of a figure; none where it has no curves.
    pub(super) fn band(mut self) -> Option<Band> {
        self.panels.retain(|panel| !panel.curves.is_empty());
        if self.panels.is_empty() {
            return None;
        }
        let top = if self.key.is_empty() { 8.0 } else { 18.0 };
        let height = 84.0;
        let draw = move |canvas: &mut Canvas, y: f64| {
            self.draw_key(canvas, y + 7.0);
            let each = TEXT_WIDTH / self.panels.len() as f64;
            for (i, panel) in self.panels.iter().enumerate() {
                let x = each * i as f64 + AXIS;
                panel.draw(canvas, Frame { x, y: y + top, width: each - AXIS - RIGHT, height });
            }
        };
        Some(Band { height: top + height + 27.0, told: Vec::new(), draw: Box::new(draw) })
    }

    fn draw_key(&self, canvas: &mut Canvas, y: f64) {
        const LINE: f64 = 16.0;
        const GAP: f64 = 14.0;
        let names: Vec<String> = self.key.iter().map(|(name, _)| name.clone()).collect();
        let room = (TEXT_WIDTH - AXIS) / names.len().max(1) as f64 - LINE - 4.0 - GAP;
        let mut x = AXIS;
        for (name, (_, colour)) in Face::Plain.fitted(&names, room, 1).iter().zip(&self.key) {
            canvas.line(&[(x, y), (x + LINE, y)], *colour, 1.5, None);
            canvas.text((x + LINE + 4.0, y), name, Face::Plain.style().start());
            x += LINE + 4.0 + Face::Plain.width(name) + GAP;
        }
    }
}

impl Panel {
    fn draw(&self, canvas: &mut Canvas, frame: Frame) {
        let points = || self.curves.iter().flat_map(|curve| &curve.points);
        let last = points().map(|point| point.0).fold(1.0, f64::max);
        let (low, high) = extent(points().map(|point| point.1), (0.0, 0.0));
        let margin = 0.04 * (high - low).max(1e-6 * high.abs()).max(1e-9);
        let step = even_step((0.0, last), 6.0).max(1.0);
        let x = Axis::linear((0.0, last), 6.0, |step| thousands(step.round() as usize)).step(step);
        let y = if self.share {
            Axis::shares((0.0, 1.0), 4.0).step(0.25)
        } else {
            Axis::linear((low - margin, high + margin), 5.0, plain)
        };
        let x = Axis { title: "step", gap: 20.0, ..x };
        let y = Axis { title: self.title, gap: 33.0, ..y };
        let panel = canvas.panel(frame, &x, &y);
        canvas.axes(&panel);
        canvas.outline(panel.frame, GREY, 0.4);
        for curve in &self.curves {
            let points: Vec<(f64, f64)> =
                curve.points.iter().map(|&(x, y)| (panel.x(x), panel.y(y))).collect();
            canvas.curve(&points, curve.colour, curve.width, None);
        }
    }
}

/// A number of an axis, without a negative zero.
fn plain(value: f64) -> String {
    let size = value.abs();
    let text = if size >= 1e4 || (size > 0.0 && size < 1e-3) {
        format!("{value:.0e}")
    } else {
        let rounded = (value * 1e4).round() / 1e4;
        if rounded == 0.0 { "0".into() } else { rounded.to_string() }
    };
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_an_axis() {
        assert_eq!([-0.0, 2.5, -30.0, 0.000_01, 25_000.0].map(plain), ["0", "2.5", "−30", "1e−5", "2e4"]);
    }
}
