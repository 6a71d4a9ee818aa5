//! How the two heads' gradients lie to each other on the shared layers over training.

use super::super::axis::{Axis, extent};
use super::super::canvas::Drawing;
use super::super::colour::{GREY, INK, pale};
use super::super::forms::Stroke;
use super::super::registry::{Draw, Spec};
use super::over_time::{Line, begin, longest, means, two};
use crate::{MultitaskResults, Network};

pub(super) const FIGURES: &[Spec] = &[Spec::new("multitask_gradients", Draw::Multitask(over_training))];

/// Means of a strong curve.
const MEANS: usize = 12;

/// (Epochs, value).
type Points = Vec<(f64, f64)>;

/// The cosine and the ratio of the norms for each λ with both heads trained; `None` where nothing was measured.
fn over_training(task: &MultitaskResults) -> Option<Drawing> {
    let (shown, mut canvas, top) = begin(task, |network| !network.cosines().is_empty(), None)?;
    let (panels, most) = (two(top, &[104.0]), longest(task));
    let curves =
        |of: fn(&Network) -> Points| -> Vec<Points> { shown.iter().map(|line| of(line.network)).collect() };
    let (cosines, ratios) = (curves(Network::cosines), curves(Network::norm_ratios));
    let values = |curves: &[Points], neutral: f64| {
        extent(curves.iter().flatten().map(|point| point.1).chain([neutral]), (neutral, neutral))
    };
    let (low, high) = values(&cosines, 0.0);
    let cosine = Axis::linear(((low - 0.08).max(-1.0), (high + 0.08).min(1.0)), 5.0, |cosine| {
        let text = format!("{:.1}", cosine.abs());
        if cosine < -1e-9 { format!("−{text}") } else { text }
    });
    let (low, high) = values(&ratios, 1.0);
    let ratio = Axis::positive(((low / 1.2).min(0.4), (high * 1.2).max(2.5)));
    let parts = [
        ("cosine of the angle between the gradients", cosine, cosines, 0.0),
        ("norm of the item gradient over the group’s", ratio, ratios, 1.0),
    ];
    for (i, (title, y, curves, neutral)) in parts.iter().enumerate() {
        panels.heading(&mut canvas, i, title, INK);
        let mut chart = panels.chart(&mut canvas, (i, 0), &Axis::epochs(most, 5.0), y);
        // Where the two tasks neither help nor hinder, or weigh the same.
        chart.across(*neutral, Stroke(GREY, 0.7, Some("1.5 1.5")));
        // Single measurements are pale, means strong.
        for (line, points) in shown.iter().zip(curves) {
            chart.curve(points.iter().copied(), Stroke(pale(line.colour), 0.6, line.dash));
        }
        for (line, points) in shown.iter().zip(curves) {
            chart.curve(means(points, MEANS), Stroke(line.colour, 1.4, line.dash));
        }
    }
    Some(canvas.described(alt(&shown)))
}

fn alt(shown: &[Line]) -> String {
    let found: Vec<String> = shown
        .iter()
        .filter_map(|line| {
            let found = line.network.gradients_found()?;
            let ratio =
                found.norm_ratio.map_or_else(String::new, |ratio| format!(", norms in the ratio {ratio:.2}"));
            let mean = format!("{:.2}", found.mean_cosine).replace('-', "−");
            Some(format!(
                "{}: mean cosine {mean}, below zero in {} of {} measurements{ratio}",
                line.name, found.negative, found.measurements
            ))
        })
        .collect();
    format!(
        "Over training, the cosine of the angle between the two heads’ gradients on the shared layers (left) and the ratio \
         of their norms, on a logarithmic axis (right): single measurements in pale, means in strong colour. {}.",
        found.join("; ")
    )
}
