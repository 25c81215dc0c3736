//! The code of the skeleton, made the user's.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::GenericParam;

use super::{Model, attr::Options};
use crate::{diag::Mistakes, method::snake_case, model::unraw};

/// What is written: the skeleton's server, and the modules below it.
const TEMPLATE: &str = include_str!("../../skeleton/src/server.rs");
const MODULES: &[(&str, &str)] = &[
    ("accepting", include_str!("../../skeleton/src/server/accepting.rs")),
    ("pair", include_str!("../../skeleton/src/server/pair.rs")),
    ("relaying", include_str!("../../skeleton/src/server/relaying.rs")),
    ("seen", include_str!("../../skeleton/src/server/seen.rs")),
    ("waiting", include_str!("../../skeleton/src/server/waiting.rs")),
];

/// The server, in a module of its own, and the names that are used outside of it. The module knows nothing of the
/// struct, whose parameters and bounds are written where the struct stands: there they mean what the user means.
pub(super) fn server(model: &Model<'_>) -> TokenStream {
    let Model { visibility, name, generics, options } = model;
    let core = core(options);
    let module = format_ident!("{}_server", snake_case(name), span = Span::call_site());
    let [server, sources] = names(model);
    let docs = format!(" The server of [`{name}`](super::{name}).");
    let server_docs = format!(" The server of [`{name}`].");
    let sources_docs = format!(" What the server of [`{name}`] waits for.");
    let code = code(options);
    let (bounded, arguments, bounds) = generics.split_for_impl();
    let parameters = unbounded(model);
    let sees = options.inspects().map(|(_, sees)| {
        quote! { impl #bounded #core::proxy::#sees for #name #arguments #bounds {} }
    });
    let check = check(model);
    quote! {
        #[doc = #docs]
        #[allow(dead_code, missing_debug_implementations, unused_imports)]
        #[allow(clippy::all)]
        mod #module {
            #code
        }
        #[doc = #server_docs]
        #[allow(dead_code)]
        #visibility type #server #parameters = #module::Server<#name #arguments>;
        #[doc = #sources_docs]
        #[allow(unused_imports)]
        #visibility use #module::On as #sources;
        #(#sees)*
        #check
    }
}

/// The parameters of the struct for an alias, which has no bounds: those of the struct hold for it too.
fn unbounded(model: &Model<'_>) -> TokenStream {
    let parameters = model.generics.params.iter().map(|parameter| match parameter {
        GenericParam::Lifetime(parameter) => parameter.lifetime.to_token_stream(),
        GenericParam::Type(parameter) => {
            let (name, default) = (&parameter.ident, parameter.default.iter());
            quote! { #name #(= #default)* }
        }
        GenericParam::Const(parameter) => parameter.to_token_stream(),
    });
    if model.generics.params.is_empty() {
        quote! {}
    } else {
        quote! { <#(#parameters),*> }
    }
}

/// Has what the struct lacks reported where it is declared, even if nobody uses its server. Of a struct with parameters
/// only the user knows for which arguments it has its hooks.
fn check(model: &Model<'_>) -> TokenStream {
    let Model { name, generics, options, .. } = model;
    if !generics.params.is_empty() {
        return TokenStream::new();
    }
    let core = core(options);
    let inspects = options.inspects().map(|(inspects, _)| quote! { #core::proxy::#inspects });
    // In the macro's name.
    let mut declared = name.clone();
    declared.set_span(name.span().resolved_at(Span::call_site()));
    quote! {
        const _: fn() = || {
            fn hooked<H: #core::proxy::Hooks #(+ #inspects)*>() {}
            hooked::<#declared>();
        };
    }
}

/// The skeleton's code with the user's constants, and bounds of the hooks.
pub(super) fn code(options: &Options) -> TokenStream {
    module(TEMPLATE, options)
}

fn module(template: &str, options: &Options) -> TokenStream {
    let code = written(template.parse().unwrap_or_default(), options);
    let names = names_in_scope(options);
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

/// After a mistake: the names, so that only the mistake is reported.
pub(super) fn stub(model: &Model<'_>, mistakes: &Mistakes) -> TokenStream {
    let report = mistakes.report();
    let Model { visibility, name, generics, .. } = model;
    let (_, arguments, _) = generics.split_for_impl();
    let parameters = unbounded(model);
    let [server, sources] = names(model);
    quote! {
        #report
        #[allow(dead_code)]
        #visibility type #server #parameters = #name #arguments;
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
fn names(model: &Model<'_>) -> [Ident; 2] {
    let Model { name, options, .. } = model;
    let named = |chosen: &Option<Ident>, ending: &str| match chosen {
        Some(chosen) => chosen.clone(),
        None => Ident::new(&format!("{}{ending}", unraw(name)), name.span()),
    };
    [named(&options.server, "Server"), named(&options.sources, "On")]
}

fn written(tokens: TokenStream, options: &Options) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut written = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => written.extend([TokenTree::from(inside(&group, options))]),
            TokenTree::Ident(word) if word == "const" || word == "type" => {
                written.extend([TokenTree::from(word)]);
                let Some(TokenTree::Ident(item)) = tokens.next() else { continue };
                let instead = instead(&item, options);
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
                let code = below.map(|(_, template)| module(template, options));
                let name = Ident::new(&name, Span::call_site());
                written.extend(quote! { #word #name { #code } });
            }
            other => {
                let bounds = is(&other, ':') && tokens.peek().is_some_and(is_hooks);
                written.extend([other]);
                if bounds {
                    written.extend(tokens.next());
                    let inspects = options.inspects().map(|(inspects, _)| inspects);
                    written.extend(quote! { #(+ mio_core::proxy::#inspects)* });
                }
            }
        }
    }
    written
}

fn inside(group: &Group, options: &Options) -> Group {
    let mut stream = written(group.stream(), options);
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
fn instead(item: &Ident, options: &Options) -> Option<TokenStream> {
    let item = item.to_string();
    match item.as_str() {
        "Up" => options.inspect_up.as_ref().map(|_| quote! { mio_core::proxy::SeenUp<'a, H> }),
        "Down" => {
            options.inspect_down.as_ref().map(|_| quote! { mio_core::proxy::SeenDown<'a, H> })
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

/// The bound of what the server asks for.
fn is_hooks(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(word) if word == "Hooks")
}
