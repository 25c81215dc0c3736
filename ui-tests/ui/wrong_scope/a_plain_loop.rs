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

impl OnHandler for Server {
    fn own(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> {
        Ok(())
    }
}

fn main() -> io::Result<()> {
    let mut event_loop = EventLoop::new()?;
    let ticker = ticker::Ticker::new(&mut event_loop)?;
    event_loop.run(Server { ticker })?;
    Ok(())
}
