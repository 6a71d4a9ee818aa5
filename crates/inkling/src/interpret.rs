//! Looking inside a model.

use inkling_engine::interpret::{integrated_gradients, saliency_map};
use inkling_engine::{LayerHandle, Pixels};

use crate::error::Error;
use crate::model::Model;

/// Images that go through the network at a time.
const BATCH: usize = 32;

impl Model {
    /// The names of the layers, such as "trunk.2", with what comes out of each for one image: those that
    /// [`Model::layer_output`] knows. A ReLU right after a dense or convolutional layer is part of that layer, and a residual
    /// block is one layer.
    pub fn layers(&self) -> Vec<LayerHandle> {
        self.network.layer_handles()
    }

    /// The output of a layer for images, [n, outputs], images with their channels last.
    ///
    /// # Errors
    /// What is wrong with the images; [`Error::Setting`] where there is no such layer, with the names of those that are.
    pub fn layer_output<'a>(
        &mut self,
        layer: &str,
        images: impl Into<Pixels<'a>>,
    ) -> Result<Vec<f32>, Error> {
        let images = images.into();
        let (n, dim) = (self.check_images(images)?, self.network.input_len());
        let layers = self.layers();
        let Some(layer) = layers.iter().find(|known| known.name == layer) else {
            let known: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
            return Err(Error::Setting(format!(
                "no layer is called `{layer}`; there are {}",
                known.join(", ")
            )));
        };
        let mut workspace = self.network.workspace(BATCH, false);
        let (mut x, mut found) = (vec![0.0; BATCH * dim], Vec::with_capacity(n * layer.shape.len()));
        for first in (0..n).step_by(BATCH) {
            let x = &mut x[..BATCH.min(n - first) * dim];
            images.read(first * dim, x);
            self.network.forward(x, false, &mut workspace);
            found.extend_from_slice(self.network.output(layer, x, &workspace));
        }
        Ok(found)
    }

    /// The gradient of an output, of a class's score say, with respect to one image, as long as the image (Simonyan, Vedaldi and
    /// Zisserman 2014).
    ///
    /// # Errors
    /// What is wrong with the image; [`Error::Setting`] where there are several, or there is no such output.
    pub fn saliency<'a>(&mut self, image: impl Into<Pixels<'a>>, output: usize) -> Result<Vec<f32>, Error> {
        let (x, scores) = self.one_image(image.into(), output)?;
        let mut workspace = self.network.workspace(1, true);
        Ok(saliency_map(&mut self.network, &mut workspace, &scores, output, &x))
    }

    /// Integrated gradients of an output along the straight path of so many steps from a black image to this one, as long as the
    /// image (Sundararajan, Taly and Yan 2017). They add up to the output less that of the black image, but for the error of
    /// the sum.
    ///
    /// # Errors
    /// As [`Model::saliency`], and where there are no steps.
    pub fn integrated_gradients<'a>(
        &mut self,
        image: impl Into<Pixels<'a>>,
        output: usize,
        steps: usize,
    ) -> Result<Vec<f32>, Error> {
        if steps == 0 {
            return Err(Error::Setting("`steps` is zero".into()));
        }
        let (x, scores) = self.one_image(image.into(), output)?;
        let mut workspace = self.network.workspace(BATCH.min(steps), true);
        Ok(integrated_gradients(&mut self.network, &mut workspace, &scores, output, &x, steps))
    }

    /// One image as the network sees it, and the layer whose output is meant.
    fn one_image(&self, image: Pixels, output: usize) -> Result<(Vec<f32>, LayerHandle), Error> {
        let n = self.check_images(image)?;
        if n != 1 {
            return Err(Error::Setting(format!("there are {n} images, and this takes one")));
        }
        let outputs = self.num_outputs();
        if output >= outputs {
            return Err(Error::Setting(format!(
                "there is no output {output}: the network has {outputs}, from 0"
            )));
        }
        let mut x = vec![0.0; image.len()];
        image.read(0, &mut x);
        let scores = self.layers().pop().expect("a network has layers");
        Ok((x, scores))
    }
}
