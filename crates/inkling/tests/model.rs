//! What a user of the library sees: training on one's own arrays, answers, files, and mistakes told in words.

use inkling::schema::MODELS;
use inkling::{
    Fit, Head, Labels, LayerSpec, Loss, Model, ModelSpec, Optimizer, Pixels, Sequential, Step, layers,
};

/// Pictures of 6 × 6: light above, light below, light at the left.
fn pictures(n: usize) -> (Vec<u8>, Vec<u8>) {
    let is_light = |class: usize, p: usize| match class {
        0 => p < 18,
        1 => p >= 18,
        _ => p % 6 < 3,
    };
    let pixel = |i: usize, p: usize| {
        let noise = (i * 31 + p * 17) % 60;
        (if is_light(i % 3, p) { 190 + noise } else { noise }) as u8
    };
    let pixels = (0..n).flat_map(|i| (0..36).map(move |p| pixel(i, p))).collect();
    (pixels, (0..n).map(|i| (i % 3) as u8).collect())
}

fn network() -> ModelSpec {
    Sequential::new([6, 6, 1]).conv2d(6, 3).relu().max_pool(2).flatten().dense(3).build()
}

fn fitted(how: &Fit) -> (Model, Vec<inkling::Epoch>) {
    let (pixels, labels) = pictures(300);
    let mut model = Model::new(&network(), 3).unwrap();
    let history = model.fit(&pixels, &labels, how).unwrap();
    (model, history)
}

#[test]
fn learns_and_keeps_what_it_learnt() {
    let (test, answers) = pictures(60);
    let (mut model, history) = fitted(&Fit { learning_rate: 0.005, ..Fit::default() });
    assert!(history.len() == 10 && history[9].loss < history[0].loss, "{history:?}");
    let found = model.evaluate(&test, &answers).unwrap()[0];
    assert!(found.accuracy > 0.95, "{found:?}");
    let predicted = model.predict(&test).unwrap();
    let right = predicted.iter().zip(&answers).filter(|(a, b)| **a == usize::from(**b)).count();
    assert_eq!(right as f64 / 60.0, found.accuracy);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.safetensors");
    model.save(&path).unwrap();
    let mut again = Model::load(&path).unwrap();
    assert_eq!(again.spec(), model.spec());
    assert_eq!(again.outputs(&test).unwrap(), model.outputs(&test).unwrap());
}

#[test]
fn bytes_and_numbers_give_the_same_bits_and_so_does_the_seed() {
    let (pixels, labels) = pictures(120);
    let floats: Vec<f32> = pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
    let logits = |images: Pixels| {
        let mut model = Model::new(&network(), 3).unwrap();
        model.fit(images, &labels, &Fit { epochs: 2, ..Fit::default() }).unwrap();
        model.outputs(images).unwrap()
    };
    let of_bytes = logits(Pixels::Bytes(&pixels));
    assert_eq!(of_bytes, logits(Pixels::Floats(&floats)));
    assert_eq!(of_bytes, logits(Pixels::Bytes(&pixels)));
}

#[test]
fn every_optimiser_learns_with_clipping_and_without() {
    let (beta_1, epsilon) = (0.9, 1e-8);
    for (optimizer, learning_rate) in [
        (Optimizer::Adam { beta_1, beta_2: 0.999, epsilon }, 0.003),
        (Optimizer::AdamW { beta_1, beta_2: 0.999, epsilon, weight_decay: 0.01 }, 0.003),
        (Optimizer::Sgd { momentum: 0.9, nesterov: false }, 0.05),
        (Optimizer::Sgd { momentum: 0.9, nesterov: true }, 0.05),
        (Optimizer::RmsProp { alpha: 0.99, epsilon }, 0.003),
        (Optimizer::Lion { beta_1, beta_2: 0.99, weight_decay: 0.01 }, 0.001),
    ] {
        for clip_norm in [None, Some(0.5)] {
            let how = Fit { optimizer, learning_rate, clip_norm, ..Fit::default() };
            let (_, history) = fitted(&how);
            assert!(history[9].accuracy() > 0.9, "{optimizer:?}, {clip_norm:?}: {history:?}");
        }
    }
}

