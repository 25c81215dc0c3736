//! Statistics, as they come.

use std::{
    fmt::{self, Write as _},
    io::{self, IsTerminal, Write},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use mio_core::proxy::Counters;

/// A live view of what one or several loops do, on the standard output: a few lines that are redrawn, or a line
/// a time where that is no terminal.
#[derive(Clone, Debug)]
pub struct Stats {
    /// The last counters of each loop.
    loops: Arc<[Mutex<Counters>]>,
    index: usize,
    shown: Counters,
    at: Instant,
    /// Lines to go back over.
    lines: usize,
    text: String,
    terminal: bool,
}

impl Stats {
    /// The views of so many loops, of which the first one's shows them all.
    #[must_use]
    pub fn of(loops: usize) -> Vec<Stats> {
        let counters: Arc<[Mutex<Counters>]> = (0..loops).map(|_| Mutex::default()).collect();
        let stats = |index| Stats {
            loops: Arc::clone(&counters),
            index,
            shown: Counters::default(),
            at: Instant::now(),
            lines: 0,
            text: String::with_capacity(1024),
            terminal: io::stdout().is_terminal(),
        };
        (0..loops).map(stats).collect()
    }

    /// Takes in what this loop has done so far, and shows it if it is the first one.
    pub fn show(&mut self, counters: &Counters) {
        *self.loops[self.index].lock().unwrap_or_else(PoisonError::into_inner) = *counters;
        if self.index > 0 {
            return;
        }
        let counters = self.loops.iter().fold(Counters::default(), |sum, one| {
            sum + *one.lock().unwrap_or_else(PoisonError::into_inner)
        });
        let seconds = self.at.elapsed().as_secs_f64();
        self.at = Instant::now();
        self.text.clear();
        let written = if self.terminal {
            write_view(&mut self.text, self.lines, &self.shown, &counters, seconds)
        } else {
            write_line(&mut self.text, &self.shown, &counters, seconds)
        };
        if self.terminal {
            self.lines = self.text.matches('\n').count();
        }
        self.shown = counters;
        // Whoever closed it does not want to know.
        let _ = written.map(|()| io::stdout().write_all(self.text.as_bytes()));
    }
}

/// Over `lines` lines that were written before.
fn write_view(
    text: &mut String,
    lines: usize,
    before: &Counters,
    now: &Counters,
    seconds: f64,
) -> fmt::Result {
    const CLEAR_TO_THE_END: &str = "\x1b[K";
    if lines > 0 {
        write!(text, "\x1b[{lines}A")?;
    }
    let begin = text.len();
    let rates = Rates::between(before, now, seconds);
    writeln!(text, "{:>8} open {:>10.0} clients/s", now.open, rates.clients)?;
    for (name, mib) in ["up", "down"].into_iter().zip(rates.mib) {
        writeln!(text, "{name:>8}      {mib:>10.1} MiB/s  {}", bar(mib))?;
    }
    write!(text, "{now}")?;
    let cleared = text[begin..].replace('\n', &format!("{CLEAR_TO_THE_END}\n"));
    text.truncate(begin);
    text.push_str(&cleared);
    Ok(())
}

fn write_line(text: &mut String, before: &Counters, now: &Counters, seconds: f64) -> fmt::Result {
    let Rates { clients, mib: [up, down] } = Rates::between(before, now, seconds);
    let open = now.open;
    writeln!(text, "{open} open, {clients:.0} clients/s, {up:.1} MiB/s up, {down:.1} MiB/s down")
}

struct Rates {
    clients: f64,
    mib: [f64; 2],
}

impl Rates {
    fn between(before: &Counters, now: &Counters, seconds: f64) -> Rates {
        let rate = |before: u64, now: u64| now.saturating_sub(before) as f64 / seconds.max(1e-9);
        let mib =
            |way: usize| rate(before.ways[way].bytes, now.ways[way].bytes) / f64::from(1 << 20);
        Rates { clients: rate(before.accepted, now.accepted), mib: [mib(0), mib(1)] }
    }
}

/// A cell for each doubling.
fn bar(mib: f64) -> &'static str {
    const FULL: &str = "████████████████";
    let cells = (mib + 1.0).log2().round().clamp(0.0, 16.0) as usize;
    &FULL[..cells * "█".len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_drawn_over_the_one_before() {
        let (before, mut now) = (Counters::default(), Counters::default());
        (now.open, now.accepted, now.ways[0].bytes) = (3, 30, 10 << 20);
        let mut text = String::new();
        write_view(&mut text, 0, &before, &now, 2.0).unwrap();
        assert!(
            !text.contains("\x1b[0A") && text.starts_with("       3 open         15 clients/s")
        );
        assert!(text.contains("5.0 MiB/s  ███"), "{text}");
        let lines = text.matches('\n').count();
        assert_eq!(text.matches("\x1b[K\n").count(), lines);
        write_view(&mut text, lines, &before, &now, 2.0).unwrap();
        assert!(text.contains(&format!("\x1b[{lines}A")));
    }

    #[test]
    fn without_a_terminal_it_is_a_line_a_time() {
        let (before, mut now) = (Counters::default(), Counters::default());
        (now.open, now.accepted, now.ways[1].bytes) = (1, 4, 1 << 20);
        let mut text = String::new();
        write_line(&mut text, &before, &now, 0.5).unwrap();
        assert_eq!(text, "1 open, 8 clients/s, 0.0 MiB/s up, 2.0 MiB/s down\n");
    }

    #[test]
    fn loops_are_shown_together() {
        let mut stats = Stats::of(2);
        let counters = Counters { accepted: 2, ..Counters::default() };
        stats[1].show(&counters);
        assert_eq!((stats[1].shown.accepted, stats[0].shown.accepted), (0, 0));
        stats[0].show(&counters);
        assert_eq!(stats[0].shown.accepted, 4);
    }
}
