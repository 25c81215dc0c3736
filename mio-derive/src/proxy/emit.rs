//! The code of the skeleton, made the user's.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};

use super::{Model, attr::Options};
use crate::{diag::Mistakes, method::snake_case, model::unraw};

/// What is written: the skeleton's server, and the modules below it.
const TEMPLATE: &str = include_str!("../../skeleton/src/server.rs");
const MODULES: &[(&str, &str)] = &[("pair", include_str!("../../skeleton/src/server/pair.rs"))];

/// What the struct is called there.
const STRUCT: &str = "Gateway";

/// The server, in a module of its own, and the names that are used outside of it.
pub(super) fn server(model: &Model) -> TokenStream {
    let Model { visibility, name, options } = model;
    let core = core(options);
    let module = format_ident!("{}_server", snake_case(name), span = Span::call_site());
    let [server, sources] = names(model);
    let docs = format!(" The server of [`{name}`](super::{name}).");
    let code = code(model);
    let up = options.inspect_up.as_ref().map(|_| quote! { impl #core::proxy::SeesUp for #name {} });
    let down =
        options.inspect_down.as_ref().map(|_| quote! { impl #core::proxy::SeesDown for #name {} });
    quote! {
        #[doc = #docs]
        #[allow(dead_code, missing_debug_implementations, unused_imports)]
        #[allow(clippy::all)]
        mod #module {
            #code
        }
        #[allow(unused_imports)]
        #visibility use self::#module::{On as #sources, Server as #server};
        #up
        #down
    }
}

/// The skeleton's code with the user's name, constants and hooks.
pub(super) fn code(model: &Model) -> TokenStream {
    module(TEMPLATE, model)
}

fn module(template: &str, model: &Model) -> TokenStream {
    let code = template.replace(STRUCT, &unraw(&model.name));
    let code = written(code.parse().unwrap_or_default(), model);
    let names = names_in_scope(&model.options);
    quote! { #code #names }
}

/// What every module of a program knows without saying so, unless it is `#![no_implicit_prelude]`; and the library,
/// whatever it is called here.
pub(super) fn names_in_scope(options: &Options) -> TokenStream {
    let core = core(options);
    quote! {
        use ::std;
        use ::std::prelude::rust_2021::*;
        use #core as mio_core;
    }
}

/// Whether the skeleton has something else of this name.
pub(super) fn is_taken(name: &Ident) -> bool {
    fn names(tokens: TokenStream, name: &Ident) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Group(group) => names(group.stream(), name),
            TokenTree::Ident(word) => word == *name,
            _ => false,
        })
    }
    let modules = MODULES.iter().map(|&(_, code)| code);
    let mut all = modules.chain([TEMPLATE]).map(|code| code.parse().unwrap_or_default());
    *name != STRUCT && all.any(|tokens| names(tokens, name))
}

/// After a mistake: the names, so that only the mistake is reported.
pub(super) fn stub(model: &Model, mistakes: &Mistakes) -> TokenStream {
    let report = mistakes.report();
    let visibility = &model.visibility;
    let [server, sources] = names(model);
    quote! {
        #report
        #[allow(dead_code)]
        #visibility struct #server;
        #[allow(dead_code)]
        #visibility struct #sources;
    }
}

fn core(options: &Options) -> TokenStream {
    match &options.core {
        Some(path) => path.to_token_stream(),
        None => quote! { ::mio_core },
    }
}

/// Of the server and of its enum of sources.
fn names(model: &Model) -> [Ident; 2] {
    let Model { name, options, .. } = model;
    let named = |chosen: &Option<Ident>, ending: &str| match chosen {
        Some(chosen) => chosen.clone(),
        None => Ident::new(&format!("{}{ending}", unraw(name)), name.span()),
    };
    [named(&options.server, "Server"), named(&options.sources, "On")]
}

fn written(tokens: TokenStream, model: &Model) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut written = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => written.extend([TokenTree::from(inside(&group, model))]),
            TokenTree::Ident(word) if word == "const" || word == "type" => {
                written.extend([TokenTree::from(word)]);
                let Some(TokenTree::Ident(item)) = tokens.next() else { continue };
                let instead = instead(&item, model);
                written.extend([TokenTree::from(item)]);
                let Some(instead) = instead else { continue };
                // Up to its value, that instead of it, and what comes after.
                for token in tokens.by_ref() {
                    let ends = is(&token, '=');
                    written.extend([token]);
                    if ends {
                        break;
                    }
                }
                written.extend(instead);
                written.extend(tokens.by_ref().find(|token| is(token, ';')));
            }
            TokenTree::Ident(word) if word == "mod" => {
                let name = tokens.next().map(|name| name.to_string()).unwrap_or_default();
                // What is in the module, instead of where it is.
                tokens.next();
                let below = MODULES.iter().find(|(module, _)| *module == name);
                let code = below.map(|(_, template)| module(template, model));
                let name = Ident::new(&name, Span::call_site());
                written.extend(quote! { #word #name { #code } });
            }
            // Where it is declared, so that what it lacks is reported there.
            TokenTree::Ident(word) if word == model.name => {
                let span = model.name.span().resolved_at(Span::call_site());
                written.extend([TokenTree::from(Ident::new(&word.to_string(), span))]);
            }
            other => written.extend([other]),
        }
    }
    written
}

fn inside(group: &Group, model: &Model) -> Group {
    let mut stream = written(group.stream(), model);
    let options = &model.options;
    let begins = stream.clone().into_iter().next().map(|token| token.to_string());
    if let (Some(path), Some("state")) = (&options.core, begins.as_deref()) {
        if group.delimiter() == Delimiter::Parenthesis {
            // The options of the handler.
            stream.extend(quote! { , crate = #path });
        }
    }
    let mut inside = Group::new(group.delimiter(), stream);
    inside.set_span(group.span());
    inside
}

/// What a constant, or the name of a type, stands for in the user's server.
fn instead(item: &Ident, model: &Model) -> Option<TokenStream> {
    let Model { name, options, .. } = model;
    let item = item.to_string();
    match item.as_str() {
        "Up" => options.inspect_up.as_ref().map(|_| quote! { mio_core::proxy::SeenUp<'a, #name> }),
        "Down" => {
            options.inspect_down.as_ref().map(|_| quote! { mio_core::proxy::SeenDown<'a, #name> })
        }
        _ => {
            let set = options.constants.iter().find(|(constant, _)| *constant == item);
            set.map(|(_, value)| value.clone())
        }
    }
}

fn is(token: &TokenTree, letter: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == letter)
}
