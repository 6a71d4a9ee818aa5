//! Vectors of f32, with a type for each instruction set. Every operation rounds once, as IEEE 754 defines it, so the
//! instruction sets with fused multiply-add give the same bits.

/// The vector operations of an instruction set, in which kernels are written.
///
/// # Safety
/// The operations may run only where the instruction set is available: inside [`super::isa::Isa::run`].
#[expect(unsafe_code, reason = "vector instructions")]
pub(crate) unsafe trait Simd {
    /// The number of f32 lanes of a vector, a divisor of 16.
    const LANES: usize;
    /// The most rows of a tile of sums, two vectors wide, that fits into the registers beside a row of b and a broadcast
    /// value.
    const MR: usize;
    type V: Copy;

    unsafe fn splat(number: f32) -> Self::V;
    unsafe fn load(from: *const f32) -> Self::V;
    unsafe fn store(vector: Self::V, to: *mut f32);
    /// a·b + c, rounded once if the instruction set has fused multiply-add.
    unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sqrt(a: Self::V) -> Self::V;
    /// The larger of zero and `a`. NaN stays NaN, so that it is noticed.
    unsafe fn relu_lanes(a: Self::V) -> Self::V;
    /// `value` in the lanes where `by` is above zero, else zero.
    unsafe fn relu_mask_lanes(value: Self::V, by: Self::V) -> Self::V;
    /// `a` with zero in place of denormal numbers, with which many processors compute a hundred times slower.
    unsafe fn flush(a: Self::V) -> Self::V;
    /// The two bfloat16 numbers of each lane as f32: those of the lower and those of the upper halves.
    unsafe fn halves(pairs: Self::V) -> [Self::V; 2];

    /// c + upper(a)·upper(b) + lower(a)·lower(b), where a and b hold two bfloat16 numbers in each lane. Products are exact; each
    /// sum is rounded, and zero where it is denormal, as the instruction of AVX512-BF16 does it.
    #[inline(always)]
    unsafe fn dot_pairs(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // SAFETY: as for the trait.
        unsafe {
            let ([a_low, a_high], [b_low, b_high]) = (Self::halves(a), Self::halves(b));
            let sum = Self::flush(Self::mul_add(a_high, b_high, c));
            Self::flush(Self::mul_add(a_low, b_low, sum))
        }
    }

    /// Rounds to bfloat16, to zero where a number is denormal, and pairs the numbers of the same lane: those of `low` in the
    /// lower halves.
    #[inline(always)]
    unsafe fn zip_pairs(low: Self::V, high: Self::V) -> Self::V {
        let [mut numbers, mut pairs] = [[0_u32; 32]; 2];
        // SAFETY: as for the trait; the arrays have room for two of the widest vectors.
        unsafe {
            Self::store(low, numbers.as_mut_ptr().cast());
            Self::store(high, numbers[Self::LANES..].as_mut_ptr().cast());
            let mut lane = 0;
            while lane < Self::LANES {
                pairs[lane] = bfloat16(numbers[lane]) | bfloat16(numbers[lane + Self::LANES]) << 16;
                lane += 1;
            }
            Self::load(pairs.as_ptr().cast())
        }
    }

    /// As [`Simd::zip_pairs`], but pairs neighbouring numbers of `first` followed by `second`.
    #[inline(always)]
    unsafe fn pack_pairs(first: Self::V, second: Self::V) -> Self::V {
        let [mut numbers, mut pairs] = [[0_u32; 32]; 2];
        // SAFETY: as for the trait; the arrays have room for two of the widest vectors.
        unsafe {
            Self::store(first, numbers.as_mut_ptr().cast());
            Self::store(second, numbers[Self::LANES..].as_mut_ptr().cast());
            let mut lane = 0;
            while lane < Self::LANES {
                pairs[lane] = bfloat16(numbers[2 * lane]) | bfloat16(numbers[2 * lane + 1]) << 16;
                lane += 1;
            }
            Self::load(pairs.as_ptr().cast())
        }
    }
}

