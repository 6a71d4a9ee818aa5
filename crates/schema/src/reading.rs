//! What a network reads: the share of each layer's input, and of the image, that nothing of what comes out depends on.
//!
//! A kernel or a window whose step is longer than its side skips rows and columns, and one that stays inside the image
//! leaves those at its end that no further step reaches.

use std::collections::BTreeMap;

use crate::model::{LayerSpec, ModelSpec, Padding};
use crate::shape::{PlannedLayer, Shape};

/// The longest side for which it is computed which pixels are read; no image is longer.
const LONGEST: usize = 1 << 16;

/// The windows of a layer along one side of its input.
#[derive(Debug, Clone, Copy)]
struct Windows {
    /// Pixels of the input.
    size: usize,
    /// Pixels of a window.
    kernel: usize,
    /// Pixels from one window to the next.
    stride: usize,
    /// Zeros before the first pixel.
    before: usize,
    /// Windows.
    count: usize,
}

impl Windows {
    /// Along a side of so many pixels, with so many outputs.
    fn new(size: usize, kernel: usize, stride: usize, padding: Padding, count: usize) -> Windows {
        // The padding that "same" needs goes half before, the odd zero after (as TensorFlow does).
        let reach = (count.saturating_sub(1)).saturating_mul(stride).saturating_add(kernel);
        let before = match padding {
            Padding::Same => reach.saturating_sub(size) / 2,
            Padding::Valid => 0,
        };
        Windows { size, kernel, stride, before, count }
    }

    /// The pixels of this window, from the first to the one after the last.
    fn window(&self, index: usize) -> (usize, usize) {
        let start = index.saturating_mul(self.stride);
        let end = start.saturating_add(self.kernel).saturating_sub(self.before).min(self.size);
        (start.saturating_sub(self.before).min(end), end)
    }

    /// How many pixels are in some window, without going through all of them.
    fn read(&self) -> usize {
        if self.count == 0 {
            return 0;
        }
        if self.stride < self.kernel {
            return self.window(self.count - 1).1 - self.window(0).0;
        }
        let length = |index| self.window(index).1 - self.window(index).0;
        match self.count {
            1 => length(0),
            // Padding can only cut the first and the last.
            count => length(0) + length(count - 1) + (count - 2) * self.kernel,
        }
    }
}

/// The windows of a layer along both sides of its input, where it has some.
fn windows(layer: &LayerSpec, input: Shape, output: Shape) -> Option<[Windows; 2]> {
    let (kernel, stride, padding) = match layer {
        LayerSpec::Conv2d { kernel_size, stride, padding, .. } => (*kernel_size, *stride, *padding),
        _ => {
            let (size, stride) = layer.pooling()?;
            (size, stride, Padding::Valid)
        }
    };
    let (Shape::Image { height, width, .. }, Shape::Image { height: rows, width: columns, .. }) =
        (input, output)
    else {
        return None;
    };
    Some([
        Windows::new(height, kernel[0], stride[0], padding, rows),
        Windows::new(width, kernel[1], stride[1], padding, columns),
    ])
}

/// The share of a layer's input that none of its outputs depends on.
pub(crate) fn unread(layer: &LayerSpec, input: Shape, output: Shape) -> f64 {
    windows(layer, input, output).map_or(0.0, |sides| {
        1.0 - sides.iter().map(|side| side.read() as f64 / side.size as f64).product::<f64>()
    })
}

/// Which rows and which columns of an image are read: a pixel is where both of its own are.
type Read = [Vec<bool>; 2];

/// The share of a residual block's input that none of its outputs depends on; zero for images that are longer than any is.
pub(crate) fn unread_by_block(block: &PlannedLayer) -> f64 {
    let Shape::Image { height, width, .. } = block.input else { return 0.0 };
    if height.max(width) > LONGEST {
        return 0.0;
    }
    let read = through_block(block, &whole_output(block));
    1.0 - union(&read, height) / (height as f64 * width as f64)
}

