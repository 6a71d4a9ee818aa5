//! Facts of the network of a task that the report looks at more closely: what it took for what.

use serde::Serialize;

use crate::{ChosenBy, NetworkResults, NetworksResults};

#[derive(Debug, Serialize)]
pub(super) struct Chosen<'a> {
    name: &'a str,
    /// Whether it was chosen by its validation loss; else by its training loss.
    by_validation: bool,
    /// How many networks it was chosen among.
    among: usize,
    images: usize,
    errors: usize,
    /// The commonest confusions.
    common: Vec<Confusion<'a>>,
    /// Share of the errors that they make up.
    common_share: f64,
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

/// The wrong answer with the highest probability.
#[derive(Debug, Serialize)]
struct Surest<'a> {
    class: &'a str,
    answer: &'a str,
    probability: f64,
}

impl<'a> Chosen<'a> {
    /// `None` where every network diverged.
    pub(super) fn new(task: &'a NetworksResults) -> Option<Self> {
        let (network, by) = task.chosen()?;
        let classes = &task.data.classes;
        let mut all = confusions(network, classes);
        let errors = all.iter().map(|found| found.count).sum::<usize>();
        all.truncate(3);
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
            images: network.labels.len(),
            errors,
            common: all,
            common_share: common as f64 / errors.max(1) as f64,
            surest,
            shown: network.wrong.len(),
            confident: network.wrong.iter().filter(|image| image.probability > 0.9).count(),
        })
    }
}

/// Every confusion there is, the commonest first.
fn confusions<'a>(network: &NetworkResults, classes: &'a [String]) -> Vec<Confusion<'a>> {
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
