//! Curves in a terminal, told apart by their letters, so that they can be read without colour.

use inkling_schema::format::{fixed, percent};
use inkling_schema::outcome::{EpochOutcome, Evaluation};

/// Columns and rows of a plot.
const COLUMNS: usize = 60;
const ROWS: usize = 10;

/// A letter, what it stands for, and its value after an epoch.
type Curve = (char, &'static str, fn(&EpochOutcome) -> Option<Evaluation>);

/// In the order in which they are drawn: where several meet, the last one shows.
const CURVES: [Curve; 3] = [
    ('v', "validation", |epoch| epoch.validation),
    ('t', "test", |epoch| Some(epoch.test)),
    ('*', "training", |epoch| Some(epoch.train)),
];

/// Loss and accuracy after each epoch, as lines of text; nothing of fewer than two epochs.
pub(crate) fn curves(epochs: &[EpochOutcome]) -> Vec<String> {
    if epochs.len() < 2 {
        return Vec::new();
    }
    let mut lines = plot("cross-entropy", epochs, |found| found.loss, |value| fixed(value, 3));
    lines.push(String::new());
    lines.extend(plot("accuracy", epochs, Evaluation::accuracy, |value| percent(value, 1)));
    let named = CURVES.iter().rev().filter(|(_, _, of)| epochs.iter().any(|epoch| of(epoch).is_some()));
    let named: Vec<String> = named.map(|(letter, name, _)| format!("{letter} {name}")).collect();
    lines.push(format!("after epochs 1 to {}: {}", epochs.len(), named.join(", ")));
    lines
}

fn plot(
    title: &str,
    epochs: &[EpochOutcome],
    value: fn(&Evaluation) -> f64,
    written: fn(f64) -> String,
) -> Vec<String> {
    let values = || epochs.iter().flat_map(|epoch| CURVES.iter().filter_map(|(_, _, of)| of(epoch)));
    let (low, high) = values()
        .map(|found| value(&found))
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let place = |value: f64| {
        let share = if high > low { (high - value) / (high - low) } else { 0.5 };
        (share * (ROWS - 1) as f64).round() as usize
    };
    let mut cells = vec![[' '; COLUMNS]; ROWS];
    for (letter, _, of) in CURVES {
        for (i, epoch) in epochs.iter().enumerate() {
            if let Some(found) = of(epoch) {
                cells[place(value(&found))][i * (COLUMNS - 1) / (epochs.len() - 1)] = letter;
            }
        }
    }
    let ends = [written(high), written(low)];
    let width = ends.iter().map(|end| end.chars().count()).max().unwrap_or(0);
    let mut lines = vec![title.to_owned()];
    for (row, cells) in cells.iter().enumerate() {
        let end = match row {
            0 => &ends[0],
            row if row + 1 == ROWS => &ends[1],
            _ => "",
        };
        let line: String = cells.iter().collect();
        lines.push(format!("{end:>width$} │{}", line.trim_end()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(epoch: usize, loss: f64, correct: usize) -> EpochOutcome {
        let found = Evaluation { images: 100, correct, loss };
        EpochOutcome { epoch, step: epoch, train: found, validation: None, test: found, further: Vec::new() }
    }

    #[test]
    fn a_falling_loss_goes_from_the_upper_left_to_the_lower_right() {
        let lines = curves(&[epoch(1, 2.0, 10), epoch(2, 1.0, 50), epoch(3, 0.0, 90)]);
        assert_eq!(lines[0], "cross-entropy");
        assert_eq!(lines[1], "2.000 │*");
        assert!(lines[10].starts_with("0.000 │") && lines[10].ends_with('*'), "{lines:?}");
        assert_eq!(lines[10].chars().count(), 7 + COLUMNS);
        assert!(lines[13].starts_with("90.0 % │") || lines[13].starts_with("90.0\u{202f}% │"), "{lines:?}");
        assert_eq!(lines.last().unwrap(), "after epochs 1 to 3: * training, t test");
    }

    #[test]
    fn what_never_changes_is_a_line_in_the_middle_and_one_epoch_is_none() {
        let lines = curves(&[epoch(1, 1.0, 50), epoch(2, 1.0, 50)]);
        assert!(lines[1..=10].iter().filter(|line| line.contains('*')).count() == 1, "{lines:?}");
        assert!(curves(&[epoch(1, 1.0, 50)]).is_empty());
    }
}
