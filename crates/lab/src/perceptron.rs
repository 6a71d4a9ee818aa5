//! Task 2: one perceptron between two classes.

use std::cell::RefCell;

use inkling_engine::perceptron::{self, PerceptronConfig, misclassified};
use inkling_engine::{Affine, ByteMatrix};
use inkling_schema::outcome::{PerceptronOutcome, PerceptronPass};
use inkling_schema::{PerceptronRule, PerceptronRun};
use inkling_store::{Metadata, RunWriter, StoreError, Tensor, TensorFile};

use crate::error::LabError;
use crate::observer::Event;
use crate::runs::RunContext;

pub(crate) fn run(
    context: &RunContext,
    run: &PerceptronRun,
    writer: &mut RunWriter,
) -> Result<Option<PerceptronOutcome>, LabError> {
    let optimize = match run.rule {
        PerceptronRule::Online => perceptron::online,
        PerceptronRule::Batch => perceptron::batch,
        PerceptronRule::Averaged => perceptron::averaged,
        PerceptronRule::Pocket => perceptron::pocket,
    };
    let settings = PerceptronConfig {
        learning_rate: run.learning_rate as f32,
        max_iterations: run.max_iterations,
        tolerance: run.tolerance,
        seed: run.seed,
    };
    let images = &context.set().train.images;
    let (train_pixels, train_y) = context.set().train.pair(run.a, run.b);
    let train = ByteMatrix::new(&train_pixels, images.dim(), Affine::SIGNED_UNIT);

    let written: RefCell<(&mut RunWriter, Result<(), StoreError>)> = RefCell::new((writer, Ok(())));
    let fit = optimize(&train, &train_y, &settings, &|iteration, train_error| {
        let (writer, result) = &mut *written.borrow_mut();
        *result = writer.append_metrics(&PerceptronPass { iteration, train_error });
        result.is_ok() && !context.observer.interrupted()
    });
    let (writer, result) = written.into_inner();
    result?;
    if context.observer.interrupted() {
        return Ok(None);
    }

    if let Some(pass) = fit.diverged {
        let class = |label: u8| &context.set().about.classes[usize::from(label)];
        context.observer.event(Event::Diverged {
            title: &format!("perceptron {} or {}", class(run.a), class(run.b)),
            place: &format!("in pass {pass}"),
            kept: "the weights before that pass are kept",
            advice: "a smaller `learning_rate` may help",
        });
    }

    let shape = [images.height, images.width * images.channels];
    let tensors = [Tensor::new("w", &shape, &fit.w), Tensor::new("b", &[1], std::slice::from_ref(&fit.b))];
    writer.write_tensors(TensorFile::Model, &tensors, &Metadata::new())?;

    let (test_pixels, test_y) = context.set().test.pair(run.a, run.b);
    let test = ByteMatrix::new(&test_pixels, images.dim(), Affine::SIGNED_UNIT);
    Ok(Some(PerceptronOutcome {
        iterations: fit.errors.len(),
        converged: fit.errors.last().is_some_and(|error| *error <= run.tolerance),
        train_images: train_y.len(),
        train_correct: train_y.len() - misclassified(&train, &train_y, &fit.w, fit.b),
        test_images: test_y.len(),
        test_correct: test_y.len() - misclassified(&test, &test_y, &fit.w, fit.b),
        diverged: fit.diverged,
    }))
}
