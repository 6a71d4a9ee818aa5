//! Training by gradient descent, and evaluation.

use inkling_schema::{Optimizer, TrainingPrecision};

use crate::dataset::Dataset;
use crate::labels::{HeadTargets, Targets};
use crate::layers::parameter::GradMode;
use crate::losses::{Metrics, loss};
use crate::network::Network;
use crate::optimizers::{Custom, StepRule, UpdateRule, step_rule};
use crate::task_gradients::{GradientGram, TrunkScope};
use crate::workspace::{LayerTime, Workspace};

/// Trains a network with an optimiser, step by step.
///
/// ```
/// use inkling_engine::{Dataset, Network, Trainer};
/// use inkling_schema::{ModelSpec, Optimizer};
///
/// let text = r#"
///     input = [2, 2, 1]
///     trunk = [{ layer = "flatten" }]
///     heads = [{ name = "class", layers = [{ layer = "dense", units = 2, initializer = "glorot-uniform" }] }]
/// "#;
/// let network = Network::new(&ModelSpec::from_toml("network.toml", text)?, 1)?;
/// // Light above, light below.
/// let (pixels, labels) = ([255, 255, 0, 0, 0, 0, 255, 255_u8], [0, 1_u8]);
/// let heads = [&labels[..]];
/// let images = Dataset::new(&pixels, &heads);
///
/// let adam = Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };
/// let mut trainer = Trainer::new(network, adam, 2, &[1.0]);
/// let first = trainer.step(images, &[0, 1], 0.1)[0];
/// for _ in 0..50 {
///     trainer.step(images, &[0, 1], 0.1);
/// }
/// let last = trainer.step(images, &[0, 1], 0.1)[0];
/// assert!(last.loss_sum < first.loss_sum && last.correct == 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Trainer {
    network: Network,
    rule: Box<dyn StepRule>,
    workspace: Workspace,
    /// Labels of the batch for each head.
    labels: Vec<HeadTargets>,
    /// Weight of each head in the loss.
    weights: Vec<f32>,
    /// Weight of each class of the first head; empty where they count alike.
    class_weights: Vec<f32>,
    /// The largest norm that the gradient of all parameters together may have.
    clip_norm: Option<f64>,
    step: u64,
}

impl Trainer {
    /// A trainer of `network` for batches of up to `batch` images. `weights` are the weights of the heads in the loss.
    ///
    /// # Panics
    /// If there is not a weight for each head.
    pub fn new(network: Network, optimizer: Optimizer, batch: usize, weights: &[f32]) -> Trainer {
        Trainer::by(network, step_rule(&optimizer), batch, weights)
    }

    /// As [`Trainer::new`], with an optimiser of the program's own.
    ///
    /// # Panics
    /// If there is not a weight for each head.
    pub fn with_update_rule(
        network: Network,
        rule: Box<dyn UpdateRule>,
        batch: usize,
        weights: &[f32],
    ) -> Trainer {
        Trainer::by(network, Box::new(Custom(rule)), batch, weights)
    }

    fn by(mut network: Network, rule: Box<dyn StepRule>, batch: usize, weights: &[f32]) -> Trainer {
        network.alloc_moments(rule.moments());
        let heads = network.num_classes().len();
        assert_eq!(weights.len(), heads, "a weight for each head");
        Trainer {
            workspace: network.workspace(batch, true),
            labels: vec![HeadTargets::Classes(Vec::with_capacity(batch)); heads],
            weights: weights.to_vec(),
            network,
            rule,
            class_weights: Vec::new(),
            clip_norm: None,
            step: 0,
        }
    }

    /// Scales gradients down to this norm where their norm over all trained parameters is larger, from the next step on (Pascanu,
    /// Mikolov and Bengio 2013). All gradients are then stored before any weight is updated, which takes as much memory as the
    /// weights.
    pub fn set_clip_norm(&mut self, norm: Option<f64>) {
        self.clip_norm = norm;
    }

