//! Some tasks of a study done in the folder of another: one study of both, where they fit together.

use crate::networks::CnnTask;
use crate::own::DataSetSpec;
use crate::study::{Study, Task};

impl Study {
    /// This study with the tasks that are in `tasks` taken from `other`, and its other tasks as they are. What the report
    /// says of its authors comes from `other` where it says something.
    ///
    /// # Errors
    /// In words, what of `other` does not fit this study: "another seed", say. One study has one seed and one limit on its
    /// images, and task 5 looks into a network of task 4.
    pub fn with_tasks_of(&self, other: &Study, tasks: &[Task]) -> Result<Study, String> {
        // Where nothing stays, nothing has to fit.
        if self.tasks().iter().all(|task| tasks.contains(task)) {
            let mut taken = other.clone();
            taken.keep_only(tasks);
            return Ok(taken);
        }
        // The network that a sweep trains comes with its task, or else at the end.
        let (asked, rest): (Vec<Task>, Vec<Task>) =
            Task::ALL.into_iter().filter(|task| *task != Task::Sweep).partition(|task| tasks.contains(task));
        let mut taken = other.clone();
        taken.keep_only(&asked);
        let mut kept = self.clone();
        kept.keep_only(&rest);
        if self.all_seeds() != other.all_seeds() {
            let seeds: Vec<String> = self.all_seeds().iter().map(u64::to_string).collect();
            let noun = if seeds.len() == 1 { "another seed" } else { "other seeds" };
            return Err(format!("{noun} ({})", seeds.join(", ")));
        }
        if self.data != other.data {
            let (train, test) = (self.data.train_images, self.data.test_images);
            return Err(format!("other numbers of images (`data` there: {train} and {test})"));
        }
        let changed =
            |set: &&DataSetSpec| other.data_set.iter().any(|new| new.name == set.name && new != *set);
        if let Some(set) = self.data_set.iter().find(changed) {
            return Err(format!("another data set `{}`", set.name));
        }
        let looked_into = kept.inside.as_ref().or(taken.inside.as_ref()).map(|inside| inside.network.clone());
        let looked_into = looked_into.unwrap_or_default();
        let cnn = match (kept.cnn, taken.cnn) {
            (Some(mut kept), Some(taken)) => {
                let (of_kept, of_taken) = (only(&kept, &looked_into), only(&taken, &looked_into));
                let is_new = of_kept.networks.is_empty() && !tasks.contains(&Task::Cnn);
                if is_new && of_kept == only(&taken, "") {
                    // Trained as the others are: it becomes one of them.
                    kept.networks.extend(of_taken.networks);
                } else if of_kept != of_taken {
                    return Err(format!(
                        "another network `{looked_into}` of task 4, or another training of it, and task 5 looks into it"
                    ));
                }
                // The one that was there only to be looked into is among the other's networks.
                Some(if tasks.contains(&Task::Cnn) { taken } else { kept })
            }
            (kept, taken) => taken.or(kept),
        };
        let new = other.data_set.iter().filter(|set| !self.data_set.contains(set));
        let mut study = Study {
            data_set: self.data_set.iter().chain(new).cloned().collect(),
            seed: self.seed,
            seeds: self.seeds.clone(),
            data: self.data.clone(),
            pca: taken.pca.or(kept.pca),
            perceptron: taken.perceptron.or(kept.perceptron),
            mlp: taken.mlp.or(kept.mlp),
            cnn,
            network: taken.network.or(kept.network),
            inside: taken.inside.or(kept.inside),
            multitask: taken.multitask.or(kept.multitask),
            sweep: None,
            page: other.page.clone(),
            report: other.report.clone().or_else(|| self.report.clone()),
        };
        study.take_sweep(if tasks.contains(&Task::Sweep) { other } else { self })?;
        study.keep_used_sets();
        Ok(study)
    }

    /// Takes over the sweep of another study, whose network must be the same here as there.
    fn take_sweep(&mut self, source: &Study) -> Result<(), String> {
        let Some((task, network)) = source.swept() else { return Ok(()) };
        let base = source.of_one(task, &network);
        if self.names_of(task).is_empty() {
            match task {
                Task::Mlp => self.mlp = base.mlp,
                Task::Cnn => self.cnn = base.cnn,
                Task::Network => self.network = base.network,
                _ => self.multitask = base.multitask,
            }
        } else if !self.has_network(task, &network) || self.of_one(task, &network) != base {
            let table = task.name();
            return Err(format!(
                "another network `{network}` in [{table}], or another training of it, and the sweep changes some of its values"
            ));
        }
        self.sweep.clone_from(&source.sweep);
        Ok(())
    }
}

/// A task without its networks but the one of this name.
fn only(task: &CnnTask, name: &str) -> CnnTask {
    let mut task = task.clone();
    task.networks.retain(|network| network.name == name);
    task
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preset;

    fn study() -> Study {
        preset("smoke").unwrap()
    }

    #[test]
    fn some_tasks_of_the_same_study_change_nothing_and_add_what_was_not_there() {
        for task in Task::ALL {
            assert_eq!(study().with_tasks_of(&study(), &[task]).unwrap(), study(), "{task:?}");
            let mut without = study();
            without.keep_only(&Task::ALL.into_iter().filter(|other| *other != task).collect::<Vec<_>>());
            let mut whole = without.with_tasks_of(&study(), &[task]).unwrap();
            if task == Task::Cnn {
                // Task 5 was there already, and with it the network that it looks into.
                assert_eq!(whole.cnn.as_ref().unwrap().networks.len(), study().cnn.unwrap().networks.len());
            }
            whole.report = study().report;
            assert_eq!(whole, study(), "{task:?}");
        }
    }

    #[test]
    fn a_changed_task_replaces_its_own_and_no_other() {
        let mut changed = study();
        changed.pca.as_mut().unwrap().components = 60;
        changed.mlp.as_mut().unwrap().training.epochs = 7;
        let found = study().with_tasks_of(&changed, &[Task::Pca]).unwrap();
        assert_eq!((found.pca, found.mlp), (changed.pca.clone(), study().mlp));
        // All that was there is replaced, so that nothing has to fit.
        changed.set_seeds(&[5]);
        let mut alone = study();
        alone.keep_only(&[Task::Pca]);
        assert_eq!(alone.with_tasks_of(&changed, &[Task::Pca]).unwrap().seed, Some(5));
    }

    #[test]
    fn what_does_not_fit_is_refused_in_words() {
        let refused = |change: &dyn Fn(&mut Study), tasks: &[Task]| {
            let mut other = study();
            change(&mut other);
            study().with_tasks_of(&other, tasks).unwrap_err()
        };
        assert!(refused(&|other| other.set_seeds(&[7]), &[Task::Mlp]).contains("another seed (1)"));
        assert!(refused(&|other| other.data.test_images = 9, &[Task::Mlp]).contains("numbers of images"));
        let widen = |other: &mut Study| {
            let cnn = other.cnn.as_mut().unwrap();
            cnn.networks.iter_mut().for_each(|network| network.filters[0] += 1);
        };
        for task in [Task::Cnn, Task::Inside] {
            assert!(refused(&widen, &[task]).contains("task 5 looks into it"), "{task:?}");
        }
        let mut other = study();
        widen(&mut other);
        assert!(study().with_tasks_of(&other, &[Task::Cnn, Task::Inside]).is_ok());
        assert!(study().with_tasks_of(&other, &[Task::Pca]).is_ok());
    }
}
