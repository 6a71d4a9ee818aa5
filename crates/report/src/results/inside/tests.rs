//! Task 5 read back from runs, sound and damaged.

use std::collections::BTreeMap;

use inkling_schema::outcome::{ActivationsOutcome, DreamOutcome, FiltersOutcome, Machine, RunResult};
use inkling_schema::preset;
use inkling_store::{Metadata, Store, Tensor};
use serde::Serialize;

use super::*;
use crate::fixtures::inside::{self as made, Looked};
use crate::fixtures::{self, Shape};
use crate::{Network, Results};

/// Names, shapes and values of a run's arrays.
#[derive(Default)]
struct Held {
    floats: Vec<(String, Vec<usize>, Vec<f32>)>,
    numbers: Vec<(String, Vec<usize>, Vec<u32>)>,
    bytes: Vec<(String, Vec<usize>, Vec<u8>)>,
}

impl Held {
    fn floats(&mut self, name: impl Into<String>, shape: &[usize], values: &[f32]) {
        self.floats.push((name.into(), shape.to_vec(), values.to_vec()));
    }

    fn numbers(&mut self, name: impl Into<String>, values: &[u32]) {
        self.numbers.push((name.into(), vec![values.len()], values.to_vec()));
    }

    fn tensors(&self) -> Vec<Tensor<'_>> {
        let floats = self.floats.iter().map(|(name, shape, values)| Tensor::new(name, shape, values));
        let numbers = self.numbers.iter().map(|(name, shape, values)| Tensor::new(name, shape, values));
        let bytes = self.bytes.iter().map(|(name, shape, values)| Tensor::new(name, shape, values));
        floats.chain(numbers).chain(bytes).collect()
    }

    fn of_filters(found: &FiltersResults) -> Held {
        let mut held = Held::default();
        for layer in &found.layers {
            let FilterLayerResults { found, weights, norms, largest, whole } = layer;
            let ([height, width], name) = (found.kernel, &found.name);
            let (channels, filters) = (found.channels, found.filters);
            held.floats(format!("weight/{name}"), &[height, width, channels, filters], weights);
            held.floats(format!("norm/{name}"), &[channels, filters], norms);
            held.numbers(format!("largest/{name}"), largest);
            held.numbers(format!("whole/{name}"), whole);
        }
        held
    }

    fn of_activations(found: &ActivationsResults) -> Held {
        let mut held = Held::default();
        let n = found.outcome.images.len();
        let shape = |size: [usize; 3]| [n, size[0], size[1], size[2]];
        let bytes = found.images.values.iter().map(|value| (value * 255.0).round() as u8).collect();
        held.bytes.push(("images".into(), shape(found.images.size).to_vec(), bytes));
        for ((layer, output), differences) in
            found.outcome.layers.iter().zip(&found.layers).zip(&found.differences)
        {
            held.floats(format!("layer/{}", layer.name), &shape(output.size), &output.values);
            held.floats(format!("difference/{}", layer.name), &[differences.len()], differences);
        }
        held.floats("gradient", &shape(found.images.size), &found.gradient.values);
        held.floats("integrated", &shape(found.images.size), &found.integrated.values);
        held
    }

    fn of_dreams(found: &DreamResults) -> Held {
        let mut held = Held::default();
        let [height, width, channels] = found.pictures.size;
        let n = found.outcome.pictures.len();
        let shape = [n, height, width, channels];
        held.floats("pictures", &shape, &found.pictures.values);
        held.floats("starts", &shape, &found.starts.values);
        let frames = found.frame_steps.len();
        held.floats("frames", &[frames, n, height, width, channels], &found.frames.values);
        held.numbers("frame_steps", &found.frame_steps);
        held.numbers("path_steps", &found.path_steps);
        let path = [found.path_steps.len(), n];
        held.floats("path_objective", &path, &found.path_objective);
        if let Some([logit, probability]) = &found.path_class {
            held.floats("path_logit", &path, logit);
            held.floats("path_probability", &path, probability);
        }
        held
    }
}

