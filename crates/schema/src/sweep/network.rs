//! Which network a sweep trains, and the study of that network alone.

use crate::parse::nearest;
use crate::settings::{SettingError, steps};
use crate::study::{Study, Task};
use crate::sweep::SweepSpec;
use crate::training::TrainingSpec;

/// The tasks whose networks can be swept.
const TASKS: [Task; 4] = [Task::Mlp, Task::Cnn, Task::Network, Task::Multitask];

impl Study {
    /// The study of one network of a task and of nothing else.
    pub(crate) fn of_one(&self, task: Task, name: &str) -> Study {
        let mut study = self.of_task(task);
        study.keep_network(task, name);
        study
    }

    /// The study of one task, without a page or authors.
    pub(super) fn of_task(&self, task: Task) -> Study {
        let mut study = Study { sweep: None, page: Default::default(), report: None, ..self.clone() };
        study.keep_only(&[task]);
        study
    }
    /// The task that has all of these keys.
    pub(super) fn task_of(&self, keys: &[String]) -> Result<Task, (String, SettingError)> {
        let mut found: Option<Task> = None;
        for key in keys {
            let at_key = |error: SettingError| (key.clone(), error);
            let steps = steps(key).map_err(at_key)?;
            let Some(task) = TASKS.into_iter().find(|task| task.name() == steps[0]) else {
                let message = format!("`{key}` is no key of networks that are trained");
                let known = TASKS.map(Task::name);
                let help = self.nearest_key(&steps, &known);
                let help = help.map(|near| format!("did you mean `{near}`?"));
                return Err(at_key(SettingError::new(
                    message,
                    help.unwrap_or_else(|| nearest(&steps[0], &known, "tables")),
                )));
            };
            if let Some(other) = found.filter(|other| *other != task) {
                let message = format!("the sweep changes [{}] and [{}]", other.name(), task.name());
                let help = "a sweep trains one network: change keys of its table alone";
                return Err(at_key(SettingError::new(message, help)));
            }
            found = Some(task);
        }
        Ok(found.expect("there is a key"))
    }

    /// The name of the network that a sweep trains.
    pub(super) fn swept_network(
        &self,
        sweep: &SweepSpec,
        task: Task,
    ) -> Result<String, (String, SettingError)> {
        let names = self.names_of(task);
        let refused = |message: String| {
            let known: Vec<&str> = names.iter().map(String::as_str).collect();
            let help = match &sweep.network {
                Some(name) => nearest(name, &known, "networks"),
                None => format!(
                    "its networks are {}",
                    known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
                ),
            };
            Err(("network".to_owned(), SettingError::new(message, help)))
        };
        let table = task.name();
        if names.is_empty() {
            let message = format!("the study has no [{table}], whose network the sweep would train");
            let help = format!(
                "give [{table}] as the study of one point has it; the sweep changes some of its values"
            );
            return Err((String::new(), SettingError::new(message, help)));
        }
        let looked_into =
            self.inside.as_ref().map(|inside| &inside.network).filter(|name| names.contains(name));
        match (&sweep.network, names.as_slice()) {
            (Some(name), names) if names.contains(name) => Ok(name.clone()),
            (Some(name), _) => refused(format!("no network of [{table}] is called `{name}`")),
            (None, [name]) => Ok(name.clone()),
            (None, _) => match looked_into {
                Some(name) => Ok(name.clone()),
                None => refused(format!(
                    "[{table}] has {} networks, and the sweep trains one: name it as `network`",
                    names.len()
                )),
            },
        }
    }

    /// The names of a task's networks.
    pub(crate) fn names_of(&self, task: Task) -> Vec<String> {
        match task {
            Task::Mlp => {
                self.mlp.iter().flat_map(|task| &task.networks).map(|found| found.name.clone()).collect()
            }
            Task::Cnn => {
                self.cnn.iter().flat_map(|task| &task.networks).map(|found| found.name.clone()).collect()
            }
            Task::Network => self.network.iter().map(|task| task.name.clone()).collect(),
            Task::Multitask => {
                let seeds = self.all_seeds();
                self.multitask.iter().flat_map(|task| task.network_names(&seeds)).collect()
            }
            _ => Vec::new(),
        }
    }

    pub(crate) fn has_network(&self, task: Task, name: &str) -> bool {
        self.names_of(task).iter().any(|other| other == name)
    }

    /// Leaves out every other network of tasks 3 or 4.
    pub(super) fn keep_network(&mut self, task: Task, name: &str) {
        match task {
            Task::Mlp => {
                self.mlp.iter_mut().for_each(|task| task.networks.retain(|other| other.name == name));
            }
            Task::Cnn => {
                self.cnn.iter_mut().for_each(|task| task.networks.retain(|other| other.name == name));
            }
            _ => {}
        }
    }

    /// How the networks of a task are trained.
    pub(super) fn training(&self, task: Task) -> Option<&TrainingSpec> {
        match task {
            Task::Mlp => self.mlp.as_ref().map(|task| &task.training),
            Task::Cnn => self.cnn.as_ref().map(|task| &task.training),
            Task::Network => self.network.as_ref().map(|task| &task.training),
            Task::Multitask => self.multitask.as_ref().map(|task| &task.training),
            _ => None,
        }
    }
}
