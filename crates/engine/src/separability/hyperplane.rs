//! The search for a hyperplane that separates two classes of images in all their pixels.
//!
//! A linear support vector machine with squared hinge loss, ½‖v‖² + C/2 Σ max(0, 1 − y·x·v)², is minimised exactly by
//! Newton's method on its primal (Keerthi and DeCoste 2005; Chapelle 2007), for one C after another, each ten times
//! the last: as C grows, the loss comes to zero if the classes can be separated, however thin the margin. What is
//! found is then checked on the pixels themselves, in arithmetic whose rounding error is bounded, so that "no error"
//! is a certificate.

use faer::{Col, Mat};

use crate::linalg::{cholesky_solve, syrk};
use crate::{Affine, ByteMatrix};

/// A hyperplane {p : w·p + c = 0} in pixel space, pixels from 0 to 255; class 1 lies where w·p + c > 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Hyperplane {
    /// Normal, shape `[d]`.
    pub w: Vec<f64>,
    /// Offset.
    pub c: f64,
}

impl Hyperplane {
    /// Number of images in `pixels`, shape [n, d], labels `y` of −1 and 1, that are not certainly on their side: an
    /// image counts as right only where w·p + c exceeds the bound on its own rounding error.
    pub fn errors(&self, pixels: &[u8], y: &[i8]) -> usize {
        let d = self.w.len();
        let magnitude: f64 = self.w.iter().map(|w| w.abs()).sum::<f64>() * 255.0 + self.c.abs();
        // Each of the d products and d sums rounds by at most ε/2 of a partial sum that never exceeds the magnitude.
        let bound = magnitude * (d + 1) as f64 * f64::EPSILON;
        let right = |(p, &y): (&[u8], &i8)| f64::from(y) * self.value(p) > bound;
        y.len() - pixels.chunks_exact(d).zip(y).filter(|&row| right(row)).count()
    }

    /// w·p + c.
    fn value(&self, p: &[u8]) -> f64 {
        self.w.iter().zip(p).map(|(w, &p)| w * f64::from(p)).sum::<f64>() + self.c
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct HyperplaneSearch {
    /// The hyperplane with the fewest errors.
    pub hyperplane: Hyperplane,
    /// Images it does not certainly classify rightly; 0 is a certificate of separability.
    pub errors: usize,
    /// Passes until it was found.
    pub passes: usize,
}

/// The costs C: ten times the last, from one that all images share to one that leaves none out.
const COSTS: std::ops::Range<i32> = -2..9;
/// Rows of the Hessian's products made at a time.
const BLOCK: usize = 256;

/// Searches for a hyperplane without an error on `pixels`, shape [n, d], with labels `y` of −1 and 1, in at most
/// `max_passes` passes over them. `go_on` is called before each pass, and the search ends if it returns `false`.
///
/// # Panics
/// If `pixels` does not hold a row for every label, or `max_passes` is zero.
pub fn separating_hyperplane(
    pixels: &[u8],
    y: &[i8],
    max_passes: usize,
    go_on: &dyn Fn() -> bool,
) -> HyperplaneSearch {
    assert!(!y.is_empty() && pixels.len().is_multiple_of(y.len()), "a row of pixels for every label");
    assert!(max_passes > 0, "at least one pass");
    let d = pixels.len() / y.len();
    let x = ByteMatrix::new(pixels, d, Affine { factor: 1.0 / 255.0, shift: 0.0 });
    let mut machine = Machine { x, y, v: vec![0.0; d + 1], values: vec![0.0; y.len()] };
    let mut best = HyperplaneSearch { hyperplane: machine.hyperplane(), errors: y.len(), passes: 0 };
    let mut passes = 0;
    for cost in COSTS.map(|exponent| 10.0_f64.powi(exponent)) {
        while passes < max_passes && go_on() {
            passes += 1;
            let settled = machine.newton_step(cost);
            if machine.misclassified() < best.errors {
                let hyperplane = machine.hyperplane();
                let errors = hyperplane.errors(pixels, y);
                if errors < best.errors {
                    best = HyperplaneSearch { hyperplane, errors, passes };
                }
            }
            if best.errors == 0 {
                return best;
            }
            if settled {
                break;
            }
        }
    }
    best
}

/// The support vector machine at one point of its training; v is the normal followed by the offset.
struct Machine<'a> {
    x: ByteMatrix<'a>,
    y: &'a [i8],
    v: Vec<f64>,
    /// x·v for every image.
    values: Vec<f64>,
}

impl Machine<'_> {
    /// Images on the wrong side.
    fn misclassified(&self) -> usize {
        self.values.iter().zip(self.y).filter(|&(value, &y)| f64::from(y) * value <= 0.0).count()
    }

    /// One step of Newton's method with an exact line search; whether the minimum has been reached.
    fn newton_step(&mut self, cost: f64) -> bool {
        let inside: Vec<usize> =
            (0..self.y.len()).filter(|&i| f64::from(self.y[i]) * self.values[i] < 1.0).collect();
        let target = self.solve(&inside, cost);
        let (normal, offset) = target.split_at(target.len() - 1);
        let target_values: Vec<f64> = (0..self.y.len()).map(|i| self.x.dot(i, normal) + offset[0]).collect();
        let inside_at_target = |i: usize| f64::from(self.y[i]) * target_values[i] < 1.0;
        if (0..self.y.len()).filter(|&i| inside_at_target(i)).eq(inside.iter().copied()) {
            (self.v, self.values) = (target, target_values);
            return true;
        }
        let step = self.line_search(&target, &target_values, cost);
        for (v, target) in self.v.iter_mut().zip(&target) {
            *v += step * (target - *v);
        }
        for (value, target) in self.values.iter_mut().zip(&target_values) {
            *value += step * (target - *value);
        }
        // A step that moves nothing is the end of what f64 can resolve.
        step < 1e-9
    }

