//! Task 5.

use inkling_schema::outcome::{DreamFound, FilterKinds, LookedAt, PairLikeness};
use inkling_schema::{DreamPicture, DreamPurpose, ImageChoice, Objective, Start, Task};
use inkling_statistics::holm;
use serde::Serialize;

use super::interval;
use crate::results::{ActivationsResults, DreamResults, FiltersResults, InsideResults, Judge};
use crate::tables::{Parts, Row, Spec, some, table};

pub(super) const TABLES: &[Spec] = &[
    table("inside_filters", Task::Inside, |rows| some(&rows.inside.as_ref()?.filters)),
    table("inside_layers", Task::Inside, |rows| some(&rows.inside.as_ref()?.layers)),
    table("inside_images", Task::Inside, |rows| some(&rows.inside.as_ref()?.images)),
    table("inside_dreams", Task::Inside, |rows| {
        let inside = rows.inside.as_ref()?;
        some(inside.dreams.iter().chain(&inside.further_dreams))
    }),
    table("inside_likeness", Task::Inside, |rows| some(&rows.inside.as_ref()?.likeness)),
];

/// A part that the study did not ask for is empty or null.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct InsideRows {
    pub(crate) network: String,
    /// Test accuracy of that network.
    test_accuracy: Option<f64>,
    /// The step at which that network's training diverged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) diverged: Option<usize>,
    pub(crate) filters: Vec<FilterRow>,
    pub(crate) layers: Vec<LayerRow>,
    pub(crate) images: Vec<LookedAt>,
    /// The two classes' dreams from several seeds, then those of every class.
    pub(crate) dreams: Vec<DreamRow>,
    /// Dreams with parts of the method left out, from other starts, and of whole layers.
    pub(crate) further_dreams: Vec<DreamRow>,
    pub(crate) judge: Option<JudgeRow>,
    /// How alike the filters, and the dreams, of every two seeds are; empty of one seed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) likeness: Vec<LikenessRow>,
}

/// How alike two seeds are, and how alike they would be by chance.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct LikenessRow {
    /// "filters" of the first convolution, or "dreams" of every class.
    pub(crate) of: &'static str,
    seed_a: u64,
    seed_b: u64,
    /// Mean cosine similarity of matched filters, or mean correlation of dreams of one class.
    pub(crate) observed: f64,
    pub(crate) by_chance: f64,
    /// One-sided p by permutation, and the same corrected for all pairs of seeds by Holm's method.
    p: f64,
    pub(crate) p_holm: f64,
}

impl Row for LikenessRow {}

/// The filters of a convolution, their slices counted by kind, and by kind of as many random ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct FilterRow {
    name: String,
    kernel: [usize; 2],
    channels: usize,
    filters: usize,
    kinds: FilterKinds,
    by_chance: FilterKinds,
}

const KINDS: &[&str] = &["edges", "blobs", "near_zero", "others"];

impl Row for FilterRow {
    const PARTS: Parts = &[("kinds", KINDS), ("by_chance", KINDS)];
}

/// A layer: which channels are zero for every test image, and shares of its outputs that are zero.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct LayerRow {
    name: String,
    height: usize,
    width: usize,
    channels: usize,
    dead: Option<usize>,
    zeros: Option<f64>,
    /// For each image that was looked at.
    zeros_of: Vec<f64>,
    /// The channel that differs most between two images.
    most_different: Option<usize>,
}

impl Row for LayerRow {}

/// An image that was looked at is its own row.
impl Row for LookedAt {}

/// A dream. Probabilities and logits are of its class, where it has one.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct DreamRow {
    /// What the run is there to show: "seeds", "classes", "ablation", "start", "amplify" or "asked".
    purpose: &'static str,
    /// What it shows it of: a class, what is left out, or a layer.
    of: Option<String>,
    objective: String,
    start: String,
    pub(crate) class: Option<usize>,
    number: u32,
    objective_before: f64,
    objective_after: f64,
    logit_before: Option<f64>,
    logit: Option<f64>,
    probability_before: Option<f64>,
    pub(crate) probability: Option<f64>,
    predicted: usize,
    judge_logit: Option<f64>,
    judge_probability: Option<f64>,
    pub(crate) judge_predicted: Option<usize>,
    /// The step at which the dream stopped being finite.
    pub(crate) diverged: Option<usize>,
}

