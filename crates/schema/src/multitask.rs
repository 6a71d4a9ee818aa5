//! Task 6 in a study file: networks for the classes of a set, for groups of them, and for both.

use serde::{Deserialize, Serialize};

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
    /// Groups of the set's classes, which are the labels of the second task: each class is in one.
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
    /// Other weightings, each trained from every seed of `seeds`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weightings: Vec<Weighting>,
    /// Seeds of the other weightings.
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
    pub classes: Vec<u8>,
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
        let mut seen: Vec<(u8, &str)> = Vec::new();
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
            for &class in &group.classes {
                if let Some((_, other)) = seen.iter().find(|(known, _)| *known == class) {
                    let message = match *other == name {
                        true => format!("class {class} is in `{name}` twice"),
                        false => format!("class {class} is in `{other}` and in `{name}`"),
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
        if self.weightings.is_empty() != self.seeds.is_empty() {
            let help = "each weighting is trained from each seed: give both lists, or neither";
            return wrong("weightings", "weightings without seeds, or seeds without weightings".into(), help);
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

    /// The group of each of so many classes, by the order of the groups.
    ///
    /// # Errors
    /// The first class that is in no group, or beyond the set's.
    pub fn mapping(&self, classes: usize) -> Result<Vec<u8>, u8> {
        let beyond =
            self.groups.iter().flat_map(|group| &group.classes).find(|&&class| usize::from(class) >= classes);
        if let Some(&class) = beyond {
            return Err(class);
        }
        let group = |class: u8| {
            let found = self.groups.iter().position(|group| group.classes.contains(&class));
            found.map(|group| group as u8).ok_or(class)
        };
        // Labels are bytes, so that there are 256 classes at most.
        (0..=u8::MAX).take(classes).map(group).collect()
    }
}
