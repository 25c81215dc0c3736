//! When a wait is to end, for backends that wait more than once.

use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) enum Limit {
    Never,
    Now,
    At(Instant),
}

impl Limit {
    pub(super) fn new(timeout: Option<Duration>) -> Limit {
        match timeout {
            None => Limit::Never,
            Some(Duration::ZERO) => Limit::Now,
            // An instant that the clock cannot tell never comes.
            Some(timeout) => Instant::now().checked_add(timeout).map_or(Limit::Never, Limit::At),
        }
    }

    /// What is left; `None` if that is for ever.
    pub(super) fn left(&self) -> Option<Duration> {
        match self {
            Limit::Never => None,
            Limit::Now => Some(Duration::ZERO),
            Limit::At(end) => Some(end.saturating_duration_since(Instant::now())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_shrinks_to_nothing_unless_it_is_for_ever() {
        for forever in [None, Some(Duration::MAX)] {
            assert_eq!(Limit::new(forever).left(), None);
        }
        assert_eq!(Limit::new(Some(Duration::ZERO)).left(), Some(Duration::ZERO));
        let asked = Duration::from_millis(1);
        let limit = Limit::new(Some(asked));
        let left = limit.left().unwrap();
        assert!(left <= asked);
        std::thread::sleep(left);
        assert_eq!(limit.left(), Some(Duration::ZERO));
    }
}
