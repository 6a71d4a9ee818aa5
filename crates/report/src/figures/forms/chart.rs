//! Charts: panels that share axes, and what is drawn in them in the values of these axes.

use super::super::axis::Axis;
use super::super::canvas::{Canvas, Frame, Panel, Style, TEXT_WIDTH};
use super::super::colour::{GREY, Rgb};
use super::super::raster::{Raster, Stamp};
use super::key::{Key, square};
use super::mark::{level, mark, mark_radius, upright};

/// Room for the labels and the title of an axis at the left.
pub(crate) const LEFT: f64 = 44.0;
const RIGHT: f64 = 6.0;

/// Where the panels of a figure lie: a block for each of several things, side by side and then below each other, and in each
/// block panels one below the other over one axis.
pub(crate) struct Panels {
    /// Points above all of them.
    pub(crate) top: f64,
    /// Blocks side by side.
    pub(crate) columns: usize,
    /// Heights of the panels of a block.
    pub(crate) heights: &'static [f64],
    /// Whether panels side by side have one axis upwards, which stands at the first.
    pub(crate) shared: bool,
}

impl Panels {
    const TITLE: f64 = 17.0;
    const BETWEEN: f64 = 8.0;
    /// What the labels and the title of the axis below a block take.
    const BELOW: f64 = 32.0;
    const WIDEST: f64 = 200.0;

    fn gap(&self) -> f64 {
        if self.shared { 9.0 } else { 42.0 }
    }

    /// The width of a panel.
    pub(crate) fn width(&self) -> f64 {
        let gaps = self.gap() * (self.columns as f64 - 1.0);
        ((TEXT_WIDTH - LEFT - RIGHT - gaps) / self.columns as f64).min(Panels::WIDEST)
    }

    fn frame(&self, block: usize, part: usize) -> Frame {
        let (row, column) = ((block / self.columns) as f64, (block % self.columns) as f64);
        let high = |parts: &[f64]| parts.iter().map(|height| height + Panels::BETWEEN).sum::<f64>();
        let (x, width) = (LEFT + (self.width() + self.gap()) * column, self.width());
        let of_block = Panels::TITLE + high(self.heights) - Panels::BETWEEN + Panels::BELOW;
        let y = self.top + of_block * row + Panels::TITLE + high(&self.heights[..part]);
        Frame { x, y, width, height: self.heights[part] }
    }

    /// Writes what a block is above it.
    pub(crate) fn heading(&self, canvas: &mut Canvas, block: usize, text: &str, colour: Rgb) {
        let frame = self.frame(block, 0);
        canvas.text((frame.centre().0, frame.y - 7.0), text, Style::new(8).bold().colour(colour));
    }

    /// Draws the axes of a panel of a block, those that no other panel has for it.
    pub(crate) fn chart<'c>(
        &self,
        canvas: &'c mut Canvas,
        (block, part): (usize, usize),
        x: &Axis,
        y: &Axis,
    ) -> Chart<'c> {
        let (no_x, no_y) = (x.silent(), y.silent());
        let x = if part + 1 == self.heights.len() { x } else { &no_x };
        let y = if self.shared && block % self.columns > 0 { &no_y } else { y };
        Chart::new(canvas, self.frame(block, part), x, y)
    }
}

/// How a line looks.
#[derive(Clone, Copy)]
pub(crate) struct Stroke(pub(crate) Rgb, pub(crate) f64, pub(crate) Option<&'static str>);

/// A panel with its axes, in whose values it is drawn. What lies beyond them is drawn at the edge: zero on a logarithmic axis
/// below, what is no number above.
pub(crate) struct Chart<'c> {
    pub(crate) canvas: &'c mut Canvas,
    pub(crate) frame: Frame,
    panel: Panel,
    ranges: [(f64, f64); 2],
}

