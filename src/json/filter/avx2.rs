//! Makes the masks of 64 bytes by vectors of 32.
#![allow(unsafe_code, reason = "two loads from an array, and the call of what needs AVX2")]

use std::arch::x86_64::{
    __m256i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8,
    _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256,
    _mm256_set1_epi8, _mm256_slli_epi16, _mm256_sub_epi8,
};

use crate::json::filter::block::{Masks, Outside, State, last_block};

/// Shows that this processor has what is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::json) struct Avx2(());

impl Avx2 {
    /// Looks whether it does.
    pub(super) fn detect() -> Option<Self> {
        let all = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("pclmulqdq")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt");
        all.then_some(Self(()))
    }

    /// Finds a place in the first line that may be no JSON text, or in front of it.
    #[expect(clippy::unused_self, reason = "to have one is to be allowed to")]
    pub(super) fn suspect(self, lines: &[u8]) -> Option<usize> {
        // SAFETY: a value of this type exists only where `detect` found all that is needed.
        unsafe { suspect(lines) }
    }
}

#[target_feature(enable = "avx2,pclmulqdq,bmi1,bmi2,lzcnt,popcnt")]
fn suspect(lines: &[u8]) -> Option<usize> {
    let mut state = State::new();
    let (blocks, tail) = lines.as_chunks::<64>();
    for (index, block) in blocks.iter().enumerate() {
        let errors = errors(&mut state, lines, 64 * index, block);
        if errors != 0 {
            return Some(64 * index + errors.trailing_zeros() as usize);
        }
    }
    let base = 64 * blocks.len();
    let errors = errors(&mut state, lines, base, &last_block(lines, tail)?);
    (errors != 0).then(|| base + errors.trailing_zeros() as usize)
}

#[target_feature(enable = "avx2,pclmulqdq,bmi1,bmi2,lzcnt,popcnt")]
#[inline]
fn errors(state: &mut State, lines: &[u8], base: usize, block: &[u8; 64]) -> u64 {
    let vectors = load(block);
    let masks = Masks {
        backslash: equal(vectors, b'\\'),
        quote: equal(vectors, b'"'),
        control: at_most(vectors, 0x1f),
    };
    if state.passes(masks) {
        return 0;
    }
    let strings = {
        let quotes = state.quotes(lines, base, masks);
        let inside = parity(quotes.real);
        state.strings(quotes, inside, masks.control)
    };
    let bent = [
        _mm256_or_si256(vectors[0], _mm256_set1_epi8(0x20)),
        _mm256_or_si256(vectors[1], _mm256_set1_epi8(0x20)),
    ];
    let feed = equal(vectors, b'\n');
    let mut white = equal(vectors, b' ');
    if masks.control != feed {
        white |= rare_white(vectors);
    }
    let zeroed = [
        _mm256_sub_epi8(vectors[0], _mm256_set1_epi8(0x30)),
        _mm256_sub_epi8(vectors[1], _mm256_set1_epi8(0x30)),
    ];
    let found = Outside {
        white,
        feed,
        open: equal(bent, b'{'),
        close: equal(bent, b'}'),
        comma: equal(vectors, b','),
        colon: equal(vectors, b':'),
        digit: at_most(zeroed, 9),
        zero: equal(vectors, b'0'),
        // The bit that tells them from square ones, moved to the top.
        curly: gather(_mm256_slli_epi16::<2>(vectors[0]), _mm256_slli_epi16::<2>(vectors[1])),
    };
    state.grammar(lines, base, strings, found)
}

/// Marks the white space that is seldom there. Inlined, the compiler would take the masks of both
/// branches for vectors of bits, and take those apart one by one.
#[target_feature(enable = "avx2")]
#[inline(never)]
fn rare_white(vectors: [__m256i; 2]) -> u64 {
    equal(vectors, b'\t') | equal(vectors, b'\r')
}

#[target_feature(enable = "avx2")]
#[inline]
#[expect(clippy::cast_ptr_alignment, reason = "these loads need no alignment")]
fn load(block: &[u8; 64]) -> [__m256i; 2] {
    let at = block.as_ptr().cast::<__m256i>();
    // SAFETY: the array has 64 bytes, and unaligned loads are asked for.
    unsafe { [_mm256_loadu_si256(at), _mm256_loadu_si256(at.add(1))] }
}

/// Marks the bytes that are `byte`.
#[target_feature(enable = "avx2")]
#[inline]
fn equal(vectors: [__m256i; 2], byte: u8) -> u64 {
    let wanted = _mm256_set1_epi8(byte.cast_signed());
    gather(_mm256_cmpeq_epi8(vectors[0], wanted), _mm256_cmpeq_epi8(vectors[1], wanted))
}

/// Marks the bytes that are at most `most`.
#[target_feature(enable = "avx2")]
#[inline]
fn at_most(vectors: [__m256i; 2], most: u8) -> u64 {
    let most = _mm256_set1_epi8(most.cast_signed());
    let [low, high] = vectors;
    let low = _mm256_cmpeq_epi8(_mm256_min_epu8(low, most), low);
    let high = _mm256_cmpeq_epi8(_mm256_min_epu8(high, most), high);
    gather(low, high)
}

/// Takes the top bit of each byte.
#[target_feature(enable = "avx2")]
#[inline]
fn gather(low: __m256i, high: __m256i) -> u64 {
    let low = _mm256_movemask_epi8(low).cast_unsigned();
    let high = _mm256_movemask_epi8(high).cast_unsigned();
    u64::from(high) << 32 | u64::from(low)
}

/// Makes of each bit the parity of those up to it: a product without carries, by all ones.
#[target_feature(enable = "avx2,pclmulqdq")]
#[inline]
fn parity(bits: u64) -> u64 {
    let ones = _mm_set1_epi8(-1);
    let bits = _mm_set_epi64x(0, bits.cast_signed());
    _mm_cvtsi128_si64(_mm_clmulepi64_si128::<0>(bits, ones)).cast_unsigned()
}
