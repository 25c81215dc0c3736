//! What tests have to wait for.

use std::{
    thread,
    time::{Duration, Instant},
};

/// What `look` sees in the end, such as that a descriptor is closed: a child that another test begins has all
/// descriptors too until it executes its program.
#[track_caller]
pub(crate) fn awaited<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "it does not come");
        thread::sleep(Duration::from_micros(200));
    }
}
