//! From tasks 1 and 2 of a study, which compare the classes of a set in pairs, to their runs.

use inkling_data::DataSet;
use inkling_engine::pca::PcaError;
use inkling_schema::outcome::PlannedRun;
use inkling_schema::{PcaRun, PcaSpec, PerceptronRun, PerceptronSpec, RunSpec, SeparabilityRun, Study, Task};

use super::{planned, slice};

/// Whether tasks 1 or 2 compare the classes of a set in pairs.
pub(crate) fn is_paired(study: &Study, set: &str) -> bool {
    study.pca.as_ref().is_some_and(|task| task.data == set)
        || study.perceptron.as_ref().is_some_and(|task| task.data == set)
}

/// Pairs of classes that tasks 1 and 2 compare at most: more find no room in a figure that can be read.
const PAIRS: usize = 300;

/// The classes of a set that are compared in pairs: all, or as many of those with the most training images as `PAIRS` allow.
pub(crate) fn compared(set: &DataSet) -> Vec<u8> {
    let classes = set.about.classes.len();
    let pairs = |classes: usize| classes * classes.saturating_sub(1) / 2;
    let most = (0..=classes).rev().find(|&classes| pairs(classes) <= PAIRS).unwrap_or(classes);
    let mut counts = vec![0_usize; classes];
    set.train.labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
    let mut order: Vec<u8> = (0..=u8::MAX).take(classes).collect();
    order.sort_by_key(|&class| (std::cmp::Reverse(counts[usize::from(class)]), class));
    order.truncate(most);
    order.sort_unstable();
    order
}

/// The two runs of task 1.
///
/// # Errors
/// [`PcaError`]: the images of the set do not have so many components.
pub(super) fn expand_pca(task: &PcaSpec, set: &DataSet) -> Result<[PlannedRun; 2], PcaError> {
    check_pca(task, set)?;
    let fit = PcaRun {
        data: slice(set),
        components: task.components,
        reconstructions: task.reconstructions.clone(),
        pictures: task.pictures.min(set.train.len()),
    };
    let separability = SeparabilityRun {
        data: slice(set),
        directions: task.separability.directions,
        max_passes: task.separability.max_passes,
        classes: Some(compared(set)).filter(|some| some.len() < set.about.classes.len()).unwrap_or_default(),
    };
    Ok([
        planned(Task::Pca, "principal components", set, RunSpec::Pca(fit)),
        planned(Task::Pca, "separability", set, RunSpec::Separability(separability)),
    ])
}

/// Refuses components that the set's images do not have.
fn check_pca(pca: &PcaSpec, set: &DataSet) -> Result<(), PcaError> {
    let (samples, features) = (set.train.len(), set.train.images.dim());
    match pca.components {
        components if components > features => Err(PcaError::TooManyComponents { components, features }),
        _ if samples < 2 => Err(PcaError::TooFewSamples { samples }),
        _ => Ok(()),
    }
}

/// The runs of task 2: a perceptron for every two classes that are compared.
pub(super) fn expand_perceptrons(task: &PerceptronSpec, set: &DataSet, seed: u64) -> Vec<PlannedRun> {
    let classes = compared(set);
    let class = |label: u8| &set.about.classes[usize::from(label)];
    let mut runs = Vec::new();
    for (place, &a) in classes.iter().enumerate() {
        for &b in &classes[place + 1..] {
            let run = PerceptronRun {
                data: slice(set),
                a,
                b,
                rule: task.rule,
                learning_rate: task.learning_rate,
                max_iterations: task.max_iterations,
                tolerance: task.tolerance,
                seed,
            };
            let title = format!("{} or {}", class(a), class(b));
            runs.push(planned(Task::Perceptron, &title, set, RunSpec::Perceptron(run)));
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use inkling_data::About;
    use inkling_data::import::Fit;

    use super::*;

    #[test]
    fn of_too_many_classes_those_with_the_most_images_are_compared() {
        let set = |labels: Vec<u8>, classes: usize| {
            let images = inkling_data::Images {
                count: labels.len(),
                height: 1,
                width: 1,
                channels: 1,
                pixels: vec![0; labels.len()],
            };
            let samples = inkling_data::Samples { images, labels };
            let about = About {
                name: "many".into(),
                title: "many".into(),
                shape: [1, 1, 1],
                classes: (0..classes).map(|class| class.to_string()).collect(),
                images: [samples.len(), samples.len()],
                fit: Fit::Stretch,
            };
            DataSet {
                about,
                train: samples.clone(),
                test: samples,
                validation: None,
                checksum: String::new(),
            }
        };
        assert_eq!(compared(&set((0..25).collect(), 25)), (0..25).collect::<Vec<u8>>());
        // 25 classes are 300 pairs. Of 40, the last ten have two images each; of the others, which are alike, the first stay.
        let found = compared(&set((0..40).chain(30..40).collect(), 40));
        assert_eq!(found, (0..15).chain(30..40).collect::<Vec<u8>>());
        assert_eq!(compared(&set(vec![0, 1], 2)), [0, 1]);
    }
}
