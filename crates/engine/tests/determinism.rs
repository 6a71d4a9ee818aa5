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

#[test]
fn looking_for_idle_weights_finds_them_and_changes_nothing() {
    let noise = Noise::new(&everything(), 40);
    let (mut watched, mut alone) = (trainer(3), trainer(3));
    train(&mut alone, &noise, 0, 12);
    for step in 0..12 {
        train(&mut watched, &noise, step, step + 1);
        let idleness = watched.network_mut().idleness();
        let names: Vec<&str> = idleness.iter().map(|layer| layer.name.as_str()).collect();
        assert_eq!(names, ["trunk.14", "item.1", "item.4", "group.1"]);
        let moments = watched.network().arrays(Part::FirstMoments);
        for layer in idleness {
            let moment = moments.iter().find(|array| array.name == format!("{}.weight", layer.name));
            let moment = moment.expect("its first moments");
            assert_eq!(moment.shape, [layer.inputs, layer.units]);
            let rows = moment.values.chunks(layer.units);
            let idle =
                rows.clone().flat_map(|row| row.chunks(32)).filter(|run| run.iter().all(|&m| m == 0.0));
            let dead = (0..layer.units).filter(|&unit| rows.clone().all(|row| row[unit] == 0.0));
            let silent = rows.clone().filter(|row| row.iter().all(|&m| m == 0.0));
            let counts = [idle.count(), dead.count(), silent.count()];
            assert_eq!([layer.idle, layer.dead, layer.silent], counts, "{}", layer.name);
            assert_eq!(layer.row_panels, layer.inputs * layer.units.div_ceil(32));
        }
    }
    assert!(bits(&watched) == bits(&alone), "nobody looked");
}
