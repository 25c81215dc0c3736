//! From what was written to a model that makes sense, with everything that does not.

use std::collections::HashMap;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Data, DeriveInput, Fields, GenericParam, Generics, Ident, Variant};

use crate::{
    attr::{self, KINDS, Options, SourceAttribute, Word},
    diag::{Mistakes, nearest, suggestion},
    dispatch, layout,
    method::{identifier, snake_case, variable},
    model::{Event, Field, Kind, Model, Nested, Shape, Source, Trigger, unraw},
};

/// How many payloads a source can have: as many as the longest tuple that is a `TokenField`.
const FIELDS_MAX: usize = 8;

/// The methods that every trait has.
const OWN_METHODS: &[&str] = &["error", "message", "tick"];

/// The associated items that every enum of sources gets.
const OWN_ITEMS: &[&str] = &["TABLE", "unpack"];

/// `#[derive(Handler)]`.
pub(crate) fn handler(input: &DeriveInput) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let model = model(input, &mut mistakes);
    if mistakes.is_empty() {
        let layout = layout::layout(&model);
        let dispatch = dispatch::dispatch(&model);
        return quote! { #layout #dispatch };
    }
    let report = mistakes.report();
    if !input.generics.params.is_empty() {
        // What stood in for the rest would need the parameters everywhere.
        return report;
    }
    // A token has to be `Copy`, which nobody writes above what cannot be one.
    let layout = match &input.data {
        Data::Enum(_) => layout::stub(&model),
        _ => TokenStream::new(),
    };
    let dispatch = dispatch::stub(&model);
    quote! { #report #layout #dispatch }
}

fn model(input: &DeriveInput, mistakes: &mut Mistakes) -> Model {
    let mut options = attr::options(&input.attrs, mistakes);
    let name = &input.ident;
    let sources = match &input.data {
        Data::Enum(data) => {
            if data.variants.is_empty() {
                let help =
                    "an enum of sources needs a variant for each: `#[io(readable)] Listener`";
                mistakes.on(name, help);
            }
            data.variants.iter().map(|variant| source(variant, mistakes)).collect()
        }
        Data::Struct(data) => {
            only_enums(data.struct_token.span, mistakes);
            Vec::new()
        }
        Data::Union(data) => {
            only_enums(data.union_token.span, mistakes);
            Vec::new()
        }
    };
    if !input.generics.params.is_empty() {
        let message = "an enum of sources has no parameters: its tokens are plain integers. \
                       Those of the state go into `#[handler(state = …, generics(<…>))]`";
        mistakes.on(&input.generics.params, message);
    }
    if options.state.is_none() && !options.malformed {
        let message = "whose sources are these? Write `#[handler(state = Server)]` above the enum";
        mistakes.on(name, message);
    }
    for parameter in options.generics.iter_mut().flat_map(|generics| &mut generics.params) {
        no_default(parameter, mistakes);
    }
    let mut model = assemble(input, options, sources);
    methods_differ(&mut model, mistakes);
    scopes_differ(&mut model, mistakes);
    model
}

fn only_enums(span: Span, mistakes: &mut Mistakes) {
    let message = "`Handler` is derived on an enum with a variant for each source; \
                   the state stays as it is and is named there: `#[handler(state = Server)]`";
    mistakes.at(span, message);
}

/// Takes the default away, so that the compiler does not stumble over it too.
fn no_default(parameter: &mut GenericParam, mistakes: &mut Mistakes) {
    let message = "a parameter of the state has no default here: remove it";
    match parameter {
        GenericParam::Type(parameter) => {
            parameter.eq_token = None;
            if let Some(default) = parameter.default.take() {
                mistakes.on(&default, message);
            }
        }
        GenericParam::Const(parameter) => {
            parameter.eq_token = None;
            if let Some(default) = parameter.default.take() {
                mistakes.on(&default, message);
            }
        }
        GenericParam::Lifetime(_) => {}
    }
}

fn assemble(input: &DeriveInput, options: Options, sources: Vec<Source>) -> Model {
    let name = input.ident.clone();
    let trait_name = options
        .trait_name
        .unwrap_or_else(|| Ident::new(&format!("{}Handler", unraw(&name)), name.span()));
    let message = match &options.message {
        Some(message) => message.to_token_stream(),
        None => quote! { () },
    };
    let core = match &options.core {
        Some(path) => path.to_token_stream(),
        None => quote! { ::mio_core },
    };
    let generics = options.generics.unwrap_or_default();
    let generic_message = mentions_parameter(&message, &generics);
    let loop_message = loop_message(&options.state, &message, &generics, &sources);
    Model {
        visibility: input.vis.to_token_stream(),
        name,
        core,
        trait_name,
        state: options.state,
        message,
        generics,
        generic_message,
        loop_message,
        sources,
    }
}

/// `L`, unless that means something else already.
fn loop_message(
    state: &Option<syn::Type>,
    message: &TokenStream,
    generics: &Generics,
    sources: &[Source],
) -> Ident {
    let mut taken = Vec::new();
    identifiers(state.to_token_stream(), &mut taken);
    identifiers(message.clone(), &mut taken);
    for parameter in &generics.params {
        match parameter {
            GenericParam::Type(parameter) => taken.push(parameter.ident.to_string()),
            GenericParam::Const(parameter) => taken.push(parameter.ident.to_string()),
            GenericParam::Lifetime(_) => {}
        }
    }
    for source in sources {
        let nested = source.nested().map(|nested| &nested.tokens);
        for field in source.fields.iter().chain(nested) {
            identifiers(field.ty.clone(), &mut taken);
        }
    }
    let mut name = "L".to_owned();
    while taken.contains(&name) {
        name.push('_');
    }
    Ident::new(&name, Span::call_site())
}

fn identifiers(tokens: TokenStream, found: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => found.push(ident.to_string()),
            TokenTree::Group(group) => identifiers(group.stream(), found),
            _ => {}
        }
    }
}

