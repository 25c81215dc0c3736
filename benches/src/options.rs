//! What a comparison is asked for on the command line.

use std::path::{Path, PathBuf};

use lexopt::Parser;
use lexopt::prelude::{Long, ValueExt};

#[derive(Debug)]
pub struct Options {
    pub quick: bool,
    pub counts: bool,
    pub walls: bool,
    pub rounds: Option<usize>,
    /// What the names of workloads and peers begin with.
    pub only: String,
    pub only_peers: String,
    pub out: PathBuf,
    pub strict: bool,
}

impl Options {
    /// `None` if only help was asked for. Results go to `results` in this package, unless another place is named.
    pub fn parse(mut parser: Parser, results: &str) -> Result<Option<Self>, lexopt::Error> {
        let mut options = Self {
            quick: false,
            counts: true,
            walls: true,
            rounds: None,
            only: String::new(),
            only_peers: String::new(),
            out: Path::new(env!("CARGO_MANIFEST_DIR")).join(results),
            strict: false,
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("quick") => options.quick = true,
                Long("counts") => options.walls = false,
                Long("walls") => options.counts = false,
                Long("rounds") => options.rounds = Some(parser.value()?.parse()?),
                Long("only") => options.only = parser.value()?.string()?,
                Long("peer") => options.only_peers = parser.value()?.string()?,
                Long("out") => options.out = parser.value()?.into(),
                Long("strict") => options.strict = true,
                Long("help") => return Ok(None),
                other => return Err(other.unexpected()),
            }
        }
        Ok(Some(options))
    }
}
