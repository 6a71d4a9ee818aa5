//! Made-up looks into a network for tests: digits as on a pocket calculator, filters as waves, the same every time.

use inkling_schema::found::{
    ActivationLayer, ActivationsOutcome, DataSetFacts, Evaluation, FilterKinds, FilterLayer, LookedAt,
};
use inkling_schema::{
    ActivationsRun, DreamPurpose, FiltersRun, ImageChoice, PatternSpec, RunId, Start, preset,
};

use super::chance;
use super::dreams::{dream_run, pictures};
use crate::results::{
    ActivationsResults, FilterLayerResults, FiltersResults, InsideResults, Judge, Pictures,
};

/// The names of all figures of Task 5 for a network of two convolutions.
pub(crate) const FIGURES: [&str; 14] = [
    "inside_filters_1",
    "inside_filters_2",
    "inside_kinds",
    "inside_activations_1",
    "inside_activations_2",
    "inside_differing",
    "inside_saliency",
    "inside_dreams",
    "inside_difference",
    "inside_path",
    "inside_ablation",
    "inside_classes",
    "inside_starts",
    "inside_amplified",
];

/// What the tests vary.
#[derive(Debug, Clone)]
pub(crate) struct Looked {
    /// Height, width and channels of an image.
    pub(crate) size: [usize; 3],
    /// Filters, kernel side and stride of each convolution.
    pub(crate) layers: Vec<(usize, usize, usize)>,
    pub(crate) seeds: usize,
    pub(crate) judge: bool,
}

impl Looked {
    /// The brief's network on images of 28 by 28 pixels.
    pub(crate) fn brief() -> Looked {
        let layers = vec![(32, 4, 1), (64, 4, 2), (128, 4, 2)];
        Looked { size: [28, 28, 1], layers, seeds: 8, judge: true }
    }

    /// A small network on small images.
    pub(crate) fn small(data: &DataSetFacts) -> Looked {
        let layers = vec![(4, 3, 1), (6, 3, 2)];
        Looked { size: [data.height, data.width, 1], layers, seeds: 3, judge: true }
    }

    fn name(&self, layer: usize) -> String {
        format!("trunk.{}", 2 * layer + 1)
    }

    /// Height, width and channels of each layer's output.
    fn outputs(&self) -> Vec<[usize; 3]> {
        let [mut height, mut width, _] = self.size;
        let mut shapes = Vec::new();
        for &(filters, _, stride) in &self.layers {
            (height, width) = (height.div_ceil(stride), width.div_ceil(stride));
            shapes.push([height, width, filters]);
        }
        shapes
    }
}

/// The network that is looked into.
pub(super) fn id() -> RunId {
    RunId::of_file("0123456789abcdef0123")
}

/// A whole task 5 on the classes of a data set: the third and the last of them, or the first and the last.
pub(crate) fn inside(data: &DataSetFacts, looked: &Looked) -> InsideResults {
    let count = data.classes.len();
    let classes = if count > 3 { [2, count - 1] } else { [0, count - 1] };
    let [a, b] = classes;
    let seeds =
        |class: usize| -> Vec<(usize, u32)> { (0..looked.seeds as u32).map(|n| (class, n)).collect() };
    let typical = |class: usize| Start::Image { image: ImageChoice::Typical { class: class as u8 } };
    let both = [(a, 0), (b, 0)];
    let noise = Start::Noise { level: 0.5, deviation: 0.1 };
    let mut dreams = vec![
        dream_run(looked, DreamPurpose::Seeds { class: a as u8 }, &seeds(a), noise.clone(), 0.1),
        dream_run(looked, DreamPurpose::Seeds { class: b as u8 }, &seeds(b), noise.clone(), 0.1),
        dream_run(
            looked,
            DreamPurpose::Classes,
            &(0..count).map(|class| (class, 0)).collect::<Vec<_>>(),
            noise.clone(),
            0.1,
        ),
    ];
    for (place, with) in [
        "nothing",
        "Fourier basis alone",
        "jitter alone",
        "rotation alone",
        "scale alone",
        "L2 alone",
        "total variation alone",
        "everything",
    ]
    .into_iter()
    .enumerate()
    {
        let purpose = DreamPurpose::Ablation { with: with.into() };
        let rough = if with == "everything" { 0.1 } else { 0.9 - 0.08 * place as f64 };
        dreams.push(dream_run(looked, purpose, &both, noise.clone(), rough));
    }
    for start in [Start::Grey { level: 0.5 }, noise, typical(b)] {
        dreams.push(dream_run(looked, DreamPurpose::Start, &both, start, 0.1));
    }
    for layer in 0..looked.layers.len() {
        let purpose = DreamPurpose::Amplify { layer: looked.name(layer) };
        dreams.push(dream_run(looked, purpose, &both, typical(a), 0.3));
    }
    InsideResults {
        data: data.clone(),
        network: "3 conv".into(),
        test: Some(Evaluation { images: 10_000, correct: 9_889, loss: 0.04 }),
        diverged: None,
        classes: classes.map(|class| class as u8),
        judge: looked.judge.then_some(Judge {
            seed: 2,
            epochs: 1,
            test: Some(Evaluation { images: 10_000, correct: 9_790, loss: 0.07 }),
        }),
        filters: Some(filters(looked)),
        activations: Some(activations(looked, &classes, count)),
        dreams,
    }
}