/// The bits of an f32 rounded to bfloat16, to the nearest and to even in a tie; a denormal number becomes zero.
#[inline(always)]
pub(crate) fn bfloat16(bits: u32) -> u32 {
    let size = bits & 0x7fff_ffff;
    if size > 0x7f80_0000 {
        (bits >> 16) | 0x40
    } else if size < 0x0080_0000 {
        (bits >> 16) & 0x8000
    } else {
        (bits + 0x7fff + ((bits >> 16) & 1)) >> 16
    }
}

#[cfg(target_arch = "x86_64")]
macro_rules! x86 {
    ($name:ident, $lanes:literal, $rows:literal, $vector:ident,
     $splat:ident, $load:ident, $store:ident, $fma:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $sqrt:ident, $max:ident, $zero:ident, $relu_mask_lanes:expr, $flush:expr, $halves:expr, { $($pairs:tt)* }) => {
        #[derive(Debug, Clone, Copy)]
        pub(crate) struct $name;

        // SAFETY (the trait and every function): callers run inside `Isa::run`, which has checked that the instruction
        // set is available, and give addresses of whole vectors.
        #[expect(unsafe_code, clippy::undocumented_unsafe_blocks, reason = "vector instructions")]
        unsafe impl Simd for $name {
            const LANES: usize = $lanes;
            const MR: usize = $rows;
            type V = std::arch::x86_64::$vector;

            #[inline(always)]
            unsafe fn splat(number: f32) -> Self::V {
                unsafe { std::arch::x86_64::$splat(number) }
            }
            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self::V {
                unsafe { std::arch::x86_64::$load(from) }
            }
            #[inline(always)]
            unsafe fn store(vector: Self::V, to: *mut f32) {
                unsafe { std::arch::x86_64::$store(to, vector) }
            }
            #[inline(always)]
            unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
                unsafe { std::arch::x86_64::$fma(a, b, c) }
            }
            #[inline(always)]
            unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
                unsafe { std::arch::x86_64::$add(a, b) }
            }
            #[inline(always)]
            unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
                unsafe { std::arch::x86_64::$sub(a, b) }
            }
            #[inline(always)]
            unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
                unsafe { std::arch::x86_64::$mul(a, b) }
            }
            #[inline(always)]
            unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
                unsafe { std::arch::x86_64::$div(a, b) }
            }
            #[inline(always)]
            unsafe fn sqrt(a: Self::V) -> Self::V {
                unsafe { std::arch::x86_64::$sqrt(a) }
            }
            #[inline(always)]
            unsafe fn relu_lanes(a: Self::V) -> Self::V {
                // If one operand is NaN, the instruction returns the second one.
                unsafe { std::arch::x86_64::$max(std::arch::x86_64::$zero(), a) }
            }
            #[inline(always)]
            unsafe fn relu_mask_lanes(value: Self::V, by: Self::V) -> Self::V {
                unsafe { $relu_mask_lanes(value, by) }
            }
            #[inline(always)]
            unsafe fn flush(a: Self::V) -> Self::V {
                unsafe { $flush(a) }
            }
            #[inline(always)]
            unsafe fn halves(pairs: Self::V) -> [Self::V; 2] {
                unsafe { $halves(pairs) }
            }
            $($pairs)*
        }
    };
}

/// SAFETY: as for the trait.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[expect(unsafe_code, reason = "vector instructions")]
unsafe fn positive_512(
    value: std::arch::x86_64::__m512,
    by: std::arch::x86_64::__m512,
) -> std::arch::x86_64::__m512 {
    use std::arch::x86_64::{_CMP_GT_OQ, _mm512_cmp_ps_mask, _mm512_maskz_mov_ps, _mm512_setzero_ps};
    // SAFETY: the caller has checked that the instruction set is available.
    unsafe { _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(by, _mm512_setzero_ps()), value) }
}

/// SAFETY: as for the trait.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[expect(unsafe_code, reason = "vector instructions")]
unsafe fn positive_256(
    value: std::arch::x86_64::__m256,
    by: std::arch::x86_64::__m256,
) -> std::arch::x86_64::__m256 {
    use std::arch::x86_64::{_CMP_GT_OQ, _mm256_and_ps, _mm256_cmp_ps, _mm256_setzero_ps};
    // SAFETY: the caller has checked that the instruction set is available.
    unsafe { _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(by, _mm256_setzero_ps()), value) }
}