#[test]
fn networks_of_textbooks_learn_digits() {
    let set = inkling_data::load("mnist", &inkling_data::Sources::new(None)).unwrap();
    let (train, test) = (set.train.take(3000), set.test.take(1000));
    for (name, least) in [("lenet-5", 0.88), ("all-conv", 0.9), ("resnet-8", 0.84)] {
        let text = MODELS.iter().find(|(known, _)| *known == name).unwrap().1;
        let mut model = Model::new(&ModelSpec::from_toml(name, text).unwrap(), 1).unwrap();
        let how = Fit { epochs: 3, learning_rate: 0.002, ..Fit::default() };
        model.fit(&train.images.pixels, &train.labels, &how).unwrap();
        let found = model.evaluate(&test.images.pixels, &test.labels).unwrap()[0];
        assert!(found.accuracy > least, "{name}: {found:?}");
    }
}

#[test]
fn validation_stops_a_training_and_so_does_a_callback() {
    let (held, answers) = pictures(30);
    let wrong: Vec<u8> = answers.iter().map(|&label| (label + 1) % 3).collect();
    let validation = Some((Pixels::Bytes(&held), vec![Labels::Bytes(&wrong)]));
    let (_, history) = fitted(&Fit { validation, patience: Some(2), ..Fit::default() });
    assert!(history.len() < 10 && history.iter().all(|epoch| epoch.validation.is_some()), "{history:?}");
    let (_, history) = fitted(&Fit { on_epoch: Some(&|epoch| epoch.epoch < 2), ..Fit::default() });
    assert_eq!(history.len(), 2);
}

#[test]
fn mistakes_are_errors_in_words() {
    let (pixels, labels) = pictures(30);
    let mut model = Model::new(&network(), 1).unwrap();
    let mut told =
        |images: Pixels, labels: &[u8], how: &Fit| model.fit(images, labels, how).unwrap_err().to_string();
    let usual = Fit::default();
    let bytes = Pixels::Bytes(&pixels);
    assert_eq!(told(Pixels::Bytes(&[]), &[], &usual), "there are no images");
    assert!(
        told(Pixels::Bytes(&pixels[1..]), &labels, &usual)
            .contains("1079 numbers are not whole images of [6, 6, 1]")
    );
    assert!(told(bytes, &labels[1..], &usual).contains("29 labels for 30 images"));
    let mut beyond = labels.clone();
    beyond[7] = 3;
    assert!(told(bytes, &beyond, &usual).contains("label 7 is 3, but the network has 3 classes, 0 to 2"));
    let mut floats = vec![0.5; 36 * 30];
    floats[40] = f32::NAN;
    assert!(told(Pixels::Floats(&floats), &labels, &usual).contains("number 40 of the images is NaN"));
    for (how, words) in [
        (Fit { epochs: 0, ..usual.clone() }, "`epochs` is zero"),
        (Fit { batch_size: 0, ..usual.clone() }, "`batch_size` is zero"),
        (Fit { learning_rate: f64::NAN, ..usual.clone() }, "`learning_rate`"),
        (Fit { clip_norm: Some(-1.0), ..usual.clone() }, "`clip_norm`"),
        (Fit { patience: Some(1), ..usual.clone() }, "`patience` needs `validation`"),
    ] {
        assert!(told(bytes, &labels, &how).contains(words));
    }
    let spoilt = Fit {
        learning_rate: 1e30,
        optimizer: Optimizer::Sgd { momentum: 0.0, nesterov: false },
        ..usual.clone()
    };
    assert!(told(bytes, &labels, &spoilt).contains("diverged in epoch"));
    let wrong = ModelSpec { trunk: vec![LayerSpec::Flatten, LayerSpec::Flatten], ..network() };
    let told = Model::new(&wrong, 1).unwrap_err().to_string();
    assert!(told.contains("trunk 2 (flatten): it expects an image but gets a vector of 36"), "{told}");
}

#[test]
fn files_that_hold_no_model_are_told_for_what_they_lack() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let told = |path: &std::path::Path| Model::load(path).unwrap_err().to_string();
    assert!(told(&path).starts_with("cannot read `"), "{}", told(&path));
    std::fs::write(&path, "no model").unwrap();
    assert!(told(&path).contains("holds no model: "));
    Model::new(&network(), 1).unwrap().save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let changed = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        let mut changed = bytes.clone();
        changed[at..at + to.len()].copy_from_slice(to.as_bytes());
        std::fs::write(&path, changed).unwrap();
        told(&path)
    };
    assert!(
        changed("\"format\":\"1\"", "\"format\":\"9\"").contains("it has the format 9, and this reads 1")
    );
    assert!(changed("\"trunk.1.bias\"", "\"trunk.1.bies\"").contains("it has no tensor `trunk.1.bias`"));
    let last = bytes.len() - 4;
    let mut spoilt = bytes.clone();
    spoilt[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&path, spoilt).unwrap();
    assert!(told(&path).contains("holds numbers that are not finite"), "{}", told(&path));
}

