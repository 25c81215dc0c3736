//! A component that counts, and reports in regular intervals.
//!
//! It knows nothing of the handler that it is nested in. The parent [counts](Ticker::count) what it moves, and
//! after each event of the ticker [takes](Ticker::take) the report that it made.
//!
//! Nothing is allocated once it is made.
//!
//! ```
//! use std::{io, time::Duration};
//! use mio_core::{EventLoop, Handler};
//! use ticker::Ticker;
//!
//! struct Server {
//!     statistics: Ticker,
//! }
//!
//! #[derive(Clone, Copy, Debug, Handler)]
//! #[handler(state = Server)]
//! enum On {
//!     #[nested(statistics)]
//!     Statistics(ticker::On),
//!     // …
//! }
//!
//! impl OnHandler for Server {
//!     fn statistics(&mut self, event_loop: &mut EventLoop<(), On>) -> io::Result<()> {
//!         if let Some(report) = self.statistics.take() {
//!             println!("{} bytes in {:?}", report.amount, report.elapsed);
//! #           assert_eq!((report.events, report.amount), (2, 123));
//! #           event_loop.shutdown();
//!         }
//!         Ok(())
//!     }
//! }
//!
//! # fn main() -> io::Result<()> {
//! # let config = mio_core::Config { virtual_time: Some(0), ..Default::default() };
//! # let mut event_loop = EventLoop::<()>::with_config(config)?;
//! let period = Duration::from_secs(1);
//! let mut statistics = Ticker::new(&mut event_loop.nested(On::STATISTICS), period)?;
//! statistics.count(100);
//! statistics.count(23);
//! event_loop.run(Server { statistics })?;
//! # Ok(())
//! # }
//! ```

use std::{
    io,
    time::{Duration, Instant},
};

use mio_core::{EventLoop, Expiry, Handler, Timeout};

/// The sources of a ticker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Handler)]
#[handler(state = Ticker, message = Message)]
pub enum On {
    /// A period is over.
    #[timer(expiry)]
    Interval,
}

/// What a ticker can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// Make a report now, out of turn.
    Report,
    /// Report in intervals of this length from now on.
    Period(Duration),
}

/// What happened since the last report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// How often something was counted.
    pub events: u64,
    /// The sum of what was counted.
    pub amount: u64,
    /// Since the last report.
    pub elapsed: Duration,
}

impl Report {
    /// The amount in a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.amount as f64 / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// Counts, and reports in regular intervals.
#[derive(Debug)]
pub struct Ticker {
    interval: Timeout,
    since: Instant,
    events: u64,
    amount: u64,
    report: Option<Report>,
}

impl Ticker {
    /// Reports every `period`, from now on.
    ///
    /// # Errors
    ///
    /// Those of [`EventLoop::interval`].
    pub fn new<L>(event_loop: &mut EventLoop<L, On>, period: Duration) -> io::Result<Ticker> {
        let interval = event_loop.interval(On::Interval, period)?;
        let since = event_loop.now();
        Ok(Ticker { interval, since, events: 0, amount: 0, report: None })
    }

    /// Counts one event of this amount: of so many bytes, say.
    pub fn count(&mut self, amount: u64) {
        self.events += 1;
        self.amount = self.amount.saturating_add(amount);
    }

    /// The report, if there is a new one.
    pub fn take(&mut self) -> Option<Report> {
        self.report.take()
    }

    /// Stops.
    pub fn close<L>(self, event_loop: &mut EventLoop<L, On>) {
        event_loop.cancel(self.interval);
    }

    fn report(&mut self, now: Instant) {
        let elapsed = now.duration_since(self.since);
        self.report = Some(Report { events: self.events, amount: self.amount, elapsed });
        (self.since, self.events, self.amount) = (now, 0, 0);
    }
}

impl<L> OnHandler<L> for Ticker {
    fn interval(&mut self, event_loop: &mut EventLoop<L, On>, _: Expiry) -> io::Result<()> {
        let now = event_loop.now();
        self.report(now);
        Ok(())
    }

    fn message(&mut self, event_loop: &mut EventLoop<L, On>, message: Message) -> io::Result<()> {
        match message {
            Message::Report => {
                let now = event_loop.now();
                self.report(now);
            }
            Message::Period(period) => {
                event_loop.cancel(self.interval);
                self.interval = event_loop.interval(On::Interval, period)?;
            }
        }
        Ok(())
    }
}
