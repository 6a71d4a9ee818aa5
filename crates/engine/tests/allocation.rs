//! A step allocates nothing. One test in a program of its own, because the count is the whole program's.
#![expect(unsafe_code, reason = "an allocator is unsafe by its trait")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use inkling_engine::{Labelled, Network, Trainer};
use inkling_spec::{ModelSpec, Optimizer};
use rayon::ThreadPoolBuilder;
use support::{ADAM, BATCH, Noise, everything};

/// The system's allocator, counting on the threads that compute. Others come and go, allocating: the test harness, a
/// pool that starts or ends.
struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

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

/// Allocations of 30 steps after the first, on all threads of a pool of so many.
fn allocations(spec: &ModelSpec, optimizer: Optimizer, threads: usize) -> usize {
    let noise = Noise::new(spec, 40);
    let labels = noise.labels();
    let orders: Vec<Vec<u32>> = (0..31).map(|step| noise.order(step)).collect();
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.broadcast(|_| COUNTED.set(true));
    let count = pool.install(|| {
        let network = Network::new(spec, 3).expect("a network");
        let weights = vec![1.0; network.classes().len()];
        let mut trainer = Trainer::new(network, optimizer, BATCH, &weights);
        let images = Labelled { pixels: &noise.pixels, labels: &labels };
        trainer.step(images, &orders[0], 1e-3);
        let before = COUNT.load(Ordering::SeqCst);
        for order in &orders[1..] {
            trainer.step(images, order, 1e-3);
        }
        let count = COUNT.load(Ordering::SeqCst) - before;
        drop(std::hint::black_box(vec![1_u8; 100]));
        assert_eq!(COUNT.load(Ordering::SeqCst), before + count + 1, "the count counts");
        count
    });
    pool.broadcast(|_| COUNTED.set(false));
    count
}

#[test]
fn a_step_allocates_nothing() {
    let mlp = r#"
        input = [7, 7, 1]
        trunk = [
            { layer = "flatten" },
            { layer = "dense", units = 130, initial = "he-uniform" },
            { layer = "relu" },
            { layer = "dense", units = 70, initial = "he-uniform" },
            { layer = "relu" },
        ]
        [[heads]]
        name = "class"
        layers = [{ layer = "dense", units = 10, initial = "glorot-uniform" }]
    "#;
    let mlp = ModelSpec::from_toml("mlp", mlp).expect("a network");
    for (name, spec) in [("the MLP", &mlp), ("the network of every layer", &everything())] {
        for optimizer in [ADAM, Optimizer::Sgd { momentum: 0.9 }] {
            for threads in [1, 2] {
                let count = allocations(spec, optimizer, threads);
                assert_eq!(count, 0, "allocations of {name} with {optimizer:?} on {threads} threads");
            }
        }
    }
}
