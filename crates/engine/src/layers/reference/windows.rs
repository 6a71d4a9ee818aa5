//! Where the windows of a convolution or a pooling lie on an image. All lengths are in pixels, [down, to the right].

use inkling_schema::Padding;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Windows {
    pub(crate) input: [usize; 2],
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    /// Rows of zeros above the image, and columns to the left of it.
    pub(crate) before: [usize; 2],
    pub(crate) output: [usize; 2],
}

impl Windows {
    pub(crate) fn new(
        input: [usize; 2],
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: Padding,
    ) -> Windows {
        let (mut output, mut before) = ([0; 2], [0; 2]);
        for side in 0..2 {
            (output[side], before[side]) = match padding {
                Padding::Valid => ((input[side] - kernel[side]) / stride[side] + 1, 0),
                // As TensorFlow documents it.
                Padding::Same => {
                    let rest = input[side] % stride[side];
                    let covered = if rest == 0 { stride[side] } else { rest };
                    (input[side].div_ceil(stride[side]), kernel[side].saturating_sub(covered) / 2)
                }
            };
        }
        Windows { input, kernel, stride, before, output }
    }

    /// The index of the pixel at row u and column v of the window of output pixel (i, j), counted row by row; `None` if it
    /// lies outside the image.
    pub(crate) fn pixel(&self, [i, j]: [usize; 2], [u, v]: [usize; 2]) -> Option<usize> {
        let row = (i * self.stride[0] + u).checked_sub(self.before[0])?;
        let column = (j * self.stride[1] + v).checked_sub(self.before[1])?;
        let [height, width] = self.input;
        (row < height && column < width).then_some(row * width + column)
    }
}
