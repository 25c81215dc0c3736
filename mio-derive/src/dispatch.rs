//! The trait with a method for each event, and the `Handler` that calls them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::GenericParam;

use crate::{
    layout::{match_tag, shifted},
    model::{Event, Field, Kind, Model, Nested, Source},
};

pub(crate) fn dispatch(model: &Model) -> TokenStream {
    let (events, handler) = (events_trait(model, false), handler(model, &callbacks(model)));
    quote! { #events #handler }
}

/// After a mistake: all methods that are known, none of them missing, and a handler that does nothing.
pub(crate) fn stub(model: &Model) -> TokenStream {
    let (events, handler) = (events_trait(model, true), handler(model, &TokenStream::new()));
    quote! { #events #handler }
}

fn events_trait(model: &Model, stub: bool) -> TokenStream {
    let Model { visibility, name, trait_name, message, loop_message, .. } = model;
    let methods = model.sources.iter().flat_map(methods).map(|method| method.declare(model, stub));
    let parameters = trait_parameters(model);
    let bounds = model.generic_message.then_some(&model.generics.where_clause);
    let docs = format!(
        " What is done for the sources of [`{name}`]: one method for each of their events."
    );
    let event_loop = event_loop(model, Span::call_site());
    // Clippy does not see the sections that are written here beside the user's.
    quote! {
        #[doc = #docs]
        #[allow(clippy::missing_errors_doc)]
        #visibility trait #trait_name<#parameters #loop_message = #message> #bounds {
            #(#methods)*

            /// A method for `source` failed with `error`, or a component did and did not deal with it.
            ///
            /// By default the event loop fails with it: `run` returns it or, in a component, it goes to
            /// the parent's `error`.
            #[inline]
            fn error(&mut self, event_loop: #event_loop, source: #name, error: ::std::io::Error) {
                let _ = source;
                event_loop.fail(error);
            }

            /// A message arrived. By default it is dropped.
            ///
            /// # Errors
            ///
            /// Make the event loop fail.
            #[inline]
            fn message(&mut self, event_loop: #event_loop, message: #message) -> ::std::io::Result<()> {
                let _ = (event_loop, message);
                ::core::result::Result::Ok(())
            }

            /// A turn of the event loop ends.
            ///
            /// # Errors
            ///
            /// Make the event loop fail.
            #[inline]
            fn tick(&mut self, event_loop: #event_loop) -> ::std::io::Result<()> {
                let _ = event_loop;
                ::core::result::Result::Ok(())
            }
        }
    }
}

/// A method of the trait.
struct Method<'a> {
    source: &'a Source,
    name: &'a Ident,
    /// What it is called for, in a sentence.
    occasion: String,
    /// Its argument beyond the payload.
    extra: Option<(&'static str, &'static str)>,
    optional: bool,
}

fn methods(source: &Source) -> Vec<Method<'_>> {
    let method = |name, occasion: &str, extra, optional| Method {
        source,
        name,
        occasion: occasion.to_owned(),
        extra,
        optional,
    };
    match &source.kind {
        Kind::Io { ready: Some(name), .. } => {
            let occasion = "is ready: what for, and whether it is at its end or in error, is said";
            vec![method(name, occasion, Some(("readiness", "Readiness")), false)]
        }
        Kind::Io { events, .. } => events
            .iter()
            .map(|(event, name)| {
                let occasion = match event {
                    Event::Readable => {
                        "is readable: reading, accepting or receiving would make \
                                        progress, or would report the end or an error"
                    }
                    Event::Writable => {
                        "is writable: writing or sending would make progress or \
                                        would report an error; a connect has ended"
                    }
                    Event::Priority => "has out-of-band data",
                    Event::Closed => "is closed in both directions",
                };
                method(name, occasion, None, false)
            })
            .collect(),
        Kind::Timer { method: name, expiry } => {
            let extra = expiry.then_some(("expiry", "Expiry"));
            vec![method(name, "is due", extra, false)]
        }
        Kind::Signals { method: name, .. } => {
            vec![method(name, "occurred", Some(("info", "SignalInfo")), false)]
        }
        Kind::Child { method: name } => {
            vec![method(name, "exited; it is not reaped", Some(("exit", "ChildExit")), false)]
        }
        Kind::Nested(nested) => {
            let occasion =
                "had an event: what it produced can be taken. By default nothing is done";
            vec![method(&nested.method, occasion, None, true)]
        }
        Kind::Unknown => Vec::new(),
    }
}

