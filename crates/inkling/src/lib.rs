//! Inkling as a library: build a network, train it on arrays of your own, evaluate it, look inside, save it.
//!
//! ```
//! use inkling::{Fit, Model, Sequential};
//!
//! // Two classes of 4 × 4 pictures: light above, or light below.
//! let pixels: Vec<u8> = (0..200).flat_map(|i| (0..16).map(move |p| if (p < 8) == (i % 2 == 0) { 255 } else { 9 })).collect();
//! let labels: Vec<u8> = (0..200).map(|i| i % 2).collect();
//!
//! let network = Sequential::new([4, 4, 1]).conv2d(8, 3).relu().max_pool(2).flatten().dense(2);
//! let mut model = Model::new(&network.build(), 1)?;
//! let history = model.fit(&pixels, &labels, &Fit { learning_rate: 0.01, ..Fit::default() })?;
//! assert!(history.last().is_some_and(|epoch| epoch.loss < 0.5));
//! assert_eq!(model.predict(&pixels)?[..2], [0, 1]);
//! # Ok::<(), inkling::Error>(())
//! ```
//!
//! The parts that this crate is made of are open to whoever needs more: [`engine`] trains and computes,
//! [`schema`] describes networks.

mod error;
mod file;
mod fit;
mod interpret;
mod into_labels;
pub mod layers;
mod model;
mod sequential;

pub use error::Error;
pub use fit::{Epoch, Evaluation, Fit, Step};
pub use inkling_engine as engine;
pub use inkling_engine::{Activation, ActivationRegistry, Labels, Pixels, UpdateRule};
pub use inkling_schema as schema;
pub use inkling_schema::{
    Head, Initializer, LayerSpec, Loss, ModelSpec, Optimizer, Padding, Schedule, TrainingPrecision,
};
pub use into_labels::IntoLabels;
pub use model::Model;
pub use sequential::Sequential;
