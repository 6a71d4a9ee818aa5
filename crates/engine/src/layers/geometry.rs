//! Where the windows of a convolution or a pooling lie on an image.

use inkling_schema::{Padding, Shape};

/// The shapes of an input image, of the windows that slide over it, and of the output image. Lengths are in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// Height and width of the input.
    pub(crate) input: [usize; 2],
    /// The number of channels of the input.
    pub(crate) channels: usize,
    /// Height and width of the output.
    pub(crate) output: [usize; 2],
    /// The number of channels of the output.
    pub(crate) filters: usize,
    /// Height and width of a window.
    pub(crate) kernel: [usize; 2],
    /// The distances between neighbouring windows, down and to the right.
    pub(crate) stride: [usize; 2],
    /// The numbers of rows of zeros above the input and of columns of zeros to the left of it.
    pub(crate) before: [usize; 2],
    /// Height and width of the input with its padding, which the windows cover.
    pub(crate) padded: [usize; 2],
}

impl Geometry {
    /// # Panics
    /// If a shape is not that of an image.
    pub(crate) fn new(
        input: Shape,
        output: Shape,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: Padding,
    ) -> Geometry {
        let image = |shape| match shape {
            Shape::Image { height, width, channels } => ([height, width], channels),
            Shape::Vector(_) => panic!("shape inference lets windows slide over images only"),
        };
        let ((input, channels), (output, filters)) = (image(input), image(output));
        // As in TensorFlow: the last window determines the padding, of which the smaller half goes before the image.
        let reach = |side: usize| (output[side] - 1) * stride[side] + kernel[side];
        let missing = |side: usize| match padding {
            Padding::Same => reach(side).saturating_sub(input[side]),
            Padding::Valid => 0,
        };
        Geometry {
            input,
            channels,
            output,
            filters,
            kernel,
            stride,
            before: [missing(0) / 2, missing(1) / 2],
            padded: [input[0].max(reach(0)), input[1].max(reach(1))],
        }
    }

    /// The number of values of one input image.
    pub(crate) fn inputs(&self) -> usize {
        self.input[0] * self.input[1] * self.channels
    }

    /// The number of values of one output image.
    pub(crate) fn outputs(&self) -> usize {
        self.output_pixels() * self.filters
    }

    /// The number of pixels of one output image, which is the number of windows on the input.
    pub(crate) fn output_pixels(&self) -> usize {
        self.output[0] * self.output[1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::reference::windows::Windows;
    use crate::layers::testing::windows;

    #[test]
    fn windows_lie_where_the_definition_has_them() {
        let pairs = |from: usize, to: usize| (from..to).flat_map(move |i| (from..to).map(move |j| [i, j]));
        for (input, kernel, stride) in pairs(1, 7)
            .flat_map(|input| pairs(1, 5).map(move |kernel| (input, kernel)))
            .flat_map(|(input, kernel)| pairs(1, 5).map(move |stride| (input, kernel, stride)))
        {
            for padding in [Padding::Valid, Padding::Same] {
                if padding == Padding::Valid && (kernel[0] > input[0] || kernel[1] > input[1]) {
                    continue;
                }
                let definition = Windows::new(input, kernel, stride, padding);
                let image = |[height, width]: [usize; 2]| Shape::Image { height, width, channels: 1 };
                let g = Geometry::new(image(input), image(definition.output), kernel, stride, padding);
                assert_eq!(windows(&g), definition);
            }
        }
    }
}
