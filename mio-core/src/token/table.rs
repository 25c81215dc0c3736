//! The table of an enum of sources, for logs and diagnosis.

use std::fmt;

use super::SourceKind;

/// A source in the `TABLE` of an enum that derives [`Handler`](crate::Handler): what its tokens look like.
///
/// ```
/// # use std::io;
/// # use mio_core::{EventLoop, Handler};
/// use mio_core::describe;
///
/// #[derive(Clone, Copy, Handler)]
/// #[handler(state = Server)]
/// enum On {
///     #[io(readable)]
///     Listener,
///     #[timer]
///     Idle(u16),
/// }
/// # struct Server;
/// # impl OnHandler for Server {
/// #     fn listener_readable(&mut self, _: &mut EventLoop<(), On>) -> io::Result<()> { Ok(()) }
/// #     fn idle(&mut self, _: &mut EventLoop<(), On>, _: u16) -> io::Result<()> { Ok(()) }
/// # }
///
/// assert_eq!((On::TABLE[1].name, On::TABLE[1].tag), ("Idle", 1));
/// assert_eq!(describe(On::TABLE, 7 << 1 | 1).to_string(), "Idle(7)");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TokenRow {
    /// The variant's name.
    pub name: &'static str,
    /// The value of the lowest bits, by which it is told from the others.
    pub tag: u64,
    /// How many bits the tag takes: the same for all rows of a table.
    pub tag_bits: u32,
    /// What is above the tag.
    pub columns: &'static [TokenColumn],
    /// The kind of source; [`SourceKind::Any`] for a nested component.
    pub kind: SourceKind,
    /// The table of a nested component, whose token is above all `columns`.
    pub nested: Option<&'static [TokenRow]>,
}

/// A payload of a source.
#[derive(Clone, Copy, Debug)]
pub struct TokenColumn {
    /// The name of the field: `"0"` for the first of a tuple variant.
    pub name: &'static str,
    /// The type, as it is written in the enum.
    pub type_name: &'static str,
    /// Its lowest bit.
    pub shift: u32,
    /// How many bits it takes.
    pub bits: u32,
}

/// What a token says, in words: the source's name and its payload as integers. For logs: it does not
/// allocate.
#[must_use]
pub const fn describe(table: &'static [TokenRow], token: u64) -> Described {
    Described { table, token }
}

/// A token in words. See [`describe`].
#[derive(Clone, Copy, Debug)]
pub struct Described {
    table: &'static [TokenRow],
    token: u64,
}

impl fmt::Display for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.table.iter().find(|row| row.tag == low(self.token, row.tag_bits));
        let Some(row) = row else { return write!(f, "{:#x}", self.token) };
        f.write_str(row.name)?;
        let mut separator = "(";
        let mut end = row.tag_bits;
        for column in row.columns {
            let value = low(high(self.token, column.shift), column.bits);
            write!(f, "{separator}{value}")?;
            separator = ", ";
            end = column.shift + column.bits;
        }
        if let Some(table) = row.nested {
            write!(f, "{separator}{}", describe(table, high(self.token, end)))?;
            separator = ", ";
        }
        if separator == "(" { Ok(()) } else { f.write_str(")") }
    }
}

fn low(token: u64, bits: u32) -> u64 {
    if bits < 64 { token & ((1 << bits) - 1) } else { token }
}

fn high(token: u64, shift: u32) -> u64 {
    token.checked_shr(shift).unwrap_or(0)
}
