//! One connection's bytes: reads, writes and waits, and leaves what they mean to the conversation.

use tokio::io::{AsyncReadExt, ReadHalf, WriteHalf, split};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;

use super::ClientConfig;
use super::dial::Stream;
use super::opening::Opened;
use super::talk::{Ended, Listeners, Talk};
use super::task::{Outgoing, Wishes, asked_to_close};
use crate::frame::{Decoded, Decoder, Inflater, Limits, Role};

/// How much is read at once.
const READ: usize = 16 << 10;

pub(super) struct Link<'t> {
    reader: ReadHalf<Box<dyn Stream>>,
    writer: WriteHalf<Box<dyn Stream>>,
    decoder: Decoder,
    talk: Talk<'t>,
}

/// What the client's owners want of a connection.
pub(super) struct Inbox<'t> {
    pub(super) outgoing: &'t mut mpsc::Receiver<Outgoing>,
    pub(super) wishes: &'t mut watch::Receiver<Wishes>,
}

impl<'t> Link<'t> {
    pub(super) fn new(opened: Opened, listeners: &'t Listeners, config: &'t ClientConfig) -> Self {
        let (reader, writer) = split(opened.stream);
        let limits = Limits::default().message_size(config.max_message_size);
        let mut link = Self {
            reader,
            writer,
            decoder: Decoder::new(Role::Client, limits),
            talk: Talk::new(listeners, config, opened.time),
        };
        if let Some(agreed) = &opened.deflate {
            link.decoder = link
                .decoder
                .with_inflater(Inflater::new(Role::Client, agreed));
            link.talk.output.deflate(agreed);
        }
        let mut early = opened.early;
        take_in(&mut link.decoder, &mut link.talk, &mut early);
        link
    }

    /// Carries messages both ways until the connection ends.
    pub(super) async fn run(mut self, inbox: Inbox<'_>) -> Ended {
        let mut input = vec![0; READ];
        loop {
            if self.talk.is_over() {
                return self.talk.over();
            }
            let deadline = self.talk.deadline();
            let (has_work, wants_more) = (self.talk.output.has_work(), self.talk.wants_more());
            let is_ending = self.talk.is_ending();
            tokio::select! {
                read = self.reader.read(&mut input) => match read {
                    Ok(0) | Err(_) => return self.talk.over(),
                    Ok(count) => {
                        self.talk.received();
                        take_in(&mut self.decoder, &mut self.talk, &mut input[..count]);
                    }
                },
                done = self.talk.output.advance(&mut self.writer), if has_work => {
                    if done.is_err() {
                        return self.talk.over();
                    }
                }
                Some(outgoing) = inbox.outgoing.recv(), if wants_more => self.talk.send(outgoing),
                () = asked_to_close(inbox.wishes), if !is_ending => self.talk.close(),
                () = sleep_until(deadline) => {
                    if let Some(ended) = self.talk.on_time() {
                        return ended;
                    }
                }
            }
        }
    }
}

fn take_in(decoder: &mut Decoder, talk: &mut Talk<'_>, input: &mut [u8]) {
    let mut at = 0;
    loop {
        match decoder.decode(&mut input[at..]) {
            Ok(Decoded {
                consumed,
                event: Some(event),
            }) => {
                at += consumed;
                talk.take(event);
            }
            Ok(_) => return,
            Err(error) => return talk.broke(error),
        }
    }
}
