//! How the two heads' gradients lie to each other on the shared layers over training.

use super::super::canvas::{Axis, Canvas, Frame, TEXT_WIDTH};
use super::super::colour::{GREY, INK, pale};
use super::super::networks::even_step;
use super::over_time::{Line, epochs, heading, key, lines, longest, means, panel};
use crate::{Figure, MultitaskResults};

const LEFT: f64 = 44.0;
const GAP: f64 = 42.0;
const TITLE: f64 = 13.0;
const HEIGHT: f64 = 104.0;
const BELOW: f64 = 30.0;
/// Means of a strong curve.
const MEANS: usize = 12;

/// (Epochs, value).
type Points = Vec<(f64, f64)>;

/// The cosine and the ratio of the norms for each λ with both heads trained; `None` where nothing was measured.
pub(super) fn over_training(task: &MultitaskResults) -> Option<Figure> {
    let lines = lines(task);
    let shown: Vec<&Line> = lines.iter().filter(|line| !line.network.cosines().is_empty()).collect();
    if shown.is_empty() {
        return None;
    }
    let key = key(&shown);
    let top = key.height() + 4.0 + TITLE;
    let mut canvas = Canvas::new(TEXT_WIDTH, top + HEIGHT + BELOW);
    key.draw(&mut canvas, (LEFT, 0.0));
    let width = (TEXT_WIDTH - LEFT - GAP - 6.0) / 2.0;
    let left = Frame { x: LEFT, y: top, width, height: HEIGHT };
    let right = Frame { x: LEFT + width + GAP, ..left };
    let most = longest(task);
    heading(&mut canvas, left, "cosine of the angle between the gradients", INK);
    heading(&mut canvas, right, "norm of the item gradient over the group’s", INK);
    let points = |of: &dyn Fn(&Line) -> Vec<(usize, f64)>| -> Vec<Vec<(f64, f64)>> {
        let of = |line: &&Line| {
            of(line).into_iter().map(|(step, value)| (epochs(line.network, step).min(most), value)).collect()
        };
        shown.iter().map(of).collect()
    };
    let cosines = points(&|line| line.network.cosines());
    let lowest = cosines.iter().flatten().map(|point| point.1).fold(0.0, f64::min);
    let highest = cosines.iter().flatten().map(|point| point.1).fold(0.0, f64::max);
    let range = ((lowest - 0.08).max(-1.0), (highest + 0.08).min(1.0));
    let y = Axis {
        range,
        log: false,
        step: Some(even_step(range, 5.0)),
        format: |cosine| {
            let text = format!("{:.1}", cosine.abs());
            if cosine < -1e-9 { format!("−{text}") } else { text }
        },
        title: "",
        gap: 33.0,
    };
    draw(&mut canvas, (left, most), &y, (&shown, &cosines), 0.0);
    let ratios = points(&|line| line.network.norm_ratios());
    let values = || ratios.iter().flatten().map(|point| point.1);
    let (low, high) = values().fold((1.0_f64, 1.0_f64), |(low, high), v| (low.min(v), high.max(v)));
    let range = ((low / 1.2).min(0.4), (high * 1.2).max(2.5));
    let y = Axis { range, log: true, step: None, format: ratio, title: "", gap: 33.0 };
    draw(&mut canvas, (right, most), &y, (&shown, &ratios), 1.0);
    Some(Figure::new("multitask_gradients", canvas.finish(), alt(&shown)))
}

/// Single measurements pale, means strong, and a line where the two tasks neither help nor hinder, or weigh the same.
fn draw(
    canvas: &mut Canvas,
    (frame, most): (Frame, f64),
    y: &Axis,
    (shown, curves): (&[&Line], &[Points]),
    neutral: f64,
) {
    let panel = panel(canvas, frame, most, y, true);
    let at = panel.y(neutral);
    canvas.line(&[(frame.x, at), (frame.right(), at)], GREY, 0.7, Some("1.5 1.5"));
    let place = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
        points.iter().map(|&(epoch, value)| (panel.x(epoch), panel.y(value))).collect()
    };
    for (line, points) in shown.iter().zip(curves) {
        canvas.curve(&place(points), pale(line.colour), 0.6, line.dash);
    }
    for (line, points) in shown.iter().zip(curves) {
        canvas.curve(&place(&means(points, MEANS)), line.colour, 1.4, line.dash);
    }
}

fn ratio(value: f64) -> String {
    let decimals = (-value.log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{value:.decimals$}")
}

fn alt(shown: &[&Line]) -> String {
    let found: Vec<String> = shown
        .iter()
        .filter_map(|line| {
            let found = line.network.gradients_found()?;
            let ratio =
                found.ratio.map_or_else(String::new, |ratio| format!(", norms in the ratio {ratio:.2}"));
            let mean = format!("{:.2}", found.mean).replace('-', "−");
            Some(format!(
                "{}: mean cosine {mean}, below zero in {} of {} measurements{ratio}",
                line.name, found.negative, found.count
            ))
        })
        .collect();
    format!(
        "Over training, the cosine of the angle between the two heads’ gradients on the shared layers (left) and the ratio \
         of their norms, on a logarithmic axis (right): single measurements pale, their means strong. {}.",
        found.join("; ")
    )
}
