//! The way to a dream: the logit and the probability over the steps, and pictures on the way.

use super::super::canvas::{Axis, Canvas, Frame, Panel, Style, TEXT_WIDTH, text_width};
use super::super::colour::{self, CURVES, GREY, Rgb};
use super::super::networks::{even_step, fitted};
use super::super::{list, percent, thousands};
use super::picture::{colours, number, probability};
use super::strip::{Cell, Row, Strip};
use super::{Words, class_of};
use crate::{DreamResults, Figure, InsideResults};

/// Pictures of the way in a row.
const FRAMES: usize = 10;
/// Dreams of a single look whose way is shown in pictures.
const SHOWN: usize = 5;

/// A curve: its values after the steps of its run.
struct Curve<'a> {
    run: &'a DreamResults,
    values: &'a [f32],
    picture: usize,
    colour: Rgb,
    width: f64,
}

/// A dream whose way is shown in pictures.
struct Shown<'a> {
    run: &'a DreamResults,
    picture: usize,
    label: String,
}

/// The ways of the two classes' dreams: the first of each strong, the others pale.
pub(super) fn of_study(inside: &InsideResults, words: &Words) -> Option<Figure> {
    let runs: Vec<(String, &DreamResults, Rgb)> = inside
        .classes
        .iter()
        .filter_map(|&class| {
            let colour = colour::readable(colour::class(class.into()));
            Some((words.class(class.into()), inside.seeds(class)?, colour))
        })
        .collect();
    let curves = |of: usize| -> Vec<Curve> {
        let with_ways =
            runs.iter().filter_map(|(_, run, colour)| Some((*run, &run.path_class.as_ref()?[of], *colour)));
        let mut curves: Vec<Curve> = with_ways
            .flat_map(|(run, values, colour)| {
                (0..run.outcome.pictures.len()).map(move |picture| {
                    let colour = if picture == 0 { colour } else { colour::pale(colour) };
                    Curve { run, values, picture, colour, width: if picture == 0 { 1.5 } else { 0.6 } }
                })
            })
            .collect();
        curves.sort_by_key(|curve| curve.picture == 0);
        curves
    };
    let shown: Vec<Shown> =
        runs.iter().map(|(label, run, _)| Shown { run, picture: 0, label: label.clone() }).collect();
    let key: Vec<(String, Rgb)> = runs.iter().map(|(label, _, colour)| (label.clone(), *colour)).collect();
    let figure =
        figure(&[("logit", false, curves(0)), ("probability", true, curves(1))], ("", &key), &shown)?;
    let several = runs.iter().any(|(_, run, _)| run.outcome.pictures.len() > 1);
    let alt = format!(
        "Logit and probability of the class over the steps of the dreams{}, and pictures on the way: {}.",
        if several { ", the first of each class strong and the others pale" } else { "" },
        ends(&shown),
    );
    Some(Figure::new(words.file("path", 0), figure.finish(), alt))
}

/// The ways of a single run's dreams.
pub(super) fn of_run(run: &DreamResults, words: &Words) -> Option<Figure> {
    let count = run.outcome.pictures.len();
    let colour = |picture: usize| if count <= CURVES.len() { CURVES[picture].0 } else { CURVES[0].0 };
    let curves = |values: &'static str| -> Vec<Curve> {
        let values = match (values, &run.path_class) {
            ("objective", _) => &run.path_objective,
            (_, Some([_, probability])) => probability,
            (_, None) => return Vec::new(),
        };
        let curve = |picture| Curve {
            run,
            values,
            picture,
            colour: colour(picture),
            width: if count > 5 { 0.7 } else { 1.2 },
        };
        (0..count).map(curve).collect()
    };
    let objective = |picture: usize| words.objective(&run.spec.pictures[picture].objective);
    // Dreams that raise the same are told apart by their numbers.
    let alike = (1..count).all(|picture| objective(picture) == objective(0));
    let label = |picture: usize| {
        if alike { format!("dream {}", picture + 1) } else { objective(picture) }
    };
    let title = if alike { objective(0) } else { String::new() };
    let shown: Vec<Shown> =
        (0..count.min(SHOWN)).map(|picture| Shown { run, picture, label: label(picture) }).collect();
    let key: Vec<(String, Rgb)> = if (2..=CURVES.len()).contains(&count) {
        (0..count).map(|picture| (label(picture), colour(picture))).collect()
    } else {
        Vec::new()
    };
    let mut panels = vec![("objective", false, curves("objective"))];
    if run.path_class.is_some() {
        panels.push(("probability", true, curves("probability")));
    }
    let figure = figure(&panels, (&title, &key), &shown)?;
    let alt = format!(
        "{}{} over the steps of {}, and pictures on the way: {}.",
        if title.is_empty() { String::new() } else { format!("{title}: ") },
        if run.path_class.is_some() { "Objective and probability" } else { "Objective" },
        if count == 1 { "a dream".to_owned() } else { format!("{count} dreams") },
        ends(&shown),
    );
    Some(Figure::new(words.file("dream_path", 0), figure.finish(), alt))
}

