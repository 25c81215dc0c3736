//! The bits of the tokens: `Token`, `TokenField`, the table, the scopes and the check that all fits.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use crate::model::{Event, Field, Kind, Model, Nested, Shape, Source, Trigger, unraw};

pub(crate) fn layout(model: &Model) -> TokenStream {
    let parts = [token(model), token_field(model), items(model), checks(model)];
    quote! { #(#parts)* }
}

/// What stands in for it after a mistake.
pub(crate) fn stub(model: &Model) -> TokenStream {
    let Model { name, core, visibility, .. } = model;
    let scopes = model.sources.iter().filter_map(|source| scope(model, 0, source));
    quote! {
        #[automatically_derived]
        impl #core::Token for #name {
            fn bits(self) -> u64 {
                ::core::unreachable!()
            }
        }

        #[automatically_derived]
        impl #core::TokenField for #name {
            const BITS: u32 = 0;

            fn pack(self) -> u64 {
                ::core::unreachable!()
            }

            fn unpack(_: u64) -> ::core::option::Option<Self> {
                ::core::unreachable!()
            }
        }

        #[automatically_derived]
        #[allow(dead_code)]
        impl #name {
            #visibility const TABLE: &'static [#core::TokenRow] = &[];

            #visibility fn unpack(_: u64) -> ::core::option::Option<Self> {
                ::core::unreachable!()
            }

            #(#scopes)*
        }
    }
}

