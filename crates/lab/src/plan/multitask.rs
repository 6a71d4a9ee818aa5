//! From task 6 of a study to its runs.

use inkling_data::DataSet;
use inkling_schema::outcome::PlannedRun;
use inkling_schema::{
    ClassRef, GROUP, ITEM, Labels, MultitaskTask, NoGroups, RunSpec, Task, TrainRun, Weighting,
};

use super::{planned, slice};
use crate::error::LabError;
use crate::train::check;

/// Every run of task 6, in the order in which a reader meets them: both single-task networks, a two-headed one for each λ,
/// and one for each other weighting and seed.
///
/// All of the first two kinds have the study's seed, so that their shared layers start alike and see the same batches. The third
/// kind has all of its seeds at once, those of the task or else of the `study`, and so is there but once.
///
/// # Errors
/// [`LabError::Groups`], [`LabError::Network`] and [`LabError::Labels`].
pub(super) fn expand(
    task: &MultitaskTask,
    set: &DataSet,
    (seed, is_first): (u64, bool),
    study: &[u64],
) -> Result<Vec<PlannedRun>, LabError> {
    let items = set.about.classes.len();
    let mapping = task.mapping(&set.about.classes).map_err(|wrong| no_groups(set, &wrong))?;
    let heads = [(ITEM, items), (GROUP, task.groups.len())];
    let labels = [Labels::Classes, Labels::Groups(mapping)];
    let run = |title: String, heads: &[(&str, usize)], labels: &[Labels], weighting, seed| {
        let model = task.network.model(set.about.shape, heads, task.initializer);
        let spec = TrainRun {
            data: slice(set),
            model,
            training: task.training.clone(),
            seed,
            labels: labels.to_vec(),
            weighting,
            gradients_every: Some(task.gradients_every),
        };
        let run = planned(Task::Multitask, &title, set, RunSpec::Train(spec.clone()));
        check(&run, &spec, set)?;
        Ok(run)
    };
    let names = task.network_names(study);
    let (singles, rest) = names.split_at(heads.len());
    let (lambdas, others) = rest.split_at(task.lambdas.len());
    let singles = singles.iter().enumerate().map(|(head, name)| {
        run(name.clone(), &heads[head..=head], &labels[head..=head], Weighting::default(), seed)
    });
    let lambdas = lambdas.iter().zip(&task.lambdas).map(|(name, &lambda)| {
        let weighting = Weighting::Fixed { weights: vec![lambda, 1.0 - lambda] };
        run(name.clone(), &heads, &labels, weighting, seed)
    });
    let each_seed = |weighting| task.weighting_seeds(study).iter().map(move |&seed| (weighting, seed));
    let asked = task.weightings.iter().flat_map(each_seed);
    let others = others.iter().zip(asked).map(|(name, (weighting, seed)): (&String, (&Weighting, u64))| {
        run(name.clone(), &heads, &labels, weighting.clone(), seed)
    });
    singles.chain(lambdas).chain(others.filter(|_| is_first)).collect()
}

/// The error for groups that are none of the set's classes.
fn no_groups(set: &DataSet, wrong: &NoGroups) -> LabError {
    let classes = &set.about.classes;
    let known: Vec<String> = classes.iter().enumerate().map(|(i, name)| format!("{i} ({name})")).collect();
    let named = |class: u8| format!("class {class} ({})", classes[usize::from(class)]);
    let problem = match wrong {
        NoGroups::Left(class) => format!("{} is in no group", named(*class)),
        NoGroups::Twice(class) => format!("{} is in two groups, or twice in one", named(*class)),
        NoGroups::Unknown { group, class: ClassRef::Number(class) } => {
            format!("the group `{group}` holds class {class}, and the last one is {}", classes.len() - 1)
        }
        NoGroups::Unknown { group, class } => {
            format!("the group `{group}` holds {class}, and no class has this name")
        }
    };
    LabError::Groups { title: set.about.title.clone(), problem, known: known.join(", ") }
}
