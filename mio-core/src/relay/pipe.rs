//! Pipes inside the kernel, through which bytes go that nobody looks at.

use std::io;

use crate::sys::splice;

/// What bytes can pass through without being copied.
pub trait Pipe: Sized {
    /// Opens one with room for so many bytes, more or less.
    ///
    /// # Errors
    ///
    /// Why there is none: `Unsupported` if there never will be. Copying does as well, so nobody hears of it.
    fn open(bytes: usize) -> io::Result<Self>;
}

/// A pipe of the system's, for splice(2). It is two descriptors.
///
/// Portability: Linux and Android. Elsewhere none can be opened, and all is copied; so it is where a sandbox
/// refuses the calls, and where `SIGPIPE` kills the process, which a program with Rust's runtime ignores.
#[derive(Debug)]
pub struct KernelPipe(splice::Pipe);

impl KernelPipe {
    #[inline]
    pub(super) fn get(&self) -> &splice::Pipe {
        &self.0
    }
}

impl Pipe for KernelPipe {
    fn open(bytes: usize) -> io::Result<KernelPipe> {
        splice::Pipe::open(bytes).map(KernelPipe)
    }
}

/// Pipes, opened as they are needed. Those that are not lent are empty.
#[derive(Debug)]
pub(super) struct Pipes<P> {
    slots: Box<[Option<P>]>,
    /// Open and not lent; the last one to be used first.
    idle: Vec<u32>,
    closed: Vec<u32>,
    bytes: usize,
    /// How many more wishes to refuse before opening is tried again.
    pause: u32,
}

impl<P: Pipe> Pipes<P> {
    /// Descriptors come back as pairs end, but not at once.
    const PAUSE: u32 = 1_000;

    pub(super) fn new(max: usize, bytes: usize) -> Pipes<P> {
        let max = max.min(u32::MAX as usize);
        Pipes {
            slots: (0..max).map(|_| None).collect(),
            idle: Vec::with_capacity(max),
            closed: (0..max as u32).rev().collect(),
            bytes,
            pause: 0,
        }
    }

    /// The most that is moved into one at a time.
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Lends an empty one, if there is one to be had.
    pub(super) fn take(&mut self) -> Option<u32> {
        if let Some(number) = self.idle.pop() {
            return Some(number);
        }
        if self.pause > 0 {
            self.pause -= 1;
            return None;
        }
        let number = self.closed.pop()?;
        match P::open(self.bytes) {
            Ok(pipe) => {
                self.slots[number as usize] = Some(pipe);
                Some(number)
            }
            Err(error) => {
                self.closed.push(number);
                self.pause = Self::PAUSE;
                if error.kind() == io::ErrorKind::Unsupported {
                    self.give_up();
                }
                None
            }
        }
    }

    #[inline]
    pub(super) fn get(&self, number: u32) -> &P {
        self.slots[number as usize].as_ref().expect("it is open while it is lent")
    }

    /// Takes back one that is empty.
    #[inline]
    pub(super) fn put_back(&mut self, number: u32) {
        self.idle.push(number);
    }

    /// Takes back one that has bytes in it, which are nobody's any more.
    pub(super) fn close(&mut self, number: u32) {
        self.slots[number as usize] = None;
        self.closed.push(number);
    }

    /// Closes those that are not lent.
    pub(super) fn close_idle(&mut self) {
        while let Some(number) = self.idle.pop() {
            self.close(number);
        }
    }

    /// None is of any use here: opens no more.
    pub(super) fn give_up(&mut self) {
        self.close_idle();
        self.closed.clear();
    }

    pub(super) fn open(&self) -> usize {
        self.slots.iter().flatten().count()
    }
}
