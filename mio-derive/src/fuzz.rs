//! Random enums, most of them with mistakes: the derives never panic, and whatever they answer can be
//! parsed. That what they accept also compiles and does what it says is tested in `ui-tests`.

use proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};
use syn::DeriveInput;

use crate::{check, token_field};

const CASES: u32 = 1000;

#[test]
fn no_enum_makes_the_derives_panic_or_answer_what_is_no_rust() {
    let mut runner = TestRunner::new_with_rng(
        Config { cases: CASES, failure_persistence: None, ..Config::default() },
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let (accepted, refused) = (std::cell::Cell::new(0_u32), std::cell::Cell::new(0_u32));
    let result = runner.run(&item(), |source| {
        // What is no item at all never reaches a derive.
        let Ok(input) = syn::parse_str::<DeriveInput>(&source) else { return Ok(()) };
        for expanded in [check::handler(&input), token_field::token_field(&input)] {
            let text = expanded.to_string();
            let parsed = syn::parse2::<syn::File>(expanded);
            prop_assert!(parsed.is_ok(), "{source}\n{text}");
            let counter = if text.contains("compile_error") { &refused } else { &accepted };
            counter.set(counter.get() + 1);
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    // Or else the test would say less than it seems to.
    let (accepted, refused) = (accepted.get(), refused.get());
    assert!(accepted > CASES / 10 && refused > CASES / 2, "{accepted} accepted, {refused} refused");
}

/// A whole item.
fn item() -> impl Strategy<Value = String> {
    let head = prop_oneof![
        9 => Just("enum".to_owned()),
        1 => select(vec!["pub enum", "pub(in super) enum", "struct", "union"]).prop_map(str::to_owned),
    ];
    let generics = prop_oneof![
        9 => Just(String::new()),
        1 => select(vec!["<T>", "<'a>", "<const N: usize>", "<T: Copy + 'static = u8>", "<>"])
            .prop_map(str::to_owned),
    ];
    let variants = prop_oneof![19 => vec(variant(), 0..4), 1 => vec(variant(), 17..20)];
    (vec(outer_attribute(), 0..2), head, name(), generics, variants).prop_map(
        |(attributes, head, name, generics, variants)| {
            let (attributes, variants) = (attributes.join(" "), variants.join(", "));
            let usual = "#[handler(state = Server)]";
            format!("{usual} {attributes} {head} {name} {generics} {{ {variants} }}")
        },
    )
}

fn outer_attribute() -> impl Strategy<Value = String> {
    let option = prop_oneof![
        6 => select(vec![
            "message = Vec<u8>",
            "trait = Events",
            "crate = a::b",
            "crate = crate",
            "generics(<'a, T: Copy, const N: usize> where T: Into<u64>)",
            "generics()",
        ]).prop_map(str::to_owned),
        1 => select(vec![
            "state = On<'a, (T, [u8; N])>",
            "state",
            "stat = Server",
            "message = fn(u8) -> u8",
            "trait = u8::x",
            "crate = <u8>::x",
            "generics(T)",
            "generics(<T = u8>)",
        ]).prop_map(str::to_owned),
        1 => soup(),
    ];
    prop_oneof![
        8 => vec(option, 0..3).prop_map(|options| format!("#[handler({})]", options.join(", "))),
        1 => attribute(),
        1 => select(vec!["#[handler]", "#[handler = 1]", "#[token_field(crate = a)]", "/// Docs."])
            .prop_map(str::to_owned),
    ]
}

fn variant() -> impl Strategy<Value = String> {
    let attributes = prop_oneof![9 => vec(attribute(), 1..2), 1 => vec(attribute(), 0..4)];
    let discriminant = prop_oneof![30 => Just(""), 1 => Just(" = 7")];
    (attributes, name(), fields(), discriminant).prop_map(
        |(attributes, name, fields, discriminant)| {
            format!("/// {name}\n{} {name}{fields}{discriminant}", attributes.join(" "))
        },
    )
}

fn attribute() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => words("io", vec![
            "readable", "writable", "priority", "closed", "edge", "level", "oneshot",
            "readable = accept", "writable = r#fn",
        ]),
        2 => words("timer", vec!["expiry", "method = tired", "method = error"]),
        2 => words("signal", vec!["INT", "TERM", "USR1", "SIGHUP", "KILL", "method = stop"]),
        1 => words("child", vec!["method = reaped"]),
        2 => words("nested", vec!["admin", "self.a.b", "0", "0.1", "0.1.2", "self", "method = a"]),
        1 => select(vec![
            "#[io]", "#[timer]", "#[signal]", "#[child]", "#[nested]", "#[io = 3]", "#[oi(readable)]",
            "#[handler(state = X)]", "#[cfg(all())]", "#[nested[admin]]",
        ]).prop_map(str::to_owned),
    ]
}

/// An attribute with some of these words, and rarely with anything else.
fn words(kind: &'static str, known: Vec<&'static str>) -> impl Strategy<Value = String> {
    let word = prop_oneof![12 => select(known).prop_map(str::to_owned), 1 => soup()];
    vec(word, 0..4).prop_map(move |words| format!("#[{kind}({})]", words.join(", ")))
}

/// Anything that balances.
fn soup() -> impl Strategy<Value = String> {
    let token = select(vec![
        "=", ",", "<", ">", ":", "::", "'a", "\"text\"", "1", "0.1", "1.0e5", "self", "crate",
        "where", "->", "..", "#", "r#type", "_", "readable", "method", "INT", "ß", "-", "&",
        "state", "super", "b'x'", "'c'", "true", "$", "?", "generics",
    ])
    .prop_map(str::to_owned);
    let tree = token.prop_recursive(2, 8, 3, |inner| {
        (select(vec![("(", ")"), ("[", "]"), ("{", "}")]), vec(inner, 0..3))
            .prop_map(|((open, close), trees)| format!("{open}{}{close}", trees.join(" ")))
    });
    vec(tree, 0..4).prop_map(|trees| trees.join(" "))
}

fn fields() -> impl Strategy<Value = String> {
    let ty = || {
        select(vec![
            "u8",
            "Key",
            "(u8, (bool, char))",
            "()",
            "Any",
            "admin::On",
            "[u8; 4]",
            "&'static str",
            "Vec<Option<u8>>",
            "fn(u8) -> u8",
            "<u8 as A>::B",
            "impl Copy",
            "dyn A + 'static",
            "!",
            "_",
            "Self",
            "L",
            "r#type",
            "::a::B<{ 1 + 1 }>",
        ])
    };
    let field_name =
        select(vec!["id", "r#in", "event_loop", "token", "self_", "L", "own", "ß", "key"]);
    let on_field =
        prop_oneof![30 => Just(""), 1 => Just("#[timer] "), 1 => Just("#[doc = \"x\"] pub ")];
    let positional = (on_field, ty()).prop_map(|(attribute, ty)| format!("{attribute}{ty}"));
    let named = (field_name, ty()).prop_map(|(name, ty)| format!("{name}: {ty}"));
    prop_oneof![
        4 => Just(String::new()),
        4 => vec(positional, 0..4).prop_map(|fields| format!("({})", fields.join(", "))),
        2 => vec(named, 0..10).prop_map(|fields| format!(" {{ {} }}", fields.join(", "))),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => "[A-Z][a-zA-Z0-9_]{0,6}",
        1 => select(vec![
            "r#match", "Super", "Crate", "Self_", "Tick", "Message", "Error", "Table", "Unpack", "TABLE",
            "__", "_0", "Ärger", "r#type", "On", "L", "Type", "Any", "HTTPListener", "SELF", "Aŉ", "Aİ",
        ]).prop_map(str::to_owned),
    ]
}
