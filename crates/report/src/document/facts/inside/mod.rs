//! Facts of Task 5: what was found inside a network.

mod ablation;
mod activations;
mod difference;
mod dreams;
mod filters;

use inkling_schema::AscentSpec;
use serde::Serialize;

use self::ablation::AblationFacts;
use self::activations::ActivationsFacts;
use self::difference::DifferenceFacts;
use self::dreams::{SeenFacts, StartFacts, ascent, growth};
use self::filters::FiltersFacts;
use crate::rows::{InsideRows, LikenessRow, interval};
use crate::{InsideResults, Maps};
use inkling_statistics::{ALPHA, mean};

#[derive(Debug, Serialize)]
pub(super) struct InsideFacts<'a> {
    title: &'a str,
    network: &'a str,
    test_accuracy: Option<f64>,
    interval: Option<(f64, f64)>,
    /// The step at which the network's training diverged.
    diverged: Option<usize>,
    /// The two classes, by name.
    classes: Vec<&'a str>,
    judge: Option<JudgeFacts>,
    /// What the layers are that are looked at, and whether ReLU follows each.
    maps: Maps,
    rectified: bool,
    filters: Option<FiltersFacts>,
    activations: Option<ActivationsFacts<'a>>,
    /// How dreams are made; `None` without a dream.
    ascent: Option<&'a AscentSpec>,
    /// The two classes' dreams from several seeds.
    seeds: Option<SeenFacts>,
    /// The dreams of every class.
    every_class: Option<SeenFacts>,
    ablation: Option<AblationFacts<'a>>,
    starts: Vec<StartFacts>,
    difference: Option<DifferenceFacts>,
    /// How many times as large the mean square of each layer became that was amplified.
    amplified: Vec<Option<f64>>,
    /// Whether the seeds of the study learnt what looks alike; `None` of one seed.
    filters_alike: Option<AlikeFacts>,
    dreams_alike: Option<AlikeFacts>,
}

/// How alike every two seeds are.
#[derive(Debug, Serialize)]
struct AlikeFacts {
    pairs: usize,
    /// Pairs that are more alike than by chance.
    clear: usize,
    /// Means over the pairs.
    observed: f64,
    by_chance: f64,
}

impl AlikeFacts {
    /// `None` where nothing of this kind was compared.
    fn new(rows: &[LikenessRow], of: &str) -> Option<AlikeFacts> {
        let rows: Vec<&LikenessRow> = rows.iter().filter(|row| row.of == of).collect();
        Some(AlikeFacts {
            pairs: rows.len(),
            clear: rows.iter().filter(|row| row.p_holm < ALPHA).count(),
            observed: mean(rows.iter().map(|row| row.observed))?,
            by_chance: mean(rows.iter().map(|row| row.by_chance))?,
        })
    }
}

#[derive(Debug, Serialize)]
struct JudgeFacts {
    /// In words: Typst holds no whole number beyond 2⁶³ − 1.
    seed: String,
    epochs: usize,
    accuracy: Option<f64>,
}

impl<'a> InsideFacts<'a> {
    pub(super) fn new(inside: &'a InsideResults, rows: &InsideRows) -> Self {
        let judge = inside.judge.as_ref().map(|judge| JudgeFacts {
            seed: judge.seed.to_string(),
            epochs: judge.epochs,
            accuracy: judge.test.map(|test| test.accuracy()),
        });
        InsideFacts {
            title: &inside.data.title,
            network: &inside.network,
            test_accuracy: inside.test.map(|test| test.accuracy()),
            interval: inside.test.map(interval),
            diverged: inside.diverged,
            maps: inside.maps,
            rectified: inside.rectified,
            classes: inside
                .classes
                .iter()
                .map(|&class| inside.data.classes[usize::from(class)].as_str())
                .collect(),
            judge,
            filters: inside.filters.as_ref().map(FiltersFacts::new),
            activations: inside.activations.as_ref().map(|found| ActivationsFacts::new(found, &inside.data)),
            ascent: ascent(inside),
            seeds: SeenFacts::new(inside.classes.iter().filter_map(|&class| inside.seeds(class))),
            every_class: SeenFacts::new(inside.every_class().into_iter()),
            ablation: AblationFacts::new(inside),
            starts: inside.starts().into_iter().filter_map(StartFacts::new).collect(),
            difference: DifferenceFacts::new(inside),
            amplified: inside.amplified().into_iter().map(|(_, run)| growth(run)).collect(),
            filters_alike: AlikeFacts::new(&rows.likeness, "filters"),
            dreams_alike: AlikeFacts::new(&rows.likeness, "dreams"),
        }
    }
}
