//! What the files of trained networks have beside their layers' tensors: written by trainings, read by looks.

/// Key under which a model's file says that its training diverged.
pub(crate) const DIVERGED: &str = "diverged";

/// How the names of a model's best weights begin.
pub(crate) const BEST: &str = "best/";

/// How the names of the weights after the last epoch begin, in a model's file whose network has those of an earlier one.
pub(crate) const LAST: &str = "last/";
