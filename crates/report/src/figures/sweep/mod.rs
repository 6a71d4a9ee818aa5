//! A sweep: the validation accuracy of each point, against the values of one key, over those of two, or one below the other.

mod heat;
mod line;
mod rows;

use super::canvas::Drawing;
use super::percent;
use super::registry::{Draw, Spec};
use crate::SweepResults;
use crate::results::{Noise, PointResults};

pub(super) const FIGURES: &[Spec] = &[Spec::new("sweep", Draw::Sweep(points))];

/// The form that suits the sweep's keys; `None` where no point has a result.
fn points(found: &SweepResults) -> Option<Drawing> {
    if found.ranked().is_empty() {
        return None;
    }
    line::against_values(found).or_else(|| heat::over_two_keys(found)).or_else(|| Some(rows::ranked(found)))
}

/// What an interval about a mean is.
fn interval_name(found: &SweepResults) -> Option<String> {
    let noise = found.points.iter().find_map(PointResults::noise)?;
    Some(match noise {
        Noise::Seeds(_) => format!("mean ± standard deviation of {} seeds", found.seeds.len()),
        Noise::Images(_) => "95 % Wilson interval".into(),
    })
}

/// The points without a result in words, for the end of a text; nothing where there are none.
fn left_out(found: &SweepResults) -> Option<String> {
    let without = found.points.iter().filter(|point| point.score().is_none()).count();
    match without {
        0 => None,
        1 => Some("1 point has no result and is not shown".into()),
        more => Some(format!("{more} points have no result and are not shown")),
    }
}

/// What the figure shows, with its main numbers.
fn alt(found: &SweepResults, how: &str) -> String {
    let ranked = found.ranked();
    let shown = |(place, accuracy): (usize, f64)| {
        format!("{} ({})", found.points[place].title(), percent(accuracy, 2))
    };
    let ends = [ranked.first(), ranked.last()].map(|end| end.map(|(place, score)| (*place, score.accuracy)));
    let ends: Vec<String> = ends.into_iter().flatten().map(shown).collect();
    let range = match ranked.len() {
        1 => format!("The only point is {}", ends[0]),
        _ => format!("The best point is {}, the worst {}", ends[0], ends[1]),
    };
    let without = left_out(found).map_or_else(String::new, |words| format!(" {words}."));
    format!("Validation accuracy of {} {how}. {range}.{without}", found.network)
}