fn mentions_parameter(tokens: &TokenStream, generics: &Generics) -> bool {
    let mut found = Vec::new();
    identifiers(tokens.clone(), &mut found);
    generics.params.iter().any(|parameter| {
        let name = match parameter {
            GenericParam::Type(parameter) => &parameter.ident,
            GenericParam::Const(parameter) => &parameter.ident,
            GenericParam::Lifetime(parameter) => &parameter.lifetime.ident,
        };
        found.iter().any(|word| name == word)
    })
}

/// Two sources that make one method are told so; the second is without it then.
fn methods_differ(model: &mut Model, mistakes: &mut Mistakes) {
    let mut makers: HashMap<String, Ident> = HashMap::new();
    let enum_name = &model.name;
    for source in &mut model.sources {
        let variant = &source.name;
        let mut differs = |method: &Ident, word: &str| {
            let name = unraw(method);
            if OWN_METHODS.contains(&name.as_str()) {
                let message = format!(
                    "every handler has a method `{name}` of its own: \
                     choose another with `{word} = …`"
                );
                mistakes.at(method.span(), message);
                return false;
            }
            if let Some(other) = makers.get(&name) {
                let message = format!(
                    "`{enum_name}::{variant}` makes the method `{name}`, and so does \
                     `{enum_name}::{other}`: choose another with `{word} = …`"
                );
                mistakes.at(method.span(), message);
                return false;
            }
            makers.insert(name, variant.clone());
            true
        };
        let differs = match &mut source.kind {
            Kind::Io { ready: Some(method), .. } => differs(method, "ready"),
            Kind::Io { events, .. } => {
                events.retain(|(event, method)| differs(method, event.word()));
                true
            }
            Kind::Timer { method, .. }
            | Kind::Signals { method, .. }
            | Kind::Child { method }
            | Kind::Nested(Nested { method, .. }) => differs(method, "method"),
            Kind::Unknown => true,
        };
        if !differs {
            source.kind = Kind::Unknown;
        }
    }
}

