//! A figure as a heading and bands below it. Bands that are too many for a page go on in another figure.

use super::super::canvas::{Canvas, TEXT_WIDTH};
use super::scale::Scale;
use super::text::Face;
use crate::Figure;

/// No figure is much higher, in points, so that a page has room for its caption.
const MOST: f64 = 620.0;
/// Things that the alternative text tells of one by one.
const TOLD: usize = 8;
/// Points between the things of a heading.
const GAP: f64 = 9.0;

/// What stands above everything else: what the figure shows, what has to be known to read it, and its colour scales.
#[derive(Default)]
pub(super) struct Heading {
    pub(super) title: String,
    pub(super) note: String,
    pub(super) scales: Vec<Scale>,
}

/// A part of a figure that stays whole, as wide as the text.
pub(super) struct Band {
    pub(super) height: f64,
    /// What the alternative text says of it.
    pub(super) told: Vec<String>,
    pub(super) draw: Draw,
}

/// Draws a band from this height downwards.
type Draw = Box<dyn FnOnce(&mut Canvas, f64)>;

/// A figure in parts.
pub(super) struct Sheet {
    pub(super) name: String,
    /// What the alternative text begins with, without a full stop.
    pub(super) alt: String,
    pub(super) heading: Heading,
    pub(super) bands: Vec<Band>,
}

impl Sheet {
    /// The figure; more than one, with numbers from the second on, where a page would be too short.
    pub(super) fn figures(self) -> Vec<Figure> {
        let (top, draw_heading) = self.heading.fitted();
        let heights: Vec<f64> = self.bands.iter().map(|band| band.height).collect();
        let mut bands = self.bands.into_iter();
        let mut figures = Vec::new();
        for (part, count) in parts(&heights, MOST - top).into_iter().enumerate() {
            let bands: Vec<Band> = bands.by_ref().take(count).collect();
            let height: f64 = bands.iter().map(|band| band.height).sum();
            let mut canvas = Canvas::new(TEXT_WIDTH, top + height);
            draw_heading(&mut canvas);
            let (mut y, mut told) = (top, Vec::new());
            for band in bands {
                (band.draw)(&mut canvas, y);
                told.extend(band.told);
                y += band.height;
            }
            let name = if part == 0 { self.name.clone() } else { format!("{}_{}", self.name, part + 1) };
            figures.push(Figure::new(name, canvas.finish(), described(&self.alt, &told)));
        }
        figures
    }
}

fn described(alt: &str, told: &[String]) -> String {
    let others = if told.len() > TOLD { "; and others" } else { "" };
    match told {
        [] => format!("{alt}."),
        _ => format!("{alt}: {}{others}.", told[..told.len().min(TOLD)].join("; ")),
    }
}

/// How many bands of these heights go to each of as few parts as there are where none is to be higher than this, and these
/// about equally high.
fn parts(heights: &[f64], most: f64) -> Vec<usize> {
    let filled = |most: f64| {
        let mut parts: Vec<usize> = Vec::new();
        let mut height = 0.0;
        for band in heights {
            height += band;
            match parts.last_mut() {
                Some(count) if height <= most => *count += 1,
                _ => {
                    parts.push(1);
                    height = *band;
                }
            }
        }
        parts
    };
    let fewest = filled(most).len();
    let steps = (0..=20).map(|step| most * f64::from(step) / 20.0);
    steps.map(filled).find(|parts| parts.len() == fewest).unwrap_or_default()
}

impl Heading {
    /// How high the heading is in lines, and what draws it.
    fn fitted(self) -> (f64, impl Fn(&mut Canvas)) {
        const FIRST: f64 = 6.0;
        let Heading { title, note, scales } = self;
        let right = TEXT_WIDTH - scales.iter().map(|scale| GAP + scale.width()).sum::<f64>();
        let title = Face::Bold.one(&title, right, 2);
        let below = Face::Bold.height(&title);
        let beside = Face::Bold.width(&title) + GAP;
        let fits = title.lines().count() == 1 && Face::Plain.width(&note) <= right - beside;
        let (note_at, room) =
            if fits { ((beside, FIRST), right - beside) } else { ((0.0, FIRST + below), TEXT_WIDTH) };
        let note = Face::Plain.one(&note, room, 2);
        let lines = below + if fits { 0.0 } else { Face::Plain.height(&note) };
        let draw = move |canvas: &mut Canvas| {
            Face::Bold.write(canvas, (0.0, FIRST), &title, Face::Bold.style().start());
            Face::Plain.write(canvas, note_at, &note, Face::Plain.style().start());
            let mut x = right + GAP;
            for scale in &scales {
                scale.draw(canvas, (x, FIRST));
                x += scale.width() + GAP;
            }
        };
        (if lines > 0.0 { lines + FIRST } else { 1.0 }, draw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_a_page_goes_on_in_parts_that_are_about_equally_high() {
        assert_eq!(parts(&[10.0; 6], 60.0), [6]);
        assert_eq!(parts(&[10.0; 7], 60.0), [4, 3]);
        assert_eq!(parts(&[10.0, 50.0, 10.0, 50.0], 60.0), [2, 2]);
        assert_eq!(parts(&[90.0, 10.0], 60.0), [1, 1]);
        assert_eq!(parts(&[], 60.0), [0; 0]);
    }

    #[test]
    fn the_alternative_text_tells_of_a_few_things_one_by_one() {
        let told: Vec<String> = (0..9).map(|i| format!("{i}")).collect();
        assert_eq!(described("Digits", &told[..0]), "Digits.");
        assert_eq!(described("Digits", &told[..2]), "Digits: 0; 1.");
        assert_eq!(described("Digits", &told), "Digits: 0; 1; 2; 3; 4; 5; 6; 7; and others.");
    }
}