impl Row for DreamRow {}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct JudgeRow {
    seed: u64,
    epochs: usize,
    pub(crate) test_accuracy: Option<f64>,
    /// 95 % Wilson interval of the test accuracy.
    interval: Option<(f64, f64)>,
}

impl InsideRows {
    pub(crate) fn new(inside: &InsideResults) -> InsideRows {
        let class =
            |number: usize| inside.data.classes.get(number).cloned().unwrap_or_else(|| number.to_string());
        let of_classes = |run: &&DreamResults| {
            matches!(run.spec.purpose, DreamPurpose::Seeds { .. } | DreamPurpose::Classes)
        };
        let (of_classes, further): (Vec<_>, Vec<_>) = inside.dreams.iter().partition(of_classes);
        let rows = |runs: Vec<&DreamResults>| -> Vec<DreamRow> {
            runs.into_iter().flat_map(|run| dreams(run, &class)).collect()
        };
        InsideRows {
            network: inside.network.clone(),
            test_accuracy: inside.test.map(|test| test.accuracy()),
            diverged: inside.diverged,
            filters: inside.filters.as_ref().map_or_else(Vec::new, filters),
            layers: inside.activations.as_ref().map_or_else(Vec::new, layers),
            images: inside.activations.as_ref().map_or_else(Vec::new, |found| found.outcome.images.clone()),
            dreams: rows(of_classes),
            further_dreams: rows(further),
            judge: inside.judge.as_ref().map(JudgeRow::new),
            likeness: likeness(inside),
        }
    }
}

fn likeness(inside: &InsideResults) -> Vec<LikenessRow> {
    let Some(found) = &inside.likeness else { return Vec::new() };
    let rows = |of: &'static str, pairs: &[PairLikeness]| -> Vec<LikenessRow> {
        let corrected = holm(&pairs.iter().map(|pair| pair.p).collect::<Vec<f64>>());
        let seed = |place: usize| inside.seeds.get(place).copied().unwrap_or_default();
        let row = |(pair, p_holm): (&PairLikeness, f64)| LikenessRow {
            of,
            seed_a: seed(pair.a),
            seed_b: seed(pair.b),
            observed: pair.observed,
            by_chance: pair.by_chance,
            p: pair.p,
            p_holm,
        };
        pairs.iter().zip(corrected).map(row).collect()
    };
    let filters = found.filters.iter().flat_map(|found| rows("filters", &found.pairs));
    filters.chain(found.dreams.iter().flat_map(|found| rows("dreams", &found.pairs))).collect()
}

fn filters(found: &FiltersResults) -> Vec<FilterRow> {
    let row = |layer: &inkling_schema::outcome::FilterLayer| FilterRow {
        name: layer.name.clone(),
        kernel: layer.kernel,
        channels: layer.channels,
        filters: layer.filters,
        kinds: layer.kinds,
        by_chance: layer.by_chance,
    };
    found.layers.iter().map(|layer| row(&layer.found)).collect()
}

fn layers(found: &ActivationsResults) -> Vec<LayerRow> {
    let row = |layer: &inkling_schema::outcome::ActivationLayer| {
        let [height, width, channels] = layer.shape;
        LayerRow {
            name: layer.name.clone(),
            height,
            width,
            channels,
            dead: layer.dead,
            zeros: layer.zeros,
            zeros_of: layer.zeros_of.clone(),
            most_different: layer.differing.first().copied(),
        }
    };
    found.outcome.layers.iter().map(row).collect()
}

impl JudgeRow {
    fn new(judge: &Judge) -> JudgeRow {
        JudgeRow {
            seed: judge.seed,
            epochs: judge.epochs,
            test_accuracy: judge.test.map(|test| test.accuracy()),
            interval: judge.test.map(interval),
        }
    }
}