/// Filters that are waves of every direction, and what counts say of them.
pub(crate) fn filters(looked: &Looked) -> FiltersResults {
    let inputs = std::iter::once(looked.size[2]).chain(looked.layers.iter().map(|&(filters, _, _)| filters));
    let layers =
        looked.layers.iter().zip(inputs).enumerate().map(|(place, (&(filters, side, _), channels))| {
            let weight = |row: usize, column: usize, channel: usize, filter: usize| {
                let seed = (place * 1000 + filter) * 512 + channel;
                let (sin, cos) = (std::f64::consts::TAU * chance(seed)).sin_cos();
                let along = row as f64 * sin + column as f64 * cos;
                let size = 0.3 * chance(seed + 7).powi(2);
                (size * ((1.0 + chance(seed + 3)) * along + 6.0 * chance(seed + 5)).sin()) as f32
            };
            let weights: Vec<f32> = (0..side * side * channels * filters)
                .map(|i| {
                    let (filter, rest) = (i % filters, i / filters);
                    let (channel, place) = (rest % channels, rest / channels);
                    weight(place / side, place % side, channel, filter)
                })
                .collect();
            let slices = channels * filters;
            let norm = |slice: usize| {
                let squares = weights.iter().skip(slice).step_by(slices).map(|w| w * w);
                squares.sum::<f32>().sqrt()
            };
            let norms: Vec<f32> = (0..slices).map(norm).collect();
            let largest = (0..filters).map(|filter| {
                let of = |channel: &usize| norms[channel * filters + filter];
                (0..channels).max_by(|p, q| of(p).total_cmp(&of(q))).expect("a channel") as u32
            });
            let near_zero = (slices as f64 * 0.2).floor();
            let edges = (slices as f64 * (0.5 - 0.1 * place as f64)).floor();
            let blobs = (slices as f64 * 0.1).floor();
            let n = slices as f64;
            FilterLayerResults {
                found: FilterLayer {
                    name: looked.name(place),
                    kernel: [side, side],
                    channels,
                    filters,
                    largest_weight: weights.iter().fold(0.0_f64, |most, &w| most.max(f64::from(w.abs()))),
                    kinds: FilterKinds { near_zero, edges, blobs, others: n - near_zero - edges - blobs },
                    by_chance: FilterKinds {
                        near_zero: 0.0,
                        edges: 0.3 * n,
                        blobs: 0.2 * n,
                        others: 0.5 * n,
                    },
                },
                largest: largest.collect(),
                whole: (0..filters.min(6)).map(|filter| (filter * 5 % filters) as u32).collect(),
                weights,
                norms,
            }
        });
    FiltersResults { spec: FiltersRun { of: id(), patterns: asked_patterns() }, layers: layers.collect() }
}