    /// Sets what the factors of the products of dense layers and convolutions are rounded to, from the next step on. It concerns
    /// passes of training alone; evaluation computes in f32.
    pub fn set_precision(&mut self, precision: TrainingPrecision) {
        self.network.precision = precision;
    }

    /// Sets the weight of each head in the loss, from the next step on. A head of weight zero is not trained, and takes no time.
    ///
    /// # Panics
    /// If there is not a weight for each head.
    pub fn set_weights(&mut self, weights: &[f32]) {
        self.weights.copy_from_slice(weights);
    }

    /// Lets the gradient of each image count so much, by its class in the first head, from the next step on: the mean loss becomes
    /// Σ w_c·ℓ / n over the n images of the batch, as with `class_weight` of Keras. Losses that are reported stay without weights.
    ///
    /// # Panics
    /// If there is not a weight for each class.
    pub fn set_class_weights(&mut self, weights: &[f32]) {
        assert_eq!(weights.len(), self.network.num_classes()[0], "a weight for each class");
        self.class_weights = weights.to_vec();
    }

    /// Takes one step on the images whose indices are in `order`, and returns the metrics of each head for this batch before
    /// the step, summed over the batch. If a loss is not finite, the step has made the weights useless.
    ///
    /// # Panics
    /// If `order` is longer than a batch, an index is beyond the last image, or all heads have weight zero.
    pub fn step(&mut self, images: Dataset, order: &[u32], learning_rate: f64) -> &[Metrics] {
        self.step_with(images, order, learning_rate, |_, _, _, _| None)
    }

    /// As [`Trainer::step`], comparing the heads' gradients on shared layers before the weights are updated. `combine` is called
    /// with the metrics of each head and the inner products of their gradients, and may return factors of the heads' gradients
    /// on the shared layers, which then stand in for their weights. If it returns none, the step has the bits of
    /// [`Trainer::step`].
    ///
    /// # Panics
    /// As [`Trainer::step`].
    pub fn step_with_gradient_surgery(
        &mut self,
        images: Dataset,
        order: &[u32],
        learning_rate: f64,
        over: TrunkScope,
        combine: impl FnOnce(&[Metrics], &GradientGram) -> Option<Vec<f32>>,
    ) -> &[Metrics] {
        self.step_with(images, order, learning_rate, |network, x, targets, workspace| {
            let products = network.gradient_products(x, targets, over, workspace);
            combine(workspace.metrics(), &products)
        })
    }

    fn step_with(
        &mut self,
        images: Dataset,
        order: &[u32],
        learning_rate: f64,
        shares: impl FnOnce(&mut Network, &[f32], Targets, &mut Workspace) -> Option<Vec<f32>>,
    ) -> &[Metrics] {
        let (dim, batch) = (self.network.input_len(), order.len());
        let mut buffer = std::mem::take(&mut self.workspace.x);
        let x = &mut buffer[..batch * dim];
        for (x, &index) in x.chunks_exact_mut(dim).zip(order) {
            images.pixels.read(index as usize * dim, x);
        }
        for (head, targets) in self.labels.iter_mut().enumerate() {
            targets.gather(images.labels.of(head), order);
        }
        self.step += 1;
        self.rule.begin_step(self.step, learning_rate);
        let targets =
            Targets { labels: &self.labels, loss_weights: &self.weights, class_weights: &self.class_weights };
        let trained = |head: usize| targets.loss_weights[head] != 0.0;
        self.network.forward_heads(x, true, &mut self.workspace, trained);
        let shares = shares(&mut self.network, x, targets, &mut self.workspace);
        let shares = shares.as_deref();
        match self.clip_norm {
            None => {
                let grad_mode = GradMode::Step(&*self.rule);
                self.network.backward(x, targets, shares, &mut self.workspace, None, grad_mode);
            }
            Some(norm) => {
                self.network.backward(x, targets, shares, &mut self.workspace, None, GradMode::Store);
                self.network.step_clipped(norm, targets, &*self.rule);
            }
        }
        self.workspace.x = buffer;
        // The optimiser and the number of the step alone decide, so that a training that is saved here and goes on later takes
        // the steps of one that was never interrupted.
        if self.step.is_multiple_of(self.rule.window(self.step)) {
            self.network.settle();
        }
        self.workspace.metrics()
    }

