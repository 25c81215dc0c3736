//! How long the kernel is asked to wait, and how often.

use std::{io, time::Duration};

use super::limit::Limit;

/// Has the kernel `look` until there is something to report or `timeout` has passed.
///
/// It looks again if all that came was of sources that are not to be reported any more, and if it came back too early:
/// Darwin rounds down to ticks of its clock, of 42 ns (XNU, osfmk/arm/rtclock.c: `nanoseconds_to_absolutetime`), and
/// OpenBSD did so to microseconds (sys/kern/kern_event.c: `kqueue_scan`, before 6.5). A signal ends the wait.
#[inline]
pub(in crate::sys) fn wait_out(
    timeout: Option<Duration>,
    mut look: impl FnMut(Option<Duration>) -> io::Result<bool>,
) -> io::Result<()> {
    let limit = Limit::new(timeout);
    // All of it at first, for which no clock is read again.
    let mut left = timeout.filter(|_| !matches!(limit, Limit::Never));
    loop {
        let found = match look(left.map(clamped)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            found => found?,
        };
        if found || left == Some(Duration::ZERO) {
            return Ok(());
        }
        left = limit.left();
    }
}

/// As much of a timeout as one wait of the kernel gets.
fn clamped(timeout: Duration) -> Duration {
    timeout.min(WAIT_MAX)
}

/// No wait of the kernel is longer; who wants a longer one waits again. Darwin takes 100,000,000 s at most, more is
/// `EINVAL` (XNU, bsd/kern/kern_time.c: `itimerfix`); OpenBSD made 24 hours of more (its kqueue(2), BUGS).
const WAIT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use std::{thread, time::Instant};

    use super::*;

    #[test]
    fn a_wait_that_the_kernel_ends_too_early_goes_on() {
        let asked = Duration::from_millis(5);
        let (began, mut looks) = (Instant::now(), 0);
        let half = |left: Option<Duration>| {
            looks += 1;
            thread::sleep(left.unwrap() / 2);
            Ok(false)
        };
        wait_out(Some(asked), half).unwrap();
        assert!(began.elapsed() >= asked && looks > 1, "{looks}");
    }

    #[test]
    fn something_to_report_or_a_signal_ends_a_wait_and_no_time_is_one_look() {
        for (timeout, outcome) in [
            (None, Ok(true)),
            (Some(Duration::from_secs(3)), Ok(true)),
            (Some(Duration::from_secs(3)), Err(io::ErrorKind::Interrupted)),
            (Some(Duration::ZERO), Ok(false)),
        ] {
            let mut asked = Vec::new();
            let look = |left| {
                asked.push(left);
                outcome.map_err(io::Error::from)
            };
            wait_out(timeout, look).unwrap();
            assert_eq!(asked, [timeout]);
        }
        let error = wait_out(None, |_| Err(io::ErrorKind::OutOfMemory.into())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
    }

    #[test]
    fn no_look_is_longer_than_every_system_takes() {
        let short = Duration::new(3, 500_000_001);
        let long = [Duration::from_secs(100_000_001), Duration::from_secs(u64::MAX / 2)];
        for (timeout, expected) in [
            (short, Some(short)),
            (long[0], Some(WAIT_MAX)),
            (Duration::MAX, None),
            (long[1], None),
        ] {
            let expected = expected.map(|expected| expected.as_secs());
            wait_out(Some(timeout), |left| {
                assert_eq!(left.map(|left| left.as_secs()), expected, "{timeout:?}");
                Ok(true)
            })
            .unwrap();
        }
    }
}
