//! Facts of the two-headed networks themselves: contradictions, gradients, classes, silence.

use serde::Serialize;

use super::super::ends;
use crate::rows::ClassChangeRow;
use crate::{Contradictions, GradientsFound, MultitaskResults};

/// Test images whose item and group, as the two heads say them, do not belong together.
#[derive(Debug, Serialize)]
pub(super) struct ContradictionsFacts {
    /// Smallest and largest share over the λ with two trained heads.
    fewest: f64,
    most: f64,
    /// Of all contradictions, the share in which the item's group is right, and in which the group head is.
    item_right: Option<f64>,
    group_right: Option<f64>,
}

/// The heads' gradients on the shared layers.
#[derive(Debug, Serialize)]
pub(super) struct GradientsFacts {
    /// Smallest and largest mean cosine over the λ.
    lowest: f64,
    highest: f64,
    measurements: usize,
    negative: usize,
}

/// Recall of classes beside single-task networks.
#[derive(Debug, Serialize)]
pub(super) struct ClassesFacts<'a> {
    /// Classes under each λ: all, and those that differ significantly.
    changes: usize,
    differ: usize,
    /// Of those the largest gain and the largest loss.
    gain: Option<ChangeFacts<'a>>,
    loss: Option<ChangeFacts<'a>>,
}

#[derive(Debug, Serialize)]
struct ChangeFacts<'a> {
    class: &'a str,
    lambda: String,
    difference: f64,
}

/// What stands still in the largest dense layer at the end of training: the smallest and the largest share over networks.
#[derive(Debug, Serialize)]
pub(super) struct IdleFacts {
    dead_units: (f64, f64),
    idle_panels: (f64, f64),
}

impl ContradictionsFacts {
    /// `None` without a network of two trained heads.
    pub(super) fn new(task: &MultitaskResults) -> Option<Self> {
        let all: Vec<Contradictions> =
            task.joint().filter_map(|(_, network)| task.contradictions(network)).collect();
        let (fewest, most) = ends(all.iter().map(|found| found.share))?;
        let sum = |of: fn(&Contradictions) -> usize| all.iter().map(of).sum::<usize>() as f64;
        let count = sum(|found| found.count);
        let share = |part: f64| (count > 0.0).then(|| part / count);
        Some(ContradictionsFacts {
            fewest,
            most,
            item_right: share(sum(|found| found.item_right)),
            group_right: share(sum(|found| found.group_right)),
        })
    }
}

impl GradientsFacts {
    /// `None` where nothing was measured.
    pub(super) fn new(task: &MultitaskResults) -> Option<Self> {
        let all: Vec<GradientsFound> =
            task.joint().filter_map(|(_, network)| network.gradients_found()).collect();
        let (lowest, highest) = ends(all.iter().map(|found| found.mean_cosine))?;
        Some(GradientsFacts {
            lowest,
            highest,
            measurements: all.iter().map(|found| found.measurements).sum(),
            negative: all.iter().map(|found| found.negative).sum(),
        })
    }
}

impl<'a> ClassesFacts<'a> {
    /// `None` where there is nothing to compare.
    pub(super) fn new(task: &MultitaskResults, rows: &'a [ClassChangeRow]) -> Option<Self> {
        let differing: Vec<&ClassChangeRow> = rows.iter().filter(|row| row.change.differs()).collect();
        let facts = |row: &'a ClassChangeRow| ChangeFacts {
            class: &row.class,
            lambda: task.lambda_name(row.lambda),
            difference: row.change.difference,
        };
        let of = |sign: f64| {
            let gain = |row: &ClassChangeRow| sign * row.change.difference;
            let signed = differing.iter().copied().filter(|row| gain(row) > 0.0);
            signed.max_by(|p, q| gain(p).total_cmp(&gain(q))).map(facts)
        };
        (!rows.is_empty()).then(|| ClassesFacts {
            changes: rows.len(),
            differ: differing.len(),
            gain: of(1.0),
            loss: of(-1.0),
        })
    }
}

impl IdleFacts {
    /// `None` where nobody looked.
    pub(super) fn new(task: &MultitaskResults) -> Option<Self> {
        let last = || task.networks().filter_map(|network| network.idle.last());
        Some(IdleFacts {
            dead_units: ends(last().map(|line| line.dead_units))?,
            idle_panels: ends(last().map(|line| line.idle_panels))?,
        })
    }
}