    /// Whether no step is deferred. Layers defer steps of the optimiser for weights without a gradient, for 64 steps at most.
    /// [`Network::state_dict`] returns current values at any time, but a training that continues from them
    /// ([`Trainer::set_steps`]) has the bits of this one only if no step was deferred.
    pub fn is_settled(&self) -> bool {
        self.network.is_settled()
    }

    /// The network with all deferred steps applied and without the optimiser's moments.
    pub fn into_network(mut self) -> Network {
        self.network.settle();
        self.network.alloc_moments([false, false]);
        self.network.precision = TrainingPrecision::Float32;
        self.network
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The network, for evaluation or changes. Deferred steps are applied first, so that later steps have other last bits than
    /// without this call, unless [none was deferred](Trainer::is_settled).
    pub fn network_mut(&mut self) -> &mut Network {
        self.network.settle();
        &mut self.network
    }

    /// The time that each layer took in the last step.
    pub fn timings(&self) -> Vec<LayerTime> {
        self.network.timings(&self.workspace)
    }

    /// Number of steps taken.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Sets the number of steps taken. With the parameters and moments set by [`Network::load_state_dict`] and the streams by
    /// [`Trainer::load_rng_state`], training continues to the bit.
    pub fn set_steps(&mut self, steps: u64) {
        self.step = steps;
    }

    /// The position of each random stream, with the name of its layer.
    pub fn rng_state(&mut self) -> Vec<(String, u128)> {
        let mut positions = Vec::new();
        self.network.visit_streams(&mut |name, stream| positions.push((name.to_owned(), stream.position())));
        positions
    }

    /// Sets the position of each random stream, which `find` returns for the name of its layer.
    ///
    /// # Errors
    /// The first error of `find`.
    pub fn load_rng_state<E>(&mut self, mut find: impl FnMut(&str) -> Result<u128, E>) -> Result<(), E> {
        let mut result = Ok(());
        self.network.visit_streams(&mut |name, stream| {
            if result.is_ok() {
                result = find(name).map(|position| stream.seek(position));
            }
        });
        result
    }
}

impl Network {
    /// As [`Network::gradients`], for the images whose indices are in `order`.
    ///
    /// # Panics
    /// If an index is beyond the last image, or all heads have weight zero.
    pub fn gradients_of(&mut self, images: Dataset, order: &[u32], loss_weights: &[f32]) -> f64 {
        let dim = self.input_len();
        let mut x = vec![0.0; order.len() * dim];
        for (x, &index) in x.chunks_exact_mut(dim).zip(order) {
            images.pixels.read(index as usize * dim, x);
        }
        let mut labels = vec![HeadTargets::Classes(Vec::new()); loss_weights.len()];
        for (head, targets) in labels.iter_mut().enumerate() {
            targets.gather(images.labels.of(head), order);
        }
        let mut workspace = self.workspace(order.len(), true);
        self.gradients(&x, Targets { labels: &labels, loss_weights, class_weights: &[] }, &mut workspace)
    }
}

/// The metrics of each head for all images, summed over them. Images go through the network in batches of the workspace's
/// capacity; `on_outputs` is called with the number of each head and its outputs for each batch, [batch, outputs].
///
/// # Panics
/// If a head has fewer labels than there are images, or a label is not a class of its head.
pub fn evaluate(
    network: &mut Network,
    workspace: &mut Workspace,
    images: Dataset,
    mut on_outputs: impl FnMut(usize, &[f32]),
) -> Vec<Metrics> {
    let (dim, classes) = (network.input_len(), network.num_classes());
    let mut metrics = vec![Metrics::default(); classes.len()];
    let mut buffer = std::mem::take(&mut workspace.x);
    let capacity = workspace.capacity();
    for (i, start) in (0..images.pixels.len()).step_by(capacity * dim).enumerate() {
        let count = (images.pixels.len() - start).min(capacity * dim);
        let x = &mut buffer[..count];
        images.pixels.read(start, x);
        network.forward(x, false, workspace);
        let batch = count / dim;
        for (head, &classes) in classes.iter().enumerate() {
            let logits = workspace.logits(head);
            let labels = images.labels.of(head).slice(i * capacity..i * capacity + batch);
            metrics[head] += loss(network.spec().heads[head].loss, classes, logits, labels, 0.0, None);
            on_outputs(head, logits);
        }
    }
    workspace.x = buffer;
    metrics
}

#[cfg(test)]
mod tests {
    use inkling_schema::{MODELS, ModelSpec};

