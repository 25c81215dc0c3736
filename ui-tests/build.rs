//! Writes random enums of sources, the same ones each time, for `tests/random.rs` to compile and run.

use std::{env, fmt::Write, fs, path::Path};

const ENUMS: usize = 40;
const SEED: u64 = 0x6d69_6f2d_636f_7265;
/// What a token may take, less than there is: its highest values belong to the loop.
const BITS_MAX: u32 = 63;

/// Payloads with their numbers of bits.
const PAYLOADS: &[(&str, u32)] = &[
    ("u8", 8),
    ("u16", 16),
    ("u32", 32),
    ("i8", 8),
    ("i16", 16),
    ("i32", 32),
    ("bool", 1),
    ("char", 21),
    ("()", 0),
    ("Key<8, 8>", 16),
    ("Side", 2),
    ("(u8, bool)", 9),
    ("((bool, Side), i8)", 11),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let mut random = Random(SEED);
    let mut written: Vec<Written> = Vec::new();
    let mut code = String::new();
    for index in 0..ENUMS {
        let next = sources(&mut random, index, &written);
        code.push_str(&next.code);
        written.push(next);
    }
    code.push_str("#[test]\nfn random_enums_are_what_they_say() {\n");
    for index in 0..ENUMS {
        writeln!(code, "    check::<e{index}::On>();").unwrap();
    }
    code.push_str("}\n");
    let folder = env::var_os("OUT_DIR").unwrap();
    fs::write(Path::new(&folder).join("random.rs"), code).unwrap();
}

/// An enum of sources that was written.
struct Written {
    code: String,
    bits: u32,
    depth: u32,
}

/// What grows with the variants.
#[derive(Default)]
struct Parts {
    variants: String,
    methods: String,
    fields: String,
    states: String,
    values: String,
    bits: u32,
    depth: u32,
}

/// A module with an enum, a state and its methods, each of which notes the source that it is for.
fn sources(random: &mut Random, index: usize, written: &[Written]) -> Written {
    let count = match random.below(4) {
        0 => 1,
        1 => 1 + random.below(40),
        _ => 2 + random.below(7),
    };
    let tag_bits = count.next_power_of_two().trailing_zeros();
    let mut parts = Parts::default();
    for variant in 0..count {
        let room = BITS_MAX - tag_bits;
        if random.below(5) == 0 {
            nested(random, &mut parts, variant, room, written);
        } else {
            plain(random, &mut parts, variant, room);
        }
    }
    let Parts { variants, methods, fields, states, values, bits, depth } = parts;
    let code = format!(
        "mod e{index} {{
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Handler)]
    #[handler(state = State)]
    pub(super) enum On {{
{variants}    }}

    pub(super) struct State {{
        last: Option<On>,
{fields}    }}

    impl<L> OnHandler<L> for State {{
{methods}    }}

    impl Sources for On {{
        type State = State;
        const COUNT: u64 = {count};

        fn state() -> State {{
            State {{ last: None, {states} }}
        }}

        fn last(state: &mut State) -> Option<On> {{
            state.last.take()
        }}

        fn random(random: &mut Random, variant: u64) -> On {{
            match variant {{
{values}                _ => unreachable!(),
            }}
        }}

        fn unpacked(token: u64) -> Option<On> {{
            On::unpack(token)
        }}
    }}
}}

"
    );
    Written { code, bits: tag_bits + bits, depth }
}

/// A variant of a kind that has methods of its own.
fn plain(random: &mut Random, parts: &mut Parts, variant: usize, room: u32) {
    let mut types = Vec::new();
    let mut bits = 0;
    for _ in 0..random.below(5) {
        let (ty, more) = PAYLOADS[random.below(PAYLOADS.len())];
        if bits + more <= room {
            bits += more;
            types.push(ty);
        }
    }
    parts.bits = parts.bits.max(bits);
    let (attribute, methods, extra) = kind(random, variant);
    let named = random.below(3) == 0;
    let declared = shape(named, &types, |ty, _| ty.to_owned());
    writeln!(parts.variants, "        {attribute}\n        V{variant}{declared},").unwrap();
    let value = shape(named, &types, |_, field| format!("f{field}"));
    let arguments: String =
        types.iter().enumerate().map(|(field, ty)| format!("f{field}: {ty}, ")).collect();
    for method in methods {
        writeln!(
            parts.methods,
            "        fn {method}(&mut self, _: &mut EventLoop<L, On>, {arguments}{extra}) \
             -> io::Result<()> {{\n            self.last = Some(On::V{variant}{value});\n            \
             Ok(())\n        }}"
        )
        .unwrap();
    }
    let made = shape(named, &types, |ty, _| format!("field::<{ty}>(random)"));
    writeln!(parts.values, "                {variant} => On::V{variant}{made},").unwrap();
}

