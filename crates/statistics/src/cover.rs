//! Cover's function-counting theorem.

use crate::binomial_half_cdf;

/// The probability that a random labelling of N points can be separated by a hyperplane through the origin of a space of
/// this many dimensions: 2^(1 − N) Σ C(N − 1, k) over k < dimensions.
///
/// Each of the 2ᴺ labellings is equally likely, and the points are in general position: no more than r of them lie in a
/// subspace of r dimensions, for any r below the dimensions. A hyperplane with an offset in r dimensions is one through the
/// origin in r + 1, so data of rank r need `dimensions` = r + 1. Points that are not in general position have fewer
/// separable labellings, for which the result is an upper bound.
///
/// It is 1 where there are no more points than dimensions, and exactly 1/2 for twice as many.
///
/// Source: Cover (1965), *IEEE Transactions on Electronic Computers* EC-14, 326–334.
pub fn cover_probability(points: usize, dimensions: usize) -> f64 {
    if points <= dimensions {
        return 1.0;
    }
    if dimensions == 0 { 0.0 } else { binomial_half_cdf(dimensions - 1, points - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_exact_integers() {
        // sum(math.comb(N - 1, k) for k in range(d)) / 2**(N - 1) as a fraction in Python.
        for (points, dimensions, p) in [
            (4, 3, 0.875),
            (10, 5, 0.5),
            (1571, 785, 0.489_933_208_251_851_7),
            (1600, 785, 0.226_561_903_228_727_13),
            (1650, 785, 0.024_399_252_617_225_545),
            (1700, 785, 0.000_801_726_703_344_031),
            (40_000, 19_900, 0.158_652_229_263_373_27),
            (40_000, 20_200, 0.977_251_892_729_234_7),
        ] {
            let found = cover_probability(points, dimensions);
            assert!((found / p - 1.0).abs() < 1e-9, "{points} points, {dimensions}: {found:e}, not {p:e}");
        }
    }

    #[test]
    fn at_its_ends() {
        assert_eq!((cover_probability(785, 785), cover_probability(0, 3)), (1.0, 1.0));
        assert_eq!(cover_probability(3, 0), 0.0);
        assert!(cover_probability(60_000, 785) < 1e-300);
        // Capacity (Cover 1965): half of the labellings of twice as many points as dimensions.
        for dimensions in 1..500 {
            assert!((cover_probability(2 * dimensions, dimensions) - 0.5).abs() < 1e-12, "{dimensions}");
        }
    }
}
