//! What the dispatch of a derived handler is compiled to: looked up in this program's own code, by objdump.

use std::hint::black_box;
use std::process::{Command, Stdio};

use mio_core::{EventLoop, Handler, Readiness};

use crate::bars::Bar;
use crate::os;

/// A handler of these sources, each with a method that is not like another.
macro_rules! handler {
    ($module:ident: $($variant:ident $method:ident),* $(,)?) => {
        mod $module {
            use super::*;

            #[derive(Clone, Copy, Handler)]
            #[handler(state = State)]
            pub enum On {
                $(#[io(readable = $method)] $variant,)*
            }

            pub struct State(u64);

            impl OnHandler for State {
                $(#[inline(never)]
                fn $method(&mut self, _: &mut EventLoop<(), On>) -> std::io::Result<()> {
                    for byte in stringify!($method).bytes() {
                        self.0 = self.0.rotate_left(7) ^ u64::from(byte);
                    }
                    if self.0 == 0 { Err(std::io::ErrorKind::Other.into()) } else { Ok(()) }
                })*
            }

            #[inline(never)]
            pub fn dispatch(
                state: &mut State,
                event_loop: &mut EventLoop,
                token: u64,
                readiness: Readiness,
            ) {
                state.ready(event_loop, token, readiness);
            }

            /// Keeps it in the program.
            pub fn call(event_loop: &mut EventLoop) {
                let (mut state, readiness) = (State(1), black_box(Readiness::READABLE));
                dispatch(&mut state, event_loop, black_box(0), readiness);
                black_box(state.0);
            }
        }
    };
}

#[rustfmt::skip]
mod handlers {
    use super::*;

    handler!(of_2: S00 s00, S01 s01);

    handler!(of_16:
        S00 s00, S01 s01, S02 s02, S03 s03, S04 s04, S05 s05, S06 s06, S07 s07, S08 s08,
        S09 s09, S10 s10, S11 s11, S12 s12, S13 s13, S14 s14, S15 s15,
    );

    handler!(of_100:
        S00 s00, S01 s01, S02 s02, S03 s03, S04 s04, S05 s05, S06 s06, S07 s07, S08 s08,
        S09 s09, S10 s10, S11 s11, S12 s12, S13 s13, S14 s14, S15 s15, S16 s16, S17 s17,
        S18 s18, S19 s19, S20 s20, S21 s21, S22 s22, S23 s23, S24 s24, S25 s25, S26 s26,
        S27 s27, S28 s28, S29 s29, S30 s30, S31 s31, S32 s32, S33 s33, S34 s34, S35 s35,
        S36 s36, S37 s37, S38 s38, S39 s39, S40 s40, S41 s41, S42 s42, S43 s43, S44 s44,
        S45 s45, S46 s46, S47 s47, S48 s48, S49 s49, S50 s50, S51 s51, S52 s52, S53 s53,
        S54 s54, S55 s55, S56 s56, S57 s57, S58 s58, S59 s59, S60 s60, S61 s61, S62 s62,
        S63 s63, S64 s64, S65 s65, S66 s66, S67 s67, S68 s68, S69 s69, S70 s70, S71 s71,
        S72 s72, S73 s73, S74 s74, S75 s75, S76 s76, S77 s77, S78 s78, S79 s79, S80 s80,
        S81 s81, S82 s82, S83 s83, S84 s84, S85 s85, S86 s86, S87 s87, S88 s88, S89 s89,
        S90 s90, S91 s91, S92 s92, S93 s93, S94 s94, S95 s95, S96 s96, S97 s97, S98 s98,
        S99 s99,
    );

    pub fn call(event_loop: &mut EventLoop) {
        of_2::call(event_loop);
        of_16::call(event_loop);
        of_100::call(event_loop);
    }
}

/// What is in a function.
#[derive(Clone, Copy, Debug, Default)]
struct Code {
    instructions: usize,
    /// Jumps to an address out of a table.
    jumps: usize,
    /// Calls to an address out of memory or a register.
    calls: usize,
}

/// A branch for 2 variants, one jump for 16 and for 100, and no call but direct ones.
pub fn check() -> Vec<Bar> {
    handlers::call(&mut EventLoop::new().expect("loop"));
    let Some(listing) = listing() else {
        eprintln!("SKIPPED: objdump is not installed, so nobody looks at the dispatch");
        return Vec::new();
    };
    let bars = [(2, "of_2", 0), (16, "of_16", 1), (100, "of_100", 1)];
    bars.into_iter()
        .map(|(variants, module, jumps)| bar(&listing, variants, module, jumps))
        .collect()
}

fn bar(listing: &str, variants: usize, module: &str, jumps: usize) -> Bar {
    let what = format!("dispatch of {variants} variants: indirect jumps {jumps}, indirect calls 0");
    let Some(code) = code(listing, &format!("jumps::handlers::{module}::dispatch")) else {
        return Bar { what, measured: "not found".into(), passed: false };
    };
    let Code { instructions, calls, .. } = code;
    let measured = format!("{} and {calls}, of {instructions} instructions", code.jumps);
    Bar { what, measured, passed: (code.jumps, calls) == (jumps, 0) }
}

/// The code of this program.
fn listing() -> Option<String> {
    let mut command = Command::new("objdump");
    command.args(["--disassemble", "--demangle", "--no-show-raw-insn"]).arg(os::running_program());
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Of the function of this name. Its listing is from its label to the next empty line.
fn code(listing: &str, function: &str) -> Option<Code> {
    let label = |line: &&str| line.ends_with(">:") && line.contains(function);
    let lines = listing.lines().skip_while(|line| !label(line)).skip(1);
    let mut code = Code::default();
    for line in lines.take_while(|line| !line.is_empty()) {
        let Some((_, instruction)) = line.split_once(":\t") else { continue };
        code.instructions += 1;
        // x86-64 marks them by a star; AArch64 has words of their own.
        let (word, is_starred) = (instruction.split_whitespace().next(), instruction.contains('*'));
        let is_jump = word == Some("br") || is_starred && instruction.contains("jmp");
        let is_call = word == Some("blr") || is_starred && instruction.contains("call");
        code.jumps += usize::from(is_jump);
        code.calls += usize::from(is_call);
    }
    (code.instructions > 0).then_some(code)
}