/// SAFETY: as for the trait.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[expect(unsafe_code, reason = "vector instructions")]
unsafe fn flush_512(a: std::arch::x86_64::__m512) -> std::arch::x86_64::__m512 {
    use std::arch::x86_64::{
        _CMP_NLT_UQ, _mm512_abs_ps, _mm512_cmp_ps_mask, _mm512_maskz_mov_ps, _mm512_set1_ps,
    };
    // SAFETY: the caller has checked that the instruction set is available.
    unsafe {
        let normal = _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(_mm512_abs_ps(a), _mm512_set1_ps(f32::MIN_POSITIVE));
        _mm512_maskz_mov_ps(normal, a)
    }
}

/// SAFETY: as for the trait.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[expect(unsafe_code, reason = "vector instructions")]
unsafe fn flush_256(a: std::arch::x86_64::__m256) -> std::arch::x86_64::__m256 {
    use std::arch::x86_64::{_CMP_NLT_UQ, _mm256_and_ps, _mm256_andnot_ps, _mm256_cmp_ps, _mm256_set1_ps};
    // SAFETY: the caller has checked that the instruction set is available.
    unsafe {
        let size = _mm256_andnot_ps(_mm256_set1_ps(-0.0), a);
        _mm256_and_ps(_mm256_cmp_ps::<_CMP_NLT_UQ>(size, _mm256_set1_ps(f32::MIN_POSITIVE)), a)
    }
}

/// SAFETY: as for the trait.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[expect(unsafe_code, reason = "vector instructions")]
unsafe fn halves_512(pairs: std::arch::x86_64::__m512) -> [std::arch::x86_64::__m512; 2] {
    use std::arch::x86_64::{
        _mm512_and_si512, _mm512_castps_si512, _mm512_castsi512_ps, _mm512_set1_epi32, _mm512_slli_epi32,
    };
    // SAFETY: the caller has checked that the instruction set is available.
    unsafe {
        let bits = _mm512_castps_si512(pairs);
        let upper = _mm512_set1_epi32(0xffff_0000_u32.cast_signed());
        [
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(bits)),
            _mm512_castsi512_ps(_mm512_and_si512(bits, upper)),
        ]
    }
}

/// SAFETY: as for the trait.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[expect(unsafe_code, reason = "vector instructions")]
unsafe fn halves_256(pairs: std::arch::x86_64::__m256) -> [std::arch::x86_64::__m256; 2] {
    use std::arch::x86_64::{
        _mm256_and_si256, _mm256_castps_si256, _mm256_castsi256_ps, _mm256_set1_epi32, _mm256_slli_epi32,
    };
    // SAFETY: the caller has checked that the instruction set is available.
    unsafe {
        let bits = _mm256_castps_si256(pairs);
        let upper = _mm256_set1_epi32(0xffff_0000_u32.cast_signed());
        [
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(bits)),
            _mm256_castsi256_ps(_mm256_and_si256(bits, upper)),
        ]
    }
}

/// With the given functions in place of the provided ones for pairs.
#[cfg(target_arch = "x86_64")]
macro_rules! avx512 {
    ($name:ident, { $($pairs:tt)* }) => {
        x86!(
            $name,
            16,
            14,
            __m512,
            _mm512_set1_ps,
            _mm512_loadu_ps,
            _mm512_storeu_ps,
            _mm512_fmadd_ps,
            _mm512_add_ps,
            _mm512_sub_ps,
            _mm512_mul_ps,
            _mm512_div_ps,
            _mm512_sqrt_ps,
            _mm512_max_ps,
            _mm512_setzero_ps,
            positive_512,
            flush_512,
            halves_512,
            { $($pairs)* }
        );
    };
}

#[cfg(target_arch = "x86_64")]
avx512!(Avx512, {});