impl Method<'_> {
    fn declare(&self, model: &Model, stub: bool) -> TokenStream {
        let Method { source, name, .. } = self;
        let core = &model.core;
        let docs = self.docs(model);
        let payload = source.fields.iter().map(|field| {
            let (variable, ty) = (&field.variable, &field.ty);
            quote! { #variable: #ty }
        });
        let extra = self.extra.map(|(name, ty)| {
            let (name, ty) = (Ident::new(name, source.span()), Ident::new(ty, source.span()));
            quote! { #name: #core::#ty }
        });
        let arguments = payload.chain(extra);
        // At the variant, with its last token: that is where the compiler points when the method is
        // missing. But the macro's, or clippy takes it for the user's.
        let span = source.span().resolved_at(Span::call_site());
        let event_loop = event_loop(model, span);
        let signature = quote_spanned! { span =>
            fn #name(&mut self, event_loop: #event_loop #(, #arguments)*) -> ::std::io::Result<()>
        };
        if stub {
            quote! { #[allow(unused_variables)] #signature { ::core::unreachable!() } }
        } else if self.optional {
            let unused = source.fields.iter().map(|field| &field.variable);
            quote! {
                #(#docs)*
                #[inline]
                #signature {
                    let _ = (event_loop, #(#unused),*);
                    ::core::result::Result::Ok(())
                }
            }
        } else {
            // As many as the user wants; clippy counts them.
            let many = source.fields.len() + usize::from(self.extra.is_some()) > 5;
            let many = many.then(|| quote! { #[allow(clippy::too_many_arguments)] });
            let end = quote_spanned! { span => ; };
            quote! { #(#docs)* #many #signature #end }
        }
    }

    /// The user's words on the variant, if there are any, then ours.
    fn docs(&self, model: &Model) -> Vec<TokenStream> {
        let path = format!("{}::{}", model.name, self.source.name);
        let mut docs = self.source.docs.clone();
        if !docs.is_empty() {
            docs.push(quote! { #[doc = ""] });
        }
        let sentence = format!(" [`{path}`] {}.", self.occasion);
        let errors = format!(" Reach [`error`]({}::error) with this source.", model.trait_name);
        docs.push(quote! { #[doc = #sentence] });
        docs.push(quote! {
            #[doc = ""]
            #[doc = " # Errors"]
            #[doc = ""]
            #[doc = #errors]
        });
        docs
    }
}

fn event_loop(model: &Model, at: Span) -> TokenStream {
    let Model { name, core, loop_message, .. } = model;
    quote_spanned! { at => &mut #core::EventLoop<#loop_message, #name> }
}

/// The parameters that the trait needs because the message has them, with a comma.
fn trait_parameters(model: &Model) -> TokenStream {
    if !model.generic_message {
        return TokenStream::new();
    }
    let parameters = model.generics.params.iter();
    quote! { #(#parameters,)* }
}

fn trait_arguments(model: &Model) -> TokenStream {
    let loop_message = &model.loop_message;
    if !model.generic_message {
        return quote! { #loop_message };
    }
    let names = model.generics.params.iter().map(|parameter| match parameter {
        GenericParam::Lifetime(parameter) => parameter.lifetime.to_token_stream(),
        GenericParam::Type(parameter) => parameter.ident.to_token_stream(),
        GenericParam::Const(parameter) => parameter.ident.to_token_stream(),
    });
    quote! { #(#names,)* #loop_message }
}

fn handler(model: &Model, callbacks: &TokenStream) -> TokenStream {
    let Model { core, trait_name, message, loop_message, generics, .. } = model;
    let Some(state) = &model.state else { return TokenStream::new() };
    let parameters = generics.params.iter();
    let arguments = trait_arguments(model);
    let bounds = generics.where_clause.iter().flat_map(|clause| clause.predicates.iter());
    quote! {
        #[automatically_derived]
        impl<#(#parameters,)* #loop_message> #core::Handler<#message, #loop_message> for #state
        where
            Self: #trait_name<#arguments>,
            #(#bounds,)*
        {
            #callbacks
        }
    }
}

fn callbacks(model: &Model) -> TokenStream {
    let Model { core, trait_name, message, loop_message, .. } = model;
    let event_loop = quote! { event_loop: &mut #core::EventLoop<#loop_message> };
    let scoped = scoped(model);
    let ready = callback(model, "ready", "readiness", "Readiness", &ready_of);
    let timeout = callback(model, "timeout", "expiry", "Expiry", &timeout_of);
    let signal = callback(model, "signal", "info", "SignalInfo", &signal_of);
    let child = callback(model, "child", "exit", "ChildExit", &child_of);
    let ticks = model.sources.iter().filter_map(|source| {
        let Nested { scope, place, .. } = source.nested().filter(|_| source.fields.is_empty())?;
        let name = &model.name;
        let (component, checked) = only_component(model, place);
        Some(quote! {
            #checked
            if let ::core::result::Result::Err(error) =
                event_loop.deliver_tick(#name::#scope, #component)
            {
                event_loop.fail(error);
            }
        })
    });
    quote! {
        #ready
        #timeout
        #signal
        #child

        #[inline]
        fn message(&mut self, #event_loop, message: #message) {
            #scoped
            if let ::core::result::Result::Err(error) = #trait_name::message(self, event_loop, message) {
                event_loop.fail(error);
            }
        }

        #[inline]
        fn tick(&mut self, #event_loop) {
            #scoped
            #(#ticks)*
            if let ::core::result::Result::Err(error) = #trait_name::tick(self, event_loop) {
                event_loop.fail(error);
            }
        }
    }
}

fn scoped(model: &Model) -> TokenStream {
    let name = &model.name;
    quote! { let event_loop = event_loop.scoped::<#name>(); }
}

/// A method of `Handler` with a token and one more argument; nothing if no source is for it.
fn callback(
    model: &Model,
    name: &str,
    argument: &str,
    ty: &str,
    body: &dyn Fn(&Model, &Source) -> TokenStream,
) -> TokenStream {
    let Model { core, loop_message, .. } = model;
    let [name, argument, ty] = [name, argument, ty].map(|word| Ident::new(word, Span::call_site()));
    let arm = |source: &Source| {
        let body = match source.nested() {
            Some(nested) => nested_of(model, source, nested, &name, &argument),
            None => body(model, source),
        };
        if body.is_empty() {
            return TokenStream::new();
        }
        let payload = if source.nested().is_some() { None } else { Some(payload(model, source)) };
        quote! { { #payload #body } }
    };
    let mut arms = model.sources.iter().map(arm).peekable();
    if model.sources.iter().all(|source| arm(source).is_empty()) {
        return TokenStream::new();
    }
    arms.peek();
    let scoped = scoped(model);
    let body = match_tag(model, &quote! { token }, arms, &quote! { {} });
    quote! {
        #[inline]
        fn #name(
            &mut self,
            event_loop: &mut #core::EventLoop<#loop_message>,
            token: u64,
            #argument: #core::#ty,
        ) {
            #scoped
            #body
        }
    }
}

/// Takes the payload out of `token`, or returns if no such token was made.
fn payload(model: &Model, source: &Source) -> TokenStream {
    let core = &model.core;
    let bits = shifted(quote! { token }, model.tag_bits());
    let Some((last, before)) = source.fields.split_last() else {
        return quote! { if #bits != 0 { return; } };
    };
    let mut rest = bits;
    let mut lets = TokenStream::new();
    for Field { variable, ty, .. } in before {
        lets.extend(quote! {
            let ::core::option::Option::Some((#variable, rest)) = <#ty as #core::TokenField>::split(#rest)
            else {
                return;
            };
        });
        rest = quote! { rest };
    }
    let Field { variable, ty, .. } = last;
    quote! {
        #lets
        let ::core::option::Option::Some(#variable) = <#ty as #core::TokenField>::unpack(#rest) else {
            return;
        };
    }
}

/// Calls a method of the user's; an error goes to theirs.
fn call(model: &Model, source: &Source, method: &Ident, extra: Option<TokenStream>) -> TokenStream {
    let Model { name, trait_name, .. } = model;
    let arguments = source.fields.iter().map(|field| field.variable.to_token_stream()).chain(extra);
    let value = source.pattern(|field| field.variable.to_token_stream());
    quote! {
        if let ::core::result::Result::Err(error) = #trait_name::#method(self, event_loop #(, #arguments)*) {
            return #trait_name::error(self, event_loop, #name::#value, error);
        }
    }
}

fn ready_of(model: &Model, source: &Source) -> TokenStream {
    let Kind::Io { events, ready, .. } = &source.kind else { return TokenStream::new() };
    if let Some(method) = ready {
        return call(model, source, method, Some(quote! { readiness }));
    }
    let core = &model.core;
    let declared = |wanted| events.iter().any(|&(event, _)| event == wanted);
    let calls = events.iter().enumerate().map(|(index, (event, method))| {
        let condition = match event {
            Event::Readable => quote! { readiness.wants_read() },
            Event::Writable => quote! { readiness.wants_write() },
            Event::Priority if declared(Event::Readable) || declared(Event::Writable) => {
                quote! { readiness.is_priority() }
            }
            // Nobody else sees an error or a hang-up, which level triggering would report for ever.
            Event::Priority => quote! {
                readiness.intersects(
                    #core::Readiness::PRIORITY
                        .union(#core::Readiness::ERROR)
                        .union(#core::Readiness::WRITE_CLOSED),
                )
            },
            Event::Closed => quote! { readiness.is_closed() },
        };
        let current = (index > 0).then(|| quote! { && event_loop.is_current() });
        let call = call(model, source, method, None);
        quote! { if #condition #current { #call } }
    });
    quote! { #(#calls)* }
}

fn timeout_of(model: &Model, source: &Source) -> TokenStream {
    let Kind::Timer { method, expiry } = &source.kind else { return TokenStream::new() };
    call(model, source, method, expiry.then(|| quote! { expiry }))
}

fn signal_of(model: &Model, source: &Source) -> TokenStream {
    let Kind::Signals { method, .. } = &source.kind else { return TokenStream::new() };
    call(model, source, method, Some(quote! { info }))
}

fn child_of(model: &Model, source: &Source) -> TokenStream {
    let Kind::Child { method } = &source.kind else { return TokenStream::new() };
    call(model, source, method, Some(quote! { exit }))
}

/// Hands an event on to a component and then lets the parent take what came of it.
fn nested_of(
    model: &Model,
    source: &Source,
    nested: &Nested,
    callback: &Ident,
    argument: &Ident,
) -> TokenStream {
    let Model { name, core, trait_name, .. } = model;
    let Nested { method, scope, place, .. } = nested;
    let deliver = quote::format_ident!("deliver_{callback}");
    let bits = shifted(quote! { token }, model.tag_bits());
    let after = |key: Option<&Ident>| {
        let key = key.into_iter();
        let (error_of, error_after) = (uncaught(model), uncaught(model));
        quote! {
            let after = #trait_name::#method(self, event_loop #(, #key)*);
            if let ::core::result::Result::Err(error) = result { #error_of }
            if let ::core::result::Result::Err(error) = after { #error_after }
        }
    };
    match &source.fields[..] {
        [] => {
            let after = after(None);
            let (component, checked) = only_component(model, place);
            quote! {
                #checked
                let result =
                    event_loop.#deliver(#name::#scope, #component, token, #argument);
                #after
            }
        }
        [key, ..] => {
            let (variable, ty) = (&key.variable, &key.ty);
            let after = after(Some(variable));
            let at = word_of(place);
            let component = quote_spanned! { at => component };
            let checked = checked(model, &component, &component, at);
            let get_mut = quote_spanned! { at => get_mut };
            // A table with other keys is reported at the type of these.
            let mut looked_up = variable.clone();
            looked_up.set_span(last_word(ty).resolved_at(variable.span()));
            quote! {
                let ::core::option::Option::Some((#variable, _)) =
                    <#ty as #core::TokenField>::split(#bits)
                else {
                    return;
                };
                let ::core::option::Option::Some(#component) = self.#place.#get_mut(#looked_up) else {
                    return;
                };
                #checked
                let result =
                    event_loop.#deliver(#name::#scope(#variable), #component, token, #argument);
                #after
            }
        }
    }
}

/// The variable for a component without a key, and what makes it.
fn only_component(model: &Model, place: &TokenStream) -> (TokenStream, TokenStream) {
    let at = word_of(place);
    let component = quote_spanned! { at => component };
    let borrow = quote_spanned! { at => &mut self. };
    let checked = checked(model, &component, &quote! { #borrow #place }, at);
    (component, checked)
}

/// Makes sure that `value` is a component. All of it is at the same word of the user's, and says the same in each
/// callback: so what is none is reported once, and there.
fn checked(model: &Model, component: &TokenStream, value: &TokenStream, at: Span) -> TokenStream {
    let Model { core, loop_message, .. } = model;
    let check = quote_spanned! { at => component::<_, #loop_message, _> };
    quote! { let #component = #core::__private::#check(#value); }
}

/// Where to say what is wrong with the place of a component. In the macro's name, or clippy takes it for the user's.
fn word_of(place: &TokenStream) -> Span {
    last_word(place).resolved_at(Span::call_site())
}

fn last_word(tokens: &TokenStream) -> Span {
    tokens.clone().into_iter().last().map_or_else(Span::call_site, |token| token.span())
}

fn uncaught(model: &Model) -> TokenStream {
    let Model { name, core, trait_name, .. } = model;
    quote! {
        if let ::core::option::Option::Some(source) = #core::__private::source_of::<#name>(token) {
            #trait_name::error(self, event_loop, source, error);
        }
    }
}