/// An attribute, the methods that it makes and what they get beside the payload.
fn kind(random: &mut Random, variant: usize) -> (String, Vec<String>, &'static str) {
    let one = vec![format!("v{variant}")];
    match random.below(8) {
        0 | 1 => ("#[timer]".to_owned(), one, ""),
        2 => ("#[timer(expiry)]".to_owned(), one, "_: Expiry"),
        3 => ("#[signal(USR1, WINCH)]".to_owned(), one, "_: SignalInfo"),
        4 => ("#[child]".to_owned(), one, "_: ChildExit"),
        _ => {
            let mut words = Vec::new();
            let mut methods = Vec::new();
            let wanted = 1 + random.below(15);
            for (bit, word) in ["readable", "writable", "priority", "closed"].iter().enumerate() {
                // `closed` alone is a mistake.
                if wanted >> bit & 1 == 0 && !(wanted == 8 && bit == 0) {
                    continue;
                }
                if random.below(4) == 0 {
                    let method = format!("m{variant}_{bit}");
                    words.push(format!("{word} = {method}"));
                    methods.push(method);
                } else {
                    words.push((*word).to_owned());
                    methods.push(format!("v{variant}_{word}"));
                }
            }
            let triggers = ["edge", "level", "oneshot"];
            if let Some(trigger) = triggers.get(random.below(6)) {
                words.insert(random.below(words.len() + 1), (*trigger).to_owned());
            }
            (format!("#[io({})]", words.join(", ")), methods, "")
        }
    }
}

/// A component: one of the enums that were written, or one by hand.
fn nested(random: &mut Random, parts: &mut Parts, variant: usize, room: u32, written: &[Written]) {
    let keys = [None, Some(("bool", 1)), Some(("Key<4, 4>", 8)), Some(("(bool, u8)", 9))];
    let key = keys[random.below(keys.len())];
    let key_bits = key.map_or(0, |(_, bits)| bits);
    let fits = |own: &Written| own.depth < 3 && own.bits + key_bits <= room;
    let chosen = match random.below(written.len() + 1) {
        own if own < written.len() && fits(&written[own]) => Some(own),
        _ => None,
    };
    let (ty, state, new, value, last, bits, depth) = match chosen {
        Some(own) => (
            format!("e{own}::On"),
            format!("e{own}::State"),
            format!("<e{own}::On as Sources>::state()"),
            format!("source::<e{own}::On>(random)"),
            format!("<e{own}::On as Sources>::last"),
            written[own].bits,
            written[own].depth,
        ),
        None => (
            "Any".to_owned(),
            "Raw".to_owned(),
            "Raw(None)".to_owned(),
            "Any(random.next() & 0xFF)".to_owned(),
            "Raw::last".to_owned(),
            8,
            0,
        ),
    };
    if bits + key_bits > room {
        return plain(random, parts, variant, room);
    }
    parts.bits = parts.bits.max(bits + key_bits);
    parts.depth = parts.depth.max(depth + 1);
    let (declared, argument, made, (noted, last), table) = match key {
        Some((key, _)) => (
            format!("{key}, {ty}"),
            format!("key: {key}"),
            format!("field::<{key}>(random), {value}"),
            ("key, own", format!("{last}(&mut self.c{variant}.0)")),
            true,
        ),
        None => (ty, String::new(), value, ("own", format!("{last}(&mut self.c{variant})")), false),
    };
    let (state, new) =
        if table { (format!("Table<{state}>"), format!("Table({new})")) } else { (state, new) };
    writeln!(parts.variants, "        #[nested(c{variant})]\n        Part{variant}({declared}),")
        .unwrap();
    writeln!(parts.fields, "        c{variant}: {state},").unwrap();
    write!(parts.states, "c{variant}: {new}, ").unwrap();
    writeln!(
        parts.methods,
        "        fn part{variant}(&mut self, _: &mut EventLoop<L, On>, {argument}) -> io::Result<()> {{\n            \
         if let Some(own) = {last} {{ self.last = Some(On::Part{variant}({noted})) }}\n            Ok(())\n        }}"
    )
    .unwrap();
    writeln!(parts.values, "                {variant} => On::Part{variant}({made}),").unwrap();
}

/// What follows the name of a variant.
fn shape(named: bool, types: &[&str], each: impl Fn(&str, usize) -> String) -> String {
    let fields = types.iter().enumerate().map(|(field, ty)| each(ty, field));
    if named {
        let fields: Vec<_> =
            fields.enumerate().map(|(index, value)| format!("f{index}: {value}")).collect();
        format!(" {{ {} }}", fields.join(", "))
    } else if types.is_empty() {
        String::new()
    } else {
        format!("({})", fields.collect::<Vec<_>>().join(", "))
    }
}

/// A linear congruential generator.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(0x14057b7ef767814f);
        (self.0 >> 33) as usize % limit
    }
}
