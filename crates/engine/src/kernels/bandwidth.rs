//! The memory bandwidth of the machine, with which the traffic of training steps can be compared.

use std::time::Instant;

use rayon::prelude::*;

use super::isa::{Isa, Kernel};
use super::simd::Simd;
use crate::aligned::AlignedVec;
use crate::parallel::par_for_each;

/// The number of values of each array: 128 MiB, more than the caches of today's processors hold.
const LEN: usize = 1 << 25;
/// The number of values of each array that a task updates.
const PART: usize = 1 << 16;

/// Measures the bandwidth of this machine in bytes per second, on all threads of the current pool, when three arrays are
/// read and written as in a step of Adam, with hardly any arithmetic. The arrays do not fit into any cache. The result is
/// the best of 7 rounds.
///
/// # Panics
/// If the instruction set is not available.
pub fn peak_bandwidth(isa: Isa) -> f64 {
    let mut state_dict = [1.0_f32, 0.5, 0.25].map(|start| {
        let mut array = AlignedVec::zeros(LEN);
        array.par_chunks_mut(PART).for_each(|part| part.fill(start));
        array
    });
    let mut round = || {
        let [value, first, second] = &mut state_dict;
        let start = Instant::now();
        let parts =
            value.par_chunks_mut(PART).zip(first.par_chunks_mut(PART)).zip(second.par_chunks_mut(PART));
        par_for_each(parts, |((value, first), second)| isa.run(Decay { value, first, second }));
        (3 * 2 * LEN * size_of::<f32>()) as f64 / start.elapsed().as_secs_f64()
    };
    (0..7).map(|_| round()).fold(0.0, f64::max)
}

/// A step of Adam with a zero gradient, without the square root and the division.
struct Decay<'a> {
    value: &'a mut [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
}

#[expect(unsafe_code, reason = "vector instructions")]
impl Kernel for Decay<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        const LANES: usize = 16;
        let Decay { value, first, second } = self;
        let parts = value.chunks_exact_mut(LANES).zip(first.chunks_exact_mut(LANES));
        for ((value, first), second) in parts.zip(second.chunks_exact_mut(LANES)) {
            let lanes = size_of::<S::V>() / size_of::<f32>();
            for i in (0..LANES).step_by(lanes) {
                // SAFETY: the caller has checked that the instruction set is available; a vector that begins at i ends
                // within the 16 values.
                unsafe {
                    let [value, first, second] =
                        [value.as_mut_ptr().add(i), first.as_mut_ptr().add(i), second.as_mut_ptr().add(i)];
                    let moment = S::mul(S::load(first), S::splat(0.9));
                    S::store(moment, first);
                    S::store(S::mul(S::load(second), S::splat(0.999)), second);
                    S::store(S::mul_add(moment, S::splat(-1e-3), S::load(value)), value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_passes_over_every_number() {
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            let [mut value, mut first, mut second] = [1.0_f32, 0.5, 0.25].map(|start| vec![start; 48]);
            isa.run(Decay { value: &mut value, first: &mut first, second: &mut second });
            assert_eq!(first, [0.5 * 0.9; 48]);
            assert_eq!(second, [0.25 * 0.999; 48]);
            assert!(value.iter().all(|&value| (value - (1.0 - 0.45e-3)).abs() < 1e-6), "{value:?}");
        }
    }
}
