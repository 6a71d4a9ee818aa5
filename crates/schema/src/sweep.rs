//! A sweep: one network trained with several values of some keys, compared on its validation images.

mod network;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::check::Wrong;
use crate::settings::{Setting, SettingError};
use crate::study::{Study, Task};

/// Points of a sweep at most.
const POINTS: usize = 200;

/// Which values are tried: those of each key in all combinations, or points that are listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepSpec {
    /// The network that is trained with each of them; where not given, the one that task 5 looks into, or the only one of its task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Points that are listed: the value of each key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<Table>,
    /// The values of each key, all of whose combinations are points.
    #[serde(flatten)]
    pub grid: Table,
}

/// The network that a sweep trains with several values, and with which.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// Its task.
    pub task: Task,
    /// Its name.
    pub network: String,
    /// The points, in the order in which they are tried; there is one at least.
    pub points: Vec<SweepPoint>,
}

/// A point of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepPoint {
    /// The values, each point's in the order of the same keys.
    pub settings: Vec<Setting>,
    /// The study with these values and the sweep's task alone.
    pub study: Study,
}

impl SweepPoint {
    /// Its values in words: "learning_rate = 0.001, batch_size = 100".
    pub fn title(&self) -> String {
        self.settings.iter().map(Setting::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl SweepSpec {
    /// The settings of each point, where they are well formed.
    pub fn settings(&self) -> Option<Vec<Vec<Setting>>> {
        self.points().ok()
    }

    /// The settings of each point.
    fn points(&self) -> Result<Vec<Vec<Setting>>, (String, SettingError)> {
        let setting = |(key, value): (&String, &Value)| Setting { key: key.clone(), value: value.clone() };
        if !self.points.is_empty() {
            if let Some(key) = self.grid.keys().next() {
                let message = "the sweep lists its points, and has values of a key too";
                let help = "give [[sweep.points]], or values of keys, and not both";
                return Err((key.clone(), SettingError::new(message, help)));
            }
            return Ok(self.points.iter().map(|point| point.iter().map(setting).collect()).collect());
        }
        let mut points: Vec<Vec<Setting>> = vec![Vec::new()];
        for (key, values) in &self.grid {
            let refused = |message: &str| {
                let help = "write keys in quotes with a list of values: \"cnn.training.learning_rate\" = [1e-4, 1e-3]";
                Err((key.clone(), SettingError::new(message, help)))
            };
            let values = match values {
                Value::Array(values) if values.is_empty() => return refused("there is no value to try"),
                Value::Array(values) => values,
                Value::Table(_) => return refused("this is a table and no list of values"),
                _ => return refused("this is no list of values"),
            };
            if points.len() * values.len() > POINTS {
                let message = format!("the sweep has more than {POINTS} points");
                let help = "give fewer values, or list the points that matter as [[sweep.points]]";
                return Err((key.clone(), SettingError::new(message, help)));
            }
            let with = |point: &Vec<Setting>| {
                let with = |value: &Value| [&point[..], &[setting((key, value))]].concat();
                values.iter().map(with).collect::<Vec<_>>()
            };
            points = points.iter().flat_map(with).collect();
        }
        Ok(points)
    }
}

impl Study {
    /// The points of the study's sweep, where it has one.
    ///
    /// # Errors
    /// What the sweep is refused for, where the study was changed since it was read.
    pub fn sweep_points(&self) -> Result<Option<Sweep>, SettingError> {
        let Some(sweep) = &self.sweep else { return Ok(None) };
        self.resolve(sweep).map(Some).map_err(|(_, error)| error)
    }

    /// A point of a sweep of this study's that has no other; `network` may name the network.
    ///
    /// # Errors
    /// What a sweep of this point is refused for.
    pub fn point(&self, network: Option<&str>, settings: &[Setting]) -> Result<Sweep, SettingError> {
        let mut point = Table::new();
        for Setting { key, value } in settings {
            if point.insert(key.clone(), value.clone()).is_some() {
                return Err(SettingError::new(format!("`{key}` is set twice"), "give it one value"));
            }
        }
        let network = network.map(str::to_owned);
        self.resolve(&SweepSpec { network, points: vec![point], grid: Table::new() })
            .map_err(|(_, error)| error)
    }

    /// The task and the network of the study's sweep, where it has one that can be.
    pub fn swept(&self) -> Option<(Task, String)> {
        let sweep = self.sweep.as_ref()?;
        let task = self.task_of(&keys(&sweep.points().ok()?).ok()?).ok()?;
        Some((task, self.swept_network(sweep, task).ok()?))
    }

    /// Writes down which network the sweep trains, so that it stays the same where tasks are left out.
    pub(crate) fn name_swept_network(&mut self) {
        if let (Some((_, name)), Some(sweep)) = (self.swept(), &mut self.sweep) {
            sweep.network = Some(name);
        }
    }

    pub(crate) fn check_sweep(&self) -> Result<(), Wrong> {
        let Some(sweep) = &self.sweep else { return Ok(()) };
        self.resolve(sweep).map(|_| ()).map_err(|(key, SettingError { message, help })| {
            let path = ["sweep".to_owned()].into_iter().chain((!key.is_empty()).then_some(key)).collect();
            Wrong { path, message, help }
        })
    }

    /// Every point of a sweep; the error names the key of [sweep] that it is about, or none.
    fn resolve(&self, sweep: &SweepSpec) -> Result<Sweep, (String, SettingError)> {
        let points = sweep.points()?;
        let keys = keys(&points)?;
        let task = self.task_of(&keys)?;
        let network = self.swept_network(sweep, task)?;
        let base = self.of_task(task);
        let mut resolved: Vec<SweepPoint> = Vec::new();
        for settings in points {
            let first = settings[0].key.clone();
            let of_first =
                |message: String, help: &str| Err((first.clone(), SettingError::new(message, help)));
            // Of several values, the one that is refused alone too is to blame.
            let blamed =
                || settings.iter().find(|one| base.with_settings(std::slice::from_ref(one)).is_err());
            let mut study = base.with_settings(&settings).map_err(|error| {
                (blamed().map_or_else(|| first.clone(), |setting| setting.key.clone()), error)
            })?;
            if !study.has_network(task, &network) {
                return of_first(
                    format!("with {}, no network is called `{network}`", titled(&settings)),
                    "a sweep trains one network with several values: leave its name as it is",
                );
            }
            study.keep_network(task, &network);
            let training = study.training(task).expect("the task is there");
            let Some(validation) = &training.validation else {
                let message = format!(
                    "points are compared on validation images, and [{0}.training] has none",
                    task.name()
                );
                let help = format!("write `validation = {{ images = 1000 }}` in [{}.training]", task.name());
                return Err((first.clone(), SettingError::new(message, help)));
            };
            let images = |study: &Study| {
                let validation = study.training(task).and_then(|training| training.validation.as_ref());
                let data = study.sets().map(str::to_owned).collect::<Vec<_>>();
                (data, validation.map(|validation| (validation.images, validation.own)))
            };
            let of_images = images(&study);
            if validation.images + usize::from(validation.own) == 0
                || resolved.first().is_some_and(|point| images(&point.study) != of_images)
                || base.sets().any(|set| !of_images.0.iter().any(|other| other == set))
            {
                return of_first(
                    format!("with {}, a point has images of its own", titled(&settings)),
                    "points are compared on the same validation images: leave `data` and `validation` as they are",
                );
            }
            if let Some(other) = resolved.iter().find(|point| point.study == study) {
                let (one, other) = (titled(&settings), other.title());
                return of_first(
                    format!("`{network}` is the same network, trained alike, with {other} and with {one}"),
                    "give each point values of its own, of keys that this network depends on",
                );
            }
            resolved.push(SweepPoint { settings, study });
        }
        Ok(Sweep { task, network, points: resolved })
    }
}

fn titled(settings: &[Setting]) -> String {
    settings.iter().map(Setting::to_string).collect::<Vec<_>>().join(", ")
}

/// The keys of all points, which must be the same.
fn keys(points: &[Vec<Setting>]) -> Result<Vec<String>, (String, SettingError)> {
    let keys = |point: &[Setting]| point.iter().map(|setting| setting.key.clone()).collect::<Vec<_>>();
    let example = "give values to try, such as \"cnn.training.learning_rate\" = [1e-4, 3e-4, 1e-3]";
    let first = points.first().map(|point| keys(point)).unwrap_or_default();
    if first.is_empty() {
        return Err((String::new(), SettingError::new("the sweep changes nothing", example)));
    }
    if points.len() > POINTS {
        let message = format!("the sweep has {} points", points.len());
        return Err(("points".into(), SettingError::new(message, format!("give at most {POINTS}"))));
    }
    if points.iter().any(|point| keys(point) != first) {
        let message = "the points have values of different keys";
        let help = format!("give each point a value of each of {}", first.join(", "));
        return Err(("points".into(), SettingError::new(message, help)));
    }
    Ok(first)
}

#[cfg(test)]
mod tests;
