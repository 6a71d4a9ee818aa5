//! Dreams in strips: from several seeds, with parts of the method left out, of every class, from several starts,
//! amplified images, and whatever a person asked for.

use inkling_schema::outcome::{DreamFound, Seen};
use inkling_schema::{ImageChoice, Start};

use super::super::canvas::TEXT_WIDTH;
use super::super::list;
use super::picture::{colours, number, probability};
use super::strip::{Cell, Row, Strip, wrapped};
use super::{Words, class_of};
use crate::{DreamResults, Figure, InsideResults, Pictures};

/// What stands below the dream of a class.
const OF_CLASS: [&str; 3] = ["probability", "judge’s", "logit"];

/// The dreams of each of the two classes from several seeds.
pub(super) fn seeds(inside: &InsideResults, words: &Words) -> Option<Figure> {
    const SHOWN: usize = 10;
    let runs: Vec<(u8, &DreamResults)> =
        inside.classes.iter().filter_map(|&class| Some((class, inside.seeds(class)?))).collect();
    let (_, first) = runs.first()?;
    let rows = runs.iter().map(|&(class, run)| Row {
        label: words.class(class.into()),
        cells: (0..run.outcome.pictures.len().min(SHOWN)).map(|picture| Some(dream(run, picture))).collect(),
    });
    let strip = strip(first, Vec::new(), rows.collect(), 84.0);
    let described: Vec<String> = runs
        .iter()
        .map(|&(class, run)| {
            let class = words.class(class.into());
            let count = run.outcome.pictures.len();
            format!("{count} of {class}{}", summed_up(run.outcome.pictures.iter()))
        })
        .collect();
    let alt = format!("Dreams from different noise, side by side: {}.", list(&described));
    Some(Figure::new(words.file("dreams", 0), strip.draw().finish(), alt))
}

/// The two classes with parts of the method left out, a column for each variant.
pub(super) fn ablation(inside: &InsideResults, words: &Words) -> Option<Figure> {
    let variants = inside.ablation();
    let columns: Vec<(String, &DreamResults)> =
        variants.iter().map(|&(with, run)| (with.to_owned(), run)).collect();
    let strip = by_class(inside, &columns, words)?;
    let described: Vec<String> = variants
        .iter()
        .map(|(with, run)| format!("with {with}{}", summed_up(run.outcome.pictures.iter())))
        .collect();
    let alt = format!(
        "The dreams of the two classes with only parts of the method, a column for each variant: {}.",
        described.join("; ")
    );
    Some(Figure::new(words.file("ablation", 0), strip.draw().finish(), alt))
}

/// A dream of every class.
pub(super) fn every_class(inside: &InsideResults, words: &Words) -> Option<Figure> {
    const COLUMNS: usize = 10;
    let run = inside.every_class()?;
    let count = run.outcome.pictures.len();
    let name = |picture: usize| class_of(run, picture).map_or_else(String::new, |class| words.class(class));
    let pictures: Vec<usize> = (0..count).collect();
    // Names above the columns where there is one row of them, else below each picture.
    let one_row = count <= COLUMNS;
    let columns = if one_row { (0..count).map(|picture| vec![name(picture)]).collect() } else { Vec::new() };
    let rows = pictures.chunks(COLUMNS).map(|pictures| Row {
        label: String::new(),
        cells: pictures
            .iter()
            .map(|&picture| {
                let mut cell = dream(run, picture);
                if !one_row {
                    cell.lines.insert(0, name(picture));
                }
                Some(cell)
            })
            .collect(),
    });
    let mut strip = strip(run, columns, rows.collect(), 60.0);
    if !one_row {
        strip.lines.insert(0, "class");
    }
    let alt = format!(
        "A dream of each of {count} classes, side by side{}.",
        summed_up(run.outcome.pictures.iter())
    );
    Some(Figure::new(words.file("classes", 0), strip.draw().finish(), alt))
}