fn token(model: &Model) -> TokenStream {
    let Model { name, core, .. } = model;
    let arms = model.sources.iter().map(|source| match source.nested() {
        Some(nested) => {
            let own = &nested.tokens.variable;
            let pattern = source.pattern(|field| {
                if field.variable == *own {
                    quote! { #own }
                } else {
                    quote! { _ }
                }
            });
            let ty = &nested.tokens.ty;
            quote! { Self::#pattern => <#ty as #core::__private::Space>::source_kind(#own), }
        }
        None => {
            let pattern = source.pattern_of_any();
            let kind = kind(core, source);
            quote! { Self::#pattern => #kind, }
        }
    });
    quote! {
        #[automatically_derived]
        impl #core::Token for #name {
            const TABLE: &'static [#core::TokenRow] = Self::TABLE;

            #[inline]
            fn bits(self) -> u64 {
                #core::TokenField::pack(self)
            }

            #[inline]
            fn kind(self) -> #core::SourceKind {
                match self {
                    #(#arms)*
                }
            }
        }
    }
}

fn kind(core: &TokenStream, source: &Source) -> TokenStream {
    match &source.kind {
        Kind::Io { events, trigger, .. } => {
            let interests = events.iter().filter_map(|(event, _)| match event {
                Event::Readable => Some(quote! { READABLE }),
                Event::Writable => Some(quote! { WRITABLE }),
                Event::Priority => Some(quote! { PRIORITY }),
                Event::Closed => None,
            });
            let mut interest = TokenStream::new();
            for (index, one) in interests.enumerate() {
                let one = quote! { #core::Interest::#one };
                interest = if index == 0 {
                    one
                } else {
                    quote! { #interest.union(#one) }
                };
            }
            let trigger = match trigger {
                Trigger::Edge => quote! { Edge },
                Trigger::Level => quote! { Level },
                Trigger::OneShot => quote! { OneShot },
            };
            quote! { #core::SourceKind::Io(#interest, #core::Trigger::#trigger) }
        }
        Kind::Timer { .. } => quote! { #core::SourceKind::Timer },
        Kind::Signals { signals, .. } => quote! {
            #core::SourceKind::Signals(#core::SignalSet::EMPTY #(.with(#core::Signal::#signals))*)
        },
        Kind::Child { .. } => quote! { #core::SourceKind::Child },
        Kind::Nested(_) | Kind::Unknown => quote! { #core::SourceKind::Any },
    }
}

fn token_field(model: &Model) -> TokenStream {
    let Model { name, core, .. } = model;
    let tag_bits = number(model.tag_bits());
    let widths = model.sources.iter().map(|source| sum(source.widths(core)));
    let packed = model.sources.iter().enumerate().map(|(tag, source)| {
        let pattern = source.pattern(|field| field.variable.to_token_stream());
        let value = pack(model, tag, source);
        quote! { Self::#pattern => #value, }
    });
    quote! {
        #[automatically_derived]
        impl #core::TokenField for #name {
            const BITS: u32 = #tag_bits + #core::__private::greatest(&[#(#widths),*]);

            #[inline]
            fn pack(self) -> u64 {
                match self {
                    #(#packed)*
                }
            }

            #[inline]
            fn unpack(bits: u64) -> ::core::option::Option<Self> {
                Self::unpack(bits)
            }
        }
    }
}

/// The bits of a source, of whose fields there are variables.
fn pack(model: &Model, tag: usize, source: &Source) -> TokenStream {
    let core = &model.core;
    let shift = model.tag_bits();
    let mut fields = None;
    for Field { variable, ty, .. } in source.fields.iter().rev() {
        fields = Some(match fields {
            None => quote! { <#ty as #core::TokenField>::pack(#variable) },
            Some(rest) => quote! { <#ty as #core::TokenField>::join(#variable, #rest) },
        });
    }
    let fields = fields.map(|fields| above(fields, shift));
    let nested = source.nested().map(|nested| {
        let own = &nested.tokens.variable;
        let shift = component_shift(model, source);
        let ty = &nested.tokens.ty;
        quote! { <#ty as #core::__private::Space>::raise(#own, #shift) }
    });
    let tag = (tag > 0 || fields.is_none() && nested.is_none()).then(|| number(tag as u64));
    let parts = nested.into_iter().chain(fields).chain(tag.map(ToTokens::into_token_stream));
    quote! { #(#parts)|* }
}

/// The source of which `payload` is above the tag, if it is one.
fn unpack(core: &TokenStream, source: &Source) -> TokenStream {
    let value = source.pattern(|field| field.variable.to_token_stream());
    let rest = quote! { payload };
    let last = match (source.nested(), source.fields.last()) {
        (Some(nested), _) => {
            let Field { variable, ty, .. } = &nested.tokens;
            quote! { <#ty as #core::__private::Space>::from_bits(#rest).map(|#variable| Self::#value) }
        }
        (None, Some(Field { variable, ty, .. })) => {
            quote! { <#ty as #core::TokenField>::unpack(#rest).map(|#variable| Self::#value) }
        }
        (None, None) => {
            return quote! { <() as #core::TokenField>::unpack(#rest).map(|()| Self::#value) };
        }
    };
    let before = match (source.nested(), &source.fields[..]) {
        (Some(_), fields) => fields,
        (None, [before @ .., _]) => before,
        (None, []) => &[],
    };
    if before.is_empty() {
        return last;
    }
    let splits = before.iter().map(|Field { variable, ty, .. }| {
        quote! { let (#variable, payload) = <#ty as #core::TokenField>::split(payload)?; }
    });
    quote! { { #(#splits)* #last } }
}

fn items(model: &Model) -> TokenStream {
    let Model { name, core, visibility, .. } = model;
    let rows = model.sources.iter().enumerate().map(|(tag, source)| row(model, tag, source));
    let scopes = model.sources.iter().enumerate();
    let scopes = scopes.filter_map(|(tag, source)| scope(model, tag, source));
    let arms = model.sources.iter().map(|source| unpack(core, source));
    let nothing = quote! { ::core::option::Option::None };
    let unpacked = match_tag(model, &quote! { token }, arms, &nothing);
    let payload = shifted(quote! { token }, model.tag_bits());
    quote! {
        #[automatically_derived]
        #[allow(dead_code)]
        impl #name {
            /// The sources in the order of their tags: what their tokens look like.
            #visibility const TABLE: &'static [#core::TokenRow] = &[#(#rows),*];

            /// The source that `token` names, if it names one.
            #[inline]
            #[must_use]
            #visibility fn unpack(token: u64) -> ::core::option::Option<Self> {
                let payload = #payload;
                #unpacked
            }

            #(#scopes)*
        }
    }
}

fn row(model: &Model, tag: usize, source: &Source) -> TokenStream {
    let core = &model.core;
    let name = unraw(&source.name);
    let (tag, tag_bits) = (number(tag as u64), number(model.tag_bits()));
    let columns = (0..source.fields.len()).map(|index| {
        let ty = &source.fields[index].ty;
        let (name, type_name) = (source.field_name(index), spelled(ty));
        let below = source.fields[..index].iter().map(|field| width(core, field));
        let shift = sum([tag_bits.to_token_stream()].into_iter().chain(below));
        let bits = width(core, &source.fields[index]);
        quote! {
            #core::TokenColumn { name: #name, type_name: #type_name, shift: #shift, bits: #bits }
        }
    });
    let kind = kind(core, source);
    let nested = match source.nested() {
        Some(Nested { tokens: Field { ty, .. }, .. }) => {
            quote! { ::core::option::Option::Some(<#ty as #core::__private::Space>::TABLE) }
        }
        None => quote! { ::core::option::Option::None },
    };
    quote! {
        #core::TokenRow {
            name: #name,
            tag: #tag,
            tag_bits: #tag_bits,
            columns: &[#(#columns),*],
            kind: #kind,
            nested: #nested,
        }
    }
}

/// The scope of a nested component: a constant or, if it has a key, a function.
fn scope(model: &Model, tag: usize, source: &Source) -> Option<TokenStream> {
    let Model { core, visibility, name, .. } = model;
    let Nested { scope, tokens: Field { ty: own, .. }, .. } = source.nested()?;
    let shift = component_shift(model, source);
    let tag = number(tag as u64);
    let docs = format!(" The place of the tokens of [`{name}::{}`].", source.name);
    let item = match &source.fields[..] {
        [key, ..] => {
            let Field { variable, ty, .. } = key;
            let packed = quote! { <#ty as #core::TokenField>::pack(#variable) };
            let packed = above(packed, model.tag_bits());
            quote! {
                #[doc = #docs]
                #[inline]
                #[must_use]
                #visibility fn #scope(#variable: #ty) -> #core::Scope<Self, #own> {
                    #core::__private::scope(#shift, #packed | #tag)
                }
            }
        }
        [] => quote! {
            #[doc = #docs]
            #visibility const #scope: #core::Scope<Self, #own> = #core::Scope::new(#shift, #tag);
        },
    };
    Some(item)
}

/// How many bits of its parent's tokens are below a component's own.
fn component_shift(model: &Model, source: &Source) -> TokenStream {
    let widths = source.fields.iter().map(|field| width(&model.core, field));
    sum([number(model.tag_bits()).into_token_stream()].into_iter().chain(widths))
}

/// That no source has too many bits.
fn checks(model: &Model) -> TokenStream {
    let Model { name, core, .. } = model;
    let tag_bits = number(model.tag_bits());
    let checks = model.sources.iter().filter_map(|source| {
        let nested = source.nested().map(|nested| &nested.tokens);
        let fields: Vec<&Field> = source.fields.iter().chain(nested).collect();
        if fields.is_empty() {
            return None;
        }
        let path = format!("{}::{}", unraw(name), unraw(&source.name));
        let types = fields.iter().map(|field| spelled(&field.ty));
        let widths = source.widths(core);
        Some(quote_spanned! { source.span() =>
            const _: () = {
                const SUM: #core::__private::Sum =
                    #core::__private::Sum::new(#path, #tag_bits, &[#((#types, #widths)),*]);
                ::core::assert!(SUM.fits(), "{}", SUM.as_str());
            };
        })
    });
    quote! { #(#checks)* }
}

impl Source {
    /// `Client(client)`: the variant with `field` for each of its fields, as a pattern or as a value.
    pub(crate) fn pattern(&self, mut field: impl FnMut(&Field) -> TokenStream) -> TokenStream {
        let name = &self.name;
        let nested = self.nested().map(|nested| &nested.tokens);
        let fields = self.fields.iter().chain(nested);
        match self.shape {
            Shape::Unit => quote! { #name },
            Shape::Tuple => {
                let fields = fields.map(&mut field);
                quote! { #name(#(#fields),*) }
            }
            Shape::Struct => {
                let fields = fields.map(|one| {
                    let (name, value) = (&one.name, field(one));
                    if one.name.as_ref().is_some_and(|name| *name == value.to_string()) {
                        quote! { #name }
                    } else {
                        quote! { #name: #value }
                    }
                });
                quote! { #name { #(#fields),* } }
            }
        }
    }

    fn pattern_of_any(&self) -> TokenStream {
        let name = &self.name;
        match self.shape {
            Shape::Unit => quote! { #name },
            Shape::Tuple => quote! { #name(..) },
            Shape::Struct => quote! { #name { .. } },
        }
    }

    /// The numbers of bits above the tag.
    fn widths(&self, core: &TokenStream) -> Vec<TokenStream> {
        let nested = self.nested().map(|Nested { tokens: Field { ty, .. }, .. }| {
            quote! { <#ty as #core::__private::Space>::BITS }
        });
        self.fields.iter().map(|field| width(core, field)).chain(nested).collect()
    }
}

fn width(core: &TokenStream, field: &Field) -> TokenStream {
    let ty = &field.ty;
    quote! { <#ty as #core::TokenField>::BITS }
}

/// A `match` on the tag of `token`, with an arm for each of the sources in their order; without one if
/// there is only one source.
pub(crate) fn match_tag(
    model: &Model,
    token: &TokenStream,
    arms: impl Iterator<Item = TokenStream>,
    otherwise: &TokenStream,
) -> TokenStream {
    let mut arms: Vec<(u64, TokenStream)> = (0..).zip(arms).collect();
    arms.retain(|(_, arm)| !arm.is_empty());
    let bits = model.tag_bits();
    if bits == 0 {
        return arms.pop().map(|(_, arm)| arm).unwrap_or_default();
    }
    let mask = number((1_u64 << bits) - 1);
    let arms = arms.iter().map(|(tag, arm)| {
        let tag = number(*tag);
        quote! { #tag => #arm }
    });
    quote! {
        match #token & #mask {
            #(#arms,)*
            _ => #otherwise,
        }
    }
}

/// `token >> 3`
pub(crate) fn shifted(token: TokenStream, bits: u32) -> TokenStream {
    let number = number(bits);
    if bits == 0 {
        token
    } else {
        quote! { #token >> #number }
    }
}

fn above(value: TokenStream, bits: u32) -> TokenStream {
    let number = number(bits);
    if bits == 0 {
        value
    } else {
        quote! { #value << #number }
    }
}

fn sum(parts: impl IntoIterator<Item = TokenStream>) -> TokenStream {
    let parts: Vec<TokenStream> = parts.into_iter().collect();
    if parts.is_empty() {
        quote! { 0 }
    } else {
        quote! { #(#parts)+* }
    }
}

/// A literal without a type.
pub(crate) fn number(value: impl Into<u64>) -> Literal {
    Literal::u64_unsuffixed(value.into())
}

/// The type as it would be typed.
fn spelled(ty: &TokenStream) -> String {
    let spaced = ty.to_string();
    let mut spelled = String::new();
    let letters: Vec<char> = spaced.chars().collect();
    for (i, &letter) in letters.iter().enumerate() {
        let word = |letter: Option<&char>| letter.is_some_and(|c| c.is_alphanumeric() || *c == '_');
        let between = letter == ' ' && i > 0;
        let kept = !between
            || letters[i - 1] == ','
            || word(letters.get(i - 1)) && word(letters.get(i + 1));
        if kept {
            spelled.push(letter);
        }
    }
    spelled
}
