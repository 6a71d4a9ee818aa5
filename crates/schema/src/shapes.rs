//! Shape inference: what comes out of each layer of a network, what it costs, and why some networks cannot be.

use miette::Diagnostic;
use serde::Serialize;
use thiserror::Error;

use crate::format::percent;
use crate::model::{Initializer, LayerSpec, ModelSpec, Padding};
use crate::numbers::Interval;
use crate::reading;
use crate::shape::{PlannedLayer, Shape, product};

/// A network that can be built.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Layers of the trunk, then of each head.
    pub layers: Vec<PlannedLayer>,
    /// Trainable parameters of all layers.
    pub parameters: usize,
    /// Share of the image's pixels that no score depends on; not known for images of more than 65,536 rows or columns.
    pub unread_pixels: Option<f64>,
}

/// Share of an input above which it is worth a warning that nothing reads it.
const MUCH: f64 = 0.1;

/// A network that cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum ModelError {
    /// A network that leaves the shape of its images open.
    #[error("the network leaves the shape of its images open")]
    #[diagnostic(help("write `input`, such as [28, 28, 1]; `inkling train` takes it from the data"))]
    OpenInput,

    /// An image without pixels or channels.
    #[error("an image of {0:?} (height, width, channels) holds nothing")]
    #[diagnostic(help("`input` takes three whole numbers of at least 1, such as [28, 28, 1]"))]
    EmptyInput([usize; 3]),

    /// No head, or one without layers.
    #[error("{0}")]
    #[diagnostic(help("a network ends in one or more [[heads]], each with a name of its own and layers"))]
    Heads(String),

    /// A layer does not fit what comes before it.
    #[error("{place} ({kind}): {problem}")]
    #[diagnostic(help("{help}"))]
    Layer {
        /// The trunk or a head, and the layer's number in it from 1.
        place: String,
        /// The kind of layer.
        kind: &'static str,
        /// What is wrong.
        problem: String,
        /// What to do.
        help: String,
    },
}

/// Bytes of a value.
const VALUE: u64 = 4;
/// Numbers that training holds for each parameter: its value and the optimiser's two moments.
const KEPT: u64 = 3;

impl Plan {
    /// Every layer, those within blocks after the block.
    pub fn all_layers(&self) -> impl Iterator<Item = &PlannedLayer> {
        self.layers.iter().flat_map(PlannedLayer::with_inner)
    }

    /// The least memory in bytes that training takes with batches of so many images: parameters with their moments, and
    /// the outputs of all layers.
    pub fn training_bytes(&self, batch: usize) -> u64 {
        let outputs =
            self.all_layers().map(|layer| layer.output.len() as u64).fold(0_u64, u64::saturating_add);
        let parameters = (self.parameters as u64).saturating_mul(KEPT);
        outputs.saturating_mul(batch as u64).saturating_add(parameters).saturating_mul(VALUE)
    }
}

const AT_LEAST_ONE: &str = "use whole numbers of at least 1";

/// Parameters, multiply-adds or outputs beyond which a layer is a mistake: a million million.
const LARGEST: usize = 1_000_000_000_000;