/// Where the ways of some dreams begin and end.
fn ends(shown: &[Shown]) -> String {
    let ends: Vec<String> = shown
        .iter()
        .map(|Shown { run, picture, label }| {
            let found = &run.outcome.pictures[*picture];
            let ends = match (found.before.probability, found.after.probability) {
                (Some(before), Some(after)) if class_of(run, *picture).is_some() => {
                    format!("from {} to {}", probability(before), probability(after))
                }
                _ => format!("from {} to {}", number(found.before.objective), number(found.after.objective)),
            };
            format!("{label} {ends}")
        })
        .collect();
    list(&ends)
}

/// Panels side by side, each with what it shows, whether that is a share, and its curves, under a title and a key; below
/// them the pictures on the way. `None` where there is neither.
fn figure(
    panels: &[(&str, bool, Vec<Curve>)],
    (title, key): (&str, &[(String, Rgb)]),
    shown: &[Shown],
) -> Option<Canvas> {
    let panels: Vec<_> = panels.iter().filter(|(_, _, curves)| !curves.is_empty()).collect();
    if panels.is_empty() && shown.is_empty() {
        return None;
    }
    let strip = frames(shown);
    let (top, height) = (18.0, 84.0);
    let above = if panels.is_empty() { 0.0 } else { top + height + 27.0 };
    let below = strip.as_ref().map_or(0.0, Strip::height);
    let mut canvas = Canvas::new(TEXT_WIDTH, above + below);
    if !panels.is_empty() {
        let each = TEXT_WIDTH / panels.len() as f64;
        for (i, (of, share, curves)) in panels.iter().enumerate() {
            let x = each * i as f64 + 42.0;
            let frame = Frame { x, y: top, width: each - 42.0 - 12.0, height };
            draw_panel(&mut canvas, frame, (of, *share), curves);
        }
        let title = fitted(title, 8.5, 150.0);
        if !title.is_empty() {
            canvas.text((42.0, 7.0), &title, Style::new(8).bold().start());
        }
        let mut x = 42.0 + if title.is_empty() { 0.0 } else { 1.06 * text_width(&title, 8.0) + 14.0 };
        let room = (TEXT_WIDTH - x) / key.len().max(1) as f64;
        for (label, colour) in key {
            let label = fitted(label, 7.0, room - 34.0);
            canvas.line(&[(x, 7.0), (x + 16.0, 7.0)], *colour, 1.5, None);
            canvas.text((x + 20.0, 7.0), &label, Style::new(7).start());
            x += 34.0 + text_width(&label, 7.0);
        }
    }
    if let Some(strip) = strip {
        strip.put(&mut canvas, above);
    }
    Some(canvas)
}

fn draw_panel(canvas: &mut Canvas, frame: Frame, (title, share): (&str, bool), curves: &[Curve]) {
    let values = || curves.iter().flat_map(|curve| curve.run.path(curve.values, curve.picture));
    let (low, high) = values().fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
    let range = if share {
        (0.0, 1.0)
    } else {
        let margin = 0.04 * (high - low).max(1e-6 * high.abs()).max(1e-9);
        (low - margin, high + margin)
    };
    let last = curves.iter().filter_map(|curve| curve.run.path_steps.last()).max().map_or(1, |&last| last);
    let steps = (0.0, f64::from(last.max(1)));
    let x = Axis {
        range: steps,
        log: false,
        step: Some(even_step(steps, 6.0).max(1.0)),
        format: |step| thousands(step.round() as usize),
        title: "step",
        gap: 20.0,
    };
    let y = Axis {
        range,
        log: false,
        step: Some(if share { 0.25 } else { even_step(range, 5.0) }),
        format: if share { |v| percent(v, 0) } else { plain },
        title,
        gap: 33.0,
    };
    let panel = canvas.panel(frame, &x, &y);
    canvas.axes(&panel);
    canvas.outline(panel.frame, GREY, 0.4);
    for curve in curves {
        let points = points(curve, &panel);
        canvas.curve(&points, curve.colour, curve.width, None);
    }
}

fn points(curve: &Curve, panel: &Panel) -> Vec<(f64, f64)> {
    let values = curve.run.path(curve.values, curve.picture);
    curve.run.path_steps.iter().zip(values).map(|(&step, v)| (panel.x(f64::from(step)), panel.y(v))).collect()
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

/// The pictures on the way, a row for each dream; `None` where no run kept more than one.
fn frames(shown: &[Shown]) -> Option<Strip> {
    let first = shown.first()?;
    let steps = &first.run.frame_steps;
    let places = evenly(steps.len(), FRAMES);
    if places.len() < 2 {
        return None;
    }
    let [height, width, channels] = first.run.pictures.size;
    let alike = shown.iter().filter(|shown| {
        shown.run.frame_steps == *steps && shown.run.pictures.size == first.run.pictures.size
    });
    let rows = alike.map(|Shown { run, picture, label }| Row {
        label: label.clone(),
        cells: places
            .iter()
            .map(|&place| {
                Some(Cell { pixels: colours(run.frame(place, *picture), channels), lines: Vec::new() })
            })
            .collect(),
    });
    Some(Strip {
        size: [height, width],
        columns: places
            .iter()
            .map(|&place| vec![format!("step {}", thousands(steps[place] as usize))])
            .collect(),
        rows: rows.collect(),
        lines: Vec::new(),
        widest: 60.0,
    })
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

    #[test]
    fn numbers_of_an_axis() {
        assert_eq!([-0.0, 2.5, -30.0, 0.000_01, 25_000.0].map(plain), ["0", "2.5", "−30", "1e−5", "2e4"]);
    }
}
