//! The times of PCA, of a perceptron's pass and of a search for a separating hyperplane, on random bytes of the shapes
//! that the study has.

use divan::Bencher;
use inkling_engine::pca::Pca;
use inkling_engine::perceptron::{PerceptronConfig, online};
use inkling_engine::random::RngStream;
use inkling_engine::separability::separating_hyperplane;
use inkling_engine::{Affine, ByteMatrix};

const PIXELS: usize = 784;
const PAIR: usize = 12_000;

fn main() {
    divan::main();
}

fn images(count: usize) -> Vec<u8> {
    let mut stream = RngStream::new(1, "bench/images");
    (0..count * PIXELS).map(|_| stream.random_range(256) as u8).collect()
}

/// Labels that nothing separates: every pass corrects about half of the images, the slowest that a pass can be.
fn labels() -> Vec<i8> {
    (0..PAIR).map(|i| if i % 2 == 0 { 1 } else { -1 }).collect()
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn pca_fit_and_project_60000_by_784(bench: Bencher) {
    let pixels = images(60_000);
    bench
        .bench(|| Pca::fit(&pixels, PIXELS, Affine::SIGNED_UNIT, 2).map(|model| model.transform(&pixels, 2)));
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn ten_perceptron_passes_over_12000_by_784(bench: Bencher) {
    let (pixels, labels) = (images(PAIR), labels());
    let features = ByteMatrix::new(&pixels, PIXELS, Affine::SIGNED_UNIT);
    let settings = PerceptronConfig { learning_rate: 0.1, max_iterations: 10, tolerance: 0.0, seed: 1 };
    bench.bench(|| online(&features, &labels, &settings, &|_, _| true));
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn three_newton_steps_over_12000_by_784(bench: Bencher) {
    let (pixels, labels) = (images(PAIR), labels());
    bench.bench(|| separating_hyperplane(&pixels, &labels, 3, &|| true));
}