fn dreams(run: &DreamResults, name: &impl Fn(usize) -> String) -> Vec<DreamRow> {
    let (purpose, of) = match &run.spec.purpose {
        DreamPurpose::Seeds { class } => ("seeds", Some(name((*class).into()))),
        DreamPurpose::Classes => ("classes", None),
        DreamPurpose::Ablation { with } => ("ablation", Some(format!("with {with}"))),
        DreamPurpose::Start => ("start", None),
        DreamPurpose::Amplify { layer } => ("amplify", Some(layer.clone())),
        DreamPurpose::Asked => ("asked", None),
    };
    let row = |(picture, (asked, found)): (usize, (&DreamPicture, &DreamFound))| DreamRow {
        purpose,
        of: of.clone(),
        objective: objective(&asked.objective, name),
        start: start(&asked.start, name),
        class: run.class_of(picture),
        number: asked.number,
        objective_before: found.before.objective,
        objective_after: found.after.objective,
        logit_before: found.before.logit,
        logit: found.after.logit,
        probability_before: found.before.probability,
        probability: found.after.probability,
        predicted: found.after.predicted,
        judge_logit: found.judge.and_then(|seen| seen.logit),
        judge_probability: found.judge.and_then(|seen| seen.probability),
        judge_predicted: found.judge.map(|seen| seen.predicted),
        diverged: found.diverged,
    };
    run.spec.pictures.iter().zip(&run.outcome.pictures).enumerate().map(row).collect()
}

fn objective(objective: &Objective, name: &impl Fn(usize) -> String) -> String {
    match objective {
        Objective::ClassLogit { class, .. } => format!("logit of {}", name(*class)),
        Objective::ClassProbability { class, .. } => format!("probability of {}", name(*class)),
        Objective::Neuron { layer, position } => {
            let position: Vec<String> = position.iter().map(ToString::to_string).collect();
            format!("{layer} at {}", position.join(" "))
        }
        Objective::Channel { layer, channel } => format!("{layer} channel {channel}"),
        Objective::LayerMeanSquare { layer } => format!("{layer} mean square"),
    }
}

fn start(start: &Start, name: &impl Fn(usize) -> String) -> String {
    match start {
        Start::Grey { .. } => "grey".into(),
        Start::Noise { .. } => "noise".into(),
        Start::Image { image: ImageChoice::Typical { class } } => {
            format!("typical {}", name((*class).into()))
        }
        Start::Image { image: ImageChoice::Index { index } } => format!("test image {index}"),
        Start::Image { image: ImageChoice::File { name, .. } } => name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::facts;
    use crate::fixtures::inside::{self, Looked};

    #[test]
    fn rows_hold_what_the_contract_of_the_summary_names() {
        let data = facts(&["0", "1", "2", "a, \"b\""]);
        let rows = InsideRows::new(&inside::inside(&data, &Looked { judge: true, ..Looked::small(&data) }));
        let json = serde_json::to_value(&rows).unwrap();
        assert_eq!(json["network"], "3 conv");
        assert_eq!(json["filters"][1]["kernel"], serde_json::json!([3, 3]));
        assert_eq!(json["filters"][0]["kinds"]["edges"], 2.0);
        assert_eq!((&json["layers"][1]["channels"], &json["layers"][1]["dead"]), (&6.into(), &0.into()));
        assert_eq!(json["images"][0]["class"], 2);
        // Three seeds of two classes, then four classes.
        let dreams = json["dreams"].as_array().unwrap();
        assert_eq!(dreams.len(), 10);
        assert_eq!((&dreams[3]["purpose"], &dreams[3]["class"]), (&"seeds".into(), &3.into()));
        assert_eq!((&dreams[9]["purpose"], &dreams[9]["class"]), (&"classes".into(), &3.into()));
        for key in ["probability", "logit", "judge_probability"] {
            assert!(dreams[0][key].is_f64(), "{key}");
        }
        assert_eq!((&json["judge"]["seed"], &json["judge"]["epochs"]), (&2.into(), &1.into()));
        assert!(json["judge"]["interval"][0].as_f64() < json["judge"]["test_accuracy"].as_f64());
        assert_eq!(rows.dreams[3].objective, "logit of a, \"b\"");
        assert_eq!(rows.further_dreams.len(), 8 * 2 + 3 * 2 + 2 * 2);
        let amplified = rows.further_dreams.last().unwrap();
        assert_eq!((amplified.purpose, amplified.objective.as_str()), ("amplify", "trunk.3 mean square"));
        assert_eq!((amplified.start.as_str(), amplified.class), ("typical a, \"b\"", None));
        assert!(amplified.logit_before.is_none() && amplified.judge_probability.is_none());
    }
}