/// The share of the image's pixels that no score depends on; nothing for images that are longer than any is.
pub(crate) fn unread_pixels(model: &ModelSpec, planned: &[PlannedLayer]) -> Option<f64> {
    let [height, width, _] = model.input;
    if height.max(width) > LONGEST {
        return None;
    }
    let (trunk, mut rest) = planned.split_at(model.trunk.len());
    let mut heads: Vec<Read> = Vec::new();
    for head in &model.heads {
        let (layers, others) = rest.split_at(head.layers.len());
        rest = others;
        let layers: Vec<&PlannedLayer> = trunk.iter().chain(layers).collect();
        // Heads on a vector all read the same.
        add(&mut heads, back(&layers, None).unwrap_or_else(|| whole([height, width])));
    }
    Some(1.0 - union(&heads, height) / (height as f64 * width as f64))
}

/// Adds what is not in the list yet.
fn add(all: &mut Vec<Read>, more: Vec<Read>) {
    for read in more {
        if !all.contains(&read) {
            all.push(read);
        }
    }
}

/// All rows and columns of sides of so many pixels.
fn whole(sides: [usize; 2]) -> Vec<Read> {
    vec![sides.map(|side| vec![true; side])]
}

/// All of what comes out of a layer, if it is an image.
fn whole_output(layer: &PlannedLayer) -> Vec<Read> {
    match layer.output {
        Shape::Image { height, width, .. } => whole([height, width]),
        Shape::Vector(_) => Vec::new(),
    }
}

/// What of the first layer's input is read, in one way or another, where this is read of the last one's output, or all of it;
/// nothing where no image goes in anywhere.
fn back(layers: &[&PlannedLayer], after: Option<Vec<Read>>) -> Option<Vec<Read>> {
    let mut read = after;
    for layer in layers.iter().rev() {
        let Shape::Image { height, width, .. } = layer.input else { continue };
        read = Some(match (&layer.layer, windows(&layer.layer, layer.input, layer.output)) {
            (LayerSpec::Residual { .. }, _) => {
                through_block(layer, &read.unwrap_or_else(|| whole_output(layer)))
            }
            (_, Some([down, right])) => {
                let after = read.unwrap_or_else(|| whole_output(layer));
                let before = |after: &Read| [through(down, &after[0]), through(right, &after[1])];
                after.iter().map(before).collect()
            }
            // What flattens or pools a whole image reads all of it, and so does what works number by number.
            (_, None) => read.unwrap_or_else(|| whole([height, width])),
        });
    }
    read
}

/// What is read of a block's input where this is read of its output: through its layers, and along its shortcut.
fn through_block(block: &PlannedLayer, after: &[Read]) -> Vec<Read> {
    let LayerSpec::Residual { layers, .. } = &block.layer else { unreachable!("a block") };
    let (inner, projection) = block.inner.split_at(layers.len());
    let (inner, projection): (Vec<_>, Vec<_>) = (inner.iter().collect(), projection.iter().collect());
    let mut read = back(&inner, Some(after.to_vec())).unwrap_or_default();
    add(&mut read, back(&projection, Some(after.to_vec())).unwrap_or_default());
    read
}

/// The pixels in those windows whose outputs are read.
fn through(windows: Windows, outputs: &[bool]) -> Vec<bool> {
    let mut read = vec![false; windows.size];
    // Windows overlap, and no pixel need be marked twice.
    let mut done = 0;
    for (index, _) in outputs.iter().enumerate().filter(|(_, read)| **read) {
        let (start, end) = windows.window(index);
        read[start.max(done).min(end)..end].fill(true);
        done = done.max(end);
    }
    read
}

/// How many pixels one head or another reads.
fn union(heads: &[Read], height: usize) -> f64 {
    let mut rows: BTreeMap<Vec<bool>, usize> = BTreeMap::new();
    for row in 0..height {
        *rows.entry(heads.iter().map(|[rows, _]| rows[row]).collect()).or_default() += 1;
    }
    let columns = |readers: &[bool]| {
        let reading = heads.iter().zip(readers).filter(|(_, reads)| **reads).map(|([_, columns], _)| columns);
        let mut read: Vec<bool> = Vec::new();
        for columns in reading {
            read.resize(columns.len(), false);
            read.iter_mut().zip(columns).for_each(|(read, column)| *read |= column);
        }
        read.iter().filter(|read| **read).count()
    };
    rows.iter().map(|(readers, &count)| count as f64 * columns(readers) as f64).sum()
}
