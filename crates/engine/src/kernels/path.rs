//! Which instruction set computes: chosen once at run time, or forced.

use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};

#[cfg(target_arch = "x86_64")]
use super::simd::{Avx2, Avx512};
use super::simd::{Portable, Simd};

/// An instruction set that kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Path {
    /// Plain arithmetic, which compilers make NEON, SSE or wasm vectors of.
    Portable = 1,
    /// AVX2 with fused multiply-add.
    Avx2 = 2,
    /// AVX-512.
    Avx512 = 3,
}

/// The path that [`Path::force`] set, or 0.
static FORCED: AtomicU8 = AtomicU8::new(0);

impl Path {
    /// Every path, the fastest first.
    pub const ALL: [Path; 3] = [Path::Avx512, Path::Avx2, Path::Portable];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Path::Portable => "portable",
            Path::Avx2 => "avx2",
            Path::Avx512 => "avx512",
        }
    }

    /// Whether this processor has the instructions.
    pub fn is_available(self) -> bool {
        match self {
            Path::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Path::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Path::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("fma")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Path::Avx2 | Path::Avx512 => false,
        }
    }

    /// The path that networks made from now on compute with: the forced one, or the fastest that is available.
    pub fn current() -> Path {
        let forced = FORCED.load(Ordering::Relaxed);
        let is_chosen = |path: &Path| forced == *path as u8 || (forced == 0 && path.is_available());
        Path::ALL.into_iter().find(is_chosen).expect("the portable path is always available")
    }

    /// Whether a network that is computed with this path has the same bits as with the path of that name. AVX2 and AVX-512
    /// round once in a multiply-add and sum in one order (tested in `tests/paths.rs`); the portable path may round twice.
    pub fn has_the_bits_of(self, name: &str) -> bool {
        let is_portable = |name: &str| name == Path::Portable.name();
        Path::ALL.iter().any(|known| known.name() == name) && is_portable(self.name()) == is_portable(name)
    }

    /// Has networks made from now on compute with this path, to test it or to time it.
    ///
    /// # Panics
    /// If the path is not available.
    pub fn force(self) {
        assert!(self.is_available(), "this processor has no {}", self.name());
        FORCED.store(self as u8, Ordering::Relaxed);
    }

    /// Runs a kernel compiled for this path.
    ///
    /// # Panics
    /// If the path is not available.
    #[inline]
    #[expect(unsafe_code, reason = "calls functions compiled for instruction sets")]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            // SAFETY: the portable path needs no instruction set.
            Path::Portable => unsafe { kernel.run::<Portable>() },
            #[cfg(target_arch = "x86_64")]
            Path::Avx2 => {
                assert!(self.is_available());
                // SAFETY: the instruction set is there.
                unsafe { run_avx2(kernel) }
            }
            #[cfg(target_arch = "x86_64")]
            Path::Avx512 => {
                assert!(self.is_available());
                // SAFETY: the instruction set is there.
                unsafe { run_avx512(kernel) }
            }
            #[cfg(not(target_arch = "x86_64"))]
            Path::Avx2 | Path::Avx512 => unreachable!("this processor has no {}", self.name()),
        }
    }
}

impl FromStr for Path {
    type Err = String;

    fn from_str(name: &str) -> Result<Path, String> {
        let known = || Path::ALL.map(Path::name).join(", ");
        let path = Path::ALL.into_iter().find(|path| path.name() == name);
        let path = path.ok_or_else(|| format!("the paths are {}", known()))?;
        if path.is_available() { Ok(path) } else { Err(format!("this processor has no {name}")) }
    }
}

/// Code that is compiled for each instruction set. `run` must be `#[inline(always)]`, as must all that it calls, or it
/// is compiled without the instructions.
#[expect(unsafe_code, reason = "vector instructions")]
pub(crate) trait Kernel {
    type Output;

    /// # Safety
    /// The instruction set of `S` must be there.
    unsafe fn run<S: Simd>(self) -> Self::Output;
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
#[expect(unsafe_code, reason = "compiled for an instruction set")]
unsafe fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller has seen the instruction set.
    unsafe { kernel.run::<Avx2>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
#[expect(unsafe_code, reason = "compiled for an instruction set")]
unsafe fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller has seen the instruction set.
    unsafe { kernel.run::<Avx512>() }
}
