//! Task 6 in a study file: networks for the classes of a set, for groups of them, and for both.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::model::{Head, LayerSpec, ModelSpec, Padding};
use crate::names::check_names;
use crate::networks::InitializerPair;
use crate::numbers::{apart, count, counts, lambdas, seeds};
use crate::training::TrainingSpec;
use crate::weighting::Weighting;

/// Task 6: two single-task networks, and two-headed ones under several weightings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultitaskTask {
    /// Name of the data set in the catalogue.
    pub data: String,
    /// Weight λ of the item loss in each two-headed network, from 0 to 1; the group loss has 1 − λ.
    #[serde(deserialize_with = "lambdas")]
    pub lambdas: Vec<f64>,
    /// Groups of the set's classes, which are the labels of the second task: each class is in one. Where not given, those that
    /// the data set has in the study.
    #[serde(default)]
    pub groups: Vec<GroupSpec>,
    /// The networks.
    pub network: MultitaskNetwork,
    /// How weights start.
    pub initializer: InitializerPair,
    /// How every network is trained.
    pub training: TrainingSpec,
    /// Steps between two looks at the heads' gradients on the shared layers and at what stands still in the largest dense
    /// layer.
    #[serde(deserialize_with = "count")]
    pub gradients_every: usize,
    /// Other weightings, each trained from every seed of `seeds` or, where there are none, of the study.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weightings: Vec<Weighting>,
    /// Seeds of the other weightings, where these are not those of the study.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "seeds")]
    pub seeds: Vec<u64>,
}

/// A group of classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSpec {
    /// Its name.
    pub name: String,
    /// The classes in it.
    pub classes: Vec<ClassRef>,
}

/// A class of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ClassRef {
    /// By its number, from 0.
    Number(u8),
    /// By its name.
    Name(String),
}

impl From<u8> for ClassRef {
    fn from(number: u8) -> ClassRef {
        ClassRef::Number(number)
    }
}

impl fmt::Display for ClassRef {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ClassRef::Number(number) => write!(f, "class {number}"),
            ClassRef::Name(name) => write!(f, "the class `{name}`"),
        }
    }
}

