//! What stands for DEFLATE in a build without it: nothing, as nothing is ever agreed on there.

use crate::frame::FrameError;

/// Never made.
#[derive(Debug)]
pub(super) enum Compressor {}

impl Compressor {
    pub(super) fn new(_window_bits: u8) -> Box<Self> {
        unreachable!("without the feature nobody offers or accepts compression")
    }

    pub(super) fn message(&mut self, _parts: &[&[u8]], _output: &mut Vec<u8>) {
        match *self {}
    }

    pub(super) fn reset(&mut self) {
        match *self {}
    }

    pub(super) fn give_back(self: Box<Self>) {
        match *self {}
    }
}

/// Never made.
#[derive(Debug)]
pub(super) enum Decompressor {}

impl Decompressor {
    pub(super) fn new(_window_bits: u8) -> Box<Self> {
        unreachable!("without the feature nobody offers or accepts compression")
    }

    pub(super) fn is_ended(&self) -> bool {
        match *self {}
    }

    pub(super) fn feed(
        &mut self,
        _input: &[u8],
        _sink: &mut dyn FnMut(&[u8]) -> Result<(), FrameError>,
    ) -> Result<(), FrameError> {
        match *self {}
    }

    pub(super) fn give_back(self: Box<Self>) {
        match *self {}
    }
}
