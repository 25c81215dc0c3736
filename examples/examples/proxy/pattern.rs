//! Bytes that can be checked wherever a read begins and ends.

/// A block of noise, repeated with a prime period, so that no buffer's length hides a shift. Each
/// connection begins at another place in it, so that its bytes are not its neighbour's.
pub(crate) struct Pattern {
    /// The block twice, so that any piece of it is one slice.
    bytes: Vec<u8>,
}

const PERIOD: u64 = 65_521;

impl Pattern {
    pub(crate) fn new() -> Pattern {
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        let noise = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        let mut bytes: Vec<u8> = std::iter::repeat_with(noise).take(PERIOD as usize).collect();
        bytes.extend_from_within(..);
        Pattern { bytes }
    }

    /// What connection `number` sends from `offset` on: `length` bytes, but no more than a period.
    pub(crate) fn piece(&self, number: u64, offset: u64, length: u64) -> &[u8] {
        let start = (number.wrapping_mul(7919) % PERIOD + offset % PERIOD) % PERIOD;
        &self.bytes[start as usize..(start + length.min(PERIOD)) as usize]
    }

    /// Whether `bytes` are what connection `number` sends from `offset` on.
    pub(crate) fn is_at(&self, number: u64, offset: u64, bytes: &[u8]) -> bool {
        (offset..)
            .step_by(PERIOD as usize)
            .zip(bytes.chunks(PERIOD as usize))
            .all(|(offset, chunk)| self.piece(number, offset, chunk.len() as u64) == chunk)
    }
}