impl LayerSpec {
    /// Output shape, parameters and multiply-adds for this input; else what is wrong and what to do.
    fn infer(&self, input: Shape) -> Result<(Shape, usize, usize), (String, String)> {
        match (self, input) {
            (LayerSpec::Dense { units: 0, .. }, _) => Err((
                "it has no units".into(),
                "write `units`, at least 1; of the last layer of a head, `inkling train` takes them from the data"
                    .into(),
            )),
            (LayerSpec::Conv2d { filters: 0, .. }, _) => {
                Err((
                    "it has no filters".into(),
                    "write `filters`, at least 1; where they give the scores of a head, `inkling train` takes them from the data"
                        .into(),
                ))
            }
            (LayerSpec::Dropout { rate }, _) if !Interval::SHARE.holds(*rate) => {
                Err((format!("its rate is {rate}"), format!("take {}", Interval::SHARE)))
            }
            (LayerSpec::Dense { units, .. }, Shape::Vector(inputs)) => {
                let weights = product(&[inputs, *units]);
                Ok((Shape::Vector(*units), weights.saturating_add(*units), weights))
            }
            (LayerSpec::Dense { .. }, Shape::Image { .. }) => Err((
                format!("it expects a vector but gets an image of {input}"),
                "put a flatten layer before it".into(),
            )),
            (
                LayerSpec::Conv2d { filters, kernel_size: kernel, stride, padding, .. },
                Shape::Image { height, width, channels },
            ) => {
                let sizes = [height, width];
                let [height, width] = slide(sizes, *kernel, *stride, *padding, "kernel")?;
                let weights = product(&[kernel[0], kernel[1], channels]);
                let output = Shape::Image { height, width, channels: *filters };
                let parameters = product(&[weights, *filters]).saturating_add(*filters);
                Ok((output, parameters, product(&[weights, output.len()])))
            }
            (LayerSpec::GlobalAvgPool, Shape::Image { channels, .. }) => Ok((Shape::Vector(channels), 0, 0)),
            (LayerSpec::Conv2d { .. } | LayerSpec::GlobalAvgPool | LayerSpec::Flatten, Shape::Vector(_)) => {
                Err(an_image_is_needed(input))
            }
            (LayerSpec::Flatten, Shape::Image { .. }) => Ok((Shape::Vector(input.len()), 0, 0)),
            (LayerSpec::LeakyRelu { slope }, _) if !Interval::SHARE.holds(*slope) => {
                Err((format!("its slope is {slope}"), format!("take {}", Interval::SHARE)))
            }
            (LayerSpec::Elu { alpha }, _) if !Interval::POSITIVE.holds(*alpha) => {
                Err((format!("its alpha is {alpha}"), format!("take {}", Interval::POSITIVE)))
            }
            (layer, _) if layer.is_activation() => Ok((input, 0, 0)),
            (LayerSpec::Dropout { .. }, _) => Ok((input, 0, 0)),
            (LayerSpec::BatchNorm { epsilon, .. } | LayerSpec::LayerNorm { epsilon }, _)
                if !Interval::EPSILON_OF_VARIANCE.holds(*epsilon) =>
            {
                Err((format!("its epsilon is {epsilon}"), format!("take {}", Interval::EPSILON_OF_VARIANCE)))
            }
            (LayerSpec::BatchNorm { momentum, .. }, _) if !Interval::SOME_SHARE.holds(*momentum) => {
                Err((format!("its momentum is {momentum}"), format!("take {}", Interval::SOME_SHARE)))
            }
            (LayerSpec::BatchNorm { .. } | LayerSpec::LayerNorm { .. }, _) => {
                Ok((input, product(&[2, input.features()]), input.len()))
            }
            _ => {
                let (size, stride) = self.pooling().expect("nothing but pooling is left");
                let Shape::Image { height, width, channels } = input else {
                    return Err(an_image_is_needed(input));
                };
                let [height, width] = slide([height, width], size, stride, Padding::Valid, "window")?;
                Ok((Shape::Image { height, width, channels }, 0, 0))
            }
        }
    }
}

/// What is wrong where a layer takes images, and what to do.
fn an_image_is_needed(input: Shape) -> (String, String) {
    (
        format!("it expects an image but gets a vector of {input}"),
        "put it before the flatten or dense layer".into(),
    )
}

/// The longest step of a kernel or window: what prepares a convolution grows with its square.
const LONGEST: usize = 1024;

/// Places of a kernel or window along each side of an image (Dumoulin and Visin 2016).
fn slide(
    sizes: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
    what: &str,
) -> Result<[usize; 2], (String, String)> {
    if kernel.contains(&0) || stride.contains(&0) {
        let problem =
            format!("its {what} {}×{} or stride {}×{} is zero", kernel[0], kernel[1], stride[0], stride[1]);
        return Err((problem, AT_LEAST_ONE.into()));
    }
    if stride.iter().any(|&step| step > LONGEST) {
        let problem = format!("its stride {}×{} is longer than {LONGEST}", stride[0], stride[1]);
        return Err((problem, "use a smaller stride: it need not be longer than the image".into()));
    }
    let along = |side: usize| match padding {
        Padding::Same => Some(sizes[side].div_ceil(stride[side])),
        Padding::Valid => Some(sizes[side].checked_sub(kernel[side])? / stride[side] + 1),
    };
    match (along(0), along(1)) {
        (Some(height), Some(width)) => Ok([height, width]),
        _ => Err((
            format!(
                "its {what} {}×{} is larger than its input {}×{}",
                kernel[0], kernel[1], sizes[0], sizes[1]
            ),
            format!("use a smaller {what}, or fewer or smaller strides before it"),
        )),
    }
}