    use super::*;
    use crate::dataset::normalize_pixels;
    use crate::layers::parameter::StateKind;
    use crate::random::RngStream;

    /// A small network with every kind of trained parameter and two heads.
    const NETWORK: &str = r#"
        input = [9, 8, 2]
        trunk = [
            { layer = "conv2d", filters = 5, kernel_size = [3, 3], stride = [2, 1], padding = "same", initializer = "he-uniform" },
            { layer = "relu" },
            { layer = "batch-norm", epsilon = 1e-5, momentum = 0.1 },
            { layer = "conv2d", filters = 37, kernel_size = [2, 2], stride = [1, 2], padding = "valid", initializer = "he-uniform" },
            { layer = "relu" },
            { layer = "flatten" },
            { layer = "dense", units = 40, initializer = "he-uniform" },
            { layer = "relu" },
        ]
        heads = [
            { name = "one", layers = [{ layer = "dense", units = 5, initializer = "glorot-uniform" }] },
            { name = "two", layers = [{ layer = "dense", units = 3, initializer = "glorot-uniform" }] },
        ]
    "#;

    fn network() -> Network {
        Network::new(&ModelSpec::from_toml("network", NETWORK).unwrap(), 1).unwrap()
    }

    const BATCH: usize = 11;

    /// A batch of noise with labels of both heads, one head after the other.
    fn noise() -> (Vec<u8>, Vec<u8>) {
        let mut stream = RngStream::new(1, "images");
        let pixels = (0..BATCH * 9 * 8 * 2).map(|_| stream.random_range(256) as u8).collect();
        let labels = [5, 3].map(|classes| [classes; BATCH]).into_iter().flatten();
        (pixels, labels.map(|classes| stream.random_range(classes) as u8).collect())
    }