/// The two classes from each kind of start: the start, then the dream.
pub(super) fn starts(inside: &InsideResults, words: &Words) -> Option<Figure> {
    let runs = inside.starts();
    let first = runs.first()?;
    let mut columns = Vec::new();
    for run in &runs {
        let start = run.spec.pictures.first().map_or("", |picture| kind(&picture.start));
        columns.push(vec![start.to_owned()]);
        columns.push(vec!["dream".to_owned()]);
    }
    let rows = inside.classes.iter().map(|&class| Row {
        label: words.class(class.into()),
        cells: runs
            .iter()
            .flat_map(|run| {
                let picture = of_class(run, class);
                [picture.map(|picture| start(run, picture)), picture.map(|picture| dream(run, picture))]
            })
            .collect(),
    });
    let strip = strip(first, columns, rows.collect(), 46.0);
    let described: Vec<String> = runs
        .iter()
        .map(|run| {
            let start = run.spec.pictures.first().map_or("", |picture| kind(&picture.start));
            format!("{start}{}", summed_up(run.outcome.pictures.iter()))
        })
        .collect();
    let alt = format!("What the dreams begin with and what becomes of it: {}.", described.join("; "));
    Some(Figure::new(words.file("starts", 0), strip.draw().finish(), alt))
}

/// The images, and beside each what amplifying each layer makes of it.
pub(super) fn amplified(inside: &InsideResults, words: &Words) -> Option<Figure> {
    /// Pictures in a row.
    const ABREAST: usize = 8;
    let runs = inside.amplified();
    let (_, first) = runs.first()?;
    let place = |layer: &str| {
        let found = inside.activations.as_ref()?;
        found.outcome.layers.iter().position(|known| known.name == layer)
    };
    let name = |layer: &str| place(layer).map_or_else(|| layer.to_owned(), |place| words.layer(place, layer));
    let mut columns = vec![vec!["image".to_owned()]];
    columns.extend(runs.iter().map(|(layer, _)| vec![name(layer)]));
    let pictures = first.outcome.pictures.len();
    let together = pictures * columns.len() <= ABREAST;
    let [height, width, channels] = first.pictures.size;
    let rows = (0..pictures).map(|picture| {
        let before = first.outcome.pictures[picture].before;
        let image = Cell {
            pixels: colours(first.starts.get(picture), channels),
            lines: vec![String::new(), words.class(before.predicted)],
        };
        let changed = runs.iter().map(|(_, run)| {
            let found = run.outcome.pictures.get(picture)?;
            Some(Cell {
                pixels: colours(run.pictures.get(picture), channels),
                lines: vec![growth(found), words.class(found.after.predicted)],
            })
        });
        let label = match &first.spec.pictures[picture].start {
            Start::Image { image } => image_words(image, words),
            _ => String::new(),
        };
        Row { label, cells: [Some(image)].into_iter().chain(changed).collect() }
    });
    let mut rows: Vec<Row> = rows.collect();
    if together {
        // Both images fit a row, where the pictures say well enough what they are.
        columns = (0..pictures).flat_map(|_| columns.clone()).collect();
        let cells = rows.drain(..).flat_map(|row| row.cells).collect();
        rows = vec![Row { label: String::new(), cells }];
    }
    let strip = Strip {
        size: [height, width],
        columns,
        rows,
        lines: vec!["mean square", "predicted as"],
        widest: 56.0,
    };
    let described: Vec<String> = runs
        .iter()
        .map(|(layer, run)| {
            let growths: Vec<String> = run.outcome.pictures.iter().map(growth).collect();
            format!("{} {}", name(layer), list(&growths))
        })
        .collect();
    let alt = format!(
        "The images and beside them what becomes of them when the mean square of a layer’s output is raised: {}.",
        list(&described)
    );
    Some(Figure::new(words.file("amplified", 0), strip.draw().finish(), alt))
}

