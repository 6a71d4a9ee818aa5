//! The instruction set that kernels run on: chosen once at run time, or set by the program.

use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};

#[cfg(target_arch = "x86_64")]
use super::simd::{Avx2, Avx512, Avx512Bf16};
use super::simd::{Portable, Simd};

/// An instruction set for which kernels are compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Isa {
    /// Plain arithmetic, which the compiler may turn into NEON, SSE or Wasm vectors.
    Portable = 1,
    /// AVX2 with fused multiply-add.
    Avx2 = 2,
    /// AVX-512.
    Avx512 = 3,
}

/// The instruction set that [`Isa::set_default`] set, or 0.
static FORCED: AtomicU8 = AtomicU8::new(0);

impl Isa {
    /// All instruction sets, the fastest first.
    pub const ALL: [Isa; 3] = [Isa::Avx512, Isa::Avx2, Isa::Portable];

    /// The name, as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Portable => "portable",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
        }
    }

    /// Whether this processor has the instruction set.
    pub fn is_available(self) -> bool {
        match self {
            Isa::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("fma")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Isa::Avx2 | Isa::Avx512 => false,
        }
    }

    /// The instruction set of networks that are made from now on: the one set by [`Isa::set_default`], or the fastest
    /// available.
    pub fn current() -> Isa {
        let forced = FORCED.load(Ordering::Relaxed);
        let is_chosen = |isa: &Isa| forced == *isa as u8 || (forced == 0 && isa.is_available());
        Isa::ALL.into_iter().find(is_chosen).expect("portable code is always available")
    }

    /// Whether networks have the same bits with this instruction set as with the one called `name`. That is so for AVX2
    /// and AVX-512, which round once in a multiply-add and sum in the same order (tested in `tests/isa.rs`);
    /// [`Isa::Portable`] may round twice.
    pub fn has_the_bits_of(self, name: &str) -> bool {
        let is_portable = |name: &str| name == Isa::Portable.name();
        Isa::ALL.iter().any(|known| known.name() == name) && is_portable(self.name()) == is_portable(name)
    }

    /// Makes this the instruction set of networks that are made from now on, for example to test or to time it.
    ///
    /// # Panics
    /// If the instruction set is not available.
    pub fn set_default(self) {
        assert!(self.is_available(), "this processor has no {}", self.name());
        FORCED.store(self as u8, Ordering::Relaxed);
    }

    /// Runs a kernel compiled for this instruction set.
    ///
    /// # Panics
    /// If the instruction set is not available.
    #[inline]
    #[expect(unsafe_code, reason = "calls functions compiled for instruction sets")]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            // SAFETY: portable kernels need no instruction set.
            Isa::Portable => unsafe { kernel.run::<Portable>() },
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => {
                assert!(self.is_available());
                // SAFETY: the instruction set is available.
                unsafe { run_avx2(kernel) }
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                assert!(self.is_available());
                // SAFETY: the instruction set is available.
                unsafe { run_avx512(kernel) }
            }
            #[cfg(not(target_arch = "x86_64"))]
            Isa::Avx2 | Isa::Avx512 => unreachable!("this processor has no {}", self.name()),
        }
    }

    /// As [`Isa::run`], for a kernel that computes with pairs of bfloat16 numbers, with the instructions for them where the
    /// processor has them. They give the same bits as their replacements elsewhere, which are slower than f32.
    #[inline]
    #[expect(unsafe_code, reason = "calls functions compiled for instruction sets")]
    pub(crate) fn run_pairs<K: Kernel>(self, kernel: K) -> K::Output {
        #[cfg(target_arch = "x86_64")]
        if self == Isa::Avx512
            && is_x86_feature_detected!("avx512bf16")
            && is_x86_feature_detected!("avx512bw")
        {
            assert!(self.is_available());
            // SAFETY: the instruction set is available.
            return unsafe { run_avx512_bf16(kernel) };
        }
        self.run(kernel)
    }
}

impl FromStr for Isa {
    type Err = String;

    fn from_str(name: &str) -> Result<Isa, String> {
        let known = || Isa::ALL.map(Isa::name).join(", ");
        let isa = Isa::ALL.into_iter().find(|isa| isa.name() == name);
        let isa = isa.ok_or_else(|| format!("the paths are {}", known()))?;
        if isa.is_available() { Ok(isa) } else { Err(format!("this processor has no {name}")) }
    }
}

/// A function that is compiled for each instruction set. `run` and every function that it calls with vectors must be
/// `#[inline(always)]`; otherwise they are compiled without the instruction set. Closures are such functions too, and
/// cannot be marked, so kernels use loops instead.
#[expect(unsafe_code, reason = "vector instructions")]
pub(crate) trait Kernel {
    type Output;

    /// # Safety
    /// The instruction set of `S` must be available.
    unsafe fn run<S: Simd>(self) -> Self::Output;
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
#[expect(unsafe_code, reason = "compiled for an instruction set")]
unsafe fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller has checked that the instruction set is available.
    unsafe { kernel.run::<Avx2>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
#[expect(unsafe_code, reason = "compiled for an instruction set")]
unsafe fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller has checked that the instruction set is available.
    unsafe { kernel.run::<Avx512>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512bf16,avx512bw,avx512f,avx512vl,avx2,fma")]
#[expect(unsafe_code, reason = "compiled for an instruction set")]
unsafe fn run_avx512_bf16<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller has checked that the instruction set is available.
    unsafe { kernel.run::<Avx512Bf16>() }
}