/// Scopes that would be called what something else is; there are none of them then.
fn scopes_differ(model: &mut Model, mistakes: &mut Mistakes) {
    let mut makers: HashMap<String, Ident> = HashMap::new();
    let variants: Vec<String> = model.sources.iter().map(|source| unraw(&source.name)).collect();
    let enum_name = &model.name;
    for source in &mut model.sources {
        let Some(nested) = source.nested() else { continue };
        let name = unraw(&nested.scope);
        let variant = &source.name;
        let other = if *variant == name {
            "the variant itself".to_owned()
        } else if variants.contains(&name) {
            "a source".to_owned()
        } else if OWN_ITEMS.contains(&name.as_str()) {
            "derived for every enum".to_owned()
        } else if let Some(other) = makers.get(&name) {
            format!("that of `{other}`")
        } else {
            makers.insert(name, variant.clone());
            continue;
        };
        let message = format!(
            "the scope of `{variant}` would be `{enum_name}::{name}`, which is {other}: \
             rename the variant"
        );
        let method = nested.method.clone();
        mistakes.at(source.span(), message);
        // What has the same method, and no scope.
        source.kind = Kind::Timer { method, expiry: false };
    }
}

fn source(variant: &Variant, mistakes: &mut Mistakes) -> Source {
    let name = variant.ident.clone();
    if let Some((_, value)) = &variant.discriminant {
        mistakes.on(value, "the tags of sources are their positions: remove the discriminant");
    }
    attr::fields(&variant.fields, mistakes);
    let (shape, mut fields) = fields(variant);
    if fields.len() > FIELDS_MAX {
        let message = format!(
            "a source carries up to {FIELDS_MAX} fields, `{name}` has {}: group some in a tuple",
            fields.len()
        );
        mistakes.on(&variant.fields, message);
    }
    let kind = match one_attribute(variant, mistakes) {
        Some(attribute) if attribute.kind == "nested" => {
            nested(variant, &attribute, &mut fields, mistakes)
        }
        Some(attribute) => plain(variant, &attribute, mistakes),
        None => Kind::Unknown,
    };
    let docs = variant.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
    Source { name, docs: docs.map(ToTokens::to_token_stream).collect(), shape, fields, kind }
}

fn fields(variant: &Variant) -> (Shape, Vec<Field>) {
    let shape = match &variant.fields {
        Fields::Unit => Shape::Unit,
        Fields::Unnamed(_) => Shape::Tuple,
        Fields::Named(_) => Shape::Struct,
    };
    let alone = variant.fields.len() == 1;
    let field = |(index, field): (usize, &syn::Field)| {
        let word = match &field.ident {
            Some(name) => unraw(name),
            None if alone => snake_case(&variant.ident),
            None => format!("field_{index}"),
        };
        let span = field.ident.as_ref().map_or_else(Span::call_site, Ident::span);
        Field {
            name: field.ident.clone(),
            variable: variable(&word, span),
            ty: field.ty.to_token_stream(),
        }
    };
    (shape, variant.fields.iter().enumerate().map(field).collect())
}

/// The attribute that says what kind of source it is.
fn one_attribute(variant: &Variant, mistakes: &mut Mistakes) -> Option<SourceAttribute> {
    let mut attributes = attr::source(&variant.attrs, mistakes).into_iter();
    let name = &variant.ident;
    let Some(first) = attributes.next() else {
        for attribute in &variant.attrs {
            let Some(word) = attribute.path().get_ident().map(Ident::to_string) else { continue };
            if word == "doc" || word == "cfg" || word == "allow" {
                continue;
            }
            if let Some(meant) = nearest(&word, KINDS) {
                mistakes.on(attribute.path(), format!("did you mean `{meant}`?"));
                return None;
            }
        }
        let message = format!(
            "what kind of source is `{name}`? Write `#[io(readable, writable)]`, `#[timer]`, \
             `#[signal(INT)]`, `#[child]` or `#[nested(field)]` above it"
        );
        mistakes.on(name, message);
        return None;
    };
    for other in attributes {
        let message = if other.kind == first.kind {
            format!("`{name}` has this attribute twice: write one `#[{}(…)]`", first.kind)
        } else {
            format!(
                "`{name}` is of kind `{}` already: a source has one kind, so make another variant",
                first.kind
            )
        };
        mistakes.on(&other.path, message);
    }
    Some(first)
}

fn plain(variant: &Variant, attribute: &SourceAttribute, mistakes: &mut Mistakes) -> Kind {
    match attribute.kind {
        "io" => io(variant, attribute, mistakes),
        "timer" => {
            let mut expiry = None;
            let method = method(variant, attribute, &["method", "expiry"], mistakes, |word, m| {
                flag(&mut expiry, word, m)
            });
            Kind::Timer { method, expiry: expiry.is_some() }
        }
        "signal" => signal(variant, attribute, mistakes),
        _ => Kind::Child { method: method(variant, attribute, &["method"], mistakes, other_word) },
    }
}

