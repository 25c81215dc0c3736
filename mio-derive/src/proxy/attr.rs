//! What `#[proxy(…)]` says.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Ident, Lit, Meta, Path, Token, ext::IdentExt, parse::ParseStream};

use super::value;
use crate::{
    attr::{separated, set, skip, value as assigned, word},
    diag::{Mistakes, nearest, suggestion},
};

/// `#[proxy(…)]`, all of them together.
#[derive(Default)]
pub(super) struct Options {
    /// Of the skeleton: what they are instead.
    pub(super) constants: Vec<(&'static str, TokenStream)>,
    pub(super) core: Option<Path>,
    pub(super) server: Option<Ident>,
    pub(super) sources: Option<Ident>,
    pub(super) inspect_up: Option<Ident>,
    pub(super) inspect_down: Option<Ident>,
}

/// What kind of value an option has.
#[derive(Clone, Copy)]
pub(super) enum Value {
    /// Of which zero would close everything at once.
    Timeout,
    Duration,
    Count,
    Bytes,
    Flag,
    /// A variant of this enum of `mio_core::proxy`: as it is spelled here, and there.
    Variant(&'static str, &'static [(&'static str, &'static str)]),
}

const PROTOCOLS: &[(&str, &str)] = &[("off", "Off"), ("v1", "V1"), ("v2", "V2")];
const SHARING: &[(&str, &str)] = &[("reuse_port", "ReusePort"), ("exclusive", "Exclusive")];

/// The options that set a constant of the skeleton, and which.
pub(super) const CONSTANTS: &[(&str, &str, Value)] = &[
    ("connect_timeout", "CONNECT_TIMEOUT", Value::Timeout),
    ("retries", "RETRIES", Value::Count),
    ("idle_timeout", "IDLE_TIMEOUT", Value::Timeout),
    ("drain_timeout", "DRAIN_TIMEOUT", Value::Duration),
    ("accept_retry", "ACCEPT_RETRY", Value::Timeout),
    ("tick", "TICK", Value::Duration),
    ("spin", "SPIN", Value::Duration),
    ("capacity", "CAPACITY", Value::Count),
    ("buffers", "BUFFERS", Value::Count),
    ("pipes", "PIPES", Value::Count),
    ("buffer", "BUFFER_BYTES", Value::Bytes),
    ("burst", "BURST_BYTES", Value::Bytes),
    ("nodelay", "NODELAY", Value::Flag),
    ("proxy_protocol", "PROXY_PROTOCOL", Value::Variant("ProxyProtocol", PROTOCOLS)),
    ("sharing", "SHARING", Value::Variant("Sharing", SHARING)),
];

/// The other options.
const OTHERS: &[&str] = &["inspect", "server", "sources", "crate"];

pub(super) fn options(attributes: &[Attribute], mistakes: &mut Mistakes) -> Options {
    let mut options = Options::default();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("proxy")) {
        match &attribute.meta {
            Meta::List(list) => {
                let parser = |input: ParseStream<'_>| options.parse(input, mistakes);
                // All errors were reported on the way.
                let _ = list.parse_args_with(parser);
            }
            other => mistakes.on(other, "write `#[proxy(idle_timeout = \"60s\")]`"),
        }
    }
    options
}

impl Options {
    /// For each way that is seen, what the user implements for it, and what says that it was declared.
    pub(super) fn inspects(&self) -> impl Iterator<Item = (Ident, Ident)> + use<> {
        let named = |way: &Option<Ident>, names: [&str; 2]| {
            let [inspects, sees] = names.map(|name| Ident::new(name, Span::call_site()));
            way.as_ref().map(|_| (inspects, sees))
        };
        let up = named(&self.inspect_up, ["InspectUp", "SeesUp"]);
        up.into_iter().chain(named(&self.inspect_down, ["InspectDown", "SeesDown"]))
    }

