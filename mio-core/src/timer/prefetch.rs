//! Asking for memory before it is needed.
#![allow(unsafe_code)]

/// Says that a value will be read soon, if there is one, so that the caches can get it meanwhile.
///
/// Reading a value ahead of time would not do: the processor could not get on with what comes after the read any
/// further than a few hundred instructions. Does nothing on processors for which stable Rust has no such instruction.
#[inline(always)]
pub(super) fn prefetch<T>(value: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: it is a hint, which reads nothing, and part of every such processor.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(value.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}
