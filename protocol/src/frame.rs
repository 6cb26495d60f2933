//! Frames on stream sockets: `u32` length of the payload, `u16` message type, payload; little-endian.

use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroize as _;

/// Bytes before the payload.
pub const HEADER: usize = 6;
/// Ceiling of the links between engine and worker.
pub const CEILING_WORKER: usize = 16 << 20;
/// Ceiling between engine and secretd: what a run may have remembered, sealed and with its name.
pub const CEILING_RECORD: usize = CEILING_WORKER + (64 << 10);
/// Ceiling of every other link.
pub const CEILING: usize = 1 << 20;

/// Why bytes are not a message.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WireError {
    #[error("{message}: message type {kind} is unknown")]
    UnknownKind { message: &'static str, kind: u16 },
    #[error("{message}: payload does not decode: {reason}")]
    Payload { message: &'static str, reason: String },
    #[error("{message}: {extra} bytes follow the payload")]
    Trailing { message: &'static str, extra: usize },
    #[error("frame of {length} bytes is over the ceiling of {ceiling}")]
    TooLong { length: usize, ceiling: usize },
    #[error("encoding failed: {0}")]
    Encode(String),
    #[error("the first frame is not a hello")]
    NotHello,
    #[error("{theirs} does not match this build {ours}: one of the two programs is stale, restart the robot")]
    Stale { ours: String, theirs: String },
}

pub(crate) fn put<T: Serialize>(out: &mut Vec<u8>, value: &T) -> Result<(), WireError> {
    let taken = std::mem::take(out);
    *out = postcard::to_extend(value, taken).map_err(|e| WireError::Encode(e.to_string()))?;
    Ok(())
}

pub(crate) fn take<T: DeserializeOwned>(message: &'static str, payload: &[u8]) -> Result<T, WireError> {
    let (value, rest) =
        postcard::take_from_bytes(payload).map_err(|e| WireError::Payload { message, reason: e.to_string() })?;
    if rest.is_empty() { Ok(value) } else { Err(WireError::Trailing { message, extra: rest.len() }) }
}

/// Appends one frame to `out`; `write` appends the payload.
pub fn append(
    out: &mut Vec<u8>,
    kind: u16,
    ceiling: usize,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), WireError>,
) -> Result<(), WireError> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&kind.to_le_bytes());
    let written = write(out);
    let length = out.len().saturating_sub(start + HEADER);
    let fits = u32::try_from(length).ok().filter(|_| length <= ceiling);
    match (written, fits) {
        (Ok(()), Some(n)) => {
            out[start..start + 4].copy_from_slice(&n.to_le_bytes());
            Ok(())
        }
        (failed, _) => {
            out[start..].zeroize();
            out.truncate(start);
            failed.and(Err(WireError::TooLong { length, ceiling }))
        }
    }
}

/// Collects bytes of a stream and cuts them into frames. Consumed bytes are wiped.
#[derive(Default)]
pub struct FrameReader {
    buffer: Vec<u8>,
    start: usize,
}

impl FrameReader {
    /// Adds bytes read from the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 && self.start * 2 >= self.buffer.len() {
            let kept = self.buffer.len() - self.start;
            self.buffer.copy_within(self.start.., 0);
            self.buffer[kept..].zeroize();
            self.buffer.truncate(kept);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Hands the next whole frame, if there is one, to `read`, then wipes it.
    ///
    /// # Errors
    /// [`WireError::TooLong`] as soon as a header announces more than `ceiling` bytes.
    pub fn next<T>(
        &mut self,
        ceiling: usize,
        read: impl FnOnce(u16, &[u8]) -> Result<T, WireError>,
    ) -> Result<Option<T>, WireError> {
        let pending = &mut self.buffer[self.start..];
        let Some((header, rest)) = pending.split_first_chunk_mut::<HEADER>() else { return Ok(None) };
        let [len0, len1, len2, len3, kind0, kind1] = *header;
        let length = u32::from_le_bytes([len0, len1, len2, len3]) as usize;
        if length > ceiling {
            return Err(WireError::TooLong { length, ceiling });
        }
        let Some(payload) = rest.get_mut(..length) else { return Ok(None) };
        let result = read(u16::from_le_bytes([kind0, kind1]), payload);
        payload.zeroize();
        self.start += HEADER + length;
        result.map(Some)
    }

    /// Bytes received that are not yet a whole frame.
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.start
    }
}

impl Drop for FrameReader {
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}