#[test]
fn labels_of_each_kind_are_learnt() {
    let (pixels, labels) = pictures(300);
    // Classes in more than a byte: of 300, the first three occur.
    let network = Sequential::new([6, 6, 1]).flatten().dense(300).build();
    let mut model = Model::new(&network, 1).unwrap();
    let wide: Vec<u32> = labels.iter().map(|&label| 255 + u32::from(label)).collect();
    let how = Fit { epochs: 10, learning_rate: 0.01, ..Fit::default() };
    model.fit(&pixels, Labels::Classes(&wide), &how).unwrap();
    assert!(model.evaluate(&pixels, Labels::Classes(&wide)).unwrap()[0].accuracy > 0.9);
    let right =
        model.predict(&pixels).unwrap().iter().zip(&wide).filter(|(a, b)| **a == **b as usize).count();
    assert!(right > 270, "{right}");

    // Yes or no for each class.
    let yes: Vec<f32> =
        labels.iter().flat_map(|&l| (0..3).map(move |class| f32::from(u8::from(class == l)))).collect();
    let answers = Labels::Values { values: &yes, outputs: 3 };
    let network = Sequential::new([6, 6, 1]).flatten().dense(3).loss(Loss::BinaryCrossEntropy).build();
    let mut model = Model::new(&network, 1).unwrap();
    model.fit(&pixels, answers, &how).unwrap();
    let found = model.evaluate(&pixels, answers).unwrap()[0];
    assert!(found.accuracy > 0.9, "{found:?}");
    let probabilities = model.probabilities(&pixels).unwrap();
    let near = probabilities.iter().zip(&yes).filter(|(p, y)| (*p - *y).abs() < 0.5).count();
    assert!(near > 850, "{near} of 900");
    assert!(model.predict(&pixels).unwrap_err().to_string().contains("does not classify"));

    // A number.
    let values: Vec<f32> = labels.iter().map(|&label| f32::from(label) - 1.0).collect();
    let numbers = Labels::Values { values: &values, outputs: 1 };
    let network = Sequential::new([6, 6, 1]).flatten().dense(1).loss(Loss::MeanSquaredError).build();
    let mut model = Model::new(&network, 1).unwrap();
    let history = model.fit(&pixels, numbers, &how).unwrap();
    assert!(history[9].loss < 0.5 * history[0].loss && history[9].accuracy().is_nan(), "{history:?}");
    assert!(model.probabilities(&pixels).unwrap_err().to_string().contains("gives numbers"));
}

#[test]
fn labels_that_do_not_suit_the_loss_are_refused() {
    let (pixels, labels) = pictures(30);
    let of = |loss: Loss| {
        Model::new(&Sequential::new([6, 6, 1]).flatten().dense(3).loss(loss).build(), 1).unwrap()
    };
    let told =
        |loss: Loss, labels: Labels| of(loss).fit(&pixels, labels, &Fit::default()).unwrap_err().to_string();
    let numbers = vec![0.5; 90];
    let values = |values| Labels::Values { values, outputs: 3 };
    let smooth = Loss::CrossEntropy { label_smoothing: 0.1 };
    assert_eq!(
        told(smooth, values(&numbers)),
        "the loss of the head `class` is cross-entropy, which needs a class for each image"
    );
    assert_eq!(
        told(Loss::MeanSquaredError, Labels::Bytes(&labels)),
        "the loss of the head `class` is mean squared error, which needs a number for each output"
    );
    let narrow = Labels::Values { values: &numbers, outputs: 1 };
    assert!(
        told(Loss::BinaryCrossEntropy, narrow).contains("which needs a number from 0 to 1 for each output")
    );
    for (wrong, loss, words) in [
        (f32::NAN, Loss::MeanSquaredError, "number 7 of the labels is NaN: only finite numbers"),
        (
            1.5,
            Loss::BinaryCrossEntropy,
            "number 7 of the labels is 1.5: answers are from 0 for no to 1 for yes",
        ),
    ] {
        let mut numbers = numbers.clone();
        numbers[7] = wrong;
        let spoilt = Labels::Values { values: &numbers, outputs: 3 };
        assert!(told(loss, spoilt).contains(words));
    }
    let wide = vec![3_u32; 30];
    assert!(told(smooth, Labels::Classes(&wide)).contains("label 0 is 3, but the network has 3 classes"));
}