// AVX-512 with the instructions for bfloat16.
#[cfg(target_arch = "x86_64")]
avx512!(Avx512Bf16, {
    #[inline(always)]
    unsafe fn dot_pairs(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        use std::arch::x86_64::{__m512bh, _mm512_dpbf16_ps};
        unsafe {
            let (a, b) =
                (std::mem::transmute::<Self::V, __m512bh>(a), std::mem::transmute::<Self::V, __m512bh>(b));
            _mm512_dpbf16_ps(c, a, b)
        }
    }
    #[inline(always)]
    unsafe fn zip_pairs(low: Self::V, high: Self::V) -> Self::V {
        use std::arch::x86_64::{
            _mm512_castps_si512, _mm512_castsi512_ps, _mm512_loadu_si512, _mm512_permutexvar_epi16,
        };
        const ORDER: [u16; 32] = {
            let mut order = [0; 32];
            let mut lane = 0;
            while lane < 16 {
                order[2 * lane] = lane as u16;
                order[2 * lane + 1] = 16 + lane as u16;
                lane += 1;
            }
            order
        };
        unsafe {
            let halves = _mm512_castps_si512(Self::pack_pairs(low, high));
            let order = _mm512_loadu_si512(ORDER.as_ptr().cast());
            _mm512_castsi512_ps(_mm512_permutexvar_epi16(order, halves))
        }
    }
    #[inline(always)]
    unsafe fn pack_pairs(first: Self::V, second: Self::V) -> Self::V {
        use std::arch::x86_64::{__m512bh, _mm512_cvtne2ps_pbh};
        unsafe { std::mem::transmute::<__m512bh, Self::V>(_mm512_cvtne2ps_pbh(second, first)) }
    }
});

#[cfg(target_arch = "x86_64")]
x86!(
    Avx2,
    8,
    6,
    __m256,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps,
    _mm256_sub_ps,
    _mm256_mul_ps,
    _mm256_div_ps,
    _mm256_sqrt_ps,
    _mm256_max_ps,
    _mm256_setzero_ps,
    positive_256,
    flush_256,
    halves_256,
    {}
);

/// Arrays of numbers, which the compiler may turn into vectors on any processor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portable;

#[inline(always)]
fn each(f: impl Fn(usize) -> f32) -> [f32; 4] {
    [f(0), f(1), f(2), f(3)]
}

// SAFETY (the trait and every function): no instruction set is needed; callers give addresses of four numbers.
#[expect(
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    reason = "the same trait as for vector instructions"
)]
unsafe impl Simd for Portable {
    const LANES: usize = 4;
    const MR: usize = 5;
    type V = [f32; 4];

    #[inline(always)]
    unsafe fn splat(number: f32) -> Self::V {
        [number; 4]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::V {
        unsafe { from.cast::<Self::V>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(vector: Self::V, to: *mut f32) {
        unsafe { to.cast::<Self::V>().write_unaligned(vector) }
    }
    #[inline(always)]
    unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // Without an instruction for it, fused multiply-add is a slow function call.
        if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
            each(|i| a[i].mul_add(b[i], c[i]))
        } else {
            each(|i| a[i] * b[i] + c[i])
        }
    }
    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        each(|i| a[i] + b[i])
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        each(|i| a[i] - b[i])
    }
    #[inline(always)]
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
        each(|i| a[i] * b[i])
    }
    #[inline(always)]
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
        each(|i| a[i] / b[i])
    }
    #[inline(always)]
    unsafe fn sqrt(a: Self::V) -> Self::V {
        each(|i| a[i].sqrt())
    }
    #[inline(always)]
    unsafe fn relu_lanes(a: Self::V) -> Self::V {
        each(|i| if a[i] < 0.0 { 0.0 } else { a[i] })
    }
    #[inline(always)]
    unsafe fn relu_mask_lanes(value: Self::V, by: Self::V) -> Self::V {
        each(|i| if by[i] > 0.0 { value[i] } else { 0.0 })
    }
    #[inline(always)]
    unsafe fn flush(a: Self::V) -> Self::V {
        each(|i| if a[i].abs() < f32::MIN_POSITIVE { 0.0 } else { a[i] })
    }
    #[inline(always)]
    unsafe fn halves(pairs: Self::V) -> [Self::V; 2] {
        [
            each(|i| f32::from_bits(pairs[i].to_bits() << 16)),
            each(|i| f32::from_bits(pairs[i].to_bits() & 0xffff_0000)),
        ]
    }
}
