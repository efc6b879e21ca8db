//! How frames lie on the stream: a 4-byte big-endian length, then as many bytes.

use std::io;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use libp2p::{Stream, StreamProtocol};
use tokio::io::{ReadHalf, WriteHalf};
use tokio_util::{
    codec::{Decoder, Encoder, Framed, FramedRead, FramedWrite},
    compat::{Compat, FuturesAsyncReadCompatExt as _},
};

/// The largest frame, in bytes, without its length prefix.
pub const MAX_FRAME: usize = 64 * 1024;

/// The largest statement, in bytes.
pub const MAX_STATEMENT: usize = 1024;

/// Bytes of the length prefix.
pub(crate) const PREFIX: usize = 4;

/// The one protocol above the encrypted connection.
pub(crate) const PROTOCOL: StreamProtocol = StreamProtocol::new("/photon/1");

/// Outgoing frames are gathered up to this many bytes before they are written.
const WRITE_BUFFER: usize = 64 * 1024;

/// Bytes that are read at once, unless the frame under way needs more.
const READ_BUFFER: usize = 16 * 1024;

/// When less room than this is left, the next block is taken.
const LEAST_READ: usize = 2 * 1024;

/// A stream cut into frames.
pub(crate) type Frames = Framed<Compat<Stream>, FrameCodec>;

/// The incoming half of [`Frames`].
pub(crate) type FrameReader = FramedRead<ReadHalf<Compat<Stream>>, FrameCodec>;

/// The outgoing half of [`Frames`].
pub(crate) type FrameWriter = FramedWrite<WriteHalf<Compat<Stream>>, FrameCodec>;

/// Cuts incoming bytes into frames without copying them.
#[derive(Debug)]
pub(crate) struct FrameCodec {
    most: usize,
}

/// Cuts a fresh stream into frames no longer than a statement.
pub(crate) fn statement_frames(stream: Stream) -> Frames {
    Framed::with_capacity(stream.compat(), FrameCodec { most: MAX_STATEMENT }, MAX_STATEMENT)
}

/// Splits the stream, and lets frames of full size through, once the peer is known.
pub(crate) fn split(frames: Frames) -> (FrameReader, FrameWriter) {
    let parts = frames.into_parts();
    let (reader, writer) = tokio::io::split(parts.io);
    let codec = || FrameCodec { most: MAX_FRAME };
    let mut reader = FramedRead::with_capacity(reader, codec(), READ_BUFFER);
    reader.read_buffer_mut().extend_from_slice(&parts.read_buf);
    let mut writer = FramedWrite::new(writer, codec());
    writer.set_backpressure_boundary(WRITE_BUFFER);
    writer.write_buffer_mut().extend_from_slice(&parts.write_buf);
    (reader, writer)
}

/// A frame that came whole together with the end of the handshake. The reader by itself looks at
/// its buffer only after it has read more, which may never come.
pub(crate) fn left_over(reader: &mut FrameReader) -> Option<io::Result<Bytes>> {
    FrameCodec { most: MAX_FRAME }.decode(reader.read_buffer_mut()).transpose()
}

impl Decoder for FrameCodec {
    type Item = Bytes;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Bytes>> {
        let missing = if let Some(prefix) = buffer.first_chunk::<PREFIX>() {
            let length = usize::try_from(u32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
            if length > self.most {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("frame of {length} bytes, at most {}", self.most),
                ));
            }
            if buffer.len() >= PREFIX + length {
                buffer.advance(PREFIX);
                return Ok(Some(buffer.split_to(length).freeze()));
            }
            PREFIX + length - buffer.len()
        } else {
            PREFIX - buffer.len()
        };
        if buffer.capacity() - buffer.len() < missing.max(LEAST_READ) {
            buffer.reserve(missing.max(READ_BUFFER));
        }
        Ok(None)
    }
}

impl Encoder<Bytes> for FrameCodec {
    type Error = io::Error;

    fn encode(&mut self, frame: Bytes, buffer: &mut BytesMut) -> io::Result<()> {
        let length = u32::try_from(frame.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        buffer.reserve(PREFIX + frame.len());
        buffer.put_u32(length);
        buffer.put_slice(&frame);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_any_fragmentation() {
        let frames: Vec<Bytes> =
            [0, 1, 3, 700, 20_000, MAX_FRAME].map(|length| Bytes::from(vec![7; length])).into();
        let mut codec = FrameCodec { most: MAX_FRAME };
        let mut bytes = BytesMut::new();
        for frame in &frames {
            codec.encode(frame.clone(), &mut bytes).unwrap();
        }
        for step in [1, 2, 5, 1000, 1_000_000] {
            let mut buffer = BytesMut::new();
            let mut got = Vec::new();
            for piece in bytes.chunks(step) {
                buffer.extend_from_slice(piece);
                while let Some(frame) = codec.decode(&mut buffer).unwrap() {
                    got.push(frame);
                }
            }
            assert_eq!(got, frames);
            assert!(buffer.is_empty());
        }
    }

    #[test]
    fn a_length_above_the_limit_is_refused_before_anything_is_reserved() {
        let mut codec = FrameCodec { most: MAX_STATEMENT };
        let mut buffer = BytesMut::from(&[0, 0, 4, 1][..]);
        let before = buffer.capacity();
        assert_eq!(codec.decode(&mut buffer).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(buffer.capacity(), before);
    }
}