fn data() -> DataSetFacts {
    let classes = ["a", "b", "c", "d"].map(str::to_owned).into();
    DataSetFacts {
        title: "Toy".into(),
        height: 8,
        width: 8,
        channels: 1,
        classes,
        checksum: "c".into(),
        images: None,
    }
}

fn machine() -> Machine {
    Machine { cpu: "any".into(), threads: 1, instructions: "avx2".into() }
}

/// Writes a finished run and gives back how the study names it.
fn run(store: &Store, (title, spec): (&str, RunSpec), outcome: impl Serialize, held: &Held) -> PlannedRun {
    let (id, spec_hash) = (spec.id("c"), spec.hash("c"));
    let writer = store.begin(id.as_ref(), &spec).unwrap();
    writer.write_tensors(TensorFile::Arrays, &held.tensors(), &Metadata::new()).unwrap();
    writer
        .finish(&RunResult {
            spec_hash,
            data_checksum: "c".into(),
            version: "0".into(),
            sources: None,
            earlier: Vec::new(),
            machine: machine(),
            seconds: 1.0,
            finished: None,
            outcome,
        })
        .unwrap();
    PlannedRun::new(id, Task::Inside, title, spec)
}

fn network(seed: u64) -> Network {
    let shape = Shape { networks: 1, epochs: 2, train_images: 300, test_images: 200 };
    let mut network = fixtures::cnns(&data(), shape).networks.remove(0);
    network.spec.seed = seed;
    network
}

/// A study of task 5 alone, its runs' arrays changed, written and read.
fn written_and_read(change: impl Fn(&str, &mut Held)) -> Result<Option<InsideResults>, ReportError> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let data = data();
    let mut found = made::inside(&data, &Looked::small(&data));
    let judge = network(2);
    let spec = RunSpec::Train(judge.spec.clone());
    let mut runs = vec![run(&store, ("judge", spec), &judge.outcome, &Held::default())];
    let mut held = Held::of_filters(found.filters.as_ref().unwrap());
    change("filters", &mut held);
    let filters = found.filters.take().unwrap();
    let outcome = FiltersOutcome { layers: filters.layers.iter().map(|layer| layer.found.clone()).collect() };
    runs.push(run(&store, ("filters", RunSpec::Filters(filters.spec)), outcome, &held));
    let activations = found.activations.take().unwrap();
    let mut held = Held::of_activations(&activations);
    change("activations", &mut held);
    let outcome: &ActivationsOutcome = &activations.outcome;
    runs.push(run(&store, ("activations", RunSpec::Activations(activations.spec.clone())), outcome, &held));
    for (place, dream) in found.dreams.iter().enumerate() {
        let mut held = Held::of_dreams(dream);
        change(if place == 0 { "dream" } else { "another dream" }, &mut held);
        let outcome: &DreamOutcome = &dream.outcome;
        runs.push(run(&store, ("a dream", RunSpec::Dream(dream.spec.clone())), outcome, &held));
    }
    let mut study = preset("brief").unwrap();
    study.keep_only(&[Task::Inside]);
    study.inside.as_mut().unwrap().classes = found.classes;
    let record = StudyRecord {
        preset: "brief".into(),
        version: "0".into(),
        machine: machine(),
        seconds: 1.0,
        study,
        data: BTreeMap::from([("mnist".to_owned(), data)]),
        runs,
    };
    store.publish_json("study.json", &record).unwrap();
    let results = Results::read(store.reader())?;
    assert!(results.cnns.is_none(), "the judge is no network of task 4");
    // The figures of each run on its own lie where a person looks for them.
    let dream = record.runs.last().unwrap();
    for figure in crate::look(&store, dream, None)? {
        for ending in ["svg", "png"] {
            assert!(folder.path().join(format!("figures/{}.{ending}", figure.name)).exists());
        }
    }
    assert!(
        crate::look(&store, &record.runs[0], None)?.is_empty(),
        "the judge's training shows nothing inside"
    );
    Ok(results.inside)
}

