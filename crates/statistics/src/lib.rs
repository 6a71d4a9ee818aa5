//! Statistics for the comparison of classifiers: intervals, tests, corrections, correlations, measures of each class.
//!
//! The functions take plain numbers and return plain numbers. They know nothing of studies, networks or files, and depend
//! on no other crate of the project. Each one says what it computes, by which formula, under which assumptions and from which source.
//!
//! Permutation tests draw from a small generator with a seed ([`SplitMix64`]), so that the same numbers give the same p.

mod classes;
mod correlation;
mod cover;
mod crossed;
mod descriptive;
mod homogeneity;
mod multiple;
mod paired;
mod permutation;
mod proportion;
mod random;
mod student;
mod tail;

pub use classes::{ClassMeasures, class_measures};
pub use correlation::{pearson, ranks, spearman, spearman_is_significant};
pub use cover::cover_probability;
pub use crossed::{Crossed, crossed};
pub use descriptive::{mean, mean_and_std, median};
pub use homogeneity::{Homogeneity, Method, chi_squared_homogeneity};
pub use multiple::holm;
pub use paired::mcnemar_exact;
pub use permutation::{counterparts, mantel_spearman, within_between};
pub use proportion::wilson_interval;
pub use random::SplitMix64;
pub use student::{student_quantile, student_two_sided};
pub use tail::{binomial_half_cdf, chi_squared_survival};

/// The level of significance, α: a test whose p is smaller rejects its null hypothesis.
pub const ALPHA: f64 = 0.05;

/// z of a two-sided 95 % interval, the 0.975 quantile of the standard normal distribution.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// Random permutations of a permutation test. With the one observed, p is a multiple of 1/1000.
pub const PERMUTATIONS: usize = 999;