impl<'c> Chart<'c> {
    /// Draws axes about a frame.
    pub(crate) fn new(canvas: &'c mut Canvas, frame: Frame, x: &Axis, y: &Axis) -> Chart<'c> {
        let mut chart = Chart::bare(canvas, frame, x, y);
        chart.axes();
        chart
    }

    /// A panel with an edge alone, whose axes others have.
    pub(crate) fn bare(canvas: &'c mut Canvas, frame: Frame, x: &Axis, y: &Axis) -> Chart<'c> {
        let panel = canvas.panel(frame, x, y);
        canvas.outline(frame, GREY, 0.4);
        Chart { canvas, frame, panel, ranges: [x.range, y.range] }
    }

    pub(crate) fn axes(&mut self) {
        self.canvas.axes(&self.panel);
    }

    /// The width of a panel beside which this key stands.
    pub(crate) fn room(key: &Key) -> f64 {
        TEXT_WIDTH - LEFT - Chart::GAP - key.extent().0
    }

    const GAP: f64 = 12.0;

    /// A panel as wide as a key at its right leaves room, with that key.
    pub(crate) fn beside(canvas: &'c mut Canvas, key: &Key, height: f64, axes: (&Axis, &Axis)) -> Chart<'c> {
        const TOP: f64 = 6.0;
        let width = Chart::room(key);
        key.draw(canvas, (LEFT + width + Chart::GAP, TOP));
        Chart::new(canvas, Frame { x: LEFT, y: TOP, width, height }, axes.0, axes.1)
    }

    pub(crate) fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.x(x), self.y(y))
    }

    fn x(&self, value: f64) -> f64 {
        self.panel.x(within(value, self.ranges[0]))
    }

    fn y(&self, value: f64) -> f64 {
        self.panel.y(within(value, self.ranges[1]))
    }

    /// A curve through points, or a dot where there is one alone.
    pub(crate) fn curve(
        &mut self,
        points: impl IntoIterator<Item = (f64, f64)>,
        Stroke(colour, width, dash): Stroke,
    ) {
        let points = thin(points.into_iter().map(|point| self.at(point)), 0.5);
        self.canvas.curve(&points, colour, width, dash);
    }

    pub(crate) fn marks(
        &mut self,
        points: impl IntoIterator<Item = (f64, f64)>,
        (shape, radius): (usize, f64),
        colour: Rgb,
    ) {
        for point in points {
            let at = self.at(point);
            mark(self.canvas, at, shape, radius, colour);
        }
    }

    /// A curve of what was found after each of so many epochs, with marks where there is room for them.
    pub(crate) fn after_epochs(&mut self, points: &[(f64, f64)], stroke: Stroke, shape: usize, epochs: f64) {
        self.curve(points.iter().copied(), stroke);
        if let Some(radius) = mark_radius(self.frame.width / epochs) {
            self.marks(points.iter().copied(), (shape, radius), stroke.0);
        }
    }

    /// A bar from the lower edge to a value, about a place across.
    pub(crate) fn bar(&mut self, x: f64, half: f64, value: f64, colour: Rgb) {
        let ((left, top), right) = (self.at((x - half, value)), self.x(x + half));
        let height = self.frame.bottom() - top;
        self.canvas.fill(Frame { x: left, y: top, width: right - left, height }, colour);
    }

    /// A small square at a point, as at the end of a curve.
    pub(crate) fn end(&mut self, point: (f64, f64), half: f64, colour: Rgb) {
        let frame = square(self.at(point), half);
        self.canvas.fill(frame, colour);
    }

    /// A level line from edge to edge.
    pub(crate) fn across(&mut self, value: f64, Stroke(colour, width, dash): Stroke) {
        let y = self.y(value);
        self.canvas.line(&[(self.frame.x, y), (self.frame.right(), y)], colour, width, dash);
    }

    /// An upright line from edge to edge.
    pub(crate) fn down(&mut self, value: f64, Stroke(colour, width, dash): Stroke) {
        let x = self.x(value);
        self.canvas.line(&[(x, self.frame.y), (x, self.frame.bottom())], colour, width, dash);
    }

    /// A band along a curve, from points of (x, low, high), through which other bands are seen.
    pub(crate) fn band(&mut self, points: &[(f64, f64, f64)], colour: Rgb, opacity: f64) {
        let lower = points.iter().map(|&(x, low, _)| self.at((x, low)));
        let upper = points.iter().rev().map(|&(x, _, high)| self.at((x, high)));
        let edge: Vec<(f64, f64)> = lower.chain(upper).collect();
        if points.len() > 1 {
            self.canvas.area(&edge, colour, opacity);
        }
    }

    /// A band of values upwards, from edge to edge.
    pub(crate) fn level_band(&mut self, (low, high): (f64, f64), colour: Rgb) {
        let (top, bottom) = (self.y(high), self.y(low));
        let inside = self.frame.inset(0.3);
        self.canvas.fill(Frame { y: top, height: bottom - top, ..inside }, colour);
    }

    /// A band of values across, from edge to edge.
    pub(crate) fn upright_band(&mut self, (low, high): (f64, f64), colour: Rgb) {
        let (left, right) = (self.x(low), self.x(high));
        let inside = self.frame.inset(0.3);
        self.canvas.fill(Frame { x: left, width: right - left, ..inside }, colour);
    }

    /// An interval of values upwards at a place from the left of the canvas.
    pub(crate) fn interval(&mut self, x: f64, (low, high): (f64, f64), colour: Rgb) {
        upright(self.canvas, x, (self.y(low), self.y(high)), colour);
    }

    /// An interval of values across at a height from the top of the canvas.
    pub(crate) fn level_interval(&mut self, y: f64, (low, high): (f64, f64), colour: Rgb) {
        level(self.canvas, y, (self.x(low), self.x(high)), colour);
    }

    /// A crowd of points, each with the number of its stamp, in the order in which they are painted.
    pub(crate) fn cloud<'p>(
        &mut self,
        points: impl Iterator<Item = (&'p [f64; 2], usize)>,
        stamps: &[(Stamp, Rgb)],
    ) {
        let frame = self.frame;
        let mut cloud = Raster::cloud(frame.width, frame.height);
        for (&[x, y], stamp) in points {
            let (x, y) = self.at((x, y));
            let (stamp, colour) = &stamps[stamp];
            cloud.stamp(((x - frame.x) / frame.width, (y - frame.y) / frame.height), stamp, *colour);
        }
        self.canvas.image(frame, &cloud);
        self.canvas.outline(frame, GREY, 0.5);
    }
}

fn within(value: f64, (low, high): (f64, f64)) -> f64 {
    if value.is_nan() { high } else { value.max(low).min(high) }
}

/// Leaves out points that a reader could not tell apart: of those within a step across, the first, lowest, highest
/// and last stay.
fn thin(points: impl Iterator<Item = (f64, f64)>, step: f64) -> Vec<(f64, f64)> {
    let points: Vec<(f64, f64)> = points.collect();
    let bins = points.chunk_by(|a, b| (a.0 / step).floor() == (b.0 / step).floor());
    let kept = bins.flat_map(|bin| {
        let by_height = |a: &usize, b: &usize| bin[*a].1.total_cmp(&bin[*b].1);
        let lowest = (0..bin.len()).min_by(by_height);
        let highest = (0..bin.len()).max_by(by_height);
        let mut places = [Some(0), lowest, highest, Some(bin.len() - 1)];
        places.sort_unstable();
        let mut places: Vec<usize> = places.into_iter().flatten().collect();
        places.dedup();
        places.into_iter().map(|place| bin[place])
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_points_within_a_step_four_stay() {
        let points = (0..100).map(|i| (f64::from(i) / 100.0, f64::from((i * 37 + 50) % 100)));
        let kept = thin(points, 2.0);
        assert_eq!(kept.len(), 4);
        for height in [0.0, 99.0] {
            assert!(kept.iter().any(|point| point.1 == height), "{kept:?}");
        }
        assert!(kept[0].0 == 0.0 && kept[3].0 == 0.99, "{kept:?}");
        assert_eq!(thin([(0.0, 1.0), (5.0, 2.0)].into_iter(), 2.0).len(), 2);
    }
}