    fn parse(&mut self, input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<bool> {
        separated(input, mistakes, |input, mistakes| {
            let name = word(input)?;
            let said = name.to_string();
            let names = CONSTANTS.iter().map(|&(name, ..)| name).chain(OTHERS.iter().copied());
            let names: Vec<&str> = names.collect();
            if !names.contains(&said.as_str()) {
                let help = suggestion(&said, &names);
                mistakes.at(name.span(), format!("unknown option `{said}`: {help}"));
            }
            match nearest(&said, &names).unwrap_or_default() {
                "inspect" => self.inspect(input, &name, mistakes)?,
                "server" => set(&mut self.server, &name, identifier(input, &name)?, mistakes),
                "sources" => set(&mut self.sources, &name, identifier(input, &name)?, mistakes),
                "crate" => {
                    let path = assigned(input, &name, Path::parse_mod_style)?;
                    set(&mut self.core, &name, path, mistakes);
                }
                known => match CONSTANTS.iter().find(|(option, ..)| *option == known) {
                    Some(&(_, constant, kind)) => {
                        let value = assigned(input, &name, |input| kind.parse(input))?;
                        self.set_constant(&name, constant, value, mistakes);
                    }
                    None => skip(input)?,
                },
            }
            Ok(())
        })
    }

    fn set_constant(
        &mut self,
        name: &Ident,
        constant: &'static str,
        value: TokenStream,
        mistakes: &mut Mistakes,
    ) {
        if self.constants.iter().any(|(other, _)| *other == constant) {
            mistakes.at(name.span(), format!("`{name}` is given twice"));
        } else {
            self.constants.push((constant, value));
        }
    }

    /// `inspect(up, down)`
    fn inspect(
        &mut self,
        input: ParseStream<'_>,
        name: &Ident,
        mistakes: &mut Mistakes,
    ) -> syn::Result<()> {
        const WAYS: &[&str] = &["up", "down"];
        if !input.peek(syn::token::Paren) {
            let message = "write `inspect(up)`, `inspect(down)` or `inspect(up, down)`";
            return Err(syn::Error::new(name.span(), message));
        }
        let content;
        syn::parenthesized!(content in input);
        if content.is_empty() {
            mistakes.at(name.span(), "which way? Write `inspect(up)` or `inspect(down)`");
        }
        separated(&content, mistakes, |input, mistakes| {
            let way = word(input)?;
            match way.to_string().as_str() {
                "up" => set(&mut self.inspect_up, &way, way.clone(), mistakes),
                "down" => set(&mut self.inspect_down, &way, way.clone(), mistakes),
                other => {
                    let help = suggestion(other, WAYS);
                    mistakes.at(way.span(), format!("unknown way `{other}`: {help}"));
                }
            }
            Ok(())
        })?;
        Ok(())
    }
}

fn identifier(input: ParseStream<'_>, name: &Ident) -> syn::Result<Ident> {
    assigned(input, name, |input| {
        if input.peek(Ident) {
            input.parse()
        } else {
            Err(input.error(format!("write a name, without quotes: `{name} = MyServer`")))
        }
    })
}

impl Value {
    /// The expression for the constant.
    fn parse(self, input: ParseStream<'_>) -> syn::Result<TokenStream> {
        if let Value::Variant(of, variants) = self {
            return variant(input, of, variants);
        }
        let negative = input.peek(Token![-]);
        if negative || !input.peek(Lit) {
            return Err(input.error(self.help()));
        }
        let literal: Lit = input.parse()?;
        let mistake = |message: &str| syn::Error::new_spanned(&literal, message);
        match (self, &literal) {
            (Value::Timeout | Value::Duration, Lit::Str(text)) => {
                let nanoseconds = value::nanoseconds(&text.value());
                let nanoseconds = nanoseconds.ok_or_else(|| mistake(self.help()))?;
                if nanoseconds == 0 && matches!(self, Value::Timeout) {
                    return Err(mistake("no time at all: give it some, as `\"5s\"`"));
                }
                Ok(quote! { Duration::from_nanos(#nanoseconds) })
            }
            (Value::Count, Lit::Int(number)) => {
                let number: u32 = number.base10_parse()?;
                if number > value::COUNT_MAX {
                    let most = value::COUNT_MAX;
                    return Err(mistake(&format!("at most {most}")));
                }
                let number = proc_macro2::Literal::u32_unsuffixed(number);
                Ok(number.to_token_stream())
            }
            (Value::Bytes, Lit::Int(_) | Lit::Str(_)) => {
                let bytes = match &literal {
                    Lit::Int(number) => number.base10_parse().ok(),
                    Lit::Str(text) => value::bytes(&text.value()),
                    _ => None,
                };
                let bytes: u64 = bytes.ok_or_else(|| mistake(self.help()))?;
                if bytes == 0 || bytes > value::BYTES_MAX {
                    return Err(mistake("from 1 byte to 1 GiB"));
                }
                Ok(proc_macro2::Literal::u64_unsuffixed(bytes).to_token_stream())
            }
            (Value::Flag, Lit::Bool(flag)) => Ok(flag.to_token_stream()),
            _ => Err(mistake(self.help())),
        }
    }

    fn help(self) -> &'static str {
        match self {
            Value::Timeout | Value::Duration => {
                "write a number and its unit: `\"5s\"`, `\"250ms\"`, `\"10us\"`, `\"2m\"` or `\"1h\"`"
            }
            Value::Count => "write a number: `4096`",
            Value::Bytes => {
                "write a number of bytes, or one with its unit: `\"64KiB\"`, `\"1MiB\"`"
            }
            Value::Flag => "write `true` or `false`",
            Value::Variant(..) => "write one of the words, without quotes",
        }
    }
}

/// `v1`: a word for a variant.
fn variant(
    input: ParseStream<'_>,
    of: &str,
    variants: &[(&'static str, &'static str)],
) -> syn::Result<TokenStream> {
    let words: Vec<&str> = variants.iter().map(|&(word, _)| word).collect();
    if !input.peek(Ident::peek_any) {
        let listed = crate::diag::listed(&words);
        return Err(input.error(format!("write one word, without quotes: there is {listed}")));
    }
    let said = Ident::parse_any(input)?;
    let found = variants.iter().find(|(word, _)| said == word);
    let Some((_, name)) = found else {
        let help = suggestion(&said.to_string(), &words);
        return Err(syn::Error::new(said.span(), format!("unknown word `{said}`: {help}")));
    };
    let [of, name] = [of, name].map(|name| Ident::new(name, Span::call_site()));
    Ok(quote! { #of::#name })
}