    #[test]
    fn fused_and_plain_updates_agree() {
        let (beta_1, beta_2, epsilon) = (0.9, 0.999, 1e-8);
        for optimizer in [
            Optimizer::Adam { beta_1, beta_2, epsilon },
            Optimizer::AdamW { beta_1, beta_2, epsilon, weight_decay: 0.1 },
            Optimizer::Sgd { momentum: 0.9, nesterov: false },
            Optimizer::Sgd { momentum: 0.9, nesterov: true },
            Optimizer::RmsProp { alpha: 0.99, epsilon: 1e-8 },
            Optimizer::Lion { beta_1: 0.9, beta_2: 0.99, weight_decay: 0.1 },
        ] {
            let (pixels, labels) = noise();
            let order: Vec<u32> = (0..BATCH as u32).collect();
            let weights = [0.25, 0.75];

            let mut fused = Trainer::new(network(), optimizer, BATCH, &weights);
            let mut plain = network();
            let mut rule = step_rule(&optimizer);
            plain.alloc_moments(rule.moments());
            let mut workspace = plain.workspace(BATCH, true);
            let mut x = vec![0.0; pixels.len()];
            normalize_pixels(&pixels, &mut x);
            for step in 1..=5 {
                let heads = [&labels[..BATCH], &labels[BATCH..]];
                fused.step(Dataset::new(&pixels, &heads), &order, 0.01);
                let targets = heads.map(|labels| HeadTargets::new(labels.into()));
                let targets = Targets { labels: &targets, loss_weights: &weights, class_weights: &[] };
                plain.gradients(&x, targets, &mut workspace);
                rule.begin_step(step, 0.01);
                plain.step_clipped(f64::INFINITY, targets, &*rule);
                for part in [StateKind::Values, StateKind::FirstMoments, StateKind::SecondMoments] {
                    let (fused, plain) = (fused.network().state_dict(part), plain.state_dict(part));
                    // To the bit, but for dense weights that had no gradient: their steps are taken at once.
                    for (fused, plain) in fused.iter().zip(&plain) {
                        for (found, plain) in fused.values.iter().zip(&plain.values) {
                            let close = (found - plain).abs() <= 1e-6 * plain.abs() + 1e-9;
                            assert!(close, "{optimizer:?}, step {step}, {part:?} of {}", fused.name);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn images_of_a_class_count_as_its_weight_says() {
        const SMALL: &str = r#"
            input = [2, 2, 1]
            trunk = [{ layer = "flatten" }, { layer = "dense", units = 6, initializer = "he-uniform" }, { layer = "relu" }]
            heads = [{ name = "one", layers = [{ layer = "dense", units = 3, initializer = "glorot-uniform" }] }]
        "#;
        let mut network = Network::new(&ModelSpec::from_toml("small", SMALL).unwrap(), 1).unwrap();
        let mut workspace = network.workspace(4, true);
        let x: Vec<f32> = (0..16).map(|i| (i * 7 % 16) as f32 / 16.0).collect();
        let labels = [0_u8, 1, 2, 1];
        let mut gradient = |x: &[f32], labels: &[u8], weight: f32, class_weights: &[f32]| {
            let labels = [HeadTargets::new(labels.into())];
            network.gradients(
                x,
                Targets { labels: &labels, loss_weights: &[weight], class_weights },
                &mut workspace,
            );
            let found = network.state_dict(StateKind::Gradients);
            found.into_iter().flat_map(|tensor| tensor.values).collect::<Vec<f32>>()
        };
        let close = |one: &[f32], other: &[f32]| {
            assert!(one.iter().zip(other).all(|(a, b)| (a - b).abs() < 1e-6), "{one:?} {other:?}");
        };
        close(&gradient(&x, &labels, 1.0, &[2.0; 3]), &gradient(&x, &labels, 2.0, &[]));
        // Without the images of class 1 there are two of four.
        let rest = [&x[..4], &x[8..12]].concat();
        close(&gradient(&x, &labels, 1.0, &[1.0, 0.0, 1.0]), &gradient(&rest, &[0, 2], 0.5, &[]));
    }

    #[test]
    fn moments_are_kept_only_where_the_optimiser_has_them() {
        let held = |network: &Network, part: StateKind| network.tensor_views(part).count();
        let both = |network: &Network| {
            [StateKind::FirstMoments, StateKind::SecondMoments].map(|part| held(network, part))
        };
        assert_eq!(both(&network()), [0, 0], "a network that is not trained");
        // All but the running mean and variance.
        let all = held(&network(), StateKind::Values) - 2;
        let sgd = Optimizer::Sgd { momentum: 0.9, nesterov: false };
        let trainer = Trainer::new(network(), sgd, 4, &[0.5, 0.5]);
        assert_eq!(both(trainer.network()), [all, 0]);
        let rms_prop = Optimizer::RmsProp { alpha: 0.99, epsilon: 1e-8 };
        let trainer = Trainer::new(trainer.into_network(), rms_prop, 4, &[0.5, 0.5]);
        assert_eq!(both(trainer.network()), [0, all]);
        assert_eq!(both(&trainer.into_network()), [0, 0]);
    }

    /// SGD with momentum and weight decay, as a program of its own might write it.
    #[derive(Debug)]
    struct Decaying {
        rate: f32,
    }

    impl UpdateRule for Decaying {
        fn moments(&self) -> usize {
            1
        }

        fn begin_step(&mut self, _step: u64, learning_rate: f64) {
            self.rate = learning_rate as f32;
        }

        fn update(&self, values: &mut [f32], moments: [&mut [f32]; 2], gradient: &[f32], decays: bool) {
            let [velocity, nothing] = moments;
            assert!(nothing.is_empty());
            let decay = if decays { 0.01 } else { 0.0 };
            for ((value, velocity), gradient) in values.iter_mut().zip(velocity).zip(gradient) {
                *velocity = 0.9 * *velocity + gradient;
                *value -= self.rate * (*velocity + decay * *value);
            }
        }
    }

    #[test]
    fn an_optimiser_of_a_programs_own_moves_every_parameter() {
        let (pixels, labels) = noise();
        let heads = [&labels[..BATCH], &labels[BATCH..]];
        let order: Vec<u32> = (0..BATCH as u32).collect();
        let sgd = Optimizer::Sgd { momentum: 0.9, nesterov: false };
        let mut own =
            Trainer::with_update_rule(network(), Box::new(Decaying { rate: 0.0 }), BATCH, &[0.5, 0.5]);
        let mut plain = Trainer::new(network(), sgd, BATCH, &[0.5, 0.5]);
        let before = network().state_dict(StateKind::Values);
        for trainer in [&mut own, &mut plain] {
            trainer.step(Dataset::new(&pixels, &heads), &order, 0.1);
        }
        let states = [&own, &plain].map(|trainer| trainer.network().state_dict(StateKind::Values));
        for ((own, plain), before) in states[0].iter().zip(&states[1]).zip(&before) {
            let decay = if own.name.ends_with("weight") { 0.001 } else { 0.0 };
            for ((own, plain), before) in own.values.iter().zip(&plain.values).zip(&before.values) {
                assert!((own - (plain - decay * before)).abs() < 1e-6, "{own} {plain} {before}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "no gradient was stored")]
    fn gradients_that_were_never_stored_are_not_read() {
        network().state_dict(StateKind::Gradients);
    }

    #[test]
    fn gradients_are_shortened_to_a_norm_and_no_further() {
        let (pixels, labels) = noise();
        let heads = [&labels[..BATCH], &labels[BATCH..]];
        let order: Vec<u32> = (0..BATCH as u32).collect();
        let sgd = Optimizer::Sgd { momentum: 0.0, nesterov: false };
        // How far a step of rate 1 goes is the gradient's norm.
        let moved = |clip: Option<f64>| {
            let mut trainer = Trainer::new(network(), sgd, BATCH, &[0.25, 0.75]);
            trainer.set_clip_norm(clip);
            trainer.step(Dataset::new(&pixels, &heads), &order, 1.0);
            let (before, after) =
                (network().state_dict(StateKind::Values), trainer.network().state_dict(StateKind::Values));
            let trained = before.iter().zip(&after).filter(|(before, _)| !before.name.contains("running"));
            let numbers = trained.flat_map(|(a, b)| a.values.iter().zip(&b.values));
            numbers.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt()
        };
        let whole = moved(None);
        assert!(whole > 0.1, "{whole}");
        for (clip, expected) in [(0.5 * whole, 0.5 * whole), (0.01, 0.01), (2.0 * whole, whole)] {
            let found = moved(Some(clip));
            assert!((found - expected).abs() < 1e-4 * expected, "{clip}: {found}, not {expected}");
        }
    }

    #[test]
    fn the_briefs_networks_can_be_built() {
        for (name, text) in MODELS.iter().take(2) {
            let network = Network::new(&ModelSpec::from_toml(name, text).unwrap(), 1).unwrap();
            let held: usize =
                network.state_dict(StateKind::Values).iter().map(|array| array.values.len()).sum();
            assert_eq!(held, network.num_parameters(), "{name}");
        }
    }
}
