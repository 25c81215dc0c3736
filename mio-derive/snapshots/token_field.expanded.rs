#[automatically_derived]
impl ::mio_core::TokenField for Side {
    const BITS: u32 = 2;
    #[inline]
    fn pack(self) -> u64 {
        match self {
            Self::Client => 0,
            Self::Server => 1,
            Self::Neither => 2,
        }
    }
    #[inline]
    fn unpack(bits: u64) -> ::core::option::Option<Self> {
        match bits {
            0 => ::core::option::Option::Some(Self::Client),
            1 => ::core::option::Option::Some(Self::Server),
            2 => ::core::option::Option::Some(Self::Neither),
            _ => ::core::option::Option::None,
        }
    }
}
