//! Shapes and parameter counts: the brief's networks, TensorFlow's and PyTorch's formulas, and networks that cannot be.

use inkling_schema::{Initializer, LayerSpec, MODELS, ModelSpec, Padding, Shape};
use proptest::prelude::*;

/// The text of one of the brief's networks.
fn text(name: &str) -> &'static str {
    MODELS.iter().find(|(known, _)| *known == name).unwrap().1
}

fn model(name: &str) -> ModelSpec {
    ModelSpec::from_toml(name, text(name)).unwrap()
}

#[test]
fn the_networks_that_ship_have_the_parameters_of_their_papers() {
    let counts = [
        ("mlp", 1_796_010),
        ("cnn", 227_306),
        ("item", 23_080_598),
        ("item-and-group", 26_395_689),
        // 156 + 2,416 + 48,120 + 10,164 + 850.
        ("lenet-5", 61_706),
        ("all-conv", 66_026),
        // 192 + 4,704 + 14,560 + 57,792 + 650.
        ("resnet-8", 77_898),
    ];
    assert_eq!(counts.len(), MODELS.len());
    for (name, parameters) in counts {
        assert_eq!(model(name).plan().unwrap().parameters, parameters, "{name}");
    }
}

#[test]
fn the_cnn_has_the_shapes_that_tensorflow_gives_it() {
    let plan = model("cnn").plan().unwrap();
    let shapes: Vec<String> = plan.layers.iter().map(|layer| layer.output.to_string()).collect();
    let expected = ["28×28×32", "28×28×32", "14×14×64", "14×14×64", "7×7×128", "7×7×128", "6272", "10"];
    assert_eq!(shapes, expected);
    // 16·1·32·784, 16·32·64·196, 16·64·128·49, 6272·10.
    let work: Vec<usize> =
        plan.layers.iter().map(|layer| layer.multiply_adds).filter(|&work| work > 0).collect();
    assert_eq!(work, [401_408, 6_422_528, 6_422_528, 62_720]);
}

