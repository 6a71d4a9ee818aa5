//! Colour bars: what the colours of a map mean.

use super::super::canvas::{Canvas, Frame, Style};
use super::super::colour::{INK, Rgb};

impl Canvas {
    /// Draws a bar with a colour map, its smallest value at the left or at the bottom, and labels at positions from
    /// 0 to 1 below it or to its right.
    pub(crate) fn colour_bar(&mut self, frame: Frame, map: impl Fn(f64) -> Rgb, labels: &[(f64, String)]) {
        const SLICES: u32 = 64;
        let upright = frame.height > frame.width;
        for slice in 0..SLICES {
            let (from, to) = (f64::from(slice) / f64::from(SLICES), f64::from(slice + 1) / f64::from(SLICES));
            let colour = map((from + to) / 2.0);
            // Slices reach under their successors, so that no viewer shows seams between them.
            let place = if upright {
                let height = frame.height * (1.0 - from);
                Frame { height, ..frame }
            } else {
                Frame { x: frame.x + frame.width * from, width: frame.width * (1.0 - from), ..frame }
            };
            self.fill(place, colour);
        }
        self.outline(frame, INK, 0.5);
        for (position, label) in labels {
            let (at, tick, style) = if upright {
                let y = frame.bottom() - frame.height * position;
                (
                    (frame.right() + 4.5, y),
                    [(frame.right(), y), (frame.right() + 2.5, y)],
                    Style::new(7).start(),
                )
            } else {
                let x = frame.x + frame.width * position;
                ((x, frame.bottom() + 7.5), [(x, frame.bottom()), (x, frame.bottom() + 2.5)], Style::new(7))
            };
            self.line(&tick, INK, 0.5, None);
            self.text(at, label, style);
        }
    }
}