/// Images of these classes, and outputs that are shifted and rectified images.
pub(crate) fn activations(looked: &Looked, classes: &[usize], all: usize) -> ActivationsResults {
    let n = classes.len();
    let [height, width, channels] = looked.size;
    let images = pictures(looked.size, classes.iter().enumerate().map(|(i, &class)| (class, i, 0.0)));
    let mut layers = Vec::new();
    let mut found = Vec::new();
    let mut differences = Vec::new();
    for (place, shape) in looked.outputs().into_iter().enumerate() {
        let [rows, columns, filters] = shape;
        let value = |image: usize, row: usize, column: usize, channel: usize| {
            if channel % 9 == 4 || (image == 1 && channel % 7 == 2) {
                return 0.0;
            }
            let seed = place * 1000 + channel;
            let at = |down: f64, right: f64| {
                let y = ((row as f64 + down) * height as f64 / rows as f64) as usize;
                let x = ((column as f64 + right) * width as f64 / columns as f64) as usize;
                images.get(image)[(y.min(height - 1) * width + x.min(width - 1)) * channels]
            };
            let (down, right) = (2.0 * chance(seed) - 1.0, 2.0 * chance(seed + 1) - 1.0);
            (4.0 * (at(0.0, 0.0) - 0.8 * at(down, right)) + 0.2 * chance(seed + 2) as f32).max(0.0)
        };
        let values: Vec<f32> = (0..n)
            .flat_map(|image| (0..rows).map(move |row| (image, row)))
            .flat_map(|(image, row)| (0..columns).map(move |column| (image, row, column)))
            .flat_map(|(image, row, column)| (0..filters).map(move |c| (image, row, column, c)))
            .map(|(image, row, column, channel)| value(image, row, column, channel))
            .collect();
        let output = Pictures { size: shape, values };
        let difference: Vec<f32> = (0..filters)
            .map(|channel| {
                let of = |image: usize| output.get(image).iter().skip(channel).step_by(filters);
                let squares: f32 = of(0).zip(of(n - 1)).map(|(a, b)| (a - b).powi(2)).sum();
                (squares / (rows * columns) as f32).sqrt()
            })
            .collect();
        let mut differing: Vec<usize> = (0..filters).collect();
        differing.sort_by(|&p, &q| difference[q].total_cmp(&difference[p]));
        found.push(ActivationLayer {
            name: looked.name(place),
            shape,
            dead: Some(filters / 12),
            zeros: Some(0.4 + 0.12 * place as f64),
            zeros_of: (0..n).map(|i| 0.41 + 0.1 * place as f64 + 0.02 * i as f64).collect(),
            differing: if n == 2 { differing } else { Vec::new() },
        });
        layers.push(output);
        if n == 2 {
            differences.push(difference);
        }
    }
    let signed = |shift: usize, on_ink: bool| {
        let values = images.values.iter().enumerate().map(|(i, &pixel)| {
            let wave = (chance(i / channels + shift) - 0.4) as f32;
            if on_ink { wave * pixel } else { wave * (0.2 + pixel) }
        });
        Pictures { size: looked.size, values: values.collect() }
    };
    let integrated = signed(500, true);
    let looked_at = classes.iter().enumerate().map(|(i, &class)| {
        let sum: f64 = integrated.get(i).iter().map(|&v| f64::from(v)).sum();
        LookedAt {
            name: format!("test image {}", 1234 + i),
            index: Some(1234 + i),
            class: Some(class),
            target: class,
            logit: sum - 0.5,
            probability: 0.9998,
            predicted: class,
            black_logit: -0.51,
            integrated_sum: sum,
        }
    });
    ActivationsResults {
        spec: ActivationsRun {
            of: id(),
            data: None,
            head: None,
            labels: None,
            images: classes.iter().map(|&class| ImageChoice::Typical { class: class as u8 }).collect(),
            integration_steps: 128,
        },
        outcome: ActivationsOutcome {
            images: looked_at.collect(),
            layers: found,
            test_images: 1000 * all,
            notes: Vec::new(),
            overflow: false,
        },
        gradient: signed(0, false),
        images,
        layers,
        differences,
        integrated,
    }
}

/// How the brief tells patterns apart.
fn asked_patterns() -> PatternSpec {
    preset("brief").and_then(|study| study.inside).expect("the brief looks inside").filters
}
