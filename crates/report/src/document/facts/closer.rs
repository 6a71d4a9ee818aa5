//! Facts of the network of a task that the report looks at more closely: what it took for what.

use serde::Serialize;

use crate::rows::{ClassRow, ConfusionRow, NetworksRows};
use crate::{ChosenBy, NetworksResults};

#[derive(Debug, Serialize)]
pub(super) struct Chosen<'a> {
    name: &'a str,
    /// Whether it was chosen by its validation loss; else by its training loss.
    by_validation: bool,
    /// How many networks it was chosen among.
    among: usize,
    images: usize,
    errors: usize,
    /// The commonest confusions: three, or fewer where the third is as common as a fourth.
    common: Vec<&'a ConfusionRow>,
    /// Share of the errors that they make up.
    common_share: f64,
    /// Confusions that are as common as each other and would come next, where not all of them find room.
    tied: Option<Tied>,
    /// Precision, recall and F1 of each class.
    classes: Vec<&'a ClassRow>,
    /// Most confidently wrong images that are shown, and those of them that it gave a probability above 90 %.
    shown: usize,
    confident: usize,
}

/// So many confusions of so many images each.
#[derive(Debug, PartialEq, Serialize)]
struct Tied {
    confusions: usize,
    count: usize,
}

impl<'a> Chosen<'a> {
    /// `None` where every network diverged.
    pub(super) fn new(task: &'a NetworksResults, rows: &'a NetworksRows) -> Option<Self> {
        let (network, by) = task.chosen()?;
        let mut common = confusions(&rows.confusion);
        let images = |of: &[&ConfusionRow]| of.iter().map(|row| row.test_images).sum::<usize>();
        let errors = images(&common);
        let tied = cut(&mut common);
        Some(Chosen {
            name: &network.name,
            by_validation: by == ChosenBy::Validation,
            among: task.finished().count(),
            images: network.labels().len(),
            errors,
            common_share: images(&common) as f64 / errors.max(1) as f64,
            common,
            tied,
            classes: rows.classes.iter().filter(|row| row.network == network.name).collect(),
            shown: network.wrong.len(),
            confident: network.wrong.iter().filter(|image| image.probability > 0.9).count(),
        })
    }
}

/// Keeps the three commonest of sorted confusions. Where the third is as common as the fourth, which of them come first is
/// only the order of the classes: those are counted instead.
fn cut(all: &mut Vec<&ConfusionRow>) -> Option<Tied> {
    const SHOWN: usize = 3;
    let last = all.get(SHOWN - 1)?.test_images;
    if all.get(SHOWN)?.test_images < last {
        all.truncate(SHOWN);
        return None;
    }
    let confusions = all.iter().filter(|row| row.test_images == last).count();
    all.retain(|row| row.test_images > last);
    Some(Tied { confusions, count: last })
}

/// Every confusion there is, the commonest first.
fn confusions(rows: &[ConfusionRow]) -> Vec<&ConfusionRow> {
    let wrong = |row: &&ConfusionRow| row.class != row.predicted && row.test_images > 0;
    let mut all: Vec<&ConfusionRow> = rows.iter().filter(wrong).collect();
    all.sort_by_key(|row| std::cmp::Reverse(row.test_images));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equally_common_confusions_none_comes_first() {
        let cut_of = |counts: &[usize]| {
            let row = |&test_images: &usize| ConfusionRow { test_images, ..ConfusionRow::default() };
            let rows: Vec<ConfusionRow> = counts.iter().map(row).collect();
            let mut all: Vec<&ConfusionRow> = rows.iter().collect();
            let tied = cut(&mut all).map(|tied| (tied.confusions, tied.count));
            (all.len(), tied)
        };
        assert_eq!(cut_of(&[]), (0, None));
        assert_eq!(cut_of(&[1, 1, 1]), (3, None));
        assert_eq!(cut_of(&[9, 8, 7, 6]), (3, None));
        assert_eq!(cut_of(&[9, 8, 7, 7]), (2, Some((2, 7))));
        assert_eq!(cut_of(&[9, 8, 8, 8, 2]), (1, Some((3, 8))));
        assert_eq!(cut_of(&[1, 1, 1, 1]), (0, Some((4, 1))));
    }
}
