//! The linear algebra that faer does for us, always on one thread: how work is divided must not show in the bits.

use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::solvers::{self, Solve};
use faer::traits::{ComplexField, Conjugate};
use faer::{Accum, Col, Mat, MatRef, Par, Side};

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

/// Eigenvalues, smallest first, and eigenvectors of a symmetric matrix of which the lower triangle is read; `None`
/// where the iteration does not converge.
pub(crate) fn eigen(symmetric: &Mat<f64>) -> Option<solvers::SelfAdjointEigen<f64>> {
    faer::set_global_parallelism(Par::Seq);
    symmetric.self_adjoint_eigen(Side::Lower).ok()
}

/// The solution of A·x = b for a positive definite matrix of which the lower triangle is read; `None` where it is not
/// positive definite in f64.
pub(crate) fn cholesky_solve(a: &Mat<f64>, b: &Col<f64>) -> Option<Vec<f64>> {
    faer::set_global_parallelism(Par::Seq);
    let factor = a.llt(Side::Lower).ok()?;
    Some(factor.solve(b).iter().copied().collect())
}
