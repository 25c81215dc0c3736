use std::{io, time::Duration};

use mio_core::{EventLoop, Handler};

mod ticker {
    use super::*;

    pub struct Ticker;

    #[derive(Clone, Copy, Debug, Handler)]
    #[handler(state = Ticker)]
    pub enum On {
        #[timer]
        Second,
    }

    impl Ticker {
        pub fn new<L>(event_loop: &mut EventLoop<L, On>) -> io::Result<Ticker> {
            event_loop.interval(On::Second, Duration::from_secs(1))?;
            Ok(Ticker)
        }
    }

    impl<L> OnHandler<L> for Ticker {
        fn second(&mut self, _: &mut EventLoop<L, On>) -> io::Result<()> {
            Ok(())
        }
    }
}

struct Server {
    ticker: ticker::Ticker,
}

#[derive(Clone, Copy, Debug, Handler)]
#[handler(state = Server)]
enum On {
    #[timer]
    Own,
    #[nested(ticker)]
    Ticker(ticker::On),
}

mod other {
    use super::*;

    pub struct Other {
        pub ticker: ticker::Ticker,
    }

    #[derive(Clone, Copy, Debug, Handler)]
    #[handler(state = Other)]
    pub enum On {
        #[nested(ticker)]
        Ticker(ticker::On),
    }

    impl<L> OnHandler<L> for Other {}
}

impl OnHandler for Server {
    fn own(&mut self, event_loop: &mut EventLoop<(), On>) -> io::Result<()> {
        ticker::Ticker::new(&mut event_loop.nested(other::On::TICKER))?;
        Ok(())
    }
}

fn main() {}
