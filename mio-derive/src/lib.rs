//! Derives for `mio-core`.
