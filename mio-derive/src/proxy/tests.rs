//! The expansion beside the new crate that `new-proxy` writes.

use std::path::Path;

use new_proxy::{Core, NewProxy};
use proc_macro2::{TokenStream, TokenTree};
use syn::DeriveInput;

use super::{attr, emit};
use crate::diag::Mistakes;

const SERVER: &str = include_str!("../../skeleton/src/server.rs");

/// The server of a new crate, all files of it as the compiler sees them, with the names that it has without saying so.
fn skeleton() -> String {
    let new = NewProxy::at(Path::new("/new"), "Mine", Core::Version("1".to_owned())).unwrap();
    let names = emit::names_in_scope(&attr::Options::default());
    let mut server = String::new();
    let mut modules = Vec::new();
    for (path, text) in new.files() {
        match path.strip_prefix("src/server").map(|path| path.trim_start_matches('/')) {
            Some(".rs") => server = text,
            Some(module) => modules.push((module.trim_end_matches(".rs"), text)),
            None => {}
        }
    }
    for (name, text) in modules {
        let declared = format!("mod {name};");
        assert_eq!(server.matches(&declared).count(), 1, "{name}");
        server = server.replace(&declared, &format!("mod {name} {{\n{text}\n{names}\n}}"));
    }
    server + &names.to_string()
}

fn expanded(item: &str) -> Vec<String> {
    let input: DeriveInput = syn::parse_str(item).unwrap();
    let mut mistakes = Mistakes::default();
    let options = attr::options(&input.attrs, &mut mistakes);
    assert!(mistakes.is_empty());
    flat(emit::code(&options))
}

fn tokens(code: &str) -> Vec<String> {
    flat(code.parse().unwrap())
}

/// The tokens, the comments for documentation among them.
fn flat(tokens: TokenStream) -> Vec<String> {
    let flat = tokens.into_iter().flat_map(|token| match token {
        TokenTree::Group(group) => {
            let around = format!("{:?}", group.delimiter());
            [vec![around.clone()], flat(group.stream()), vec![around]].concat()
        }
        token => vec![token.to_string()],
    });
    flat.collect()
}

fn same(one: &[String], other: &[String]) {
    let differs = one.iter().zip(other).position(|(one, other)| one != other);
    if let Some(at) = differs {
        let near = at.saturating_sub(5)..(at + 5).min(one.len()).min(other.len());
        panic!("{:?} instead of {:?}", &one[near.clone()], &other[near]);
    }
    assert_eq!(one.len(), other.len());
}

#[test]
fn the_expansion_is_the_skeleton_token_for_token() {
    let skeleton = tokens(&skeleton());
    assert!(skeleton.len() > 1000);
    for item in ["struct Mine;", "struct Gate<'a, R: Router = Table, const N: usize>(&'a [R; N]);"]
    {
        same(&expanded(item), &skeleton);
    }
}

#[test]
fn only_what_attributes_say_differs() {
    let item = "#[proxy(idle_timeout = \"2m\", capacity = 7, buffer = \"1KiB\")] \
                #[proxy(nodelay = false, proxy_protocol = v2, inspect(down))] struct Mine;";
    let mut expected = skeleton();
    for (from, to) in [
        (
            "IDLE_TIMEOUT: Duration = Duration::from_secs(60)",
            "IDLE_TIMEOUT: Duration = Duration::from_nanos(120000000000u64)",
        ),
        ("CAPACITY: usize = 4096", "CAPACITY: usize = 7"),
        ("BUFFER_BYTES: usize = 512 * 1024", "BUFFER_BYTES: usize = 1024"),
        ("NODELAY: bool = true", "NODELAY: bool = false"),
        ("ProxyProtocol::Off;", "ProxyProtocol::V2;"),
        ("Down<'a, H> = Unseen<'a, H>", "Down<'a, H> = mio_core::proxy::SeenDown<'a, H>"),
        ("trait Hooked: Hooks {}", "trait Hooked: Hooks + mio_core::proxy::InspectDown {}"),
        ("impl<H: Hooks> Hooked", "impl<H: Hooks + mio_core::proxy::InspectDown> Hooked"),
    ] {
        assert_eq!(expected.matches(from).count(), 1, "{from}");
        expected = expected.replace(from, to);
    }
    same(&expanded(item), &tokens(&expected));
}

#[test]
fn each_option_has_its_constant_in_the_skeleton() {
    for (name, constant, _) in attr::CONSTANTS {
        let declared = format!("const {constant}: ");
        assert_eq!(SERVER.matches(&declared).count(), 1, "{name}");
    }
}