#[test]
fn a_model_is_looked_into_by_the_names_of_its_layers() {
    let (pixels, _) = pictures(40);
    let (mut model, _) = fitted(&Fit { epochs: 2, ..Fit::default() });
    let names: Vec<String> = model.layers().into_iter().map(|layer| layer.name).collect();
    assert_eq!(names, ["trunk.1", "trunk.3", "class.1"]);
    assert_eq!(model.layer_output("class.1", &pixels).unwrap(), model.outputs(&pixels).unwrap());
    assert_eq!(model.layer_output("trunk.1", &pixels).unwrap().len(), 40 * 6 * 6 * 6);
    let told = model.layer_output("trunk.2", &pixels).unwrap_err().to_string();
    assert_eq!(told, "no layer is called `trunk.2`; there are trunk.1, trunk.3, class.1");

    let image = &pixels[36..72];
    let saliency = model.saliency(image, 1).unwrap();
    let shares = model.integrated_gradients(image, 1, 200).unwrap();
    assert_eq!((saliency.len(), shares.len()), (36, 36));
    let black = [0_u8; 36];
    let difference = model.outputs(image).unwrap()[1] - model.outputs(&black).unwrap()[1];
    assert!((shares.iter().sum::<f32>() - difference).abs() < 0.02 * difference.abs().max(1.0));
    for (told, words) in [
        (model.saliency(image, 3), "there is no output 3: the network has 3, from 0"),
        (model.saliency(&pixels, 0), "there are 40 images, and this takes one"),
        (model.integrated_gradients(image, 0, 0), "`steps` is zero"),
    ] {
        assert_eq!(told.unwrap_err().to_string(), words);
    }
}

#[test]
fn several_heads_are_trained_together_and_named() {
    let (pixels, labels) = pictures(300);
    let is_above: Vec<f32> = labels.iter().map(|&label| f32::from(u8::from(label == 0))).collect();
    let trunk = vec![layers::flatten(), layers::dense(12), layers::relu()];
    let above = Head { loss: Loss::BinaryCrossEntropy, ..Head::new("above", vec![layers::dense(1)]) };
    let heads = vec![Head::new("class", vec![layers::dense(3)]), above];
    let spec = ModelSpec { input: [6, 6, 1], trunk, heads };
    let both = [Labels::Bytes(&labels), Labels::Values { values: &is_above, outputs: 1 }];
    let steps = std::cell::RefCell::new(Vec::new());
    let note = |step: &Step| steps.borrow_mut().push(step.loss);
    let how = Fit {
        learning_rate: 0.01,
        warmup_steps: 5,
        loss_weights: vec![1.0, 0.5],
        validation: Some((Pixels::Bytes(&pixels), both.to_vec())),
        on_step: Some(&note),
        ..Fit::default()
    };
    let mut model = Model::new(&spec, 1).unwrap();
    let history = model.fit(&pixels, both, &how).unwrap();
    let last = &history[9];
    assert!((last.loss - (last.heads[0].loss + 0.5 * last.heads[1].loss)).abs() < 1e-12);
    let mean = steps.borrow()[54..].iter().sum::<f64>() / 6.0;
    assert!(steps.borrow().len() == 60 && (mean - last.loss).abs() < 1e-6, "{mean}");
    let found = model.evaluate(&pixels, both).unwrap();
    assert!(found.iter().all(|head| head.accuracy > 0.95) && last.validation == Some(found));
    let yes = model.outputs_of("above", &pixels).unwrap();
    let right = yes.iter().zip(&is_above).filter(|(z, yes)| (**z > 0.0) == (**yes == 1.0)).count();
    assert!(right > 285, "{right}");

    let told = |model: &mut Model, labels: &[Labels], how: &Fit| {
        model.fit(&pixels, labels, how).unwrap_err().to_string()
    };
    assert_eq!(told(&mut model, &both[..1], &how), "the network has 2 heads, but there are labels for 1");
    let one = Fit { loss_weights: vec![1.0], ..Fit::default() };
    assert_eq!(told(&mut model, &both, &one), "there are 1 `loss_weights` for 2 heads");
    let none = Fit { loss_weights: vec![0.0, 0.0], ..Fit::default() };
    assert!(told(&mut model, &both, &none).contains("of which one at least is above zero"));
    let unknown = model.outputs_of("below", &pixels).unwrap_err().to_string();
    assert_eq!(unknown, "no head is called `below`; there are class, above");
}
