//! Names: of methods and variables, after those of variants.

use proc_macro2::{Ident, Span};

use crate::model::unraw;

/// The words of a variant's name, in lower case and joined by underscores.
pub(crate) fn snake_case(variant: &Ident) -> String {
    let letters: Vec<char> = unraw(variant).chars().collect();
    let mut snake = String::new();
    for (i, &letter) in letters.iter().enumerate() {
        let begins_word = letter.is_uppercase() && i > 0 && {
            let before = letters[i - 1];
            let after = letters.get(i + 1);
            before.is_lowercase()
                || before.is_numeric()
                || before.is_uppercase() && after.is_some_and(|after| after.is_lowercase())
        };
        if begins_word {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// An identifier of this name, raw if it is a keyword.
pub(crate) fn identifier(name: &str, span: Span) -> Ident {
    match name {
        // These cannot be raw.
        "self" | "super" | "crate" | "_" => Ident::new(&format!("{name}_"), span),
        _ => match syn::parse_str::<Ident>(name) {
            Ok(_) => Ident::new(name, span),
            Err(_) => Ident::new_raw(name, span),
        },
    }
}

/// A variable for a payload. Names that the generated methods use themselves get an underscore.
pub(crate) fn variable(name: &str, span: Span) -> Ident {
    const TAKEN: &[&str] = &[
        "event_loop",
        "token",
        "readiness",
        "expiry",
        "info",
        "exit",
        "error",
        "source",
        "component",
        "result",
        "bits",
        "own",
    ];
    if TAKEN.contains(&name) {
        identifier(&format!("{name}_"), span)
    } else {
        identifier(name, span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_become_snake_case() {
        for (variant, expected) in [
            ("Listener", "listener"),
            ("IdleTimer", "idle_timer"),
            ("HTTPListener", "http_listener"),
            ("Http2Stream", "http2_stream"),
            ("X", "x"),
            ("lower", "lower"),
            ("ÄrgerNis", "ärger_nis"),
            ("Already_Split", "already_split"),
        ] {
            assert_eq!(snake_case(&Ident::new(variant, Span::call_site())), expected);
        }
    }

    #[test]
    fn keywords_become_raw_or_get_an_underscore() {
        let span = Span::call_site();
        assert_eq!(identifier("type", span), Ident::new_raw("type", span));
        assert_eq!(identifier("super", span), "super_");
        assert_eq!(variable("event_loop", span), "event_loop_");
        assert_eq!(variable("client", span), "client");
    }
}