/// The pictures of a run that a person asked for: each with its start, what it raises and what comes of it.
pub(super) fn asked(run: &DreamResults, words: &Words) -> Vec<Figure> {
    const ABREAST: usize = 4;
    const SHOWN: usize = 16;
    let numbers: Vec<usize> = (0..run.outcome.pictures.len()).collect();
    let [height, width, channels] = run.pictures.size;
    let any = |of: fn(&DreamFound) -> bool| run.outcome.pictures.iter().any(of);
    let (classes, judge) =
        (any(|found| found.after.probability.is_some()), any(|found| found.judge.is_some()));
    let lines = |what: String, seen: Seen, judge_seen: Option<Seen>| {
        let mut lines = vec![what, number(seen.objective)];
        if classes {
            lines.push(seen.probability.map_or_else(String::new, probability));
        }
        if judge {
            lines.push(match judge_seen.map(|seen| (seen.probability, seen.predicted)) {
                Some((Some(p), _)) => probability(p),
                Some((None, predicted)) => words.class(predicted),
                None => String::new(),
            });
        }
        lines.push(words.class(seen.predicted));
        lines
    };
    let cells = |picture: usize| {
        let (asked, found) = (&run.spec.pictures[picture], &run.outcome.pictures[picture]);
        let from = match &asked.start {
            Start::Image { image } => image_words(image, words),
            other => kind(other).to_owned(),
        };
        let start = Cell {
            pixels: colours(run.starts.get(picture), channels),
            lines: lines(from, found.before, None),
        };
        let dream = Cell {
            pixels: colours(run.pictures.get(picture), channels),
            lines: lines(words.objective(&asked.objective), found.after, found.judge),
        };
        [Some(start), Some(dream)]
    };
    let mut words_left = vec!["", "objective"];
    words_left.extend(classes.then_some("probability"));
    words_left.extend(judge.then_some("judge’s"));
    words_left.push("predicted as");
    let figure = |(part, pictures): (usize, &[usize])| {
        let columns = pictures.len().min(ABREAST);
        let rows = pictures.chunks(ABREAST).map(|pictures| Row {
            label: String::new(),
            cells: pictures.iter().flat_map(|&picture| cells(picture)).collect(),
        });
        let strip = Strip {
            size: [height, width],
            columns: (0..columns)
                .flat_map(|_| [vec!["start".to_owned()], vec!["dream".to_owned()]])
                .collect(),
            rows: rows.collect(),
            lines: words_left.clone(),
            widest: 110.0,
        };
        let described: Vec<String> = pictures
            .iter()
            .take(4)
            .map(|&picture| {
                let (asked, found) = (&run.spec.pictures[picture], &run.outcome.pictures[picture]);
                let (before, after) = (found.before.objective, found.after.objective);
                format!("{} from {} to {}", words.objective(&asked.objective), number(before), number(after))
            })
            .collect();
        let alt = format!(
            "{} with what each began with, what it raises, and what the network makes of it: {}{}.",
            if pictures.len() == 1 { "A dream".into() } else { format!("{} dreams", pictures.len()) },
            described.join("; "),
            if pictures.len() > 4 { "; and others" } else { "" },
        );
        Figure::new(words.file("dreams", part), strip.draw().finish(), alt)
    };
    numbers.chunks(SHOWN).enumerate().map(figure).collect()
}

/// A strip of dreams of classes.
fn strip(run: &DreamResults, columns: Vec<Vec<String>>, rows: Vec<Row>, widest: f64) -> Strip {
    let [height, width, _] = run.pictures.size;
    let mut lines = OF_CLASS.to_vec();
    if run.outcome.pictures.iter().all(|found| found.judge.is_none()) {
        lines.remove(1);
    }
    Strip { size: [height, width], columns, rows, lines, widest }
}

