//! What the attributes say, before anybody asks whether it makes sense.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, Fields, Generics, Ident, LitStr, Meta, Path, Token, Type,
    ext::IdentExt,
    parse::{Parse, ParseStream},
};

use crate::diag::{Mistakes, nearest, suggestion};

/// `#[handler(…)]`, all of them together.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) state: Option<Type>,
    pub(crate) message: Option<Type>,
    pub(crate) trait_name: Option<Ident>,
    pub(crate) core: Option<Path>,
    pub(crate) generics: Option<Generics>,
    /// Something could not be read, and was reported.
    pub(crate) malformed: bool,
}

/// An attribute of a variant.
pub(crate) struct SourceAttribute {
    /// The name, to point at.
    pub(crate) path: TokenStream,
    pub(crate) kind: &'static str,
    pub(crate) words: Vec<Word>,
    /// Of `#[nested(…)]`: the field of the state.
    pub(crate) place: Option<TokenStream>,
    /// Something could not be read, and was reported.
    pub(crate) malformed: bool,
}

/// `readable` or `readable = accept`.
pub(crate) struct Word {
    pub(crate) name: Ident,
    pub(crate) value: Option<Ident>,
}

pub(crate) const KINDS: &[&str] = &["io", "timer", "signal", "child", "nested"];

/// Reads the options of the derive from the attributes of the enum.
pub(crate) fn options(attributes: &[Attribute], mistakes: &mut Mistakes) -> Options {
    let mut options = Options::default();
    for attribute in attributes {
        if attribute.path().is_ident("handler") {
            match &attribute.meta {
                Meta::List(list) => {
                    let parser = |input: ParseStream<'_>| options.parse(input, mistakes);
                    // All errors were reported on the way.
                    let well = list.parse_args_with(parser).unwrap_or_default();
                    options.malformed |= !well;
                }
                other => {
                    mistakes.on(other, "write `#[handler(state = Server)]`");
                    options.malformed = true;
                }
            }
        } else if let Some(kind) = kind_of(attribute.path()) {
            mistakes.on(
                attribute.path(),
                format!("`#[{kind}]` says what a variant is: write it above one"),
            );
        }
    }
    options
}

impl Options {
    const NAMES: &'static [&'static str] = &["state", "message", "trait", "generics", "crate"];

    /// Answers whether all could be read.
    fn parse(&mut self, input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<bool> {
        separated(input, mistakes, |input, mistakes| {
            let name = word(input)?;
            let said = name.to_string();
            let meant = nearest(&said, Options::NAMES).unwrap_or_default();
            if said != meant {
                let help = suggestion(&said, Options::NAMES);
                mistakes.at(name.span(), format!("unknown option `{said}`: {help}"));
            }
            match meant {
                "state" => {
                    set(&mut self.state, &name, unquoted(input, &name, Type::parse)?, mistakes);
                }
                "message" => {
                    set(&mut self.message, &name, unquoted(input, &name, Type::parse)?, mistakes);
                }
                "trait" => {
                    set(
                        &mut self.trait_name,
                        &name,
                        unquoted(input, &name, Ident::parse)?,
                        mistakes,
                    );
                }
                "crate" => {
                    let path = unquoted(input, &name, Path::parse_mod_style)?;
                    set(&mut self.core, &name, path, mistakes);
                }
                "generics" => {
                    if !input.peek(syn::token::Paren) {
                        let message = "write `generics(<'a, T: Bound> where …)`";
                        return Err(syn::Error::new(name.span(), message));
                    }
                    let content;
                    syn::parenthesized!(content in input);
                    let mut generics: Generics = content.parse()?;
                    generics.where_clause = content.parse()?;
                    set(&mut self.generics, &name, generics, mistakes);
                }
                _ => skip(input)?,
            }
            Ok(())
        })
    }
}

/// Reads the attributes of a variant that say what kind of source it is.
pub(crate) fn source(attributes: &[Attribute], mistakes: &mut Mistakes) -> Vec<SourceAttribute> {
    let mut found = Vec::new();
    for attribute in attributes {
        let path = attribute.path();
        if path.is_ident("handler") {
            mistakes.on(path, "`#[handler(…)]` belongs above the enum");
        }
        let Some(kind) = kind_of(path) else { continue };
        let mut source = SourceAttribute {
            path: path.to_token_stream(),
            kind,
            words: Vec::new(),
            place: None,
            malformed: false,
        };
        match &attribute.meta {
            Meta::Path(_) => {}
            Meta::List(list) => {
                let parser = |input: ParseStream<'_>| source.parse(input, mistakes);
                // All errors were reported on the way.
                let well = list.parse_args_with(parser).unwrap_or_default();
                source.malformed = !well;
            }
            Meta::NameValue(pair) => {
                mistakes.on(&pair.value, format!("write `#[{kind}(…)]`, without `=`"));
                source.malformed = true;
            }
        }
        found.push(source);
    }
    found
}

