//! Whether a loop that has just taken many messages gives their senders a moment before it sleeps.

/// Decides by what the moments before have brought: it gives each one if the last one brought messages, and one in 64 if
/// none ever does, as on a machine with one processor.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lull {
    /// How many to leave out after one in vain.
    vain: u8,
    /// How many of them are left.
    left_out: u8,
}

impl Lull {
    pub(crate) fn is_worth_a_moment(&mut self) -> bool {
        let worth = self.left_out == 0;
        self.left_out = self.left_out.saturating_sub(1);
        worth
    }

    /// The moment that was given has `brought` messages, or not.
    pub(crate) fn learn(&mut self, brought: bool) {
        self.vain = if brought { 0 } else { (2 * self.vain + 1).min(63) };
        self.left_out = self.vain;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// How many of the next ones are given.
    fn given(lull: &mut Lull, lulls: usize, brings: bool) -> usize {
        let gives = |_: &usize| {
            let gives = lull.is_worth_a_moment();
            if gives {
                lull.learn(brings);
            }
            gives
        };
        (0..lulls).filter(gives).count()
    }

    #[test]
    fn moments_that_bring_messages_are_all_given() {
        assert_eq!(given(&mut Lull::default(), 1000, true), 1000);
    }

    #[test]
    fn moments_in_vain_become_one_in_64() {
        let mut lull = Lull::default();
        assert_eq!(given(&mut lull, 64, false), 6);
        assert_eq!(given(&mut lull, 64 * 100, false), 100);
    }

    #[test]
    fn one_that_brings_a_message_again_brings_all_of_them_back() {
        let mut lull = Lull::default();
        given(&mut lull, 1000, false);
        assert!(given(&mut lull, 64 + 100, true) > 100);
    }
}