fn io(variant: &Variant, attribute: &SourceAttribute, mistakes: &mut Mistakes) -> Kind {
    const WORDS: &[&str] =
        &["readable", "writable", "priority", "closed", "ready", "edge", "level", "oneshot"];
    let snake = snake_case(&variant.ident);
    let mut events: Vec<(Event, Ident)> = Vec::new();
    let mut trigger: Option<(Trigger, &Ident)> = None;
    let mut ready: Option<Ident> = None;
    for Word { name, value } in &attribute.words {
        let word = name.to_string();
        let known = if WORDS.contains(&word.as_str()) {
            word
        } else {
            let help = suggestion(&word, WORDS);
            mistakes.at(name.span(), format!("unknown word `{word}`: {help}"));
            match nearest(&word, WORDS) {
                Some(meant) => meant.to_owned(),
                None => continue,
            }
        };
        if let Some(event) = Event::ALL.into_iter().find(|event| event.word() == known) {
            if let Some((_, method)) = events.iter_mut().find(|(other, _)| *other == event) {
                mistakes.at(name.span(), format!("`{known}` is given twice"));
                // It may be implemented.
                if let Some(value) = value {
                    *method = value.clone();
                }
                continue;
            }
            let default = || identifier(&format!("{snake}_{known}"), variant.ident.span());
            events.push((event, value.clone().unwrap_or_else(default)));
        } else if known == "ready" {
            let default = || identifier(&format!("{snake}_ready"), variant.ident.span());
            if ready.replace(value.clone().unwrap_or_else(default)).is_some() {
                mistakes.at(name.span(), "`ready` is given twice");
            }
        } else if let Some(found) = Trigger::ALL.into_iter().find(|t| t.word() == known) {
            if let Some(value) = value {
                mistakes.on(value, format!("`{known}` takes no value"));
            }
            if let Some((_, other)) = trigger.replace((found, name)) {
                let message = if *other == *name {
                    format!("`{known}` is given twice")
                } else {
                    format!("`{other}` and `{known}` exclude each other")
                };
                mistakes.at(name.span(), message);
            }
        }
    }
    events.sort_by_key(|&(event, _)| event);
    if ready.is_some() {
        one_method(attribute, mistakes);
    }
    let waits = events.iter().any(|&(event, _)| event != Event::Closed);
    if !waits && !attribute.malformed {
        let message = if events.is_empty() {
            "what is it waited for? Write `#[io(readable)]`, `#[io(readable, writable)]` …"
        } else {
            "`closed` alone is never reported: add `readable`, `writable` or `priority`"
        };
        // A word that is wrong was reported.
        let known = events.len() + usize::from(ready.is_some());
        if known == attribute.words.len() || attribute.words.is_empty() || trigger.is_some() {
            mistakes.on(&attribute.path, message);
        }
    }
    Kind::Io { events, ready, trigger: trigger.map_or(Trigger::Edge, |(trigger, _)| trigger) }
}

/// With `ready` the other words only say what is waited for.
fn one_method(attribute: &SourceAttribute, mistakes: &mut Mistakes) {
    for Word { name, value } in &attribute.words {
        if name == "closed" {
            mistakes.at(name.span(), "`ready` is called for that too: remove `closed`");
        } else if let (Some(value), true) = (value, Event::ALL.iter().any(|e| name == e.word())) {
            let message = "with `ready` there is one method for all: name it with `ready = …`";
            mistakes.on(value, message);
        }
    }
}

