//! The index of the laboratory: what there is, in names and numbers, and where its weights and images are.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use inkling_schema::outcome::{DataSetFacts, Evaluation};
use inkling_schema::{AscentSpec, Labels, Precision, RunId, Start, Task};
use serde::Serialize;

use super::pictures;
use crate::results::{PageImages, PageNetwork};
use crate::{PcaResults, PerceptronResults, Results};

/// What the page's program reads first.
#[derive(Debug, Serialize)]
pub(super) struct Index<'a> {
    sets: Vec<Set<'a>>,
    networks: Vec<Network<'a>>,
    /// The network that is shown first: the one that task 5 looks into, where it is there.
    first: &'a RunId,
    /// How many test images two networks of one set give different classes by their first heads.
    differences: Vec<Difference>,
    perceptrons: Option<Perceptrons<'a>>,
    pca: Option<Pca<'a>>,
    /// How the report's dreams of a class are made, and what they begin with.
    ascent: Option<&'a AscentSpec>,
    start: Option<&'a Start>,
}

/// Where bytes are: in the element of this key, in base64, of gzip where it says so.
#[derive(Debug, Serialize)]
struct Blob {
    key: String,
    gzip: bool,
}

#[derive(Debug, Serialize)]
struct Set<'a> {
    name: &'a str,
    title: &'a str,
    /// Height, width and channels.
    shape: [usize; 3],
    classes: &'a [String],
    /// Whether its images were made as MNIST's were: what is drawn in a box of 20 of 28 pixels, its centre of mass in the middle.
    digits: bool,
    brightness: [f64; 2],
    test: Part<'a>,
    train: Part<'a>,
}

#[derive(Debug, Serialize)]
struct Part<'a> {
    images: Blob,
    labels: std::borrow::Cow<'a, [u8]>,
    numbers: Vec<u32>,
}

#[derive(Debug, Serialize)]
struct Network<'a> {
    id: &'a RunId,
    title: String,
    task: Task,
    set: &'a str,
    parameters: usize,
    heads: Vec<Head<'a>>,
    precision: Precision,
    /// Of so many test images, how many get another class by the first head because of the precision; absent where the precision
    /// is that of the training.
    changed: Option<Changed>,
    model: Blob,
    /// Each head's classes for the test images of the set's part.
    predictions: Vec<Vec<u8>>,
}

#[derive(Debug, Serialize)]
struct Head<'a> {
    name: &'a str,
    classes: &'a [String],
    /// The group of each class, where it says groups.
    labels: Option<&'a [u8]>,
    /// Test images that are classified rightly, of so many.
    right: usize,
    of: usize,
}

#[derive(Debug, Serialize)]
struct Changed {
    images: usize,
    of: usize,
}

#[derive(Debug, Serialize)]
struct Difference {
    a: usize,
    b: usize,
    images: usize,
    of: usize,
}

#[derive(Debug, Serialize)]
struct Perceptrons<'a> {
    set: &'a str,
    /// The classes −1 and 1 of each.
    pairs: Vec<[u8; 2]>,
    /// The weights and the bias of each.
    weights: Blob,
}

#[derive(Debug, Serialize)]
struct Pca<'a> {
    set: &'a str,
    /// The mean image, of pixels from −1 to 1.
    mean: Blob,
    /// The first two components.
    components: Blob,
}

/// Perceptrons' bytes that the page has at most: those of more pairs than a study of ten classes has are left out.
const PERCEPTRONS: usize = 1 << 20;

/// A network's name as a reader meets it, with what kind it is where its name alone does not say so.
pub(crate) fn title(task: Task, name: &str, seed: Option<u64>) -> String {
    match task {
        Task::Mlp => format!("MLP, {name}"),
        Task::Cnn => format!("CNN, {name}"),
        Task::Multitask => format!("Task 6, {name}"),
        Task::Inside => match seed {
            Some(seed) => format!("The judge of dreams, seed {seed}"),
            None => "The judge of dreams".into(),
        },
        _ => name.to_owned(),
    }
}

impl<'a> Index<'a> {
    /// The index of a study and the bytes that it names; none where the study has no network for the page.
    pub(super) fn new(results: &'a Results) -> Option<(Index<'a>, Blobs)> {
        let page = results.page.as_ref()?;
        let study = &results.record.study;
        let mut blobs = Blobs::default();
        let (mut sets, mut networks) = (Vec::new(), Vec::new());
        for (name, images) in &page.images {
            let of_set: Vec<&PageNetwork> =
                page.networks.iter().filter(|network| network.network.spec.data.set == *name).collect();
            let shown = pictures::shown(&of_set, &images.test_labels, study.page.test_images);
            networks.extend(of_set.iter().map(|network| of_network(network, &shown, &mut blobs)));
            sets.push(of_set_of_images(name, images, &shown, &mut blobs));
        }
        // Those of the report's order.
        let place = |network: &Network| page.networks.iter().position(|other| other.id == *network.id);
        networks.sort_by_key(place);
        let set = |data: &DataSetFacts| {
            page.images.iter().find(|(_, images)| images.data == *data).map(|(name, _)| name.as_str())
        };
        let perceptrons =
            results.perceptrons.as_ref().and_then(|found| perceptrons(found, &page.images, &mut blobs));
        let pca = results.pca.as_ref().and_then(|found| Some(of_pca(found, set(&found.data)?, &mut blobs)));
        let inside = study.inside.as_ref();
        let is_inspected = |network: &&PageNetwork| {
            matches!(network.task, Task::Cnn | Task::Network)
                && inside.is_none_or(|inside| inside.network == network.network.name)
        };
        let first = page.networks.iter().find(is_inspected).unwrap_or(&page.networks[0]);
        let index = Index {
            sets,
            differences: differences(&page.networks),
            networks,
            first: &first.id,
            perceptrons,
            pca,
            ascent: inside.map(|inside| &inside.dream),
            start: inside.map(|inside| &inside.start),
        };
        Some((index, blobs))
    }
}

