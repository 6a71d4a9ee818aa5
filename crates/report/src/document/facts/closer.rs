//! Facts of the network of a task that the report looks at more closely: what it took for what.

use serde::Serialize;

use crate::rows::ClassRow;
use crate::{ChosenBy, Network, NetworksResults};

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
    common: Vec<Confusion<'a>>,
    /// Share of the errors that they make up.
    common_share: f64,
    /// Confusions that are as common as each other and would come next, where not all of them find room.
    tied: Option<Tied>,
    /// Precision, recall and F1 of each class.
    classes: Vec<&'a ClassRow>,
    surest: Option<Surest<'a>>,
    /// Most confidently wrong images that are shown, and those of them that it gave a probability above 90 %.
    shown: usize,
    confident: usize,
}

#[derive(Debug, Serialize)]
struct Confusion<'a> {
    class: &'a str,
    answer: &'a str,
    count: usize,
}

/// So many confusions of so many images each.
#[derive(Debug, PartialEq, Serialize)]
struct Tied {
    confusions: usize,
    count: usize,
}

/// The wrong answer with the highest probability.
#[derive(Debug, Serialize)]
struct Surest<'a> {
    class: &'a str,
    answer: &'a str,
    probability: f64,
}

impl<'a> Chosen<'a> {
    /// `None` where every network diverged.
    pub(super) fn new(task: &'a NetworksResults, rows: &'a [ClassRow]) -> Option<Self> {
        let (network, by) = task.chosen()?;
        let classes = &task.data.classes;
        let mut all = confusions(network, classes);
        let errors = all.iter().map(|found| found.count).sum::<usize>();
        let tied = cut(&mut all);
        let common = all.iter().map(|found| found.count).sum::<usize>();
        let surest = network.wrong.first().map(|image| Surest {
            class: &classes[usize::from(image.class)],
            answer: &classes[usize::from(image.predicted)],
            probability: image.probability,
        });
        Some(Chosen {
            name: &network.name,
            by_validation: by == ChosenBy::Validation,
            among: task.finished().count(),
            images: network.labels().len(),
            errors,
            common: all,
            tied,
            classes: rows.iter().filter(|row| row.network == network.name).collect(),
            common_share: common as f64 / errors.max(1) as f64,
            surest,
            shown: network.wrong.len(),
            confident: network.wrong.iter().filter(|image| image.probability > 0.9).count(),
        })
    }
}

/// Keeps the three commonest of sorted confusions. Where the third is as common as the fourth, which of them come first is
/// only the order of the classes: those are counted instead.
fn cut(all: &mut Vec<Confusion>) -> Option<Tied> {
    const SHOWN: usize = 3;
    let last = all.get(SHOWN - 1)?.count;
    if all.get(SHOWN)?.count < last {
        all.truncate(SHOWN);
        return None;
    }
    let confusions = all.iter().filter(|found| found.count == last).count();
    all.retain(|found| found.count > last);
    Some(Tied { confusions, count: last })
}

/// Every confusion there is, the commonest first.
fn confusions<'a>(network: &Network, classes: &'a [String]) -> Vec<Confusion<'a>> {
    let counts = network.confusion(classes.len());
    let mut all: Vec<Confusion> = Vec::new();
    for (class, answers) in counts.iter().enumerate() {
        for (answer, &count) in answers.iter().enumerate() {
            if class != answer && count > 0 {
                all.push(Confusion { class: &classes[class], answer: &classes[answer], count });
            }
        }
    }
    all.sort_by_key(|found| std::cmp::Reverse(found.count));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equally_common_confusions_none_comes_first() {
        let cut_of = |counts: &[usize]| {
            let confusion = |&count: &usize| Confusion { class: "a", answer: "b", count };
            let mut all: Vec<Confusion> = counts.iter().map(confusion).collect();
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
