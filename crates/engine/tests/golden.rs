//! The engine against PyTorch's numbers, which `golden/make.py` made: single layers, whole trainings, and what is inside.

#[path = "support/functions.rs"]
mod functions;

use std::path::Path;

use functions::{Function, gradient};
use inkling_engine::{Dataset, HeadTargets, NamedTensor, Network, StateKind, Targets, Trainer, evaluate};
use inkling_schema::{ModelSpec, Optimizer, Shape};
use safetensors::{SafeTensors, tensor::Metadata};

/// A file of cases: arrays under "case/array", and what a case is in the metadata under "model/case".
struct Golden {
    bytes: Vec<u8>,
    metadata: Metadata,
}

impl Golden {
    fn read(name: &str) -> Golden {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        let bytes = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let (_, metadata) = SafeTensors::read_metadata(&bytes).expect("a safetensors file");
        Golden { bytes, metadata }
    }

    fn about(&self, key: &str) -> &str {
        self.metadata.metadata().as_ref().and_then(|about| about.get(key)).expect(key)
    }

    /// The cases by name, each with its network.
    fn cases(&self) -> impl Iterator<Item = Case<'_>> {
        let about = self.metadata.metadata().as_ref().expect("metadata");
        let mut names: Vec<&str> = about.keys().filter_map(|key| key.strip_prefix("model/")).collect();
        names.sort_unstable();
        assert!(!names.is_empty());
        names.into_iter().map(|name| {
            let text = self.about(&format!("model/{name}"));
            let model = ModelSpec::from_toml(name, text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let tensors = SafeTensors::deserialize(&self.bytes).expect("a safetensors file");
            Case { name, model, tensors }
        })
    }
}

struct Case<'a> {
    name: &'a str,
    model: ModelSpec,
    tensors: SafeTensors<'a>,
}

impl Case<'_> {
    fn bytes(&self, array: &str) -> &[u8] {
        let name = format!("{}/{array}", self.name);
        self.tensors.tensor(&name).unwrap_or_else(|error| panic!("{name}: {error}")).data()
    }

    fn f32(&self, array: &str) -> Vec<f32> {
        let bytes = self.bytes(array).chunks_exact(4);
        bytes.map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four bytes"))).collect()
    }

    fn f64(&self, array: &str) -> Vec<f64> {
        let bytes = self.bytes(array).chunks_exact(8);
        bytes.map(|bytes| f64::from_le_bytes(bytes.try_into().expect("eight bytes"))).collect()
    }

    fn has(&self, array: &str) -> bool {
        self.tensors.tensor(&format!("{}/{array}", self.name)).is_ok()
    }

    /// The network with the parameters of the group, whose shapes must be the engine's.
    fn network(&self, group: &str) -> Network {
        let mut network = Network::new(&self.model, 0).expect("a network");
        let find = |name: &str, shape: &[usize]| {
            let key = format!("{}/{group}/{name}", self.name);
            let tensor = self.tensors.tensor(&key).map_err(|error| format!("{key}: {error}"))?;
            assert_eq!(tensor.shape(), shape, "shape of {key}");
            Ok::<_, String>(self.f32(&format!("{group}/{name}")))
        };
        network.load_state_dict(StateKind::Values, find).expect("every parameter");
        network
    }
}

/// What differs from the golden numbers, so that one run of the tests shows all of it.
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn assert_none(&self) {
        assert!(self.0.is_empty(), "\n{}", self.0.join("\n"));
    }

    /// No element may differ by more than `tolerance` times the largest, nor the whole by more than `tolerance` times
    /// its norm.
    fn compare(&mut self, what: &str, found: &[f32], exact: &[f32], tolerance: f64) {
        assert_eq!(found.len(), exact.len(), "{what}");
        let norm = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>().sqrt();
        let wide = |numbers: &[f32]| numbers.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
        let (found, exact) = (wide(found), wide(exact));
        let difference: Vec<f64> = found.iter().zip(&exact).map(|(found, exact)| found - exact).collect();
        let (of_all, all) = (norm(&mut difference.iter().copied()), norm(&mut exact.iter().copied()));
        let largest = exact.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        if exceeds(of_all, tolerance * all) {
            self.0.push(format!("{what}: norm of the difference {of_all:e}, of the array {all:e}"));
        }
        for (i, difference) in difference.iter().enumerate() {
            if exceeds(difference.abs(), tolerance * largest) {
                let (found, exact) = (found[i], exact[i]);
                self.0.push(format!(
                    "{what}: number {i} is {found:e}, not {exact:e}; the largest is {largest:e}"
                ));
                break;
            }
        }
    }

    fn compare_number(&mut self, what: &str, found: f64, exact: f64, tolerance: f64) {
        if exceeds((found - exact).abs(), tolerance * exact.abs()) {
            self.0.push(format!("{what}: {found}, not {exact}"));
        }
    }

    fn compare_arrays(&mut self, case: &Case, group: &str, state_dict: &[NamedTensor], tolerance: f64) {
        for array in state_dict {
            let exact = case.f32(&format!("{group}/{}", array.name));
            self.compare(
                &format!("{}: {group} of {}", case.name, array.name),
                &array.values,
                &exact,
                tolerance,
            );
        }
    }
}

