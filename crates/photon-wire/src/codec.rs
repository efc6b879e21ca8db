//! The canonical encoding: fixed layouts, big-endian integers, lengths before what they count.
//!
//! Every length is checked against what remains *before* anything is allocated, and nothing may
//! follow the end. Source: the two flaws N-01 and N-02 of Photon Go, which accepted trailing
//! bytes and allocated gigabytes for a 148-byte datagram.

use crate::{
    Address, Amount, B256, BlockNumber, ChannelId, Epoch, LockHash, LockNumber, Locksroot, Nonce,
    PaymentId, Seconds, Secret, SecretHash, Signature, Slot, Timestamp, Token,
};
use alloc::string::String;
use alloc::vec::Vec;
use alloy_primitives::U256;
use core::fmt;

/// Why bytes are not a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// The value needs more bytes than there are.
    Short {
        /// Bytes that the value needs.
        needed: usize,
        /// Bytes that are there.
        left: usize,
    },
    /// Bytes follow the end of the value.
    Trailing(usize),
    /// A list or text is longer than its limit.
    TooMany {
        /// The limit.
        limit: usize,
        /// The length found.
        got: usize,
    },
    /// No such variant.
    Tag {
        /// What is being decoded.
        what: &'static str,
        /// The tag found.
        got: u8,
    },
    /// The value is outside its range.
    Range(&'static str),
    /// The text is not UTF-8.
    Text,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { needed, left } => write!(out, "needs {needed} bytes, {left} are left"),
            Self::Trailing(count) => write!(out, "{count} bytes follow the end"),
            Self::TooMany { limit, got } => write!(out, "length is {got}, at most {limit}"),
            Self::Tag { what, got } => write!(out, "no {what} has tag {got}"),
            Self::Range(what) => write!(out, "{what} is out of range"),
            Self::Text => out.write_str("text is not UTF-8"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// A value with one canonical encoding.
pub trait Encode {
    /// Appends the encoding.
    fn encode(&self, out: &mut Vec<u8>);

    /// The encoding alone.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }
}

/// The way back.
pub trait Decode: Sized {
    /// Takes one value from the front.
    ///
    /// # Errors
    /// The bytes are not the canonical encoding of a value.
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// The value of these bytes, all of them.
    ///
    /// # Errors
    /// As [`Decode::decode`], and where bytes follow the end.
    fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let value = Self::decode(&mut input)?;
        input.finish()?;
        Ok(value)
    }
}

/// Bytes still to be decoded.
#[derive(Clone, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts at the front.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// How many bytes are left.
    pub const fn left(&self) -> usize {
        self.0.len()
    }

    /// Takes `count` bytes.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let short = DecodeError::Short { needed: count, left: self.left() };
        let (front, rest) = self.0.split_at_checked(count).ok_or(short)?;
        self.0 = rest;
        Ok(front)
    }

    /// Takes an array.
    ///
    /// # Errors
    /// Fewer than `N` bytes are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let short = DecodeError::Short { needed: N, left: self.left() };
        let (front, rest) = self.0.split_first_chunk::<N>().ok_or(short)?;
        self.0 = rest;
        Ok(*front)
    }

    /// Takes a length of at most `limit` things of at least `least` bytes each.
    ///
    /// # Errors
    /// The length is above the limit, or that many things cannot be left.
    pub fn length(&mut self, limit: usize, least: usize) -> Result<usize, DecodeError> {
        let count = usize::from(u16::decode(self)?);
        if count > limit {
            return Err(DecodeError::TooMany { limit, got: count });
        }
        let needed = count.saturating_mul(least);
        if needed > self.left() {
            return Err(DecodeError::Short { needed, left: self.left() });
        }
        Ok(count)
    }

    /// Takes a list of at most `limit` values of at least `least` bytes each.
    ///
    /// # Errors
    /// As [`Reader::length`], or a value does not decode.
    pub fn list<T: Decode>(&mut self, limit: usize, least: usize) -> Result<Vec<T>, DecodeError> {
        let count = self.length(limit, least)?;
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(T::decode(self)?);
        }
        Ok(values)
    }

    /// Takes a byte string of at most `limit` bytes.
    ///
    /// # Errors
    /// It is longer, or fewer bytes are left.
    pub fn bytes(&mut self, limit: usize) -> Result<Vec<u8>, DecodeError> {
        let count = self.length(limit, 1)?;
        Ok(self.take(count)?.to_vec())
    }

    /// Takes a text of at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Reader::bytes`], or it is not UTF-8.
    pub fn text(&mut self, limit: usize) -> Result<String, DecodeError> {
        String::from_utf8(self.bytes(limit)?).map_err(|_| DecodeError::Text)
    }

    /// Demands that nothing is left.
    ///
    /// # Errors
    /// Something is.
    pub const fn finish(&self) -> Result<(), DecodeError> {
        match self.left() {
            0 => Ok(()),
            count => Err(DecodeError::Trailing(count)),
        }
    }
}