/// The attributes that belong above variants, found above their fields.
pub(crate) fn fields(fields: &Fields, mistakes: &mut Mistakes) {
    for attribute in fields.iter().flat_map(|field| &field.attrs) {
        let path = attribute.path();
        if let Some(kind) = kind_of(path) {
            mistakes.on(path, format!("`#[{kind}]` says what a variant is: write it above one"));
        } else if path.is_ident("handler") {
            mistakes.on(path, "`#[handler(…)]` belongs above the enum");
        }
    }
}

impl SourceAttribute {
    /// Answers whether all could be read.
    fn parse(&mut self, input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<bool> {
        separated(input, mistakes, |input, _| {
            let named = input.peek2(Token![=]);
            if self.kind == "nested" && self.place.is_none() && !named {
                self.place = Some(place(input)?);
                return Ok(());
            }
            let name = word(input)?;
            let example = if self.kind == "io" { "readable" } else { "method" };
            let value = if input.peek(Token![=]) {
                Some(value(input, &name, |input| method(input, example))?)
            } else {
                None
            };
            self.words.push(Word { name, value });
            Ok(())
        })
    }
}

/// `conns`, `0`, `self.conns` or `pool.conns`: without the `self.`
fn place(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    if input.peek(Token![self]) && input.peek2(Token![.]) {
        input.parse::<Token![self]>()?;
        input.parse::<Token![.]>()?;
    }
    let mut place = TokenStream::new();
    loop {
        // `0.1` is one literal.
        let literal = input.peek(syn::LitInt) || input.peek(syn::LitFloat);
        if literal {
            place.extend([input.parse::<TokenTree>()?]);
        } else if input.peek(Ident::peek_any) && !input.peek(Token![self]) {
            Ident::parse_any(input)?.to_tokens(&mut place);
        } else {
            let message =
                "write the field of the state that holds the component: `#[nested(admin)]`";
            return Err(input.error(message));
        }
        if !input.peek(Token![.]) {
            return Ok(place);
        }
        input.parse::<Token![.]>()?.to_tokens(&mut place);
    }
}

/// Reads items until the end, with commas between them. After a mistake it goes on behind the next
/// comma. Answers whether there was none.
pub(crate) fn separated(
    input: ParseStream<'_>,
    mistakes: &mut Mistakes,
    mut item: impl FnMut(ParseStream<'_>, &mut Mistakes) -> syn::Result<()>,
) -> syn::Result<bool> {
    let mut well = true;
    while !input.is_empty() {
        let result = match item(input, mistakes) {
            Ok(()) if !input.is_empty() && !input.peek(Token![,]) => {
                Err(input.error("expected a comma"))
            }
            result => result,
        };
        if let Err(error) = result {
            mistakes.add(error);
            well = false;
        }
        skip(input)?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(well)
}

pub(crate) fn word(input: ParseStream<'_>) -> syn::Result<Ident> {
    if input.peek(Ident::peek_any) {
        Ident::parse_any(input)
    } else {
        Err(input.error("expected a word, without quotes"))
    }
}

/// What a method shall be called.
fn method(input: ParseStream<'_>, example: &str) -> syn::Result<Ident> {
    if input.peek(Ident) {
        input.parse()
    } else {
        let help = format!("write the name of a method, without quotes: `{example} = accept`");
        Err(input.error(help))
    }
}

/// What follows `name =`, which other derives want in quotes.
fn unquoted<T>(
    input: ParseStream<'_>,
    name: &Ident,
    parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    value(input, name, |input| match input.fork().parse::<LitStr>() {
        Ok(text) => {
            let message = format!("write `{name} = {}`, without quotes", text.value());
            Err(syn::Error::new(text.span(), message))
        }
        Err(_) => parse(input),
    })
}

/// What follows `name =`.
pub(crate) fn value<T>(
    input: ParseStream<'_>,
    name: &Ident,
    parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(name.span(), format!("write `{name} = …`")));
    }
    input.parse::<Token![=]>()?;
    parse(input)
}

pub(crate) fn set<T>(option: &mut Option<T>, name: &Ident, value: T, mistakes: &mut Mistakes) {
    if option.is_some() {
        mistakes.at(name.span(), format!("`{name}` is given twice"));
    } else {
        *option = Some(value);
    }
}

/// Passes over what is left of an item, up to the next comma.
pub(crate) fn skip(input: ParseStream<'_>) -> syn::Result<()> {
    let mut depth = 0_usize;
    while !input.is_empty() && (depth > 0 || !input.peek(Token![,])) {
        if let TokenTree::Punct(punct) = input.parse()? {
            match punct.as_char() {
                '<' => depth += 1,
                '>' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }
    Ok(())
}

fn kind_of(path: &Path) -> Option<&'static str> {
    KINDS.iter().copied().find(|kind| path.is_ident(kind))
}