/// Whether a difference is above the bound or not a number.
fn exceeds(difference: f64, bound: f64) -> bool {
    difference.is_nan() || difference > bound
}

#[test]
fn layers_agree_with_pytorch() {
    let golden = Golden::read("layers.safetensors");
    let mut differences = Differences::default();
    for case in golden.cases() {
        let name = case.name;
        let mut network = case.network("value");
        let x = case.f32("x");
        let targets = if case.has("targets") {
            HeadTargets::Values { values: case.f32("targets"), outputs: network.num_classes()[0] }
        } else {
            HeadTargets::new(case.bytes("labels").into())
        };
        let batch = x.len() / network.input_len();
        // Room for more images than come, as in the last batch of an epoch.
        let mut workspace = network.workspace(batch + 1, true);
        let targets = Targets { labels: &[targets], loss_weights: &[1.0], class_weights: &[] };

        let loss = network.gradients(&x, targets, &mut workspace);
        differences.compare_number(&format!("{name}: loss"), loss, case.f64("loss")[0], 1e-5);
        let exact = case.f32("scores");
        differences.compare(&format!("{name}: scores"), workspace.logits(0), &exact, 1e-5);
        differences.compare_arrays(&case, "gradient", &network.state_dict(StateKind::Gradients), 1e-4);
        let mut statistics = network.state_dict(StateKind::Values);
        statistics.retain(|array| array.name.contains("running"));
        differences.compare_arrays(&case, "after", &statistics, 1e-5);

        let mut asking = network.workspace(batch, false);
        network.forward(&x, false, &mut asking);
        let exact = case.f32("asked");
        differences.compare(&format!("{name}: asked"), asking.logits(0), &exact, 1e-5);

        let mut dx = vec![f32::NAN; x.len()];
        network.image_gradients(&x, targets, &mut workspace, &mut dx);
        differences.compare(&format!("{name}: dx"), &dx, &case.f32("dx"), 1e-4);
    }
    differences.assert_none();
}

/// As `optimizer_of` in `make.py`.
fn optimizer(kind: &str) -> (Optimizer, f64) {
    let (beta_1, beta_2, epsilon) = (0.9, 0.999, 1e-8);
    match kind {
        "adam" => (Optimizer::Adam { beta_1, beta_2, epsilon }, 1e-3),
        "adamw" => (Optimizer::AdamW { beta_1, beta_2, epsilon, weight_decay: 0.1 }, 1e-3),
        "sgd" => (Optimizer::Sgd { momentum: 0.9, nesterov: false }, 0.05),
        "nesterov" => (Optimizer::Sgd { momentum: 0.9, nesterov: true }, 0.02),
        "rms-prop" => (Optimizer::RmsProp { alpha: 0.99, epsilon: 1e-8 }, 1e-3),
        other => panic!("no optimiser {other}"),
    }
}