impl Plan {
    pub(crate) fn new(model: &ModelSpec) -> Result<Plan, ModelError> {
        let [height, width, channels] = model.input;
        let image = Shape::Image { height, width, channels };
        if image.is_empty() {
            let open = model.input == [0; 3];
            return Err(if open { ModelError::OpenInput } else { ModelError::EmptyInput(model.input) });
        }
        if model.heads.is_empty() {
            return Err(ModelError::Heads("the network has no head".into()));
        }
        let mut layers = Vec::new();
        let trunk = follow("trunk ", &model.trunk, image, &mut layers)?;
        for (i, head) in model.heads.iter().enumerate() {
            if model.heads[..i].iter().any(|other| other.name == head.name) {
                return Err(ModelError::Heads(format!("two heads are called `{}`", head.name)));
            }
            if head.name == "trunk" {
                return Err(ModelError::Heads(
                    "a head is called `trunk`, which is the name of the layers before it".into(),
                ));
            }
            if head.layers.is_empty() {
                return Err(ModelError::Heads(format!("the head `{}` has no layers", head.name)));
            }
            let output = follow(&format!("{} ", head.name), &head.layers, trunk, &mut layers)?;
            if let Shape::Image { .. } = output {
                let problem = format!("the head `{}` ends in an image of {output}, not in scores", head.name);
                return Err(ModelError::Heads(problem));
            }
        }
        let parameters = layers.iter().map(|layer| layer.parameters).sum();
        let unread_pixels = reading::unread_pixels(model, &layers);
        Ok(Plan { layers, parameters, unread_pixels })
    }

    /// A warning for a person where more than a tenth of the image, or of a layer's input, is read by nothing: how much,
    /// and which layers pass it by.
    pub fn unread_warning(&self) -> Option<String> {
        let percent = |share: f64| percent(share, 1);
        let pixels = self.unread_pixels.filter(|&share| share > MUCH);
        let layers: Vec<String> = self
            .layers
            .iter()
            .filter(|layer| layer.unread > MUCH)
            .map(|layer| {
                let (place, kind) = (&layer.place, layer.layer.kind());
                format!("{place} ({kind}) never reads {} of its input", percent(layer.unread))
            })
            .collect();
        let image =
            pixels.map(|share| format!("{} of the image's pixels are read by nothing", percent(share)));
        let parts: Vec<String> = image.into_iter().chain(layers).collect();
        let advice = "strides longer than a kernel or window skip pixels, and without padding, pixels at the edge may be skipped too";
        (!parts.is_empty()).then(|| format!("{}; {advice}", parts.join("; ")))
    }
}

/// Adds the layers of a trunk, a head or a block to `planned`, and gives what comes out of the last. Places are called after
/// `prefix` and the layer's number.
fn follow(
    prefix: &str,
    layers: &[LayerSpec],
    mut shape: Shape,
    planned: &mut Vec<PlannedLayer>,
) -> Result<Shape, ModelError> {
    for (i, layer) in layers.iter().enumerate() {
        let place = format!("{prefix}{}", i + 1);
        let refuse =
            |(problem, help)| ModelError::Layer { place: place.clone(), kind: layer.kind(), problem, help };
        if let LayerSpec::Residual { layers, projection } = layer {
            let block = residual(&place, layers, *projection, shape, refuse)?;
            shape = block.output;
            planned.push(block);
            continue;
        }
        let (output, parameters, multiply_adds) = layer.infer(shape).map_err(refuse)?;
        if parameters.max(multiply_adds).max(output.len()) > LARGEST {
            let values = parameters.max(output.len());
            let bytes = values as f64 * f64::from(VALUE as u32);
            let problem =
                format!("it is too large for any machine: it needs {bytes:.1e} bytes, or as much computing");
            return Err(refuse((problem, "use smaller numbers".into())));
        }
        let (layer, unread) = (layer.clone(), reading::unread(layer, shape, output));
        let inner = Vec::new();
        planned.push(PlannedLayer {
            place,
            layer,
            input: shape,
            output,
            parameters,
            multiply_adds,
            unread,
            inner,
        });
        shape = output;
    }
    Ok(shape)
}

