//! `#[derive(TokenField)]`: an enum without fields, in as few bits as it needs.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Data, DeriveInput, Ident, Path};

use crate::{
    diag::{Mistakes, suggestion},
    layout::number,
    model::bits_for,
};

pub(crate) fn token_field(input: &DeriveInput) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let core = core(input, &mut mistakes);
    let variants = variants(input, &mut mistakes);
    let name = &input.ident;
    let (parameters, arguments, bounds) = input.generics.split_for_impl();
    if !mistakes.is_empty() {
        let report = mistakes.report();
        return quote! {
            #report

            #[automatically_derived]
            impl #parameters #core::TokenField for #name #arguments #bounds {
                const BITS: u32 = 0;

                fn pack(self) -> u64 {
                    ::core::unreachable!()
                }

                fn unpack(_: u64) -> ::core::option::Option<Self> {
                    ::core::unreachable!()
                }
            }
        };
    }
    let width = number(bits_for(variants.len()));
    let numbers: Vec<_> = (0..variants.len() as u64).map(number).collect();
    quote! {
        #[automatically_derived]
        impl #core::TokenField for #name {
            const BITS: u32 = #width;

            #[inline]
            fn pack(self) -> u64 {
                match self {
                    #(Self::#variants => #numbers,)*
                }
            }

            #[inline]
            fn unpack(bits: u64) -> ::core::option::Option<Self> {
                match bits {
                    #(#numbers => ::core::option::Option::Some(Self::#variants),)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    }
}

/// `#[token_field(crate = path)]`
fn core(input: &DeriveInput, mistakes: &mut Mistakes) -> TokenStream {
    let mut core = None;
    for attribute in input.attrs.iter().filter(|a| a.path().is_ident("token_field")) {
        let result = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") {
                let path = meta.value()?.call(Path::parse_mod_style)?;
                if core.replace(path.to_token_stream()).is_some() {
                    return Err(meta.error("`crate` is given twice"));
                }
                return Ok(());
            }
            let word = meta.path.to_token_stream().to_string();
            Err(meta.error(format!("unknown option `{word}`: {}", suggestion(&word, &["crate"]))))
        });
        if let Err(error) = result {
            mistakes.add(error);
        }
    }
    core.unwrap_or_else(|| quote! { ::mio_core })
}

fn variants<'a>(input: &'a DeriveInput, mistakes: &mut Mistakes) -> Vec<&'a Ident> {
    let only_enums = |span: Span, mistakes: &mut Mistakes| {
        let message = "`TokenField` is derived on an enum without fields; for another type write \
                       an `impl TokenField` with `BITS`, `pack` and `unpack`";
        mistakes.at(span, message);
        Vec::new()
    };
    if !input.generics.params.is_empty() {
        mistakes.on(&input.generics.params, "an enum without fields has no use for parameters");
    }
    let data = match &input.data {
        Data::Enum(data) => data,
        Data::Struct(data) => return only_enums(data.struct_token.span, mistakes),
        Data::Union(data) => return only_enums(data.union_token.span, mistakes),
    };
    if data.variants.is_empty() {
        mistakes.on(&input.ident, "an enum without variants has no value to carry");
    }
    for variant in data.variants.iter().filter(|variant| !variant.fields.is_empty()) {
        let message =
            "only variants without fields fit: carry the field beside the enum, in a tuple";
        mistakes.on(&variant.fields, message);
    }
    data.variants.iter().map(|variant| &variant.ident).collect()
}
