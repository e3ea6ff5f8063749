//! Which windows of compression are in use, so that a message is compressed before a lock is taken. Compresses nothing.

use std::sync::Mutex;

use super::Encoded;
use super::shards::lock;
use crate::server::Deflation;

/// One entry for each window that some connection agreed on, and how many did.
#[derive(Debug, Default)]
pub(super) struct Windows(Mutex<Vec<(Deflation, usize)>>);

impl Windows {
    pub(super) fn enter(&self, deflation: Option<&Deflation>) {
        let Some(deflation) = deflation else {
            return;
        };
        let mut all = lock(&self.0);
        match all.iter_mut().find(|(known, _)| same(known, deflation)) {
            Some((_, count)) => *count += 1,
            None => all.push((*deflation, 1)),
        }
    }

    pub(super) fn exit(&self, deflation: Option<&Deflation>) {
        let Some(deflation) = deflation else {
            return;
        };
        let mut all = lock(&self.0);
        if let Some(at) = all.iter().position(|(known, _)| same(known, deflation)) {
            all[at].1 -= 1;
            if all[at].1 == 0 {
                all.swap_remove(at);
            }
        }
    }

    /// Compresses a message for every window that is in use.
    pub(super) fn prepare(&self, message: Encoded) -> Encoded {
        let all: Vec<Deflation> = lock(&self.0).iter().map(|(known, _)| *known).collect();
        if all.is_empty() {
            return message;
        }
        let message = message.for_many();
        for deflation in &all {
            message.frame_for(Some(deflation));
        }
        message
    }
}

/// The threshold is the same for all connections of a server.
fn same(one: &Deflation, other: &Deflation) -> bool {
    one.agreed.server_max_window_bits == other.agreed.server_max_window_bits
}
