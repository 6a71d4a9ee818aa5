//! The times of PCA, of a perceptron's pass and of a search for a separating hyperplane, on random bytes of the shapes
//! that the study has.
#![allow(missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use inkling_engine::pca::Pca;
use inkling_engine::perceptron::{Settings, online};
use inkling_engine::random::Stream;
use inkling_engine::separability::search;
use inkling_engine::{Affine, Features};

const PIXELS: usize = 784;
const SIGNED_UNIT: Affine = Affine { factor: 1.0 / 127.5, shift: -1.0 };

fn images(count: usize) -> Vec<u8> {
    let mut stream = Stream::new(1, "bench/images");
    (0..count * PIXELS).map(|_| stream.below(256) as u8).collect()
}

fn pca(bench: &mut Criterion) {
    let pixels = images(60_000);
    let mut group = bench.benchmark_group("pca");
    group.sample_size(10);
    group.bench_function("fit and project 60,000 × 784", |timer| {
        timer.iter(|| Pca::fit(&pixels, PIXELS, SIGNED_UNIT, 2).map(|model| model.transform(&pixels, 2)));
    });
}

fn pair(bench: &mut Criterion) {
    let pixels = images(12_000);
    let labels: Vec<i8> = (0..12_000).map(|i| if i % 2 == 0 { 1 } else { -1 }).collect();
    let features = Features::new(&pixels, PIXELS, SIGNED_UNIT);
    let mut group = bench.benchmark_group("pair of 12,000 × 784");
    group.sample_size(10);
    // Labels that nothing separates: every pass corrects about half of the images, the slowest that a pass can be.
    let settings = Settings { learning_rate: 0.1, max_iterations: 10, tolerance: 0.0, seed: 1 };
    group.bench_function("ten perceptron passes", |timer| {
        timer.iter(|| online(&features, &labels, &settings, &|_, _| true));
    });
    group.bench_function("three Newton steps", |timer| {
        timer.iter(|| search(&pixels, &labels, 3, &|| true));
    });
}

criterion_group!(benches, pca, pair);
criterion_main!(benches);
