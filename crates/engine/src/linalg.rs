//! The linear algebra that faer does for us, always on one thread: how work is divided must not show in the bits.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::cholesky::llt;
use faer::linalg::evd;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::traits::{ComplexField, Conjugate};
use faer::{Accum, Col, Mat, MatRef, Par};

/// Adds scale · XᵀX to the lower triangle of `total`, shape [d, d], for the rows `x`, shape [n, d].
pub(crate) fn syrk<T: ComplexField + Conjugate<Canonical = T>>(total: &mut Mat<T>, x: &[T], scale: T) {
    let d = total.ncols();
    let x = MatRef::from_row_major_slice(x, x.len() / d, d);
    triangular::matmul(
        total,
        BlockStructure::TriangularLower,
        Accum::Add,
        x.transpose(),
        BlockStructure::Rectangular,
        x,
        BlockStructure::Rectangular,
        scale,
        Par::Seq,
    );
}

/// Eigenvalues, smallest first, and eigenvectors, as columns, of a symmetric matrix of which the lower triangle is read; `None`
/// where the iteration does not converge.
pub(crate) fn eigh(symmetric: &Mat<f64>) -> Option<(Col<f64>, Mat<f64>)> {
    let n = symmetric.nrows();
    let (mut values, mut vectors) = (Diag::zeros(n), Mat::zeros(n, n));
    let scratch =
        evd::self_adjoint_evd_scratch::<f64>(n, evd::ComputeEigenvectors::Yes, Par::Seq, Default::default());
    let mut memory = MemBuffer::new(scratch);
    let (stack, settings) = (MemStack::new(&mut memory), Default::default());
    let (values_to, vectors_to) = (values.as_mut(), Some(vectors.as_mut()));
    evd::self_adjoint_evd(symmetric.as_ref(), values_to, vectors_to, Par::Seq, stack, settings).ok()?;
    Some((values.column_vector().to_owned(), vectors))
}

/// The solution of A·x = b for a positive definite matrix of which the lower triangle is read; `None` where it is not
/// positive definite in f64.
pub(crate) fn cholesky_solve(a: &Mat<f64>, b: &Col<f64>) -> Option<Vec<f64>> {
    let n = a.nrows();
    let (mut factor, mut solution) = (a.clone(), b.clone());
    let scratch = StackReq::any_of(&[
        llt::factor::cholesky_in_place_scratch::<f64>(n, Par::Seq, Default::default()),
        llt::solve::solve_in_place_scratch::<f64>(n, 1, Par::Seq),
    ]);
    let mut memory = MemBuffer::new(scratch);
    let stack = MemStack::new(&mut memory);
    llt::factor::cholesky_in_place(factor.as_mut(), Default::default(), Par::Seq, stack, Default::default())
        .ok()?;
    llt::solve::solve_in_place(factor.as_ref(), solution.as_mat_mut(), Par::Seq, stack);
    Some(solution.iter().copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_of_faer_has_set_stays() {
        let matrix = Mat::from_fn(9, 9, |i, j| if i == j { 4.0 } else { 1.0 / (i + j + 1) as f64 });
        faer::set_global_parallelism(Par::rayon(2));
        let (values, vectors) = eigh(&matrix).unwrap();
        let right = Col::from_fn(9, |i| i as f64);
        let solution = cholesky_solve(&matrix, &right).unwrap();
        assert_eq!(faer::get_global_parallelism(), Par::rayon(2));
        for i in 0..9 {
            let product: f64 = (0..9).map(|j| matrix[(i, j)] * solution[j]).sum();
            assert!((product - right[i]).abs() < 1e-12, "{product}");
            let stretched: f64 = (0..9).map(|j| matrix[(i, j)] * vectors[(j, 8)]).sum();
            assert!((stretched - values[8] * vectors[(i, 8)]).abs() < 1e-12);
        }
        assert!((1..9).all(|i| values[i - 1] <= values[i]));
        let not_definite = Mat::from_fn(2, 2, |_, _| 1.0 - 2.0);
        assert!(cholesky_solve(&not_definite, &Col::zeros(2)).is_none());
    }
}