#[test]
fn what_was_found_inside_comes_back_as_it_was_written() {
    let found = written_and_read(|_, _| ()).unwrap().unwrap();
    let made = made::inside(&data(), &Looked::small(&data()));
    assert_eq!((found.network.as_str(), found.test), ("3 conv", None));
    let judge = found.judge.as_ref().unwrap();
    assert_eq!((judge.seed, judge.epochs), (2, 2));
    assert_eq!(judge.test.unwrap(), network(2).outcome.epochs[1].test);
    for (read, made) in found.filters.as_ref().unwrap().layers.iter().zip(&made.filters.unwrap().layers) {
        assert_eq!((&read.found, &read.weights, &read.norms), (&made.found, &made.weights, &made.norms));
        assert_eq!((&read.largest, &read.whole), (&made.largest, &made.whole));
    }
    let (read, fixtures) = (found.activations.as_ref().unwrap(), made.activations.unwrap());
    assert_eq!((&read.outcome, &read.layers), (&fixtures.outcome, &fixtures.layers));
    assert_eq!((&read.differences, &read.integrated), (&fixtures.differences, &fixtures.integrated));
    let near = |(a, b): (&f32, &f32)| (a - b).abs() < 0.002;
    assert!(read.images.values.iter().zip(&fixtures.images.values).all(near), "bytes are a 255th apart");
    assert_eq!(found.dreams.len(), made.dreams.len());
    for (read, made) in found.dreams.iter().zip(&made.dreams) {
        assert_eq!((&read.spec, &read.outcome, &read.pictures), (&made.spec, &made.outcome, &made.pictures));
        assert_eq!((&read.frames, &read.path_class), (&made.frames, &made.path_class));
    }
    let [a, b] = found.classes;
    assert!(found.seeds(a).is_some() && found.seeds(b).is_some() && found.seeds(77).is_none());
    assert!(found.every_class().is_some());
    assert_eq!(found.ablation()[0].0, "nothing");
    assert_eq!((found.starts().len(), found.amplified().len()), (3, 2));
}

#[test]
fn arrays_that_do_not_fit_are_errors_that_name_the_file() {
    let message = |change: &dyn Fn(&str, &mut Held)| match written_and_read(change) {
        Err(error) => error.to_string(),
        Ok(_) => "no error".into(),
    };
    let in_floats =
        |run: &'static str, name: &'static str, change: fn(&mut (String, Vec<usize>, Vec<f32>))| {
            move |at: &str, held: &mut Held| {
                let found = held.floats.iter_mut().filter(|(held, _, _)| at == run && held == name);
                found.for_each(change);
            }
        };
    let shorter = |array: &mut (String, Vec<usize>, Vec<f32>)| {
        array.1[0] -= 1;
        let length = array.1.iter().product();
        array.2.truncate(length);
    };
    let channel = |at: &str, held: &mut Held| {
        held.numbers.iter_mut().filter(|_| at == "filters").for_each(|(_, _, values)| values[0] = 99);
    };
    let no_frames = |at: &str, held: &mut Held| {
        if at == "dream" {
            held.numbers.retain(|(name, _, _)| name != "frame_steps");
            held.numbers("frame_steps", &[]);
        }
    };
    for (found, words) in [
        (message(&in_floats("filters", "weight/trunk.3", shorter)), "`weight/trunk.3`"),
        (
            message(&in_floats("filters", "norm/trunk.1", |array| array.2[1] = f32::NAN)),
            "is damaged: `norm/trunk.1` holds NaN at [0, 1], the first of 1 of 4 values",
        ),
        (message(&channel), "a channel of `trunk.1` is out of range: there are 1"),
        (message(&in_floats("activations", "layer/trunk.3", shorter)), "`layer/trunk.3`"),
        (message(&in_floats("activations", "difference/trunk.1", shorter)), "`difference/trunk.1`"),
        (message(&in_floats("activations", "gradient", |array| array.0 = "slope".into())), "`gradient`"),
        (message(&in_floats("dream", "pictures", shorter)), "should hold 3 pictures"),
        (message(&in_floats("dream", "path_probability", shorter)), "`path_probability`"),
        (message(&no_frames), "nothing was kept of the way"),
    ] {
        assert!(found.contains("arrays.safetensors") && found.contains(words), "{found}");
    }
}
