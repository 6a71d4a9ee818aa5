//! What runs for the report's page find.

use serde::{Deserialize, Serialize};

/// Outcome of a network for the page. `model.safetensors` holds its weights in the precision that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageNetworkOutcome {
    /// Its parameters.
    pub parameters: usize,
    /// Test images on which answers were compared.
    pub images: usize,
    /// Of these, for each head, how many get another class than by the weights as they were trained.
    pub changed: Vec<usize>,
}

/// Outcome of images for the page. `arrays.safetensors` holds
/// - `test_images` u8 [n, height, width, channels] and `test_labels` u8 `[n]`, the first of the test images,
/// - `train_images` and `train_labels`, likewise, and `train_numbers` u32 `[n]`, their places among the training images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageImagesOutcome {
    /// Test images that are kept.
    pub test: usize,
    /// Training images that are kept.
    pub train: usize,
    /// Mean brightness, from 0 to 1, of the training images' outermost pixels and of all of them.
    pub brightness: [f64; 2],
}
