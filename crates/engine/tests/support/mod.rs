//! What several tests train: a network of every kind of layer with two heads, and images of noise.

use inkling_engine::random::RngStream;
use inkling_engine::{HeadTargets, Labels, Network};
use inkling_schema::{ModelSpec, Optimizer};

pub(crate) const ADAM: Optimizer = Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };
/// Images of a step.
pub(crate) const BATCH: usize = 9;

/// Every kind of layer, of sizes that are no multiples of a vector, a panel or a tile, but for one convolution of whole
/// blocks, which is computed with fewer products.
pub(crate) fn everything() -> ModelSpec {
    let text = r#"
        input = [13, 11, 3]
        trunk = [
            { layer = "conv2d", filters = 37, kernel_size = [3, 3], stride = [1, 1], padding = "same", initializer = "he-uniform" },
            { layer = "relu" },
            { layer = "batch-norm", epsilon = 1e-3, momentum = 0.1 },
            { layer = "max-pool", pool_size = [3, 2], stride = [2, 2] },
            { layer = "relu" },
            { layer = "conv2d", filters = 16, kernel_size = [3, 2], stride = [1, 1], padding = "valid", initializer = "he-uniform" },
            { layer = "relu" },
            { layer = "conv2d", filters = 32, kernel_size = [2, 2], stride = [1, 1], padding = "same", initializer = "he-uniform" },
            { layer = "relu" },
            { layer = "residual", projection = "he-uniform", layers = [
                { layer = "layer-norm", epsilon = 1e-5 },
                { layer = "conv2d", filters = 19, kernel_size = [3, 3], stride = [1, 1], padding = "same", initializer = "he-uniform" },
                { layer = "gelu" },
                { layer = "dropout", rate = 0.2 },
            ] },
            { layer = "residual", layers = [
                { layer = "conv2d", filters = 19, kernel_size = [1, 1], stride = [1, 1], padding = "same", initializer = "he-uniform" },
                { layer = "relu" },
            ] },
            { layer = "avg-pool", pool_size = [2, 1], stride = [1, 1] },
            { layer = "conv2d", filters = 21, kernel_size = [4, 4], stride = [2, 2], padding = "same", initializer = "he-uniform" },
            { layer = "relu" },
            { layer = "flatten" },
            { layer = "dropout", rate = 0.3 },
            { layer = "dense", units = 50, initializer = "he-uniform" },
            { layer = "relu" },
        ]
        [[heads]]
        name = "item"
        layers = [
            { layer = "dense", units = 33, initializer = "he-uniform" },
            { layer = "relu" },
            { layer = "dropout", rate = 0.5 },
            { layer = "dense", units = 10, initializer = "glorot-uniform" },
        ]
        [[heads]]
        name = "group"
        layers = [
            { layer = "residual", layers = [
                { layer = "dense", units = 50, initializer = "he-uniform" },
                { layer = "tanh" },
            ] },
            { layer = "dense", units = 3, initializer = "glorot-uniform" },
        ]
    "#;
    ModelSpec::from_toml("everything", text).expect("a network")
}

/// Images of noise with labels for each head of a network.
pub(crate) struct Noise {
    pub(crate) pixels: Vec<u8>,
    targets: Vec<HeadTargets>,
    images: usize,
}

impl Noise {
    pub(crate) fn new(spec: &ModelSpec, images: usize) -> Noise {
        let network = Network::new(spec, 0).expect("a network");
        let mut stream = RngStream::new(1, "test/noise");
        let mut below = |bound: usize, count: usize| -> Vec<u32> {
            (0..count).map(|_| stream.random_range(bound as u32)).collect()
        };
        let pixels = below(256, images * network.input_len()).into_iter().map(|pixel| pixel as u8).collect();
        let heads = spec.heads.iter().zip(network.num_classes());
        let targets = heads.map(|(head, outputs)| {
            if head.loss.is_of_classes() {
                return HeadTargets::Classes(below(outputs, images));
            }
            let values = below(2, images * outputs).into_iter().map(|value| value as f32).collect();
            HeadTargets::Values { values, outputs }
        });
        Noise { pixels, targets: targets.collect(), images }
    }

    /// Labels of each head.
    pub(crate) fn labels(&self) -> Vec<Labels<'_>> {
        let labels = self.targets.iter().map(|targets| match targets {
            HeadTargets::Classes(classes) => Labels::Classes(classes),
            HeadTargets::Values { values, outputs } => Labels::Values { values, outputs: *outputs },
        });
        labels.collect()
    }

    /// The images of a step: others and another number of them each time.
    pub(crate) fn order(&self, step: usize) -> Vec<u32> {
        (0..BATCH - step % 3).map(|i| ((step * BATCH + i * 5) % self.images) as u32).collect()
    }
}