/// Bytes that an index names, by their keys.
#[derive(Default)]
pub(super) struct Blobs(pub(super) Vec<(String, Vec<u8>)>);

impl Blobs {
    fn add(&mut self, kind: &str, bytes: Vec<u8>) -> Blob {
        let key = format!("{kind}-{}", self.0.len());
        self.0.push((key.clone(), bytes));
        Blob { key, gzip: false }
    }

    fn add_packed(&mut self, kind: &str, bytes: &[u8]) -> Blob {
        let write = "a vector takes all that is written";
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect(write);
        Blob { gzip: true, ..self.add(kind, encoder.finish().expect(write)) }
    }

    fn add_numbers(&mut self, kind: &str, numbers: impl Iterator<Item = f32>) -> Blob {
        self.add(kind, numbers.flat_map(f32::to_le_bytes).collect())
    }
}

fn of_set_of_images<'a>(
    name: &'a str,
    images: &'a PageImages,
    shown: &[usize],
    blobs: &mut Blobs,
) -> Set<'a> {
    let PageImages { data, test, test_labels, train, train_labels, train_numbers, brightness } = images;
    let shape = [data.height, data.width, data.channels];
    let dim = shape.iter().product::<usize>();
    let test: Vec<u8> = shown.iter().flat_map(|&number| &test[number * dim..][..dim]).copied().collect();
    Set {
        name,
        title: &data.title,
        shape,
        classes: &data.classes,
        digits: name == "mnist" || name.starts_with("emnist"),
        brightness: *brightness,
        test: Part {
            images: blobs.add_packed("images", &test),
            labels: shown.iter().map(|&number| test_labels[number]).collect(),
            numbers: shown.iter().map(|&number| number as u32).collect(),
        },
        train: Part {
            images: blobs.add_packed("images", train),
            labels: train_labels.into(),
            numbers: train_numbers.clone(),
        },
    }
}

fn of_network<'a>(network: &'a PageNetwork, shown: &[usize], blobs: &mut Blobs) -> Network<'a> {
    let PageNetwork { id, task, network, classes, precision, outcome, model } = network;
    let kept = network.kept();
    let head = |number: usize| {
        let test = |kept: &inkling_schema::outcome::EpochOutcome| match number {
            0 => Some(kept.test),
            _ => kept.further.get(number - 1).map(|head| head.test),
        };
        let Evaluation { images, correct, .. } =
            kept.and_then(test).unwrap_or(Evaluation { images: 0, correct: 0, loss: 0.0 });
        Head {
            name: &network.spec.model.heads[number].name,
            classes: &classes[number],
            labels: match &network.spec.labels[number] {
                Labels::Classes => None,
                Labels::Groups(groups) => Some(groups),
            },
            right: correct,
            of: images,
        }
    };
    let changed = Changed { images: outcome.changed[0], of: outcome.images };
    Network {
        id,
        title: title(*task, &network.name, Some(network.spec.seed)),
        task: *task,
        set: &network.spec.data.set,
        parameters: outcome.parameters,
        heads: (0..classes.len()).map(head).collect(),
        precision: *precision,
        changed: (*precision == Precision::F16).then_some(changed),
        model: blobs.add("model", model.clone()),
        predictions: network
            .heads
            .iter()
            .map(|answers| shown.iter().map(|&number| answers.predictions[number]).collect())
            .collect(),
    }
}

/// Every two networks that say the same of the same images.
fn differences(networks: &[PageNetwork]) -> Vec<Difference> {
    let mut found = Vec::new();
    for (b, of_b) in networks.iter().enumerate() {
        for (a, of_a) in networks[..b].iter().enumerate() {
            let asked = |of: &PageNetwork| (of.network.spec.data.clone(), of.network.spec.labels[0].clone());
            if asked(of_a) == asked(of_b) {
                let answers = of_a.network.predictions().iter().zip(of_b.network.predictions());
                let (of, images) =
                    (of_a.network.predictions().len(), answers.filter(|(a, b)| a != b).count());
                found.push(Difference { a, b, images, of });
            }
        }
    }
    found
}

fn perceptrons<'a>(
    found: &PerceptronResults,
    images: &'a std::collections::BTreeMap<String, PageImages>,
    blobs: &mut Blobs,
) -> Option<Perceptrons<'a>> {
    let set = &found.pairs.first()?.spec.data.set;
    let (set, _) = images.get_key_value(set)?;
    let numbers = found.pairs.iter().flat_map(|pair| pair.weights.iter().chain([&pair.bias])).copied();
    if numbers.clone().count() * size_of::<f32>() > PERCEPTRONS
        || numbers.clone().any(|number| !number.is_finite())
    {
        return None;
    }
    let class = |place: u8| found.compared[usize::from(place)];
    let pairs = found.pairs.iter().map(|pair| [class(pair.spec.a), class(pair.spec.b)]).collect();
    Some(Perceptrons { set, pairs, weights: blobs.add_numbers("perceptrons", numbers) })
}

fn of_pca<'a>(found: &PcaResults, set: &'a str, blobs: &mut Blobs) -> Pca<'a> {
    let as_f32 = |value: &f64| *value as f32;
    Pca {
        set,
        mean: blobs.add_numbers("pca", found.mean.iter().map(as_f32)),
        components: blobs.add_numbers("pca", found.components[..2 * found.mean.len()].iter().map(as_f32)),
    }
}
