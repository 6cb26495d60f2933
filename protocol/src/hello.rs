//! The first frame in each direction of every link.

use crate::frame::{self, WireError};

/// Number of the protocol; raised on any incompatible change.
pub const PROTOCOL: u16 = 1;
/// Version and hash of the message definitions this program was built with.
pub const BUILD: &str = concat!(env!("CARGO_PKG_VERSION"), "+", env!("GOPHER_PROTOCOL_HASH"));

const KIND: u16 = 0;
const CEILING: usize = 256;

/// Who speaks, by protocol number and build id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    pub protocol: u16,
    pub build: String,
}

impl Hello {
    /// The greeting of this program.
    pub fn ours() -> Self {
        Self { protocol: PROTOCOL, build: BUILD.to_owned() }
    }

    /// Appends the greeting as a frame.
    pub fn append(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        frame::append(out, KIND, CEILING, |out| frame::put(out, &(self.protocol, &self.build)))
    }

    /// Reads the peer's greeting and compares it with ours.
    ///
    /// # Errors
    /// [`WireError::Stale`] names both builds; [`WireError::NotHello`] if the frame is something else.
    pub fn check(kind: u16, payload: &[u8]) -> Result<(), WireError> {
        if kind != KIND || payload.len() > CEILING {
            return Err(WireError::NotHello);
        }
        let (protocol, build): (u16, String) = frame::take("Hello", payload).map_err(|_| WireError::NotHello)?;
        let ours = Self::ours();
        if (protocol, build.as_str()) == (ours.protocol, ours.build.as_str()) {
            return Ok(());
        }
        Err(WireError::Stale {
            ours: format!("{} (protocol {})", ours.build, ours.protocol),
            theirs: format!("{build} (protocol {protocol})"),
        })
    }
}
