//! What `#[derive(Handler)]` computes at compile time.

/// The bits of a source's token, added up, and the message for when they are too many.
#[derive(Debug)]
pub struct Sum {
    bits: u32,
    text: [u8; Sum::TEXT_MAX],
    len: usize,
}

impl Sum {
    const TEXT_MAX: usize = 512;

    /// Of the source called `name`, whose token has a tag of `tag` bits and these parts above it.
    #[must_use]
    pub const fn new(name: &str, tag: u32, parts: &[(&str, u32)]) -> Sum {
        let mut sum = Sum { bits: tag, text: [0; Sum::TEXT_MAX], len: 0 };
        let mut i = 0;
        while i < parts.len() {
            sum.bits += parts[i].1;
            i += 1;
        }
        if sum.fits() {
            return sum;
        }
        sum.text("`");
        sum.text(name);
        sum.text("` takes ");
        sum.number(sum.bits);
        sum.text(" bits of the 64 of a token: ");
        sum.number(tag);
        sum.text(" for the tag");
        i = 0;
        while i < parts.len() {
            sum.text(" + ");
            sum.number(parts[i].1);
            sum.text(" for `");
            sum.text(parts[i].0);
            sum.text("`");
            i += 1;
        }
        sum
    }

    /// Whether a token has room for it.
    #[must_use]
    pub const fn fits(&self) -> bool {
        self.bits <= 64
    }

    /// The sum in words, if it does not fit.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.text.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "a source takes more than the 64 bits of a token",
        }
    }

    const fn text(&mut self, text: &str) {
        let mut i = 0;
        while i < text.len() && self.len < Sum::TEXT_MAX {
            self.text[self.len] = text.as_bytes()[i];
            self.len += 1;
            i += 1;
        }
    }

    const fn number(&mut self, number: u32) {
        if number >= 10 {
            self.number(number / 10);
        }
        if self.len < Sum::TEXT_MAX {
            self.text[self.len] = b'0' + (number % 10) as u8;
            self.len += 1;
        }
    }
}

/// The greatest of some numbers of bits.
#[must_use]
pub const fn greatest(bits: &[u32]) -> u32 {
    let mut greatest = 0;
    let mut i = 0;
    while i < bits.len() {
        if bits[i] > greatest {
            greatest = bits[i];
        }
        i += 1;
    }
    greatest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_names_its_parts() {
        const SUM: Sum = Sum::new("On::Client", 3, &[("Key", 48), ("u16", 16)]);
        const MESSAGE: &str = "`On::Client` takes 67 bits of the 64 of a token: \
                               3 for the tag + 48 for `Key` + 16 for `u16`";
        assert_eq!((SUM.fits(), SUM.as_str()), (false, MESSAGE));
        assert!(Sum::new("On::Client", 0, &[("u64", 64)]).fits());
        let long = "é".repeat(600);
        assert!(Sum::new(&long, 1, &[]).as_str().is_ascii(), "cut in the middle of a character");
    }
}