/// A residual block in its place.
fn residual(
    place: &str,
    layers: &[LayerSpec],
    projection: Option<Initializer>,
    input: Shape,
    refuse: impl Fn((String, String)) -> ModelError,
) -> Result<PlannedLayer, ModelError> {
    if layers.is_empty() {
        return Err(refuse(("it has no layers".into(), "give it `layers`, such as a convolution".into())));
    }
    let mut inner = Vec::new();
    let output = follow(&format!("{place}."), layers, input, &mut inner)?;
    if let Some(initializer) = projection {
        let layer = projected(input, output, initializer).map_err(&refuse)?;
        let mut planned = Vec::new();
        follow("", std::slice::from_ref(&layer), input, &mut planned)?;
        inner.extend(
            planned.into_iter().map(|plan| PlannedLayer { place: format!("{place}.projection"), ..plan }),
        );
    } else if input != output {
        let problem = format!("its layers turn {input} into {output}, which cannot be added");
        let help = "keep the shape (`padding = \"same\"`, strides of 1, as many filters as channels), or give the block a \
                    `projection`, such as \"he-uniform\"";
        return Err(refuse((problem, help.into())));
    }
    let total = |of: fn(&PlannedLayer) -> usize| inner.iter().map(of).fold(0_usize, usize::saturating_add);
    let (parameters, multiply_adds) = (total(|layer| layer.parameters), total(|layer| layer.multiply_adds));
    let layer = LayerSpec::Residual { layers: layers.to_vec(), projection };
    let mut block = PlannedLayer {
        place: place.to_owned(),
        layer,
        input,
        output,
        parameters,
        multiply_adds,
        unread: 0.0,
        inner,
    };
    block.unread = reading::unread_by_block(&block);
    Ok(block)
}

/// The layer that brings `input` into the shape of `output`; else what is wrong and what to do.
fn projected(input: Shape, output: Shape, initializer: Initializer) -> Result<LayerSpec, (String, String)> {
    match (input, output) {
        (Shape::Vector(_), Shape::Vector(units)) => Ok(LayerSpec::Dense { units, initializer }),
        (
            Shape::Image { height, width, .. },
            Shape::Image { height: rows, width: columns, channels: filters },
        ) => {
            // The shortest stride of single pixels that gives as many.
            let stride = |size: usize, count: usize| {
                let stride = if count == 1 { size } else { (size - 1) / (count - 1).max(1) };
                (1..=stride.max(1)).find(|&stride| size.div_ceil(stride) == count)
            };
            let (Some(down), Some(right)) = (stride(height, rows), stride(width, columns)) else {
                return Err((
                    format!("no stride of a projection turns {input} into {output}"),
                    "use `padding = \"same\"` in the block, so that its sides are those of the input over the strides"
                        .into(),
                ));
            };
            let (kernel_size, stride) = ([1, 1], [down, right]);
            Ok(LayerSpec::Conv2d { filters, kernel_size, stride, padding: Padding::Same, initializer })
        }
        _ => Err((
            format!("its layers turn {input} into {output}: an image and a vector cannot be added"),
            "flatten before the block or after it".into(),
        )),
    }
}

impl ModelSpec {
    /// Shapes, parameters and costs of every layer.
    ///
    /// # Errors
    /// The first layer that cannot be built, by its place and kind, and why.
    pub fn plan(&self) -> Result<Plan, ModelError> {
        Plan::new(self)
    }
}
