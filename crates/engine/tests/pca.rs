//! PCA against the plain version in f64, on its promises, and for any number of threads.

use inkling_engine::Affine;
use inkling_engine::pca::{Pca, PcaError};
use inkling_engine::random::RngStream;
use proptest::prelude::*;

const AFFINE: Affine = Affine { factor: 1.0 / 127.5, shift: -1.0 };

/// Bytes whose columns are correlated, so that some directions carry more variance than others.
fn bytes(n: usize, d: usize, seed: u64) -> Vec<u8> {
    let mut stream = RngStream::new(seed, "test/bytes");
    let mut row = vec![0_u8; d];
    let mut all = Vec::new();
    for _ in 0..n {
        let common = stream.random_range(200);
        for (j, value) in row.iter_mut().enumerate() {
            *value = (common * (j as u32 % 3) / 2 + stream.random_range(40)).min(255) as u8;
        }
        all.extend(&row);
    }
    all
}

/// The covariance as the textbook has it: centre, multiply, divide by n − 1.
fn plain_covariance(bytes: &[u8], d: usize) -> Vec<f64> {
    let n = bytes.len() / d;
    let x: Vec<f64> = bytes.iter().map(|&p| f64::from(p) / 127.5 - 1.0).collect();
    let mean: Vec<f64> = (0..d).map(|j| x.iter().skip(j).step_by(d).sum::<f64>() / n as f64).collect();
    let mut covariance = vec![0.0; d * d];
    for row in x.chunks_exact(d) {
        for i in 0..d {
            for j in 0..d {
                covariance[i * d + j] += (row[i] - mean[i]) * (row[j] - mean[j]) / (n as f64 - 1.0);
            }
        }
    }
    covariance
}

#[test]
fn components_are_eigenvectors_of_the_plain_covariance() {
    let (n, d) = (700, 12);
    let bytes = bytes(n, d, 1);
    let model = Pca::fit(&bytes, d, AFFINE, d).unwrap();
    let covariance = plain_covariance(&bytes, d);
    for (axis, variance) in model.components.chunks_exact(d).zip(&model.explained_variance) {
        for i in 0..d {
            let image: f64 = (0..d).map(|j| covariance[i * d + j] * axis[j]).sum();
            assert!((image - variance * axis[i]).abs() < 1e-12, "{image} {}", variance * axis[i]);
        }
    }
    let trace: f64 = (0..d).map(|i| covariance[i * d + i]).sum();
    assert!((model.total_variance - trace).abs() < 1e-12);
    assert!((model.explained_variance_ratio.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    assert!(model.explained_variance.is_sorted_by(|a, b| a >= b));
    for (value, variance) in model.singular_values.iter().zip(&model.explained_variance) {
        assert!((value * value / (n as f64 - 1.0) - variance).abs() < 1e-12);
    }
    assert_eq!(model.samples, n);
}

#[test]
fn the_largest_loading_of_every_component_is_positive() {
    let model = Pca::fit(&bytes(300, 9, 2), 9, AFFINE, 9).unwrap();
    for axis in model.components.chunks_exact(9) {
        let largest = axis.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap();
        assert!(largest > 0.0);
    }
}

#[test]
fn the_number_of_threads_does_not_show() {
    let bytes = bytes(2000, 30, 3);
    let fit = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let model = Pca::fit(&bytes, 30, AFFINE, 5).unwrap();
            let embedding = model.transform(&bytes, 2);
            (model, embedding)
        })
    };
    let one = fit(1);
    for threads in [2, 3, 8] {
        assert_eq!(fit(threads), one);
    }
}

#[test]
fn what_cannot_be_fitted_says_why() {
    assert_eq!(Pca::fit(&[1, 2, 3], 3, AFFINE, 2), Err(PcaError::TooFewSamples { samples: 1 }));
    assert_eq!(Pca::fit(&[7; 12], 3, AFFINE, 2), Err(PcaError::NoVariance));
    let error = Pca::fit(&[1, 2, 3, 4, 5, 6], 3, AFFINE, 4).unwrap_err();
    assert_eq!(error.to_string(), "PCA of 3 features cannot give 4 components");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn all_components_rebuild_the_data(n in 2_usize..40, d in 1_usize..9, seed in 0_u64..1000) {
        let bytes = bytes(n, d, seed);
        let Ok(model) = Pca::fit(&bytes, d, AFFINE, d) else { return Ok(()) };
        let rebuilt = model.inverse_transform(&model.transform(&bytes, d), d);
        for (rebuilt, &p) in rebuilt.iter().zip(&bytes) {
            prop_assert!((rebuilt - (f64::from(p) / 127.5 - 1.0)).abs() < 1e-10);
        }
    }

    #[test]
    fn projections_have_the_variance_that_the_model_claims(n in 3_usize..60, seed in 0_u64..1000) {
        let bytes = bytes(n, 6, seed);
        let Ok(model) = Pca::fit(&bytes, 6, AFFINE, 2) else { return Ok(()) };
        let coordinates = model.transform(&bytes, 2);
        for (axis, variance) in model.explained_variance.iter().enumerate() {
            let along: Vec<f64> = coordinates.iter().skip(axis).step_by(2).copied().collect();
            let found = along.iter().map(|x| x * x).sum::<f64>() / (n as f64 - 1.0);
            prop_assert!((found - variance).abs() < 1e-10 * model.total_variance, "{} {}", found, variance);
        }
    }
}
