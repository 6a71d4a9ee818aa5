//! Dreams of a study: from several seeds, with parts of the method left out, of every class, from several starts, and
//! amplified images.

use inkling_schema::Start;
use inkling_schema::outcome::{DreamFound, Seen};

use super::super::axis::extent;
use super::super::{number, probability};
use super::picture::Picture;
use super::strip::{Cell, Row, Strip};
use super::words::{self, Words};
use super::{Draw, Spec, figure};
use crate::{DreamResults, Figure, InsideResults};

pub(super) const FIGURES: &[Spec] = &[figure("inside_dreams", Draw::Study(seeds))];

/// Those that stand after the difference of two dreams and the way to one.
pub(super) const FURTHER: &[Spec] = &[
    figure("inside_ablation", Draw::Study(ablation)),
    figure("inside_classes", Draw::Study(every_class)),
    figure("inside_starts", Draw::Study(starts)),
    figure("inside_amplified", Draw::Study(amplified)),
];

/// What stands below the dream of a class.
const OF_CLASS: [&str; 4] = ["probability", "judge’s", "logit", DIVERGED];
/// Says of dreams that diverged at which step they did.
pub(super) const DIVERGED: &str = "diverged at";

/// The dreams of each of the two classes from several seeds.
fn seeds(inside: &InsideResults, words: &Words) -> Vec<Figure> {
    const SHOWN: usize = 10;
    let runs =
        inside.classes.iter().filter_map(|&class| Some((words.class(class.into()), inside.seeds(class)?)));
    let rows = runs.map(|(class, run)| {
        let count = run.outcome.pictures.len();
        Row {
            cells: (0..count.min(SHOWN)).map(|picture| dream(run, picture, "")).collect(),
            told: format!("{count} of {class}{}", summed_up(run)),
            label: class,
        }
    });
    let strip = Strip { rows: rows.collect(), lines: OF_CLASS.into(), most: 84.0, ..Strip::default() };
    strip.figures(words.file("dreams"), "Dreams from different noise, side by side")
}

/// The two classes with parts of the method left out, a column for each variant.
fn ablation(inside: &InsideResults, words: &Words) -> Vec<Figure> {
    let runs = inside.ablation();
    let cell = |with: &str, run: &DreamResults, class: u8| {
        let Some(picture) = of_class(run, class) else { return Cell::default() };
        let mut cell = dream(run, picture, with);
        // Where probabilities are all but certain, logits still tell the variants apart.
        let [_, judge] = known(&run.outcome.pictures[picture]);
        cell.lines.insert(3, said(judge.and_then(|seen| seen.logit), number));
        cell
    };
    let rows = inside.classes.iter().map(|&class| Row {
        label: words.class(class.into()),
        cells: runs.iter().map(|(with, run)| cell(with, run, class)).collect(),
        ..Row::default()
    });
    let [own, judge, logit, diverged] = OF_CLASS;
    let lines = vec![own, judge, logit, "judge’s logit", diverged];
    let strip = Strip { rows: rows.collect(), lines, most: 76.0, ..Strip::default() };
    let told: Vec<String> = runs.iter().map(|(with, run)| format!("with {with}{}", summed_up(run))).collect();
    let alt = "The dreams of the two classes with only parts of the method, a column for each variant";
    strip.figures(words.file("ablation"), &format!("{alt}: {}", told.join("; ")))
}

/// A dream of every class.
fn every_class(inside: &InsideResults, words: &Words) -> Vec<Figure> {
    let Some(run) = inside.every_class() else { return Vec::new() };
    let count = run.outcome.pictures.len();
    let row = |picture: usize| {
        let class = run.class_of(picture).map_or_else(String::new, |class| words.class(class));
        Row { cells: vec![dream(run, picture, &class)], ..Row::default() }
    };
    let strip =
        Strip { rows: (0..count).map(row).collect(), lines: OF_CLASS.into(), abreast: 10, most: 60.0 };
    let alt = format!("A dream of each of {count} classes, side by side{}", summed_up(run));
    strip.figures(words.file("classes"), &alt)
}

/// The two classes from each kind of start: the start, then the dream.
fn starts(inside: &InsideResults, words: &Words) -> Vec<Figure> {
    let runs = inside.starts();
    let kind =
        |run: &DreamResults| run.spec.pictures.first().map_or("", |picture| words::start(&picture.start));
    let cells = |run: &DreamResults, class: u8| {
        let Some(picture) = of_class(run, class) else { return [Cell::default(), Cell::default()] };
        let lines = lines_of([Some(run.outcome.pictures[picture].before), None], None);
        let start = Cell { head: kind(run).into(), lines, ..Picture::nth(&run.starts, picture).into() };
        [start, dream(run, picture, "dream")]
    };
    let rows = inside.classes.iter().map(|&class| Row {
        label: words.class(class.into()),
        cells: runs.iter().flat_map(|run| cells(run, class)).collect(),
        ..Row::default()
    });
    let strip = Strip { rows: rows.collect(), lines: OF_CLASS.into(), most: 46.0, ..Strip::default() };
    let told: Vec<String> = runs.iter().map(|run| format!("{}{}", kind(run), summed_up(run))).collect();
    let alt = format!("What the dreams begin with and the result: {}", told.join("; "));
    strip.figures(words.file("starts"), &alt)
}

