//! The same bits on any number of threads, and after an interruption.

#[path = "support/cases.rs"]
mod cases;
mod support;
#[path = "support/training.rs"]
mod training;

use cases::cases;
use inkling_engine::{Network, StateKind, Trainer};
use inkling_schema::{ModelSpec, Optimizer, TrainingPrecision};
use support::{ADAM, BATCH, Noise, everything};
use training::{state, train};

const PRECISIONS: [TrainingPrecision; 2] = [TrainingPrecision::Float32, TrainingPrecision::Bfloat16];

fn trainer_of(spec: &ModelSpec, optimizer: Optimizer, precision: TrainingPrecision) -> Trainer {
    let network = Network::new(spec, 3).expect("a network");
    let mut trainer = Trainer::new(network, optimizer, BATCH, &[0.6, 0.4]);
    trainer.set_precision(precision);
    trainer
}

fn cases_by_precision() -> impl Iterator<Item = ((ModelSpec, Optimizer), TrainingPrecision)> {
    cases().into_iter().flat_map(|case| PRECISIONS.map(|precision| (case.clone(), precision)))
}

#[test]
fn training_gives_the_same_bits_on_any_threads() {
    for ((spec, optimizer), precision) in cases_by_precision() {
        let noise = Noise::new(&spec, 40);
        let run = || {
            let mut trainer = trainer_of(&spec, optimizer, precision);
            train(&mut trainer, &noise, 0, 50);
            (bits(&trainer), trainer.rng_state())
        };
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(run)
        };
        let one = on(1);
        for threads in [2, 3, 8] {
            assert!(
                on(threads) == one,
                "{threads} threads give other bits than one: {optimizer:?}, {precision:?}, {spec:?}"
            );
        }
    }
}

/// Steps before the interruption: a window ends there, of whatever length.
const STOP: usize = 64;

#[test]
fn a_resumed_training_goes_on_with_the_same_bits() {
    for ((spec, optimizer), precision) in cases_by_precision() {
        resumed_as_if_never_interrupted(&spec, optimizer, precision);
    }
}

fn resumed_as_if_never_interrupted(spec: &ModelSpec, optimizer: Optimizer, precision: TrainingPrecision) {
    let noise = Noise::new(spec, 40);
    let mut whole = trainer_of(spec, optimizer, precision);
    train(&mut whole, &noise, 0, STOP - 1);
    let never_waits = matches!(optimizer, Optimizer::RmsProp { .. } | Optimizer::Lion { .. });
    assert_eq!(whole.is_settled(), never_waits, "weights that wait: {optimizer:?}");
    train(&mut whole, &noise, STOP - 1, STOP);
    assert!(whole.is_settled(), "the end of a window");
    let (parts, steps, rng_state) = (state(&whole), whole.steps(), whole.rng_state());
    train(&mut whole, &noise, STOP, STOP + 9);

    // Gone another way first, so that nothing is right by chance.
    let mut resumed = trainer_of(spec, optimizer, precision);
    train(&mut resumed, &noise, 11, 13);
    let network = resumed.network_mut();
    for (part, state_dict) in
        [StateKind::Values, StateKind::FirstMoments, StateKind::SecondMoments].into_iter().zip(&parts)
    {
        let find = |name: &str, _: &[usize]| {
            let array = state_dict.iter().find(|array| array.name == name);
            array.map(|array| array.values.clone()).ok_or_else(|| name.to_owned())
        };
        network.load_state_dict(part, find).expect("every array");
    }
    resumed.set_steps(steps);
    let find =
        |name: &str| rng_state.iter().find(|(of, _)| of == name).map(|(_, position)| *position).ok_or(());
    resumed.load_rng_state(find).expect("every stream");
    assert!(state(&resumed) == parts, "what was set is there");
    train(&mut resumed, &noise, STOP, STOP + 9);
    assert!(
        bits(&resumed) == bits(&whole),
        "other bits than without an interruption: {optimizer:?}, {spec:?}"
    );
    assert_eq!((resumed.steps(), resumed.rng_state()), (whole.steps(), whole.rng_state()));
}

/// The state's bits, in which zeros have signs.
fn bits(trainer: &Trainer) -> Vec<Vec<u32>> {
    let state_dict = state(trainer).into_iter().flatten();
    state_dict.map(|array| array.values.iter().map(|value| value.to_bits()).collect()).collect()
}

#[test]
fn looking_for_idle_weights_finds_them_and_changes_nothing() {
    let noise = Noise::new(&everything(), 40);
    let trainer = || trainer_of(&everything(), ADAM, TrainingPrecision::Float32);
    let (mut watched, mut alone) = (trainer(), trainer());
    train(&mut alone, &noise, 0, 12);
    for step in 0..12 {
        train(&mut watched, &noise, step, step + 1);
        let idleness = watched.network().idleness();
        let names: Vec<&str> = idleness.iter().map(|layer| layer.name.as_str()).collect();
        assert_eq!(names, ["trunk.17", "item.1", "item.4", "group.1.1", "group.2"]);
        let moments = watched.network().state_dict(StateKind::FirstMoments);
        for layer in idleness {
            let moment = moments.iter().find(|array| array.name == format!("{}.weight", layer.name));
            let moment = moment.expect("its first moments");
            assert_eq!(moment.shape, [layer.inputs, layer.units]);
            let rows: Vec<&[f32]> = moment.values.chunks(layer.units).collect();
            let zeros = |unit: usize| rows.iter().filter(|row| row[unit] == 0.0).count();
            let mut units: Vec<usize> = (0..layer.units).collect();
            units.sort_by_key(|&unit| zeros(unit));
            let is_idle = |row: &&[f32], run: &[usize]| run.iter().all(|&unit| row[unit] == 0.0);
            let idle: usize =
                rows.iter().map(|row| units.chunks(32).filter(|run| is_idle(row, run)).count()).sum();
            let silent = rows.iter().filter(|row| row.iter().all(|&m| m == 0.0)).count();
            let dead = units.iter().filter(|&&unit| zeros(unit) == layer.inputs).count();
            assert_eq!((layer.idle, layer.silent, layer.dead), (idle, silent, dead), "{}", layer.name);
            assert_eq!(layer.row_panels, layer.inputs * layer.units.div_ceil(32));
        }
    }
    assert!(bits(&watched) == bits(&alone), "nobody looked");
}