/// A strip with a row for each of the two classes and a column for each run, whose names stand above them.
fn by_class(inside: &InsideResults, runs: &[(String, &DreamResults)], words: &Words) -> Option<Strip> {
    let (_, first) = runs.first()?;
    let rows = inside.classes.iter().map(|&class| Row {
        label: words.class(class.into()),
        cells: runs.iter().map(|(_, run)| of_class(run, class).map(|picture| dream(run, picture))).collect(),
    });
    let columns = runs.iter().map(|_| Vec::new()).collect();
    let mut strip = strip(first, columns, rows.collect(), 76.0);
    // Where probabilities are all but certain, logits still tell the variants apart.
    let judged = runs.iter().flat_map(|(_, run)| &run.outcome.pictures);
    if judged.clone().any(|found| found.judge.is_some_and(|seen| seen.logit.is_some())) {
        strip.lines.push("judge’s logit");
        for (row, class) in strip.rows.iter_mut().zip(inside.classes) {
            for (cell, (_, run)) in row.cells.iter_mut().zip(runs) {
                let picture = of_class(run, class).map(|picture| &run.outcome.pictures[picture]);
                let logit = picture.and_then(|found| found.judge?.logit).map_or_else(String::new, number);
                cell.iter_mut().for_each(|cell| cell.lines.push(logit.clone()));
            }
        }
    }
    let room = strip.room().min(TEXT_WIDTH);
    strip.columns = runs.iter().map(|(name, _)| wrapped(name, room)).collect();
    Some(strip)
}

/// The picture of a run that raises a class.
fn of_class(run: &DreamResults, class: u8) -> Option<usize> {
    (0..run.outcome.pictures.len()).find(|&picture| class_of(run, picture) == Some(class.into()))
}

/// The dream of a class with its probability, the judge's, and its logit.
fn dream(run: &DreamResults, picture: usize) -> Cell {
    let found = &run.outcome.pictures[picture];
    let mut cell = cell(run, &run.pictures, picture, found.after, found.judge);
    if found.diverged.is_some()
        && let Some(last) = cell.lines.last_mut()
    {
        *last = "diverged".into();
    }
    cell
}

fn start(run: &DreamResults, picture: usize) -> Cell {
    cell(run, &run.starts, picture, run.outcome.pictures[picture].before, None)
}

fn cell(run: &DreamResults, pictures: &Pictures, picture: usize, seen: Seen, judge: Option<Seen>) -> Cell {
    let mut lines = vec![seen.probability.map_or_else(String::new, probability)];
    if run.outcome.pictures.iter().any(|found| found.judge.is_some()) {
        lines.push(judge.and_then(|seen| seen.probability).map_or_else(String::new, probability));
    }
    lines.push(seen.logit.map_or_else(String::new, number));
    Cell { pixels: colours(pictures.get(picture), pictures.size[2]), lines }
}

/// ", with probabilities from … to …, judge's …", of dreams that have them.
fn summed_up<'a>(pictures: impl Iterator<Item = &'a DreamFound>) -> String {
    let (mut own, mut judge) = (Vec::new(), Vec::new());
    for found in pictures {
        own.extend(found.after.probability);
        judge.extend(found.judge.and_then(|seen| seen.probability));
    }
    let range = |values: &[f64]| {
        let (low, high) =
            values.iter().fold((f64::MAX, f64::MIN), |(low, high), &v| (low.min(v), high.max(v)));
        let (low, high) = (probability(low), probability(high));
        if low == high { low } else { format!("{low} to {high}") }
    };
    match (own.is_empty(), judge.is_empty()) {
        (true, _) => String::new(),
        (false, true) => format!(", probability {}", range(&own)),
        (false, false) => format!(", probability {}, the judge’s {}", range(&own), range(&judge)),
    }
}

/// How much larger the objective became.
fn growth(found: &DreamFound) -> String {
    if found.before.objective > 0.0 {
        format!("× {}", number(found.after.objective / found.before.objective))
    } else {
        number(found.after.objective)
    }
}

fn kind(start: &Start) -> &'static str {
    match start {
        Start::Grey { .. } => "grey",
        Start::Noise { .. } => "noise",
        Start::Image { .. } => "image",
    }
}

fn image_words(image: &ImageChoice, words: &Words) -> String {
    match image {
        ImageChoice::Typical { class } => words.class((*class).into()),
        ImageChoice::Index { index } => format!("test {index}"),
        ImageChoice::File { name, inverted: true, .. } => format!("{name}, inverted"),
        ImageChoice::File { name, .. } => name.clone(),
    }
}
