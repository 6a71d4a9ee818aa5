//! `inkling bench`: times of the program's main work, in lines to set beside other libraries'.

mod networks;

use std::num::NonZeroUsize;
use std::time::Instant;

use clap::ValueEnum;
use inkling_data::{DataSet, Sources};
use inkling_engine::pca::Pca;
use inkling_engine::perceptron::{PerceptronConfig, one_vs_one, online};
use inkling_engine::{Affine, ByteMatrix};

use crate::args::{BenchArgs, BenchName};
use crate::failure::{Failure, UsageError};
use crate::{output, start_computing};
use networks::Work;

pub(crate) fn bench(args: &BenchArgs) -> Result<(), Failure> {
    start_computing(&args.compute)?;
    let load = |name: &str| inkling_data::load(name, &Sources::new(args.data.folder.clone()));
    let asked = |name: &&BenchName| args.work.is_empty() || args.work.contains(name);
    let is_network = |name: &&BenchName| !matches!(name, BenchName::Pca | BenchName::Perceptron);
    if args.batch.is_some() && !BenchName::value_variants().iter().filter(asked).any(|name| is_network(&name))
    {
        return Err(UsageError::NoBatches.into());
    }
    let rounds = args.rounds.get();
    let after = args.after;
    // The sets that there is work on, loaded once.
    let (mut mnist, mut fashion) = (None, None);
    for name in BenchName::value_variants().iter().filter(asked) {
        // Times that nobody reads are no use.
        if output::is_lost() {
            break;
        }
        let (slot, title) = match name {
            BenchName::Single | BenchName::Mtl => (&mut fashion, "fashion-mnist"),
            _ => (&mut mnist, "mnist"),
        };
        let set = match slot {
            Some(set) => &*set,
            none => none.insert(load(title)?),
        };
        let network = |name, model, batch, steps| {
            let batch = args.batch.map_or(batch, NonZeroUsize::get);
            networks::bench(
                set,
                &Work { name, model, batch, steps, after, precision: args.precision },
                rounds,
            );
        };
        match name {
            BenchName::Pca => pca(set, rounds),
            BenchName::Perceptron => perceptron(set, rounds),
            BenchName::Mlp => network("mlp", "mlp", 50, 100),
            BenchName::Cnn => network("cnn", "cnn", 50, 30),
            BenchName::Single => network("single", "item", 10, 15),
            BenchName::Mtl => network("mtl", "item-and-group", 10, 15),
        }
    }
    Ok(())
}

fn pca(set: &DataSet, rounds: usize) {
    let images = &set.train.images;
    let mut ratios = Vec::new();
    let seconds = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            let model =
                Pca::fit(&images.pixels, images.dim(), Affine::SIGNED_UNIT, 2).expect("MNIST has components");
            std::hint::black_box(model.transform(&images.pixels, 2));
            ratios = model.explained_variance_ratio;
            start.elapsed().as_secs_f64()
        })
        .collect();
    let (n, d) = (images.len(), images.dim());
    output::line(&format!(
        "inkling pca n={n} d={d} threads={} seconds {} explained={ratios:.8?}",
        rayon::current_num_threads(),
        spread(seconds, 1.0),
    ));
}

/// All 45 pairs on all threads, and the time of a pass of one of them on its own.
fn perceptron(set: &DataSet, rounds: usize) {
    let settings = PerceptronConfig { learning_rate: 0.1, max_iterations: 1000, tolerance: 1e-3, seed: 1 };
    let (train, d) = (&set.train, set.train.images.dim());
    let fit = |a: u8, b: u8, max_iterations: usize| {
        let (pixels, y) = train.pair(a, b);
        let start = Instant::now();
        let settings = PerceptronConfig { max_iterations, ..settings };
        let passes = online(&ByteMatrix::new(&pixels, d, Affine::SIGNED_UNIT), &y, &settings, &|_, _| true)
            .errors
            .len();
        (passes, start.elapsed().as_secs_f64())
    };
    let (mut all, mut pass, mut passes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..rounds {
        let start = Instant::now();
        passes = one_vs_one(10, |a, b| fit(a, b, settings.max_iterations).0).iter().sum();
        all.push(start.elapsed().as_secs_f64());
        // Thirty passes over a pair that never converges: nothing is saved by stopping early.
        let (passes, seconds) = fit(7, 9, 30);
        pass.push(seconds / passes as f64);
    }
    output::line(&format!("inkling perceptron one pass milliseconds {}", spread(pass, 1e3)));
    output::line(&format!(
        "inkling perceptrons pairs=45 passes={passes} threads={} seconds {}",
        rayon::current_num_threads(),
        spread(all, 1.0),
    ));
}

fn spread(mut values: Vec<f64>, unit: f64) -> String {
    values.sort_by(f64::total_cmp);
    let last = values.len() - 1;
    let median = f64::midpoint(values[last / 2], values[last.div_ceil(2)]);
    format!("min={:.3} median={:.3} max={:.3}", values[0] * unit, median * unit, values[last] * unit)
}