/// Appends a length. Lists on the wire are bounded far below 65,536.
pub fn put_length(out: &mut Vec<u8>, count: usize) {
    let count = u16::try_from(count).expect("every list has a limit below 65,536");
    count.encode(out);
}

/// Appends a list behind its length.
pub fn put_list<T: Encode>(out: &mut Vec<u8>, values: &[T]) {
    put_length(out, values.len());
    values.iter().for_each(|value| value.encode(out));
}

/// Appends a byte string behind its length.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

macro_rules! integers {
    ($($name:ty),*) => {$(
        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
        }
        impl Decode for $name {
            fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(Self::from_be_bytes(input.array()?))
            }
        }
    )*};
}
integers!(u8, u16, u32, u64, u128);

macro_rules! wrapped {
    ($($name:ident($inner:ty)),* $(,)?) => {$(
        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }
        }
        impl Decode for $name {
            fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                <$inner>::decode(input).map(Self)
            }
        }
    )*};
}
wrapped!(
    Amount(u128),
    BlockNumber(u64),
    ChannelId(B256),
    Epoch(u32),
    LockHash(B256),
    LockNumber(u64),
    Locksroot(B256),
    Nonce(u64),
    PaymentId([u8; 16]),
    Seconds(u64),
    Secret([u8; 32]),
    SecretHash(B256),
    Signature([u8; 65]),
    Timestamp(u64),
    Token(Address),
);

impl<const N: usize> Encode for [u8; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl<const N: usize> Decode for [u8; N] {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.array()
    }
}

impl Encode for B256 {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for B256 {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.array().map(Self::new)
    }
}

impl Encode for U256 {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes::<32>());
    }
}

impl Decode for U256 {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.array().map(Self::from_be_bytes::<32>)
    }
}

impl Encode for Address {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_slice());
    }
}

impl Decode for Address {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.array().map(Self::new)
    }
}

impl Encode for Slot {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for Slot {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let slot = u16::decode(input)?;
        if slot < crate::limits::SLOTS { Ok(Self(slot)) } else { Err(DecodeError::Range("slot")) }
    }
}

impl Encode for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push((*self).into());
    }
}

impl Decode for bool {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match u8::decode(input)? {
            0 => Ok(false),
            1 => Ok(true),
            got => Err(DecodeError::Tag { what: "flag", got }),
        }
    }
}

/// For our own rows; a message states the limit of each of its lists with [`Reader::list`].
impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        put_list(out, self);
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.list(usize::from(u16::MAX), 1)
    }
}

impl<A: Encode, B: Encode> Encode for (A, B) {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        self.1.encode(out);
    }
}

impl<A: Decode, B: Decode> Decode for (A, B) {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((A::decode(input)?, B::decode(input)?))
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            None => out.push(0),
            Some(value) => {
                out.push(1);
                value.encode(out);
            }
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match u8::decode(input)? {
            0 => Ok(None),
            1 => T::decode(input).map(Some),
            got => Err(DecodeError::Tag { what: "option", got }),
        }
    }
}

/// Implements the codec of a struct whose encoding is its fields, one after the other.
#[macro_export]
macro_rules! fields_codec {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::codec::Encode for $name {
            fn encode(&self, out: &mut ::alloc::vec::Vec<u8>) {
                $($crate::codec::Encode::encode(&self.$field, out);)*
            }
        }
        impl $crate::codec::Decode for $name {
            fn decode(
                input: &mut $crate::codec::Reader<'_>,
            ) -> Result<Self, $crate::codec::DecodeError> {
                Ok(Self { $($field: $crate::codec::Decode::decode(input)?),* })
            }
        }
    };
}