/// The images, and beside each what amplifying each layer makes of it.
fn amplified(inside: &InsideResults, words: &Words) -> Vec<Figure> {
    /// Pictures side by side.
    const ABREAST: usize = 8;
    let runs = inside.amplified();
    let Some((_, first)) = runs.first() else { return Vec::new() };
    let name = |layer: &str| {
        let layers = inside.activations.iter().flat_map(|found| &found.outcome.layers);
        let place = layers.map(|known| &known.name).position(|known| known == layer);
        place.map_or_else(|| layer.to_owned(), |place| words.layer(place, layer))
    };
    let cell = |head: String, picture: Picture, square: String, seen: Seen, diverged: Option<usize>| {
        let lines = vec![square, words.class(seen.predicted), said(diverged, step)];
        Cell { head, lines, ..picture.into() }
    };
    let rows = first.spec.pictures.iter().zip(&first.outcome.pictures).enumerate();
    let rows = rows.map(|(i, (asked, found))| {
        let image = cell("image".into(), Picture::nth(&first.starts, i), String::new(), found.before, None);
        let changed = runs.iter().map(|(layer, run)| {
            let Some(found) = run.outcome.pictures.get(i) else { return Cell::default() };
            cell(name(layer), Picture::nth(&run.pictures, i), growth(found), found.after, found.diverged)
        });
        let label = match &asked.start {
            Start::Image { image } => words.image(image),
            _ => String::new(),
        };
        Row { label, cells: [image].into_iter().chain(changed).collect(), ..Row::default() }
    });
    let strip = Strip {
        rows: rows.collect(),
        lines: vec!["mean square", "predicted as", DIVERGED],
        abreast: if 2 * (1 + runs.len()) <= ABREAST { 2 } else { 0 },
        most: 56.0,
    };
    let told = runs.iter().map(|(layer, run)| {
        let growths: Vec<String> = run.outcome.pictures.iter().map(growth).collect();
        format!("{} {}", name(layer), growths.join(" and "))
    });
    let told: Vec<String> = told.collect();
    let alt = "The images and beside them the results when the mean square of a layer’s output is raised";
    strip.figures(words.file("amplified"), &format!("{alt}: {}", told.join("; ")))
}

/// The picture of a run that raises a class.
fn of_class(run: &DreamResults, class: u8) -> Option<usize> {
    (0..run.outcome.pictures.len()).find(|&picture| run.class_of(picture) == Some(class.into()))
}

/// The dream of a class under this head, with its probability, the judge's, and its logit.
fn dream(run: &DreamResults, picture: usize, head: &str) -> Cell {
    let found = &run.outcome.pictures[picture];
    let lines = lines_of(known(found), found.diverged);
    Cell { head: head.to_owned(), lines, ..Picture::nth(&run.pictures, picture).into() }
}

/// What the network and the judge see in a dream; of one that diverged at once there is no number.
fn known(found: &DreamFound) -> [Option<Seen>; 2] {
    [Some(found.after), found.judge].map(|seen| seen.filter(|_| found.diverged != Some(0)))
}

/// What the network and the judge see, in the lines below the picture of a class.
fn lines_of([own, judge]: [Option<Seen>; 2], diverged: Option<usize>) -> Vec<String> {
    let certain = |seen: Option<Seen>| said(seen.and_then(|seen| seen.probability), probability);
    vec![certain(own), certain(judge), said(own.and_then(|seen| seen.logit), number), said(diverged, step)]
}

/// Something in words, nothing where it is not there.
pub(super) fn said<T>(value: Option<T>, words: impl Fn(T) -> String) -> String {
    value.map_or_else(String::new, words)
}

pub(super) fn step(step: usize) -> String {
    format!("step {step}")
}

/// ", with probabilities from … to …, judge's …", of dreams that have them.
fn summed_up(run: &DreamResults) -> String {
    let range = |of: fn(&DreamFound) -> Option<f64>| {
        let values: Vec<f64> = run.outcome.pictures.iter().filter_map(of).collect();
        let (low, high) = extent(values.iter().copied(), (0.0, 0.0));
        let (low, high) = (probability(low), probability(high));
        let range = if low == high { low } else { format!("{low} to {high}") };
        (!values.is_empty()).then_some(range)
    };
    let judge = said(range(|found| found.judge?.probability), |judge| format!(", the judge’s {judge}"));
    said(range(|found| found.after.probability), |own| format!(", probability {own}{judge}"))
}

/// How much larger the objective became.
fn growth(found: &DreamFound) -> String {
    if found.before.objective > 0.0 {
        format!("× {}", number(found.after.objective / found.before.objective))
    } else {
        number(found.after.objective)
    }
}
