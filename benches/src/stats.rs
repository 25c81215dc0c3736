//! Medians, and how far to trust them.

/// A median with its 95 % interval.
#[derive(Clone, Copy, Debug)]
pub struct Median {
    pub low: f64,
    pub value: f64,
    pub high: f64,
}

impl Median {
    /// Of the samples, which must not be empty.
    ///
    /// The interval lies between two order statistics: the number of samples below the true median
    /// is binomial with one half, whatever their distribution, so that the k-th smallest and the k-th
    /// largest enclose it unless fewer than k fell on one side. With fewer than six samples no such
    /// pair reaches 95 %, and the whole range is taken.
    pub fn of(samples: &[f64]) -> Self {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        let value = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2.0;
        let outside = samples_outside(count);
        Self { low: sorted[outside], value, high: sorted[count - 1 - outside] }
    }
}

/// How many samples may be left out at each end.
fn samples_outside(count: usize) -> usize {
    let mut term = 0.5f64.powi(count as i32);
    let mut tail = 0.0;
    for fewer in 0..count / 2 {
        tail += term;
        if tail > 0.025 {
            // So many below the median would be too likely, one fewer is not.
            return fewer.saturating_sub(1);
        }
        term *= (count - fewer) as f64 / (fewer + 1) as f64;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_the_tables() {
        // From any table of the sign test at 5 %, two-sided.
        let counts = [5, 6, 9, 12, 15, 20, 21, 25, 30];
        assert_eq!(counts.map(samples_outside), [0, 0, 1, 2, 3, 5, 5, 7, 9]);
    }

    #[test]
    fn the_median_of_an_even_count_lies_between() {
        let median = Median::of(&[4.0, 1.0, 3.0, 2.0]);
        assert_eq!((median.low, median.value, median.high), (1.0, 2.5, 4.0));
    }
}
