//! `#[derive(Proxy)]`: the server of the skeleton, for a struct of the user's.
//!
//! The code is that of `skeleton/src/server.rs`, token for token, but for the constants that attributes set, and who
//! sees the bytes; and with the names that a module may lack in a crate without the prelude. It is generic over the
//! struct, so that it is the same whatever the parameters of that are.

mod attr;
mod emit;
mod value;

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Data, DeriveInput};

use crate::diag::Mistakes;

/// What the derive works on.
pub(crate) struct Model<'a> {
    visibility: TokenStream,
    name: syn::Ident,
    generics: &'a syn::Generics,
    options: attr::Options,
}

/// `#[derive(Proxy)]`.
pub(crate) fn proxy(input: &DeriveInput) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let model = Model {
        visibility: input.vis.to_token_stream(),
        name: input.ident.clone(),
        generics: &input.generics,
        options: attr::options(&input.attrs, &mut mistakes),
    };
    check(input, &mut mistakes);
    if mistakes.is_empty() { emit::server(&model) } else { emit::stub(&model, &mistakes) }
}

fn check(input: &DeriveInput, mistakes: &mut Mistakes) {
    let message = "`Proxy` is derived on a struct, which the server owns: put the enum into one";
    match &input.data {
        Data::Struct(data) => {
            for attribute in data.fields.iter().flat_map(|field| &field.attrs) {
                if attribute.path().is_ident("proxy") {
                    mistakes.on(attribute.path(), "`#[proxy(…)]` belongs above the struct");
                }
            }
        }
        Data::Enum(data) => mistakes.at(data.enum_token.span, message),
        Data::Union(data) => mistakes.at(data.union_token.span, message),
    }
}