fn signal(variant: &Variant, attribute: &SourceAttribute, mistakes: &mut Mistakes) -> Kind {
    let mut signals: Vec<Ident> = Vec::new();
    let mut unknown = false;
    let method = method(variant, attribute, &["method"], mistakes, |word, mistakes| {
        let name = word.name.to_string();
        if let Some(value) = &word.value {
            mistakes.on(value, format!("`{name}` takes no value"));
        }
        if REFUSED.contains(&name.trim_start_matches("SIG")) {
            let message = format!("`{name}` cannot be handled: no loop takes it");
            mistakes.at(word.name.span(), message);
            unknown = true;
        } else if !SIGNALS.contains(&name.as_str()) {
            let help = match name.strip_prefix("SIG") {
                Some(short) if SIGNALS.contains(&short) => format!("write `{short}`"),
                _ => match nearest(&name.to_uppercase(), SIGNALS) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "see the constants of `Signal`".to_owned(),
                },
            };
            mistakes.at(word.name.span(), format!("unknown signal `{name}`: {help}"));
            unknown = true;
        } else if signals.contains(&word.name) {
            mistakes.at(word.name.span(), format!("`{name}` is given twice"));
        } else {
            signals.push(word.name.clone());
        }
        true
    });
    if signals.is_empty() && !unknown && !attribute.malformed {
        mistakes.on(&attribute.path, "which signals? Write `#[signal(INT, TERM)]`");
    }
    Kind::Signals { method, signals }
}

/// The constants of `Signal`.
#[rustfmt::skip]
const SIGNALS: &[&str] = &[
    "HUP", "INT", "QUIT", "ABRT", "USR1", "USR2", "PIPE", "ALRM", "TERM", "CHLD", "CONT", "TSTP",
    "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR",
];

/// Those that cannot be handled.
const REFUSED: &[&str] = &["KILL", "STOP", "ILL", "TRAP", "BUS", "FPE", "SEGV", "SYS"];

/// The method of a source that has one, and whatever else its attribute says. `other` answers whether it
/// knows a word.
fn method(
    variant: &Variant,
    attribute: &SourceAttribute,
    words: &[&str],
    mistakes: &mut Mistakes,
    mut other: impl FnMut(&Word, &mut Mistakes) -> bool,
) -> Ident {
    let mut chosen = None;
    for word in &attribute.words {
        if word.name == "method" {
            match &word.value {
                None => mistakes.at(word.name.span(), "write `method = name`"),
                Some(_) if chosen.is_some() => {
                    mistakes.at(word.name.span(), "`method` is given twice");
                }
                Some(value) => chosen = Some(value.clone()),
            }
        } else if !other(word, mistakes) {
            let name = word.name.to_string();
            let help = suggestion(&name, words);
            mistakes.at(word.name.span(), format!("unknown word `{name}`: {help}"));
        }
    }
    chosen.unwrap_or_else(|| identifier(&snake_case(&variant.ident), variant.ident.span()))
}

fn other_word(_: &Word, _: &mut Mistakes) -> bool {
    false
}

fn flag(expiry: &mut Option<()>, word: &Word, mistakes: &mut Mistakes) -> bool {
    if word.name != "expiry" {
        return false;
    }
    if let Some(value) = &word.value {
        mistakes.on(value, "`expiry` takes no value");
    }
    if expiry.replace(()).is_some() {
        mistakes.at(word.name.span(), "`expiry` is given twice");
    }
    true
}

fn nested(
    variant: &Variant,
    attribute: &SourceAttribute,
    fields: &mut Vec<Field>,
    mistakes: &mut Mistakes,
) -> Kind {
    let method = method(variant, attribute, &["method"], mistakes, other_word);
    let name = &variant.ident;
    let snake = snake_case(name);
    let place = attribute.place.clone();
    if place.is_none() && !attribute.malformed {
        let message =
            format!("which field of the state is the component? Write `#[nested({snake})]`");
        mistakes.on(&attribute.path, message);
    }
    if fields.len() > 2 {
        let message = "a nested component has at most a key and its sources: \
                       join the keys in a tuple";
        mistakes.on(&variant.fields, message);
    }
    let Some(mut tokens) = fields.pop() else {
        let message = format!(
            "name the component's enum of sources: `{name}({snake}::On)`, or `{name}(Any)` for a \
             handler written by hand"
        );
        mistakes.on(name, message);
        return Kind::Unknown;
    };
    let (Some(place), true) = (place, fields.len() < 2) else { return Kind::Unknown };
    tokens.variable = identifier("own", Span::call_site());
    if let [key] = &mut fields[..] {
        // It is the variant's only payload to the user.
        if key.name.is_none() {
            key.variable = variable(&snake, Span::call_site());
        }
    }
    let scope = if fields.is_empty() {
        Ident::new(&snake.to_uppercase(), name.span())
    } else {
        identifier(&snake, name.span())
    };
    Kind::Nested(Nested { method, scope, place, tokens })
}