    /// The minimum if exactly the images `inside` the margin counted: (1 + C·XᵀX)⁻¹ C·Xᵀy over them.
    fn solve(&self, inside: &[usize], cost: f64) -> Vec<f64> {
        let n = self.v.len();
        let mut hessian = Mat::<f64>::zeros(n, n);
        let mut right = Col::<f64>::zeros(n);
        let mut rows = vec![0.0; BLOCK * n];
        for block in inside.chunks(BLOCK) {
            for (row, &i) in rows.chunks_exact_mut(n).zip(block) {
                row.fill(0.0);
                self.x.axpy(i, 1.0, &mut row[..n - 1]);
                row[n - 1] = 1.0;
                for (right, x) in right.iter_mut().zip(&*row) {
                    *right += cost * f64::from(self.y[i]) * x;
                }
            }
            syrk(&mut hessian, &rows[..block.len() * n], cost);
        }
        for i in 0..n {
            hessian[(i, i)] += 1.0;
        }
        // Where it is not positive in f64 the cost has outgrown the precision, and the search rests where it is.
        cholesky_solve(&hessian, &right).unwrap_or_else(|| self.v.clone())
    }

    /// The step t ≥ 0 from v towards `target` that minimises the loss: the root of its derivative, which is piecewise
    /// linear and rises. Newton's method on one variable, kept inside a bracket.
    fn line_search(&self, target: &[f64], target_values: &[f64], cost: f64) -> f64 {
        let (mut own, mut cross) = (0.0, 0.0);
        for (v, target) in self.v.iter().zip(target) {
            own += (target - v) * (target - v);
            cross += v * (target - v);
        }
        let numerical_gradient = |t: f64| {
            let (mut first, mut second) = (cross + t * own, own);
            for ((value, target), &y) in self.values.iter().zip(target_values).zip(self.y) {
                let along = target - value;
                let slack = 1.0 - f64::from(y) * (value + t * along);
                if slack > 0.0 {
                    first -= cost * slack * f64::from(y) * along;
                    second += cost * along * along;
                }
            }
            (first, second)
        };
        let (mut low, mut high) = (0.0, f64::INFINITY);
        let mut t = 1.0;
        for _ in 0..30 {
            let (first, second) = numerical_gradient(t);
            if first > 0.0 {
                high = t;
            } else {
                low = t;
            }
            let next = t - first / second;
            let next = if next > low && next < high { next } else { 0.5 * (low + high.min(2.0 * low + 1.0)) };
            if (next - t).abs() <= 1e-12 * t {
                break;
            }
            t = next;
        }
        t
    }

    /// The hyperplane in pixels rather than in features x = p/255.
    fn hyperplane(&self) -> Hyperplane {
        let (normal, offset) = self.v.split_at(self.v.len() - 1);
        Hyperplane { w: normal.iter().map(|w| w / 255.0).collect(), c: offset[0] }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::RngStream;

    #[test]
    fn a_thin_margin_is_found_and_certified() {
        // Twenty-dimensional bytes labelled by a hyperplane that some points almost touch.
        let mut stream = RngStream::new(1, "test/pixels");
        let (mut pixels, mut y) = (Vec::new(), Vec::new());
        while y.len() < 400 {
            let p: Vec<u8> = (0..20).map(|_| stream.random_range(256) as u8).collect();
            let side: i32 =
                p.iter().enumerate().map(|(j, &p)| (j as i32 - 9) * i32::from(p)).sum::<i32>() - 1275;
            if side.abs() > 40 {
                pixels.extend(&p);
                y.push(if side > 0 { 1 } else { -1 });
            }
        }
        let found = separating_hyperplane(&pixels, &y, 3000, &|| true);
        assert_eq!(found.errors, 0, "{found:?}");
        assert_eq!(found.hyperplane.errors(&pixels, &y), 0);
    }

    #[test]
    fn classes_that_share_an_image_are_never_certified() {
        let pixels = [0, 0, 255, 255, 0, 255, 0, 255];
        let found = separating_hyperplane(&pixels, &[-1, 1, 1, -1], 50, &|| true);
        assert!(found.errors >= 1);
    }

    #[test]
    fn the_number_of_threads_does_not_show() {
        let mut stream = RngStream::new(2, "test/pixels");
        let pixels: Vec<u8> = (0..400 * 300).map(|_| stream.random_range(256) as u8).collect();
        let y: Vec<i8> = (0..400).map(|i| if i % 2 == 0 { 1 } else { -1 }).collect();
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| separating_hyperplane(&pixels, &y, 5, &|| true))
        };
        let one = on(1);
        for threads in [2, 3, 8] {
            assert_eq!(on(threads), one);
        }
    }

    #[test]
    fn an_image_on_the_hyperplane_counts_as_an_error() {
        let hyperplane = Hyperplane { w: vec![1.0, -1.0], c: 0.0 };
        assert_eq!(hyperplane.errors(&[7, 7, 8, 7, 7, 8], &[1, 1, -1]), 1);
    }

    proptest! {
        #[test]
        fn the_errors_are_those_of_the_hyperplane(
            rows in proptest::collection::vec((proptest::array::uniform4(0_u8..), proptest::bool::ANY), 1..20),
        ) {
            let pixels: Vec<u8> = rows.iter().flat_map(|(p, _)| *p).collect();
            let y: Vec<i8> = rows.iter().map(|(_, label)| if *label { 1 } else { -1 }).collect();
            let found = separating_hyperplane(&pixels, &y, 20, &|| true);
            prop_assert_eq!(found.errors, found.hyperplane.errors(&pixels, &y));
            prop_assert!(found.passes <= 20 && found.errors <= y.len());
        }
    }
}