/// What is said of the CNN with one text replaced by another.
fn refusal(from: &str, to: &str) -> String {
    let text = text("cnn");
    assert!(text.contains(from), "{from:?} is not in {text}");
    let spec = ModelSpec::from_toml("mine.toml", &text.replacen(from, to, 1));
    match spec {
        Ok(spec) => spec.plan().unwrap_err().to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn networks_that_cannot_be_name_the_layer() {
    let flatten = "    { layer = \"flatten\" },\n";
    for (from, to, words) in [
        (flatten, "", "digit 1 (dense): it expects a vector but gets an image of 7×7×128"),
        ("filters = 64", "filters = 0", "mine.toml, line 6: `trunk[2].filters` cannot be `0`"),
        (
            "units = 10",
            "units = 9000000000000000000",
            "`heads[0].layers[0].units` cannot be `9000000000000000000`",
        ),
        ("units = 10", "units = 0", "`heads[0].layers[0].units` cannot be `0`"),
        ("stride = [1, 1]", "stride = [0, 1]", "`trunk[0].stride[0]` cannot be `0`"),
        (
            "kernel_size = [4, 4], stride = [1, 1], padding = \"same\"",
            "kernel_size = [29, 4], stride = [1, 1], padding = \"valid\"",
            "trunk 1 (conv2d): its kernel 29×4 is larger than its input 28×28",
        ),
        (
            "{ layer = \"relu\" }",
            "{ layer = \"dropout\", rate = 1.0 }",
            "line 5: `trunk[1].rate` cannot be `1.0`",
        ),
        (
            "{ layer = \"relu\" }",
            "{ layer = \"flatten\" }",
            "trunk 3 (conv2d): it expects an image but gets a vector",
        ),
        ("input = [28, 28, 1]", "input = [28, 0, 1]", "mine.toml, line 2: `input[1]` cannot be `0`"),
        ("filters = 64", "filter = 64", "mine.toml, line 6: unknown key `filter` in `trunk[2]`"),
        ("units = 10, ", "", "digit 1 (dense): it has no units"),
        ("input = [28, 28, 1]", "", "the network leaves the shape of its images open"),
        ("[[heads]]\nname = \"digit\"\nlayers", "heads = []\nlayers2", "unknown key `layers2`"),
    ] {
        let message = refusal(from, to);
        assert!(message.contains(words), "{to}: {message}");
    }
}

#[test]
fn what_a_network_leaves_open_is_filled_in_and_nothing_else_is() {
    let text = |name: &str| MODELS.iter().find(|(known, _)| *known == name).unwrap().1;
    let of = |name: &str| ModelSpec::from_toml(name, text(name)).unwrap();
    // Scores come from a dense layer, or from a convolution whose maps are averaged.
    for name in ["cnn", "all-conv", "item-and-group"] {
        let mut open = of(name).left_open();
        assert!(open.plan().is_err() && open != of(name), "{name}");
        open.fill_in([28, 28, 1], 10);
        assert_eq!(open == of(name), name != "item-and-group", "{name}");
    }
    let whole = of("cnn");
    let mut open = whole.clone().left_open();
    assert_eq!(ModelSpec::from_toml("open.toml", &toml::to_string(&open).unwrap()).unwrap(), open);
    open.fill_in([28, 28, 1], 10);
    assert_eq!(open, whole);
    open.fill_in([8, 8, 3], 4);
    assert_eq!(open, whole);
}

#[test]
fn numbers_that_the_arithmetic_cannot_hold_are_refused_in_networks_made_otherwise() {
    for (layer, words) in [
        (LayerSpec::Dropout { rate: 1.0 }, "its rate is 1"),
        (LayerSpec::Dropout { rate: 0.999_999_99 }, "its rate is 0.99999999"),
        (LayerSpec::BatchNorm { epsilon: 1e-50, momentum: 0.1 }, "its epsilon is"),
        (LayerSpec::BatchNorm { epsilon: 1e-5, momentum: f64::NAN }, "its momentum is NaN"),
    ] {
        let mut spec = model("cnn");
        spec.trunk.insert(1, layer);
        let refusal = spec.plan().unwrap_err().to_string();
        assert!(refusal.starts_with("trunk 2 (") && refusal.contains(words), "{refusal}");
    }
    let refusal = |change: fn(&mut ModelSpec)| {
        let mut spec = model("cnn");
        change(&mut spec);
        spec.plan().unwrap_err().to_string()
    };
    let nothing = refusal(|spec| spec.input[1] = 0);
    assert!(nothing.contains("an image of [28, 0, 1] (height, width, channels) holds nothing"), "{nothing}");
    let initializer = Initializer::HeUniform;
    for (units, words) in [(0, "it has no units"), (usize::MAX / 2, "it is too large for any machine")] {
        let mut spec = model("cnn");
        spec.heads[0].layers[0] = LayerSpec::Dense { units, initializer };
        let refusal = spec.plan().unwrap_err().to_string();
        assert!(refusal.contains("digit 1 (dense)") && refusal.contains(words), "{refusal}");
    }
    for (filters, stride, words) in
        [(0, [1, 1], "it has no filters"), (1, [0, 1], "its kernel 4×4 or stride 0×1 is zero")]
    {
        let mut spec = model("cnn");
        spec.trunk[0] =
            LayerSpec::Conv2d { filters, kernel_size: [4, 4], stride, padding: Padding::Same, initializer };
        let refusal = spec.plan().unwrap_err().to_string();
        assert!(refusal.contains("trunk 1 (conv2d)") && refusal.contains(words), "{refusal}");
    }
}

#[test]
fn heads_have_names_of_their_own_and_end_in_scores() {
    let mut spec = model("item-and-group");
    spec.heads[1].name = "item".into();
    assert_eq!(spec.plan().unwrap_err().to_string(), "two heads are called `item`");
    spec.heads[1].name = "trunk".into();
    assert!(spec.plan().unwrap_err().to_string().contains("a head is called `trunk`"));
    spec.heads.truncate(1);
    spec.heads[0].layers.clear();
    assert_eq!(spec.plan().unwrap_err().to_string(), "the head `item` has no layers");
    spec.heads.clear();
    assert_eq!(spec.plan().unwrap_err().to_string(), "the network has no head");
}

proptest! {
    /// The places of a window, counted one by one.
    #[test]
    fn sizes_are_the_number_of_places(
        size in 1_usize..40, kernel in 1_usize..8, stride in 1_usize..5, same in proptest::bool::ANY,
    ) {
        let padding = if same { Padding::Same } else { Padding::Valid };
        let layer = LayerSpec::Conv2d {
            filters: 1,
            kernel_size: [kernel, 1],
            stride: [stride, 1],
            padding,
            initializer: Initializer::HeUniform,
        };
        let mut spec = model("cnn");
        spec.input = [size, 1, 1];
        spec.trunk = vec![layer, LayerSpec::Flatten];
        let places = match padding {
            // A place for each stride that begins inside the image.
            Padding::Same => (0..size).step_by(stride).count(),
            Padding::Valid => (0..size).step_by(stride).filter(|start| start + kernel <= size).count(),
        };
        match spec.plan() {
            Ok(plan) => {
                let expected = Shape::Image { height: places, width: 1, channels: 1 };
                prop_assert_eq!(plan.layers[0].output, expected);
            }
            Err(_) => prop_assert_eq!(places, 0),
        }
    }

    #[test]
    fn no_number_makes_a_plan_panic(numbers in proptest::array::uniform9(proptest::num::usize::ANY)) {
        let [height, width, channels, filters, kernel, stride, size, step, units] = numbers;
        let initializer = Initializer::HeUniform;
        let mut spec = model("cnn");
        spec.input = [height, width, channels];
        spec.trunk = vec![
            LayerSpec::Conv2d { filters, kernel_size: [kernel; 2], stride: [stride; 2], padding: Padding::Same, initializer },
            LayerSpec::BatchNorm { epsilon: 1e-5, momentum: 0.1 },
            LayerSpec::MaxPool { pool_size: [size; 2], stride: [step; 2] },
            LayerSpec::Flatten,
            LayerSpec::Dense { units, initializer },
        ];
        let _ = spec.plan();
    }
}

#[test]
fn residual_blocks_say_which_shapes_do_not_fit() {
    let with = |block: &str| {
        let text = format!(
            "input = [7, 6, 2]\ntrunk = [\n{block},\n{{ layer = \"flatten\" }} ]\n\
             [[heads]]\nname = \"a\"\nlayers = [{{ layer = \"dense\", units = 3, initializer = \"he-uniform\" }}]"
        );
        ModelSpec::from_toml("mine.toml", &text).unwrap().plan()
    };
    let conv = |filters: usize, stride: usize, padding: &str| {
        format!(
            "{{ layer = \"conv2d\", filters = {filters}, kernel_size = [3, 3], stride = [{stride}, {stride}], \
             padding = \"{padding}\", initializer = \"he-uniform\" }}"
        )
    };
    let block = |more: &str, layers: &str| format!("{{ layer = \"residual\", {more}layers = [{layers}] }}");
    let projected = "projection = \"he-uniform\", ";
    for (block, words) in [
        (block("", ""), "trunk 1 (residual): it has no layers"),
        (block("", &conv(3, 1, "same")), "trunk 1 (residual): its layers turn 7×6×2 into 7×6×3"),
        (block(projected, &conv(2, 1, "valid")), "no stride of a projection turns 7×6×2 into 5×4×2"),
        (block(projected, "{ layer = \"flatten\" }"), "an image and a vector"),
        (block("", "{ layer = \"global-avg-pool\" }"), "its layers turn 7×6×2 into 2"),
        (
            block("", &block("", &conv(2, 2, "same"))),
            "trunk 1.1 (residual): its layers turn 7×6×2 into 4×3×2",
        ),
    ] {
        let refusal = with(&block).unwrap_err().to_string();
        assert!(refusal.contains(words), "{block}: {refusal}");
    }
    let plan = with(&block(projected, &format!("{}, {{ layer = \"relu\" }}", conv(5, 2, "same")))).unwrap();
    let places: Vec<&str> = plan.all_layers().map(|layer| layer.place.as_str()).collect();
    assert_eq!(places, ["trunk 1", "trunk 1.1", "trunk 1.2", "trunk 1.projection", "trunk 2", "a 1"]);
    // 3·3·2·5 + 5, and 1·1·2·5 + 5.
    assert_eq!(plan.layers[0].parameters, 95 + 15);
    assert_eq!(plan.layers[0].output.to_string(), "4×3×5");
}

#[test]
fn an_unknown_layer_or_loss_is_told_with_the_nearest() {
    let text = text("resnet-8");
    // A layer of the trunk, one within a block, and a loss.
    let within = text.rfind("\"batch-norm\"").unwrap();
    let within = format!("{}\"batch-nrom\"{}", &text[..within], &text[within + "\"batch-norm\"".len()..]);
    for (text, place, wrong, nearest) in [
        (text.replacen("\"relu\"", "\"rellu\"", 1), "trunk[2].layer", "`rellu`", "did you mean `relu`?"),
        (within, "trunk[7].layers[4].layer", "`batch-nrom`", "did you mean `batch-norm`?"),
        (
            format!("{text}loss = {{ kind = \"mse\" }}\n"),
            "heads[0].loss.kind",
            "`mse`",
            "`mean-squared-error`",
        ),
    ] {
        let error = ModelSpec::from_toml("mine.toml", &text).unwrap_err();
        let help = miette::Diagnostic::help(&error).unwrap().to_string();
        let message = error.to_string();
        assert!(
            message.contains(place) && message.contains(wrong) && help.contains(nearest),
            "{message}: {help}"
        );
    }
}
