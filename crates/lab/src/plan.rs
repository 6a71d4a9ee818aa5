//! From a study to its runs.

use std::collections::BTreeMap;

use inkling_data::catalogue;
use inkling_data::{DataError, DataSet, Sources};
use inkling_spec::found::{DataSetFacts, PlannedRun};
use inkling_spec::{DataSlice, PcaRun, PerceptronRun, RunSpec, SeparabilityRun, Study, Task};

use crate::error::LabError;

/// The data sets of a study, limited to the images it asks for, by name.
pub(crate) type DataSets = BTreeMap<&'static str, DataSet>;

/// Loads every set that the study names.
pub(crate) fn load(study: &Study, sources: &Sources) -> Result<DataSets, LabError> {
    let mut sets = DataSets::new();
    let names = study.pca.iter().map(|pca| &pca.data).chain(study.perceptron.iter().map(|task| &task.data));
    for name in names {
        let info = catalogue::find(name)?;
        if !sets.contains_key(info.name) {
            let mut set = sources.load(info)?;
            set.train = set.train.take(study.data.train_images);
            set.test = set.test.take(study.data.test_images);
            require_every_class(&set)?;
            sets.insert(info.name, set);
        }
    }
    Ok(sets)
}

fn require_every_class(set: &DataSet) -> Result<(), LabError> {
    for (part, samples) in [("train", &set.train), ("test", &set.test)] {
        for (label, class) in set.info.classes.iter().enumerate() {
            if !samples.labels.iter().any(|&found| usize::from(found) == label) {
                let images = samples.len();
                let class = (*class).to_owned();
                return Err(LabError::MissingClass { class, part, images, title: set.info.title });
            }
        }
    }
    Ok(())
}

/// What a reader of the results needs to know of the sets.
pub(crate) fn facts(sets: &DataSets) -> BTreeMap<String, DataSetFacts> {
    let facts = |set: &DataSet| DataSetFacts {
        title: set.info.title.into(),
        height: set.info.shape[0],
        width: set.info.shape[1],
        classes: set.info.classes.iter().map(|&class| class.into()).collect(),
        checksum: set.checksum.clone(),
    };
    sets.iter().map(|(&name, set)| (name.to_owned(), facts(set))).collect()
}

/// Every run of a study, in the order in which a reader meets them.
pub(crate) fn expand(study: &Study, sets: &DataSets) -> Result<Vec<PlannedRun>, DataError> {
    let set = |name: &str| catalogue::find(name).map(|info| &sets[info.name]);
    let slice = |set: &DataSet| DataSlice {
        set: set.info.name.into(),
        train_images: set.train.len(),
        test_images: set.test.len(),
    };
    let planned = |task, title: &str, set: &DataSet, spec: RunSpec| PlannedRun {
        id: spec.id(&set.checksum),
        task,
        title: title.into(),
        spec,
    };
    let mut runs = Vec::new();
    if let Some(pca) = &study.pca {
        let set = set(&pca.data)?;
        let fit = PcaRun {
            data: slice(set),
            components: pca.components,
            reconstructions: pca.reconstructions.clone(),
        };
        let separability = SeparabilityRun {
            data: slice(set),
            directions: pca.separability.directions,
            max_passes: pca.separability.max_passes,
        };
        runs.push(planned(Task::Pca, "principal components", set, RunSpec::Pca(fit)));
        runs.push(planned(Task::Pca, "separability", set, RunSpec::Separability(separability)));
    }
    if let Some(task) = &study.perceptron {
        let set = set(&task.data)?;
        let classes = u8::try_from(set.info.classes.len()).expect("labels are bytes");
        for a in 0..classes {
            for b in a + 1..classes {
                let run = PerceptronRun {
                    data: slice(set),
                    a,
                    b,
                    rule: task.rule,
                    learning_rate: task.learning_rate,
                    max_iterations: task.max_iterations,
                    tolerance: task.tolerance,
                    seed: study.seed,
                };
                let class = |label: u8| set.info.classes[usize::from(label)];
                let title = format!("{} or {}", class(a), class(b));
                runs.push(planned(Task::Perceptron, &title, set, RunSpec::Perceptron(run)));
            }
        }
    }
    Ok(runs)
}