impl<'de> Deserialize<'de> for ClassRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = ClassRef;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter
                    .write_str("a whole number from 0 to 255, such as 3, or the name of a class in quotes")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<ClassRef, E> {
                let class = u8::try_from(number).map(ClassRef::Number);
                class.map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<ClassRef, E> {
                let class = u8::try_from(number).map(ClassRef::Number);
                class.map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<ClassRef, E> {
                Ok(ClassRef::Name(name.to_owned()))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Why groups are no groups of a set's classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoGroups {
    /// A class is in no group.
    Left(u8),
    /// A group holds a class that the set does not have.
    Unknown {
        /// The group's name.
        group: String,
        /// The class.
        class: ClassRef,
    },
    /// A class is in two groups, or twice in one.
    Twice(u8),
}

/// The structure that all networks of task 6 share: convolutions with ReLU, each perhaps with a max pooling after it, and
/// dense layers with ReLU; then the same dense layers for each head, and its scores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultitaskNetwork {
    /// Filters of each convolution.
    #[serde(deserialize_with = "counts")]
    pub filters: Vec<usize>,
    /// Side of each convolution's kernels; the step is 1, padding is "same".
    #[serde(deserialize_with = "counts")]
    pub kernels: Vec<usize>,
    /// Side and step of the max pooling after each convolution; 1 where there is none.
    #[serde(deserialize_with = "counts")]
    pub pools: Vec<usize>,
    /// Units of the dense layers that heads share.
    #[serde(deserialize_with = "counts")]
    pub shared: Vec<usize>,
    /// Units of the dense layers of each head.
    #[serde(deserialize_with = "counts")]
    pub head: Vec<usize>,
}

/// Name of the head for the set's classes.
pub const ITEM: &str = "item";
/// Name of the head for their groups.
pub const GROUP: &str = "group";

impl MultitaskNetwork {
    /// The network for images of this shape [height, width, channels], with heads of these names and numbers of classes.
    pub fn model(
        &self,
        input: [usize; 3],
        heads: &[(&str, usize)],
        initializer: InitializerPair,
    ) -> ModelSpec {
        let dense =
            |&units: &usize| [LayerSpec::Dense { units, initializer: initializer.hidden }, LayerSpec::Relu];
        let mut trunk = Vec::new();
        for ((&filters, &kernel), &pool) in self.filters.iter().zip(&self.kernels).zip(&self.pools) {
            let (kernel, stride, padding) = ([kernel; 2], [1; 2], Padding::Same);
            trunk.push(LayerSpec::Conv2d {
                filters,
                kernel_size: kernel,
                stride,
                padding,
                initializer: initializer.hidden,
            });
            trunk.push(LayerSpec::Relu);
            if pool > 1 {
                trunk.push(LayerSpec::MaxPool { pool_size: [pool; 2], stride: [pool; 2] });
            }
        }
        trunk.push(LayerSpec::Flatten);
        trunk.extend(self.shared.iter().flat_map(dense));
        let head = |&(name, units): &(&str, usize)| {
            let scores = LayerSpec::Dense { units, initializer: initializer.output };
            let layers = self.head.iter().flat_map(dense).chain([scores]).collect();
            Head::new(name, layers)
        };
        ModelSpec { input, trunk, heads: heads.iter().map(head).collect() }
    }
}

/// What is wrong with task 6: (its key, message, help).
type Wrong = (String, String, String);

impl MultitaskTask {
    /// What single keys cannot know of each other.
    pub(crate) fn check(&self) -> Result<(), Wrong> {
        let wrong = |key: &str, message: String, help: &str| Err((key.to_owned(), message, help.to_owned()));
        if !self.lambdas.is_sorted_by(|a, b| a < b) {
            let message = "the λ must be strictly increasing".into();
            return wrong("lambdas", message, "expected a list such as [0.0, 0.25, 0.5, 0.75, 1.0]");
        }
        // Losses are weighted in 32-bit arithmetic.
        let same = |pair: &&[f64]| pair[0] as f32 == pair[1] as f32;
        if let Some([a, b]) = self.lambdas.windows(2).find(same) {
            let message = format!("λ = {a} and λ = {b} are the same in 32-bit arithmetic");
            return wrong("lambdas", message, "leave one of them out, or choose them farther apart");
        }
        let mut seen: Vec<(&ClassRef, &str)> = Vec::new();
        let names = self.groups.iter().map(|group| group.name.as_str());
        check_names("a group", names)
            .map_err(|(number, message, help)| (format!("groups.{number}.name"), message, help))?;
        for (number, group) in self.groups.iter().enumerate() {
            let name = &group.name;
            let key = format!("groups.{number}.classes");
            if group.classes.is_empty() {
                let message = format!("the group `{name}` has no classes");
                return wrong(&key, message, "give it some, or leave it out");
            }
            for class in &group.classes {
                if let Some((_, other)) = seen.iter().find(|(known, _)| *known == class) {
                    let message = match *other == name {
                        true => format!("{class} is in `{name}` twice"),
                        false => format!("{class} is in `{other}` and in `{name}`"),
                    };
                    return wrong(&key, message, "each class is in one group");
                }
                seen.push((class, name));
            }
        }
        if self.groups.len() < 2 {
            let message = format!("{} group is not enough to classify", self.groups.len());
            return wrong("groups", message, "expected two groups or more");
        }
        let depth = self.network.filters.len();
        for (key, length) in [("kernels", self.network.kernels.len()), ("pools", self.network.pools.len())] {
            if length != depth {
                let message = format!("{length} {key} for {depth} convolutions");
                let help = "`filters`, `kernels` and `pools` have an entry for each convolution";
                return wrong(&format!("network.{key}"), message, help);
            }
        }
        if self.weightings.is_empty() && !self.seeds.is_empty() {
            let help =
                "give both lists, weightings alone, which are trained from the study's seeds, or neither";
            return wrong("seeds", "seeds without weightings".into(), help);
        }
        for (i, weighting) in self.weightings.iter().enumerate() {
            let key = format!("weightings.{i}");
            if let Weighting::Fixed { weights } = weighting {
                let key = format!("{key}.weights");
                if weights.len() != 2 {
                    let message = format!("{weights:?} are not the weights of two losses");
                    return wrong(&key, message, "expected a list of two numbers, such as [1.0, 0.5]");
                }
                if weights.iter().all(|&weight| weight == 0.0) {
                    let message = format!("with the weights {weights:?}, nothing is trained");
                    return wrong(&key, message, "expected at least one above 0");
                }
            }
            let name = weighting.name();
            if self.weightings[..i].iter().any(|other| other.name() == name) {
                let help = "tables and figures identify weightings by their names";
                return wrong(&key, format!("two weightings are called `{name}`"), help);
            }
        }
        for (i, seed) in self.seeds.iter().enumerate() {
            if self.seeds[..i].contains(seed) {
                return wrong(
                    "seeds",
                    format!("the seed {seed} appears twice"),
                    "expected seeds that differ",
                );
            }
        }
        Ok(())
    }

    /// Each λ in words, with as many digits as tell it from the others, from 0 and from 1.
    pub fn lambda_names(&self) -> Vec<String> {
        let mut names = apart(&[&self.lambdas[..], &[0.0, 1.0]].concat());
        names.truncate(self.lambdas.len());
        names
    }

    /// The seeds of the other weightings in a study with these seeds.
    pub fn weighting_seeds<'a>(&'a self, study: &'a [u64]) -> &'a [u64] {
        if self.seeds.is_empty() { study } else { &self.seeds }
    }

    /// What its networks are called in a study with these seeds: the single-task ones, one for each λ, one for each other weighting
    /// and seed.
    pub fn network_names(&self, study: &[u64]) -> Vec<String> {
        let singles = [ITEM, GROUP].map(str::to_owned);
        let lambdas = self.lambda_names().into_iter().map(|name| format!("λ = {name}"));
        let each_seed = |weighting: &Weighting| {
            let seeds = self.weighting_seeds(study).iter();
            seeds.map(|seed| format!("{}, seed {seed}", weighting.name())).collect::<Vec<_>>()
        };
        let others = self.weightings.iter().flat_map(each_seed);
        singles.into_iter().chain(lambdas).chain(others).collect()
    }

    /// The group of each class of a set with these names, by the order of the groups.
    ///
    /// # Errors
    /// The first class that is in no group, in two, or not of the set.
    pub fn mapping(&self, classes: &[String]) -> Result<Vec<u8>, NoGroups> {
        let mut mapping: Vec<Option<u8>> = vec![None; classes.len()];
        for (number, group) in (0..=u8::MAX).zip(&self.groups) {
            for class in &group.classes {
                let place = match class {
                    ClassRef::Number(class) => {
                        Some(usize::from(*class)).filter(|class| *class < classes.len())
                    }
                    ClassRef::Name(name) => classes.iter().position(|class| class == name),
                };
                let unknown = || NoGroups::Unknown { group: group.name.clone(), class: class.clone() };
                let place = place.ok_or_else(unknown)?;
                // Labels are bytes, so that there are 256 classes at most.
                if mapping[place].replace(number).is_some() {
                    return Err(NoGroups::Twice(place as u8));
                }
            }
        }
        let group = |(class, group): (u8, Option<u8>)| group.ok_or(NoGroups::Left(class));
        (0..=u8::MAX).zip(mapping).map(group).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Study, preset};

    fn task(groups: &[(&str, &[ClassRef])]) -> MultitaskTask {
        let group = |(name, classes): &(&str, &[ClassRef])| GroupSpec {
            name: (*name).into(),
            classes: classes.to_vec(),
        };
        let groups = groups.iter().map(group).collect();
        MultitaskTask { groups, ..preset("smoke").and_then(|study| study.multitask).unwrap() }
    }

    #[test]
    fn classes_are_grouped_by_number_or_name_each_once() {
        let names = ["oak", "7", "ash"].map(String::from);
        let name = |name: &str| ClassRef::Name(name.into());
        let of = |groups: &[(&str, &[ClassRef])]| task(groups).mapping(&names);
        assert_eq!(of(&[("trees", &[name("oak"), 2.into()]), ("rest", &[name("7")])]), Ok(vec![0, 1, 0]));
        assert_eq!(of(&[("trees", &[name("oak")]), ("rest", &[name("7")])]), Err(NoGroups::Left(2)));
        assert_eq!(of(&[("trees", &[name("oak"), 0.into()])]), Err(NoGroups::Twice(0)));
        for class in [name("elm"), 3.into()] {
            let unknown = NoGroups::Unknown { group: "trees".into(), class: class.clone() };
            assert_eq!(of(&[("trees", &[class])]), Err(unknown));
        }
    }

    #[test]
    fn weightings_are_trained_from_the_seeds_of_the_study_unless_the_task_has_its_own() {
        let mut study = preset("smoke").unwrap();
        study.set_seeds(&[3, 5]);
        let task = study.multitask.as_mut().unwrap();
        task.weightings = vec![Weighting::PcGrad];
        let study = Study::from_toml("study.toml", &study.to_toml()).unwrap();
        let others = |task: &MultitaskTask, seeds: &[u64]| {
            let names = task.network_names(seeds);
            names.into_iter().filter(|name| name.starts_with("PCGrad")).collect::<Vec<_>>()
        };
        let mut task = study.multitask.clone().unwrap();
        assert_eq!(others(&task, &study.all_seeds()), ["PCGrad, seed 3", "PCGrad, seed 5"]);
        assert_eq!(others(&task, &[1]), ["PCGrad, seed 1"]);
        task.seeds = vec![4];
        assert_eq!(others(&task, &study.all_seeds()), ["PCGrad, seed 4"]);
    }

    #[test]
    fn task_6_takes_the_groups_of_its_data_set() {
        let mut study = preset("smoke").unwrap();
        study.keep_only(&[crate::Task::Multitask]);
        let text = study.to_toml();
        let groups = study.multitask.as_ref().unwrap().groups.clone();
        study.multitask.as_mut().unwrap().groups.clear();
        study.multitask.as_mut().unwrap().data = "leaves".into();
        let set = "[[data_set]]\nname = \"leaves\"\nsource = \"photos\"\n\
                   groups = [{ name = \"trees\", classes = [\"oak\", 1] }, { name = \"rest\", classes = [\"fern\"] }]\n";
        let read = Study::from_toml("mine.toml", &format!("{}\n{set}", study.to_toml())).unwrap();
        let found = &read.multitask.as_ref().unwrap().groups;
        assert_eq!((found.len(), found[0].classes[0].clone()), (2, ClassRef::Name("oak".into())));
        // Groups of its own come first, and none at all are refused.
        assert_eq!(Study::from_toml("mine.toml", &text).unwrap().multitask.unwrap().groups, groups);
        let none = set.lines().filter(|line| !line.starts_with("groups")).collect::<Vec<_>>().join("\n");
        assert!(Study::from_toml("mine.toml", &format!("{}\n{none}", study.to_toml())).is_err());
    }
}