#[test]
fn trainings_agree_with_pytorch() {
    const BATCH: usize = 8;
    let golden = Golden::read("training.safetensors");
    let mut differences = Differences::default();
    for case in golden.cases() {
        let name = case.name;
        let (pixels, weights) = (case.bytes("pixels"), case.f32("weights"));
        let heads = weights.len();
        let n = case.bytes("labels").len() / heads;
        let labels: Vec<&[u8]> = case.bytes("labels").chunks_exact(n).collect();
        let images = Dataset::new(pixels, &labels);

        let mut network = case.network("initial");
        let x: Vec<f32> =
            pixels[..BATCH * network.input_len()].iter().map(|&p| f32::from(p) / 255.0).collect();
        let first: Vec<HeadTargets> =
            labels.iter().map(|labels| HeadTargets::new((&labels[..BATCH]).into())).collect();
        let mut workspace = network.workspace(BATCH, true);
        let targets = Targets { labels: &first, loss_weights: &weights, class_weights: &[] };
        let losses = case.f64("losses");
        let loss = network.gradients(&x, targets, &mut workspace);
        differences.compare_number(&format!("{name}: loss with gradients"), loss, losses[0], 1e-5);
        differences.compare_arrays(&case, "gradient", &network.state_dict(StateKind::Gradients), 1e-4);

        let (optimizer, rate) = optimizer(golden.about(&format!("optimizer/{name}")));
        let mut trainer = Trainer::new(case.network("initial"), optimizer, BATCH, &weights);
        for (step, &exact) in losses.iter().enumerate() {
            let order: Vec<u32> = (0..BATCH).map(|i| ((step * BATCH + i) % n) as u32).collect();
            let metrics = trainer.step(images, &order, rate).iter().zip(&weights);
            let loss: f64 =
                metrics.map(|(head, &weight)| f64::from(weight) * head.loss_sum / BATCH as f64).sum();
            differences.compare_number(&format!("{name}: loss of step {step}"), loss, exact, 1e-5);
        }
        differences.compare_arrays(&case, "final", &trainer.network().state_dict(StateKind::Values), 1e-4);

        let mut workspace = trainer.network().workspace(7, false);
        let metrics = evaluate(trainer.network_mut(), &mut workspace, images, |_, _| {});
        for (head, (metrics, exact)) in metrics.iter().zip(case.f64("judged").chunks_exact(2)).enumerate() {
            differences.compare_number(
                &format!("{name}: loss of head {head}"),
                metrics.loss_sum,
                exact[0],
                1e-5,
            );
            differences.compare_number(
                &format!("{name}: right of {head}"),
                metrics.correct as f64,
                exact[1],
                0.0,
            );
        }
    }
    differences.assert_none();
}

#[test]
fn looking_inside_agrees_with_pytorch() {
    let golden = Golden::read("looking.safetensors");
    let mut differences = Differences::default();
    for case in golden.cases() {
        let name = case.name;
        let mut network = case.network("value");
        let x = case.f32("x");
        let mut workspace = network.workspace(x.len() / network.input_len() + 1, true);
        network.forward(&x, false, &mut workspace);
        let (layers, mut scores) = (network.layer_handles(), 0);
        for layer in &layers {
            let output = network.output(layer, &x, &workspace);
            let exact = case.f32(&format!("output/{}", layer.name));
            differences.compare(&format!("{name}: output of {}", layer.name), output, &exact, 1e-5);

            let chosen = case.bytes(&format!("chosen/{}", layer.name)).chunks_exact(4);
            let chosen =
                chosen.map(|bytes| u32::from_le_bytes(bytes.try_into().expect("four bytes")) as usize);
            let [neuron, channel] = chosen.collect::<Vec<_>>().try_into().expect("a neuron and a channel");
            let channels = match layer.shape {
                Shape::Image { channels, .. } => channels,
                Shape::Vector(units) => units,
            };
            for (kind, function) in [
                ("neuron", Function::Number(neuron)),
                ("channel mean", Function::ChannelMean(channel, channels)),
                ("mean square", Function::MeanSquare),
                ("log-probability", Function::LogProbability(neuron)),
            ] {
                let array = format!("{kind}/{}", layer.name);
                if kind == "log-probability" && !case.has(&array) {
                    continue;
                }
                scores += usize::from(kind == "log-probability");
                let dx = gradient(&mut network, &x, layer, function, &mut workspace);
                differences.compare(&format!("{name}: gradient of {array}"), &dx, &case.f32(&array), 1e-5);
            }
        }
        assert_eq!(scores, case.model.heads.len(), "the scores of every head");
        let of = |array: &&str| array.strip_prefix(name).is_some_and(|rest| rest.starts_with("/output/"));
        assert_eq!(
            case.tensors.names().iter().filter(|array| of(array)).count(),
            layers.len(),
            "every layer"
        );
    }
    differences.assert_none();
}
