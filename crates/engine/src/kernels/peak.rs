//! The peak arithmetic rate of the machine, with which the rates of layers can be compared.

use std::time::Instant;

use super::isa::{Isa, Kernel};
use super::simd::Simd;
use crate::parallel::for_each;

/// Measures the peak rate of this instruction set, in floating-point operations per second, on all threads of the current
/// pool: fused multiply-adds, which count as two operations, without any memory access. The result is the best of 12
/// rounds of a few milliseconds.
///
/// # Panics
/// If the instruction set is not available.
pub fn peak_flops(isa: Isa) -> f64 {
    const STEPS: usize = 1 << 20;
    let threads = rayon::current_num_threads();
    let round = || {
        let start = Instant::now();
        for_each(threads, |task| {
            let sum = isa.run(MultiplyAdds { start: task as f32, steps: STEPS });
            std::hint::black_box(sum);
        });
        let lanes = match isa {
            Isa::Avx512 => 16,
            Isa::Avx2 => 8,
            Isa::Portable => 4,
        };
        (2 * SUMS * lanes * STEPS * threads) as f64 / start.elapsed().as_secs_f64()
    };
    (0..12).map(|_| round()).fold(0.0, f64::max)
}

/// The number of independent sums: enough to hide the latency at two fused multiply-adds per cycle.
const SUMS: usize = 12;

struct MultiplyAdds {
    start: f32,
    steps: usize,
}

#[expect(unsafe_code, reason = "vector instructions")]
impl Kernel for MultiplyAdds {
    type Output = f32;

    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> f32 {
        let mut numbers = [0.0_f32; 16];
        // SAFETY: the caller has checked that the instruction set is available; a vector has at most 16 lanes.
        unsafe {
            let factor = S::splat(0.5);
            let mut sums = [S::splat(self.start); SUMS];
            for _ in 0..self.steps {
                for sum in &mut sums {
                    *sum = S::mul_add(*sum, factor, factor);
                }
            }
            // A loop rather than `fold`, whose closure would be compiled without the instruction set.
            let mut total = S::splat(0.0);
            for sum in sums {
                total = S::add(total, sum);
            }
            S::store(total, numbers.as_mut_ptr());
        }
        numbers[0]
    }
}
