//! How many random cases a test tries.

use proptest::prelude::ProptestConfig;

/// Miri is slow, and has no files to keep failures in.
pub(crate) fn cases(under_miri: u32, otherwise: u32) -> ProptestConfig {
    let mut config = ProptestConfig::with_cases(otherwise);
    if cfg!(miri) {
        config.cases = under_miri;
        config.failure_persistence = None;
    }
    config
}
