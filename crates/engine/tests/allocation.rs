//! A step allocates nothing, nor does looking inside. One test in a program of its own, because the count is the whole program's.
#![expect(unsafe_code, reason = "an allocator is unsafe by its trait")]

#[path = "support/cases.rs"]
mod cases;
mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use cases::{OPTIMIZERS, cases};
use inkling_engine::{Dataset, Network, OptimizedTensor, Trainer};
use inkling_schema::{ModelSpec, Optimizer, TrainingPrecision};
use rayon::ThreadPoolBuilder;
use support::{BATCH, Noise};

/// The system's allocator, counting on the threads that compute. Others come and go, allocating: the test harness, a
/// pool that starts or ends.
struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Steps that are watched: several windows in which weights wait for their gradients.
const STEPS: usize = 300;

thread_local! {
    static COUNTED: Cell<bool> = const { Cell::new(false) };
}

fn count() {
    if COUNTED.get() {
        COUNT.fetch_add(1, Ordering::SeqCst);
    }
}

// SAFETY: all is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of `work` when it is done a second time and more, on all threads of a pool of so many; `work` is made there.
fn allocations<W: FnMut(usize)>(threads: usize, work: impl FnOnce() -> W + Send) -> usize {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.broadcast(|_| COUNTED.set(true));
    let count = pool.install(|| {
        let mut work = work();
        work(0);
        let before = COUNT.load(Ordering::SeqCst);
        (1..STEPS).for_each(&mut work);
        let count = COUNT.load(Ordering::SeqCst) - before;
        drop(std::hint::black_box(vec![1_u8; 100]));
        assert_eq!(COUNT.load(Ordering::SeqCst), before + count + 1, "the count counts");
        count
    });
    pool.broadcast(|_| COUNTED.set(false));
    count
}

/// Allocations of steps of training, in which inputs and units die and larger batches are judged.
fn of_steps(spec: &ModelSpec, optimizer: Optimizer, precision: TrainingPrecision, threads: usize) -> usize {
    let noise = Noise::new(spec, 40);
    let labels = noise.labels();
    let orders: Vec<Vec<u32>> = (0..STEPS).map(|step| noise.order(step)).collect();
    let dying: Vec<u8> =
        noise.pixels.iter().enumerate().map(|(i, &pixel)| if i % 3 == 0 { pixel } else { 0 }).collect();
    allocations(threads, || {
        let network = Network::new(spec, 3).expect("a network");
        let weights = vec![1.0; network.num_classes().len()];
        let mut trainer = Trainer::new(network, optimizer, BATCH, &weights);
        trainer.set_steps(2000);
        trainer.set_precision(precision);
        let mut workspace = trainer.network().workspace(20, false);
        let x = vec![0.5; 20 * trainer.network().input_len()];
        let (noise, dying, labels, orders) = (&noise.pixels, &dying, &labels, &orders);
        move |step| {
            let pixels = if step < STEPS / 3 { noise } else { dying };
            trainer.step(Dataset::with_labels(pixels, labels), &orders[step], 1e-2);
            if step.is_multiple_of(40) {
                trainer.network_mut().forward(&x, false, &mut workspace);
            }
        }
    })
}

/// Allocations of a dream's steps: images go forward, a layer's gradient comes back, and an optimiser moves the images.
fn of_looking(spec: &ModelSpec, optimizer: Optimizer, threads: usize) -> usize {
    allocations(threads, || {
        let mut network = Network::new(spec, 3).expect("a network");
        let mut workspace = network.workspace(BATCH, true);
        let layers = network.layer_handles();
        let mut images = OptimizedTensor::new(&vec![0.5; BATCH * network.input_len()], &optimizer);
        let mut dx = vec![0.0; BATCH * network.input_len()];
        move |step| {
            network.forward(images.values(), false, &mut workspace);
            let (layer, x) = (&layers[step % layers.len()], images.values());
            let energy: f32 = network.output(layer, x, &workspace).iter().map(|y| y * y).sum();
            assert!(energy.is_finite());
            network.input_gradient(x, layer, &mut workspace, &mut dx, |y, dy| dy.copy_from_slice(y));
            images.descend(&dx, 1e-3);
        }
    })
}

#[test]
fn steps_and_looking_allocate_nothing() {
    let mlp = r#"
        input = [7, 7, 1]
        trunk = [
            { layer = "flatten" },
            { layer = "dense", units = 130, initializer = "he-uniform" },
            { layer = "relu" },
            { layer = "dense", units = 70, initializer = "he-uniform" },
            { layer = "relu" },
        ]
        [[heads]]
        name = "class"
        layers = [{ layer = "dense", units = 10, initializer = "glorot-uniform" }]
    "#;
    let mlp = ModelSpec::from_toml("mlp", mlp).expect("a network");
    let of_mlp = OPTIMIZERS.map(|optimizer| (mlp.clone(), optimizer));
    for (spec, optimizer) in of_mlp.into_iter().chain(cases()) {
        for (threads, precision) in [(1, TrainingPrecision::Float32), (2, TrainingPrecision::Bfloat16)] {
            let of_steps = of_steps(&spec, optimizer, precision, threads);
            let counts = [of_steps, of_looking(&spec, optimizer, threads)];
            let case = format!("{spec:?} with {optimizer:?} on {threads} threads");
            assert_eq!(counts, [0, 0], "allocations of steps and of looking: {case}");
        }
    }
}
