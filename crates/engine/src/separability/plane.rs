//! Two clouds of points in a plane: whether a line separates them, and the line that errs least.

use std::f64::consts::PI;

use geo::{ConvexHull, Intersects, MultiPoint, Polygon};

/// Whether some line has all of `a` strictly on one side and all of `b` on the other: whether their convex hulls are
/// disjoint. Exact: the orientation of points is decided by adaptive-precision predicates (Shewchuk 1997).
///
/// ```
/// use inkling_engine::separability::linearly_separable_2d;
///
/// let (below, above) = ([[0.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 1.0]]);
/// assert!(linearly_separable_2d(&below, &above));
/// // Exclusive or: no line has the two points of a class on its own side.
/// assert!(!linearly_separable_2d(&[[0.0, 0.0], [1.0, 1.0]], &[[1.0, 0.0], [0.0, 1.0]]));
/// ```
pub fn linearly_separable_2d(a: &[[f64; 2]], b: &[[f64; 2]]) -> bool {
    let hull = |points: &[[f64; 2]]| -> Polygon<f64> {
        MultiPoint::from(points.iter().map(|&[x, y]| (x, y)).collect::<Vec<_>>()).convex_hull()
    };
    !hull(a).intersects(&hull(b))
}

/// A line {p : cos(angle)·x + sin(angle)·y = threshold} and its errors as a classifier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Direction of the normal in radians, in [0, π).
    pub angle: f64,
    /// Position along the normal.
    pub threshold: f64,
    /// Points on the wrong side, with the better of the two ways to name the sides.
    pub errors: usize,
}

/// Candidates that are refined after the first round of directions.
const REFINED: usize = 4;
/// Halvings of the angle around a candidate; 2⁻¹⁶ of a degree moves no point across a line unnoticed.
const HALVINGS: usize = 16;

/// The best line among `directions` equally spaced normals, each with its best threshold exactly, then refined by
/// halving the angle around the best few of them. No search over angles is exhaustive: another line may err less.
pub fn best_line(a: &[[f64; 2]], b: &[[f64; 2]], directions: usize) -> Line {
    let mut keyed = Vec::with_capacity(a.len() + b.len());
    let mut at = |angle: f64| best_threshold(a, b, angle.rem_euclid(PI), &mut keyed);
    let step = PI / directions as f64;
    let mut lines: Vec<Line> = (0..directions).map(|i| at(i as f64 * step)).collect();
    lines.sort_by_key(|line| line.errors);
    lines.truncate(REFINED);
    for line in &mut lines {
        let mut step = step;
        for _ in 0..HALVINGS {
            step /= 2.0;
            let tried = [at(line.angle - step), at(line.angle + step)];
            let better = tried.into_iter().min_by_key(|line| line.errors).expect("two were tried");
            if better.errors < line.errors {
                *line = better;
            }
        }
    }
    lines.into_iter().min_by_key(|line| line.errors).expect("at least one direction")
}

/// The threshold with the fewest errors along one normal, exactly.
fn best_threshold(a: &[[f64; 2]], b: &[[f64; 2]], angle: f64, keyed: &mut Vec<(f64, bool)>) -> Line {
    let (sin, cos) = angle.sin_cos();
    keyed.clear();
    for (points, is_b) in [(a, false), (b, true)] {
        keyed.extend(points.iter().map(|[x, y]| (cos * x + sin * y, is_b)));
    }
    keyed.sort_unstable_by(|p, q| p.0.total_cmp(&q.0));
    let all = a.len() + b.len();
    // Errors when everything below the threshold is called a: all of a are right only once the threshold passed them.
    let mut errors = a.len();
    let mut best = Line { angle, threshold: f64::NEG_INFINITY, errors: errors.min(all - errors) };
    for (i, &(position, is_b)) in keyed.iter().enumerate() {
        errors = if is_b { errors + 1 } else { errors - 1 };
        let next = keyed.get(i + 1).map_or(f64::INFINITY, |next| next.0);
        let fewest = errors.min(all - errors);
        if fewest < best.errors && position < next {
            best = Line {
                angle,
                threshold: position + (next.min(position + 1.0) - position) / 2.0,
                errors: fewest,
            };
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn squares_apart_and_squares_that_touch() {
        let square = |x: f64| vec![[x, 0.0], [x + 1.0, 0.0], [x, 1.0], [x + 1.0, 1.0], [x + 0.5, 0.5]];
        assert!(linearly_separable_2d(&square(0.0), &square(1.5)));
        assert!(
            !linearly_separable_2d(&square(0.0), &square(1.0)),
            "a shared edge cannot be separated strictly"
        );
        assert!(!linearly_separable_2d(&square(0.0), &square(0.5)));
    }

    #[test]
    fn best_line_finds_the_one_error_of_an_almost_separable_pair() {
        let a = vec![[0.0, 0.0], [1.0, 0.1], [0.5, 0.2], [0.7, 5.0]];
        let b = vec![[0.0, 4.0], [1.0, 4.1], [0.5, 4.2], [0.2, 6.0]];
        let line = best_line(&a, &b, 90);
        assert_eq!(line.errors, 1);
    }

    fn small_cloud() -> impl Strategy<Value = Vec<[f64; 2]>> {
        let coordinate = || (-4_i32..=4).prop_map(f64::from);
        proptest::collection::vec([coordinate(), coordinate()], 1..7)
    }

    /// Separable by trying every line through two points, moved a little to either side and turned a little.
    fn separable_by_hand(a: &[[f64; 2]], b: &[[f64; 2]]) -> bool {
        let all: Vec<[f64; 2]> = a.iter().chain(b).copied().collect();
        let mut normals = vec![[1.0, 0.0], [0.0, 1.0]];
        for p in &all {
            for q in &all {
                let along = [q[0] - p[0], q[1] - p[1]];
                // On a grid of nine by nine points no two directions are closer than a hundredth.
                for turn in [-1e-4, 0.0, 1e-4] {
                    normals.push([-along[1] + turn * along[0], along[0] + turn * along[1]]);
                    normals.push([along[0] - turn * along[1], along[1] + turn * along[0]]);
                }
            }
        }
        normals.iter().any(|n| {
            let side = |p: &[f64; 2]| n[0] * p[0] + n[1] * p[1];
            let most = |points: &[[f64; 2]]| points.iter().map(side).fold(f64::NEG_INFINITY, f64::max);
            let least = |points: &[[f64; 2]]| points.iter().map(side).fold(f64::INFINITY, f64::min);
            most(a) < least(b) || most(b) < least(a)
        })
    }

    proptest! {
        #[test]
        fn hulls_agree_with_every_line_tried(a in small_cloud(), b in small_cloud()) {
            prop_assert_eq!(linearly_separable_2d(&a, &b), separable_by_hand(&a, &b));
        }

        #[test]
        fn a_line_makes_the_errors_it_claims(a in small_cloud(), b in small_cloud()) {
            let line = best_line(&a, &b, 36);
            let below = |p: &[f64; 2]| line.angle.cos() * p[0] + line.angle.sin() * p[1] < line.threshold;
            let errors = a.iter().filter(|p| !below(p)).count() + b.iter().filter(|p| below(p)).count();
            prop_assert_eq!(line.errors, errors.min(a.len() + b.len() - errors));
            prop_assert!(line.errors <= a.len().min(b.len()));
        }
    }
}
