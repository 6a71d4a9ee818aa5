//! Images with the labels of every head, and what can be wrong with them.

use std::borrow::Cow;

use inkling_data::{DataSet, Samples};
use inkling_schema::outcome::PlannedRun;
use inkling_schema::{Labels, ModelError, RunSpec, Shape, TrainRun};

use crate::error::LabError;

/// The most classes that a head of a study may have.
const MAX_CLASSES: usize = 256;

/// Images with the labels of each head.
#[derive(Debug)]
pub(crate) struct LabelledDataset<'a> {
    pub(crate) samples: Cow<'a, Samples>,
    /// A label for each image, by head.
    pub(crate) labels: Vec<Vec<u8>>,
}

impl<'a> LabelledDataset<'a> {
    /// The images with the labels that a run's heads are to predict.
    pub(crate) fn new(samples: Cow<'a, Samples>, labels: &[Labels]) -> LabelledDataset<'a> {
        let labels = labels.iter().map(|labels| labels.of(&samples.labels)).collect();
        LabelledDataset { samples, labels }
    }

    /// Number of images.
    pub(crate) fn len(&self) -> usize {
        self.samples.images.len()
    }

    /// The labels as the engine takes them.
    pub(crate) fn by_head(&self) -> Vec<&[u8]> {
        self.labels.iter().map(Vec::as_slice).collect()
    }
}

/// Refuses a run whose heads, labels, weights and images do not belong together.
///
/// # Errors
/// [`LabError::Network`] and [`LabError::Labels`].
pub(crate) fn check(run: &PlannedRun, spec: &TrainRun, set: &DataSet) -> Result<(), LabError> {
    let scores = scores(spec).map_err(|error| LabError::network(run, error))?;
    let refuse = |problem: String| Err(LabError::Labels { network: run.title.clone(), problem });
    let heads = scores.len();
    if let Some(head) = spec.model.heads.iter().find(|head| !head.loss.is_of_classes()) {
        return refuse(format!(
            "the head `{}` is trained by {}, and the data sets of a study have classes",
            head.name,
            head.loss.name()
        ));
    }
    if spec.training.validation.as_ref().is_some_and(|validation| validation.own) && set.validation.is_none()
    {
        return refuse(format!(
            "its best epoch is to be chosen by {}'s own validation images, and there are none",
            set.about.title
        ));
    }
    if matches!(run.spec, RunSpec::Trial(_)) && spec.training.validation.is_none() {
        return refuse("its points are compared on validation images, and it has none".into());
    }
    // The labels and predictions that a study keeps are bytes.
    let too_many = spec.model.heads.iter().zip(&scores).find(|&(_, &scores)| scores > MAX_CLASSES);
    if let Some((head, scores)) = too_many {
        return refuse(format!(
            "the head `{}` has {scores} classes, and a study's heads have {MAX_CLASSES} at most",
            head.name
        ));
    }
    for (what, count) in [("labels", Some(spec.labels.len())), ("weights", spec.weighting.heads())] {
        if let Some(count) = count.filter(|&count| count != heads) {
            return refuse(format!("it has {heads} heads, and {what} for {count}"));
        }
    }
    let test = matches!(run.spec, RunSpec::Train(_)).then_some(("test", &set.test));
    for (part, samples) in [("training", &set.train)].into_iter().chain(test) {
        let (images, labelled) = (samples.images.len(), samples.labels.len());
        if images != labelled {
            return refuse(format!("there are {images} {part} images, and labels for {labelled}"));
        }
        for ((head, labels), &scores) in spec.model.heads.iter().zip(&spec.labels).zip(&scores) {
            let name = &head.name;
            if let Labels::Groups(groups) = labels
                && groups.len() != set.about.classes.len()
            {
                let (classes, groups) = (set.about.classes.len(), groups.len());
                return refuse(format!(
                    "the head `{name}` has groups for {groups} classes, and {} has {classes}",
                    set.about.title
                ));
            }
            if let Some(&largest) = labels.of(&samples.labels).iter().max()
                && usize::from(largest) >= scores
            {
                return refuse(format!("the head `{name}` has {scores} scores, and a label is {largest}"));
            }
        }
    }
    Ok(())
}

/// Scores of each head.
fn scores(spec: &TrainRun) -> Result<Vec<usize>, ModelError> {
    let plan = spec.model.plan()?;
    let mut last = spec.model.trunk.len();
    let of_head = |layers: usize| {
        last += layers;
        plan.layers[last - 1].output
    };
    Ok(spec.model.heads.iter().map(|head| head.layers.len()).map(of_head).map(Shape::len).collect())
}
