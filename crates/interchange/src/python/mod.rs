//! What the folders for PyTorch and for Keras share: text in Python, the weights' file, and the script that checks them.

pub(crate) mod check;
pub(crate) mod description;
pub(crate) mod listing;
pub(crate) mod places;
pub(crate) mod text;
