//! What a run prints, on its way to the engine.

use std::{os::fd::OwnedFd, time::Instant};

use gopher_protocol::worker::{Stream, WorkerToEngine};
use nix::errno::Errno;

use super::{EngineLink, Running};
use crate::{error::WorkerError, lines::Lines};

/// One message of output.
const OUTPUT_CHUNK: usize = 8 << 10;

pub(super) struct Output {
    pub(super) stream: Stream,
    pub(super) token: u64,
    pub(super) pipe: Option<OwnedFd>,
    pub(super) lines: Lines,
}

impl Output {
    pub(super) fn new(stream: Stream, token: u64, pipe: OwnedFd) -> Self {
        Self { stream, token, pipe: Some(pipe), lines: Lines::default() }
    }
}

impl Running {
    /// Passes output on; at the end (`last`) all that is left of it.
    pub(super) fn output(&mut self, engine: &mut EngineLink, index: usize, last: bool) -> Result<(), WorkerError> {
        let output = &mut self.outputs[index];
        let mut chunk = [0; OUTPUT_CHUNK];
        let mut budget = if last { 64 } else { 8 };
        while let Some(pipe) = &output.pipe {
            let count = match nix::unistd::read(pipe, &mut chunk) {
                Ok(count) => count,
                Err(Errno::EINTR) => continue,
                Err(_) => break,
            };
            if count == 0 {
                if self.reading {
                    self.poller.remove(pipe).map_err(WorkerError::system("epoll_ctl"))?;
                }
                output.pipe = None;
                break;
            }
            output.lines.push(&chunk[..count]);
            let bytes = output.lines.take_output(OUTPUT_CHUNK, false);
            let allowed = usize::try_from(self.output_left).unwrap_or(usize::MAX).min(bytes.len());
            self.output_left -= allowed as u64;
            if allowed > 0 {
                let bytes = bytes[..allowed].to_vec().into();
                engine.send(&WorkerToEngine::Output { stream: output.stream.clone(), bytes })?;
            }
            if self.output_left == 0 && self.stopped.is_none() {
                let most = self.output_limit >> 20;
                self.stopped = Some(if self.configure {
                    format!("_configure wrote more than {most} MiB of output")
                } else {
                    format!("it wrote more than {most} MiB of output (Limits: Output of the extension)")
                });
                self.kill_at = Some(Instant::now());
            }
            budget -= 1;
            if budget == 0 || (self.stopped.is_some() && self.output_left == 0) {
                break;
            }
        }
        if last || output.pipe.is_none() {
            let bytes = output.lines.take_output(OUTPUT_CHUNK, true);
            if !bytes.is_empty() && self.output_left > 0 {
                engine.send(&WorkerToEngine::Output { stream: output.stream.clone(), bytes: bytes.into() })?;
            }
        }
        Ok(())
    }
}
