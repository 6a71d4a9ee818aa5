//! The same bits on any number of threads, and after an interruption.

mod support;
#[path = "support/training.rs"]
mod training;

use inkling_engine::{Network, Part, Trainer};
use support::{ADAM, BATCH, Noise, everything};
use training::{state, train};

fn trainer(seed: u64) -> Trainer {
    Trainer::new(Network::new(&everything(), seed).expect("a network"), ADAM, BATCH, &[0.6, 0.4])
}

#[test]
fn training_gives_the_same_bits_on_any_threads() {
    let noise = Noise::new(&everything(), 40);
    let run = || {
        let mut trainer = trainer(3);
        train(&mut trainer, &noise, 0, 6);
        (bits(&trainer), trainer.positions())
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(run)
    };
    let one = on(1);
    for threads in [2, 3, 8] {
        assert!(on(threads) == one, "{threads} threads give other bits than one");
    }
}

#[test]
fn a_resumed_training_goes_on_with_the_same_bits() {
    let noise = Noise::new(&everything(), 40);
    let mut whole = trainer(3);
    train(&mut whole, &noise, 0, 4);
    let (parts, steps, positions) = (state(&whole), whole.steps(), whole.positions());
    train(&mut whole, &noise, 4, 9);

    // Gone another way first, so that nothing is right by chance.
    let mut resumed = trainer(3);
    train(&mut resumed, &noise, 11, 13);
    let network = resumed.network_mut();
    for (part, arrays) in [Part::Values, Part::FirstMoments, Part::SecondMoments].into_iter().zip(&parts) {
        let find = |name: &str, _: &[usize]| {
            let array = arrays.iter().find(|array| array.name == name);
            array.map(|array| array.values.clone()).ok_or_else(|| name.to_owned())
        };
        network.set_arrays(part, find).expect("every array");
    }
    resumed.set_steps(steps);
    let find =
        |name: &str| positions.iter().find(|(of, _)| of == name).map(|(_, position)| *position).ok_or(());
    resumed.set_positions(find).expect("every stream");
    assert!(state(&resumed) == parts, "what was set is there");
    train(&mut resumed, &noise, 4, 9);
    assert!(bits(&resumed) == bits(&whole), "the same bits as without an interruption");
    assert_eq!((resumed.steps(), resumed.positions()), (whole.steps(), whole.positions()));
}

/// The state's bits, in which zeros have signs.
fn bits(trainer: &Trainer) -> Vec<Vec<u32>> {
    let arrays = state(trainer).into_iter().flatten();
    arrays.map(|array| array.values.iter().map(|value| value.to_bits()).collect()).collect()
}
