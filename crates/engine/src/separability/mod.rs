//! Can two classes be separated linearly? In a plane the question has an exact answer; in many dimensions a hyperplane
//! that makes no error is a certificate that they can, and its absence after a long search is no more than that.

mod hyperplane;
mod plane;

pub use hyperplane::{Hyperplane, HyperplaneSearch, separating_hyperplane};
pub use plane::{Line, best_line, linearly_separable_2d};
