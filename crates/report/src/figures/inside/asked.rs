//! Dreams that a person asked for: each with its start, what it raises and what comes of it.

use inkling_schema::Start;
use inkling_schema::outcome::Seen;

use super::super::{number, probability};
use super::dreams::{DIVERGED, said, step};
use super::picture::Picture;
use super::strip::{Cell, Row, Strip};
use super::words::{self, Words};
use crate::{DreamResults, Figure};

/// The pictures of a run.
pub(super) fn dreams(run: &DreamResults, words: &Words) -> Vec<Figure> {
    let strip = Strip {
        rows: (0..run.outcome.pictures.len()).map(|picture| row(run, picture, words)).collect(),
        lines: vec!["", "objective", "probability", "judge’s", "predicted as", DIVERGED],
        abreast: 4,
        most: 110.0,
    };
    let alt = "Dreams with what each began with, what it raises, and the network’s answer";
    strip.figures(words.file("dreams"), alt)
}

fn row(run: &DreamResults, picture: usize, words: &Words) -> Row {
    let (asked, found) = (&run.spec.pictures[picture], &run.outcome.pictures[picture]);
    let lines = |what: String, seen: Seen, judge: Option<Seen>, diverged: Option<usize>| {
        let judge =
            judge.map(|seen| seen.probability.map_or_else(|| words.class(seen.predicted), probability));
        vec![
            what,
            number(seen.objective),
            said(seen.probability, probability),
            judge.unwrap_or_default(),
            words.class(seen.predicted),
            said(diverged, step),
        ]
    };
    let from = match &asked.start {
        Start::Image { image } => words.image(image),
        other => words::start(other).to_owned(),
    };
    let objective = words.objective(&asked.objective);
    let (before, after) = (number(found.before.objective), number(found.after.objective));
    let told = format!("{objective} from {before} to {after}");
    let start = Cell {
        head: "start".into(),
        lines: lines(from, found.before, None, None),
        ..Picture::nth(&run.starts, picture).into()
    };
    let dream = Cell {
        head: "dream".into(),
        lines: lines(objective, found.after, found.judge, found.diverged),
        ..Picture::nth(&run.pictures, picture).into()
    };
    Row { cells: vec![start, dream], told, ..Row::default() }
}
