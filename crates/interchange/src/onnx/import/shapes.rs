//! Layers without weights that change the shape of what goes through them.

use inkling_schema::LayerSpec;

use super::super::Layout;
use super::super::messages::NodeProto;
use super::here;
use super::layer::{Form, Layer};
use super::settings::Settings;
use super::step::Step;
use super::walk::{At, Reader};
use super::windows::places;
use crate::InterchangeError;

impl<'a> Reader<'a> {
    /// `MaxPool` and `AveragePool`.
    pub(super) fn pooling(&mut self, node: &'a NodeProto, at: At<'a>) -> Step<'a> {
        let known = [
            "auto_pad",
            "ceil_mode",
            "count_include_pad",
            "dilations",
            "kernel_shape",
            "pads",
            "storage_order",
            "strides",
        ];
        let settings = Settings::new(node, &known)?;
        let refuse = |what: &str| {
            InterchangeError::new(
                format!("{} {what}", here(node)),
                "pooling is read of images with their channels first, without padding or dilations",
            )
        };
        let Form::Image { shape, layout: Layout::Nchw, pads: [0, 0, 0, 0] } = at.form else {
            return Err(refuse(&format!("pools {}", at.form)));
        };
        let kernel = settings.pair("kernel_shape").filter(|kernel| !kernel.contains(&0));
        let pool_size = kernel.ok_or_else(|| refuse("has no kernel of two sides"))?;
        let (stride, pads) = places(node, settings, shape, pool_size)?;
        if pads != [0; 4] || settings.ints("dilations").is_some_and(|dilations| dilations != [1, 1]) {
            return Err(refuse("has padding or dilations"));
        }
        let mut size = [0; 2];
        for side in 0..2 {
            let rest = shape[side].checked_sub(pool_size[side]);
            let rest = rest.ok_or_else(|| refuse("has windows that are larger than its input"))?;
            if settings.int("ceil_mode", 0) != 0 && !rest.is_multiple_of(stride[side]) {
                return Err(refuse("has windows that reach beyond its input (ceil_mode)"));
            }
            size[side] = rest / stride[side] + 1;
        }
        let spec = match node.op_type.as_str() {
            "MaxPool" => LayerSpec::MaxPool { pool_size, stride },
            _ => LayerSpec::AvgPool { pool_size, stride },
        };
        let form = Form::image([size[0], size[1], shape[2]], Layout::Nchw);
        Ok((Some(Layer::new(spec, Vec::new())), At { value: self.output(node)?, form }))
    }

    /// `GlobalAveragePool`, or a `ReduceMean` over height and width.
    pub(super) fn mean(&mut self, node: &'a NodeProto, at: At<'a>) -> Step<'a> {
        let settings = Settings::new(node, &["axes", "keepdims", "noop_with_empty_axes"])?;
        let Form::Image { shape: [_, _, channels], layout, pads: [0, 0, 0, 0] } = at.form else {
            return Err(no_mean(node, at.form));
        };
        let keeps = node.op_type == "GlobalAveragePool" || settings.int("keepdims", 1) != 0;
        let over = if node.op_type == "GlobalAveragePool" {
            vec![2, 3]
        } else {
            // Since version 18 they are an input.
            let axes = self.graph.ints(node, 1)?.or_else(|| settings.ints("axes").map(<[i64]>::to_vec));
            let mut axes = axes.unwrap_or_default();
            axes.iter_mut().filter(|axis| **axis < 0).for_each(|axis| *axis = axis.saturating_add(4));
            axes.sort_unstable();
            axes
        };
        let sides = match layout {
            Layout::Nchw => [2, 3],
            Layout::Nhwc => [1, 2],
        };
        if over != sides {
            return Err(no_mean(node, at.form));
        }
        let form = if keeps { Form::Pooled(channels) } else { Form::vector(channels) };
        Ok((Some(Layer::new(LayerSpec::GlobalAvgPool, Vec::new())), At { value: self.output(node)?, form }))
    }

    /// `Flatten`, or a `Reshape` to vectors.
    pub(super) fn flatten(&mut self, node: &'a NodeProto, at: At<'a>) -> Step<'a> {
        let settings = Settings::new(node, &["axis", "allowzero"])?;
        let len = match at.form {
            Form::Image { shape: [height, width, channels], pads: [0, 0, 0, 0], .. } => {
                height * width * channels
            }
            Form::Image { .. } => 0,
            Form::Pooled(len) | Form::Vector { len, .. } => len,
        };
        let is_to_vectors = match node.op_type.as_str() {
            "Flatten" => settings.int("axis", 1) == 1,
            _ => {
                let shape = self.graph.ints(node, 1)?;
                let counts = |length: i64| usize::try_from(length) == Ok(len);
                // A first length of zero is that of the input, unless `allowzero` says otherwise.
                let keeps = settings.int("allowzero", 0) == 0;
                match shape.as_deref() {
                    Some(&[batch, length]) => {
                        let of_batch = batch == 0 && keeps || Some(batch) == self.batch;
                        of_batch && (length == -1 || counts(length)) || batch == -1 && counts(length)
                    }
                    Some(_) => false,
                    None => self.keeps_batch(node, counts),
                }
            }
        };
        if !is_to_vectors || len == 0 {
            return Err(InterchangeError::new(
                format!("{} does not turn {} into a vector", here(node), at.form),
                "Flatten is read with axis = 1, and Reshape to the shape (batch, -1)",
            ));
        }
        let value = self.output(node)?;
        let Form::Image { shape: [height, width, channels], layout, .. } = at.form else {
            let form = if let Form::Pooled(len) = at.form { Form::vector(len) } else { at.form };
            return Ok((None, At { value, form }));
        };
        let is_reordered = layout == Layout::Nchw && channels > 1 && height * width > 1;
        let form = Form::Vector { len, channels_first: is_reordered.then_some([height, width, channels]) };
        Ok((Some(Layer::new(LayerSpec::Flatten, Vec::new())), At { value, form }))
    }

    /// Whether the shape of a `Reshape` is the length of the batch, which the graph computes, and one that `counts`, as PyTorch
    /// writes `x.view(x.size(0), -1)`.
    fn keeps_batch(&self, node: &'a NodeProto, counts: impl Fn(i64) -> bool) -> bool {
        let maker = |node: &NodeProto, input: usize, operator: &str| {
            let maker = self.graph.maker(node.input.get(input)?)?;
            (maker.op_type == operator).then_some(maker)
        };
        let first = |values: Option<Vec<i64>>| values.and_then(|values| values.first().copied());
        let is_batch = || {
            let concat = maker(node, 1, "Concat")?;
            let gather = maker(maker(concat, 0, "Unsqueeze")?, 0, "Gather")?;
            let shape = maker(gather, 0, "Shape").filter(|shape| shape.attribute.is_empty())?;
            let index = first(self.graph.ints(gather, 1).ok()?)?;
            let length = first(self.graph.ints(concat, 1).ok()?)?;
            let is_of_data = shape.input.first() == node.input.first();
            Some(is_of_data && concat.input.len() == 2 && index == 0 && (length == -1 || counts(length)))
        };
        is_batch().unwrap_or(false)
    }

    /// `Transpose`, which changes the order of an image's axes.
    pub(super) fn transpose(&mut self, node: &'a NodeProto, at: At<'a>) -> Step<'a> {
        let permutation = Settings::new(node, &["perm"])?.ints("perm");
        let to = |layout: Layout| layout.permutation().map(|axis| axis as i64);
        let layout = match at.form {
            Form::Image { layout: Layout::Nhwc, .. } if permutation == Some(&to(Layout::Nchw)) => {
                Layout::Nchw
            }
            Form::Image { layout: Layout::Nchw, .. } if permutation == Some(&to(Layout::Nhwc)) => {
                Layout::Nhwc
            }
            _ => {
                return Err(InterchangeError::new(
                    format!("{} permutes the axes of {} by {permutation:?}", here(node), at.form),
                    "a Transpose is read that brings the channels of images from the first place to the last, or back",
                ));
            }
        };
        let Form::Image { shape, pads, .. } = at.form else { unreachable!("an image") };
        Ok((None, At { value: self.output(node)?, form: Form::Image { shape, layout, pads } }))
    }

    /// `Pad`, whose zeros are those of the next convolution.
    pub(super) fn pad(&mut self, node: &'a NodeProto, at: At<'a>) -> Step<'a> {
        let settings = Settings::new(node, &["mode", "pads", "value"])?;
        let refuse = || {
            InterchangeError::new(
                format!("{} pads {} as it is not read", here(node), at.form),
                "a Pad is read that puts zeros around an image before a convolution",
            )
        };
        // Since version 11 they are an input.
        let pads = self.graph.ints(node, 1)?.or_else(|| settings.ints("pads").map(<[i64]>::to_vec));
        let has_value = node.input.get(2).is_some_and(|name| !name.is_empty());
        let value = if has_value { self.graph.scalar(node, 2)? } else { Some(settings.float("value", 0.0)) };
        let has_axes = node.input.get(3).is_some_and(|name| !name.is_empty());
        let mode = settings.text("mode");
        let (Form::Image { shape, layout, pads: around }, Some(pads)) = (at.form, pads) else {
            return Err(refuse());
        };
        let pads: Option<Vec<usize>> = pads.iter().map(|&pad| usize::try_from(pad).ok()).collect();
        let [0, a, b, c, 0, d, e, f] = pads.as_deref().ok_or_else(refuse)? else { return Err(refuse()) };
        let (channels, pads) = match layout {
            Layout::Nchw => ([*a, *d], [*b, *c, *e, *f]),
            Layout::Nhwc => ([*c, *f], [*a, *b, *d, *e]),
        };
        if channels != [0; 2] || value != Some(0.0) || has_axes || !matches!(mode, b"" | b"constant") {
            return Err(refuse());
        }
        let pads = [0, 1, 2, 3].map(|side| around[side].saturating_add(pads[side]));
        Ok((None, At { value: self.output(node)?, form: Form::Image { shape, layout, pads } }))
    }
}

fn no_mean(node: &NodeProto, form: Form) -> InterchangeError {
    InterchangeError::new(
        format!("{} is no mean of each channel of {form}", here(node)),
        "a mean is read over height and width of images",
    )
}
