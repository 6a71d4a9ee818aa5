//! The way to a dream: the logit and the probability over the steps, and pictures on the way.

use super::super::colour::{self, CURVES, Rgb};
use super::super::{number, probability, thousands};
use super::chart::{Chart, Curve, Panel};
use super::picture::Picture;
use super::sheet::{Heading, Sheet};
use super::strip::{Cell, Row, Strip};
use super::words::Words;
use super::{Draw, Spec, figure};
use crate::{DreamResults, Figure, InsideResults};

pub(super) const FIGURES: &[Spec] = &[figure("inside_path", Draw::Study(of_study))];

/// Pictures of the way in a row.
const FRAMES: usize = 10;
/// Dreams of a single look whose way is shown in pictures.
const SHOWN: usize = 5;

/// The ways of the two classes' dreams: the first of each strong, the others pale.
fn of_study(inside: &InsideResults, words: &Words) -> Vec<Figure> {
    let runs: Vec<(String, &DreamResults, Rgb)> = inside
        .classes
        .iter()
        .filter_map(|&class| {
            let colour = colour::readable(colour::class(class.into()));
            Some((words.class(class.into()), inside.seeds(class)?, colour))
        })
        .collect();
    let curves = |of: usize| {
        let mut curves = Vec::new();
        // Those that are strong lie on all others.
        for strong in [false, true] {
            for (_, run, colour) in &runs {
                let Some(ways) = &run.path_class else { continue };
                let pictures = (0..run.outcome.pictures.len()).filter(|&picture| (picture == 0) == strong);
                let (colour, width) = if strong { (*colour, 1.5) } else { (colour::pale(*colour), 0.6) };
                curves.extend(pictures.map(|picture| curve(run, &ways[of], picture, colour, width)));
            }
        }
        curves
    };
    let chart = Chart {
        panels: vec![
            Panel { title: "logit", share: false, curves: curves(0) },
            Panel { title: "probability", share: true, curves: curves(1) },
        ],
        key: runs.iter().map(|(label, _, colour)| (label.clone(), *colour)).collect(),
    };
    let several = runs.iter().any(|(_, run, _)| run.outcome.pictures.len() > 1);
    let alt = format!(
        "Logit and probability of the class over the steps of the dreams{}, and pictures on the way",
        if several { ", the first of each class strong and the others pale" } else { "" },
    );
    let shown: Vec<Shown> =
        runs.into_iter().map(|(label, run, _)| Shown { run, picture: 0, label }).collect();
    figures(words.file("path"), alt, String::new(), chart, &shown)
}

/// The ways of a single run's dreams.
pub(super) fn of_run(run: &DreamResults, words: &Words) -> Vec<Figure> {
    let count = run.outcome.pictures.len();
    let colour = |picture: usize| if count <= CURVES.len() { CURVES[picture].0 } else { CURVES[0].0 };
    let curves = |values: &[f32]| {
        let width = if count > SHOWN { 0.7 } else { 1.2 };
        (0..count).map(|picture| curve(run, values, picture, colour(picture), width)).collect()
    };
    let objective = |picture: usize| words.objective(&run.spec.pictures[picture].objective);
    // Dreams that raise the same are told apart by their numbers.
    let alike = (1..count).all(|picture| objective(picture) == objective(0));
    let label = |picture: usize| if alike { format!("dream {}", picture + 1) } else { objective(picture) };
    let mut panels = vec![Panel { title: "objective", share: false, curves: curves(&run.path_objective) }];
    if let Some([_, probability]) = &run.path_class {
        panels.push(Panel { title: "probability", share: true, curves: curves(probability) });
    }
    let keyed = (2..=CURVES.len()).contains(&count);
    let chart = Chart {
        key: (0..if keyed { count } else { 0 }).map(|picture| (label(picture), colour(picture))).collect(),
        panels,
    };
    let title = if alike { objective(0) } else { String::new() };
    let alt = format!(
        "{}{} over the steps of {}, and pictures on the way",
        if alike { format!("{title}: ") } else { String::new() },
        if run.path_class.is_some() { "Objective and probability" } else { "Objective" },
        if count == 1 { "a dream".to_owned() } else { format!("{count} dreams") },
    );
    let shown: Vec<Shown> =
        (0..count.min(SHOWN)).map(|picture| Shown { run, picture, label: label(picture) }).collect();
    figures(words.file("dream_path"), alt, title, chart, &shown)
}

fn curve(run: &DreamResults, values: &[f32], picture: usize, colour: Rgb, width: f64) -> Curve {
    let steps = run.path_steps.iter().map(|&step| f64::from(step));
    Curve { points: steps.zip(run.path(values, picture)).collect(), colour, width }
}

/// A dream whose way is shown in pictures.
struct Shown<'a> {
    run: &'a DreamResults,
    picture: usize,
    label: String,
}

impl Shown<'_> {
    /// The dream's way in pictures after these frames.
    fn row(&self, frames: &[usize]) -> Row {
        let found = &self.run.outcome.pictures[self.picture];
        let ends = match (found.before.probability, found.after.probability) {
            (Some(before), Some(after)) if self.run.class_of(self.picture).is_some() => {
                [before, after].map(probability)
            }
            _ => [found.before.objective, found.after.objective].map(number),
        };
        let frame = |&place: &usize| Cell {
            head: format!("step {}", thousands(self.run.frame_steps[place] as usize)),
            ..Picture::of(self.run.frame(place, self.picture), self.run.pictures.size).into()
        };
        Row {
            cells: frames.iter().map(frame).collect(),
            told: format!("{} from {}", self.label, ends.join(" to ")),
            label: self.label.clone(),
        }
    }
}

/// A chart, and below it the pictures on the way, a row for each dream; no pictures where the first run kept one alone.
fn figures(name: String, alt: String, title: String, chart: Chart, shown: &[Shown]) -> Vec<Figure> {
    let Some(first) = shown.first() else { return Vec::new() };
    let steps = &first.run.frame_steps;
    let places = evenly(steps.len(), FRAMES);
    let alike = |shown: &&Shown| {
        shown.run.frame_steps == *steps && shown.run.pictures.size == first.run.pictures.size
    };
    let rows = shown.iter().filter(|_| places.len() > 1).filter(alike).map(|shown| shown.row(&places));
    let strip = Strip { rows: rows.collect(), most: 60.0, ..Strip::default() };
    let heading = Heading { title, ..Heading::default() };
    let bands = chart.band().into_iter().chain(strip.bands()).collect();
    Sheet { name, alt, heading, bands }.figures()
}

/// At most so many places of a list, evenly apart, the first and the last among them.
fn evenly(count: usize, most: usize) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    (0..most).map(|i| i * (count - 1) / (most - 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_even_and_hold_both_ends() {
        assert_eq!(evenly(3, 10), [0, 1, 2]);
        assert_eq!(evenly(21, 5), [0, 5, 10, 15, 20]);
        assert_eq!(evenly(0, 5), [0; 0]);
    }
}
