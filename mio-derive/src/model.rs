//! What a derive works on: an enum of sources that makes sense.

use proc_macro2::{Span, TokenStream};
use syn::{Generics, Ident, Type};

/// An enum of sources.
pub(crate) struct Model {
    pub(crate) visibility: TokenStream,
    pub(crate) name: Ident,
    /// The path of `mio_core`.
    pub(crate) core: TokenStream,
    pub(crate) trait_name: Ident,
    /// `None` only after a mistake.
    pub(crate) state: Option<Type>,
    pub(crate) message: TokenStream,
    /// The parameters of `state`.
    pub(crate) generics: Generics,
    /// Whether `message` has them too.
    pub(crate) generic_message: bool,
    /// What the parameter is called that stands for the messages of the loop.
    pub(crate) loop_message: Ident,
    pub(crate) sources: Vec<Source>,
}

/// A variant.
pub(crate) struct Source {
    pub(crate) name: Ident,
    pub(crate) docs: Vec<TokenStream>,
    pub(crate) shape: Shape,
    /// For a nested component without its own tokens: nothing or its key.
    pub(crate) fields: Vec<Field>,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Unit,
    Tuple,
    Struct,
}

/// A payload.
pub(crate) struct Field {
    /// Of a field in braces.
    pub(crate) name: Option<Ident>,
    /// What it is called where it is a variable.
    pub(crate) variable: Ident,
    pub(crate) ty: TokenStream,
}

pub(crate) enum Kind {
    Io {
        events: Vec<(Event, Ident)>,
        /// One method for all events, instead of one for each.
        ready: Option<Ident>,
        trigger: Trigger,
    },
    Timer {
        method: Ident,
        expiry: bool,
    },
    Signals {
        method: Ident,
        signals: Vec<Ident>,
    },
    Child {
        method: Ident,
    },
    Nested(Nested),
    /// After a mistake.
    Unknown,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    Readable,
    Writable,
    Priority,
    Closed,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Trigger {
    #[default]
    Edge,
    Level,
    OneShot,
}

pub(crate) struct Nested {
    pub(crate) method: Ident,
    /// The constant or, with a key, the function that answers the scope.
    pub(crate) scope: Ident,
    /// Where the component is in the state: what follows `self.`
    pub(crate) place: TokenStream,
    /// Its sources.
    pub(crate) tokens: Field,
}

impl Event {
    pub(crate) const ALL: [Event; 4] =
        [Event::Readable, Event::Writable, Event::Priority, Event::Closed];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Event::Readable => "readable",
            Event::Writable => "writable",
            Event::Priority => "priority",
            Event::Closed => "closed",
        }
    }
}

impl Trigger {
    pub(crate) const ALL: [Trigger; 3] = [Trigger::Edge, Trigger::Level, Trigger::OneShot];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Trigger::Edge => "edge",
            Trigger::Level => "level",
            Trigger::OneShot => "oneshot",
        }
    }
}

impl Model {
    /// How many bits tell the variants apart.
    pub(crate) fn tag_bits(&self) -> u32 {
        bits_for(self.sources.len())
    }
}

impl Source {
    pub(crate) fn span(&self) -> Span {
        self.name.span()
    }

    pub(crate) fn nested(&self) -> Option<&Nested> {
        match &self.kind {
            Kind::Nested(nested) => Some(nested),
            _ => None,
        }
    }

    /// The name of the nth payload, as a user would say it.
    pub(crate) fn field_name(&self, index: usize) -> String {
        match &self.fields[index].name {
            Some(name) => unraw(name),
            None => index.to_string(),
        }
    }
}

/// How many bits `count` numbers from zero take.
pub(crate) fn bits_for(count: usize) -> u32 {
    count.max(1).next_power_of_two().trailing_zeros()
}

/// The name without the `r#` of a raw identifier.
pub(crate) fn unraw(name: &Ident) -> String {
    name.to_string().trim_start_matches("r#").to_owned()
}
