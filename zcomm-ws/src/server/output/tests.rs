//! What goes out, in which order, when a socket takes only so much at a time.

use std::task::Waker;

use super::*;
use crate::frame::{Opcode, encode_frame};
use crate::server::outbox::{OutboxLimits, Pushed};

/// Takes `room` bytes, then none until there is room again.
#[derive(Default)]
struct Narrow {
    taken: Vec<u8>,
    room: usize,
}

impl AsyncWrite for Narrow {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.room == 0 {
            return Poll::Pending;
        }
        let count = bytes.len().min(self.room);
        self.room -= count;
        self.taken.extend_from_slice(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

struct Way {
    io: Narrow,
    output: Output,
    writing: Writing,
    outbox: Outbox,
}

impl Way {
    fn new() -> Self {
        let limits = OutboxLimits {
            bytes: 1000,
            messages: 10,
        };
        Self {
            io: Narrow::default(),
            output: Output::default(),
            writing: Writing::default(),
            outbox: Outbox::new(limits),
        }
    }

    fn reply(&mut self, text: &str) {
        let parts: &[&[u8]] = &[text.as_bytes()];
        self.output.append(&self.outbox, MessageKind::Text, parts);
    }

    fn push(&mut self, text: &str) -> Pushed {
        self.outbox.push(&frame(Opcode::Text, text)).0
    }

    /// Lets the socket take so many bytes; true if nothing is left.
    fn flush(&mut self, room: usize) -> bool {
        self.io.room = room;
        let mut cx = Context::from_waker(Waker::noop());
        let (outbox, mut progress) = (&self.outbox, false);
        let flushed = self.writing.poll_flush(
            &mut self.io,
            &mut cx,
            &mut self.output,
            outbox,
            &mut progress,
        );
        flushed.is_ready()
    }

    #[track_caller]
    fn sent(&self, frames: &[(Opcode, &str)]) {
        let expected: Vec<u8> = frames
            .iter()
            .flat_map(|(opcode, text)| frame(*opcode, text))
            .collect();
        assert_eq!(
            self.io.taken.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
    }
}

fn frame(opcode: Opcode, text: &str) -> Bytes {
    let mut frame = Vec::new();
    encode_frame(&mut frame, opcode, text.as_bytes());
    frame.into()
}

#[test]
fn replies_and_pushes_leave_in_their_order_however_little_is_taken() {
    for room in 1..20 {
        let mut way = Way::new();
        way.reply("one");
        assert_eq!(way.push("two"), Pushed::Taken);
        way.reply("three");
        way.output
            .append_reply(&way.outbox, &Reply::binary("four").followed_by("!"));

        while !way.flush(room) {}

        way.sent(&[
            (Opcode::Text, "one"),
            (Opcode::Text, "two"),
            (Opcode::Text, "three"),
            (Opcode::Binary, "four!"),
        ]);
    }
}

#[test]
fn a_reply_behind_a_clog_does_not_overtake_it() {
    let mut way = Way::new();
    way.reply("first");

    assert!(!way.flush(3));
    way.reply("second");
    assert!(way.flush(100));

    way.sent(&[(Opcode::Text, "first"), (Opcode::Text, "second")]);
    assert!(!way.output.clogged);
}

#[test]
fn a_ping_goes_ahead_of_data_but_never_into_a_frame() {
    for begun in 0..9 {
        let mut way = Way::new();
        way.reply("first");
        way.push("second");
        way.flush(begun);

        way.writing.put_first(frame(Opcode::Ping, ""), &way.outbox);
        assert!(way.flush(100));

        let (first, second, ping) = (
            (Opcode::Text, "first"),
            (Opcode::Text, "second"),
            (Opcode::Ping, ""),
        );
        match begun {
            0 => way.sent(&[ping, first, second]),
            1..=7 => way.sent(&[first, ping, second]),
            _ => way.sent(&[first, second, ping]),
        }
    }
}

#[test]
fn a_ping_does_not_part_a_large_reply_that_has_begun() {
    let large = "x".repeat(LARGE);
    let mut way = Way::new();
    let reply = Reply::text(large.clone()).followed_by("end");
    way.output.append_reply(&way.outbox, &reply);

    // Exactly the header, then somewhere inside.
    for room in [4, 100] {
        assert!(!way.flush(room));
        way.writing.put_first(frame(Opcode::Ping, ""), &way.outbox);
    }
    assert!(way.flush(usize::MAX));

    let whole = large + "end";
    way.sent(&[
        (Opcode::Text, &whole),
        (Opcode::Ping, ""),
        (Opcode::Ping, ""),
    ]);
}

#[test]
fn of_the_pongs_that_wait_only_the_newest_is_sent() {
    let mut way = Way::new();
    way.reply("data");
    assert!(!way.flush(0));

    for payload in ["1", "22", "333"] {
        way.writing
            .put_first(frame(Opcode::Pong, payload), &way.outbox);
    }
    assert!(way.flush(100));

    way.sent(&[(Opcode::Pong, "333"), (Opcode::Text, "data")]);
}

#[test]
fn what_has_begun_is_finished_when_the_rest_is_dropped() {
    let mut way = Way::new();
    // Smaller ones would be written as one piece.
    let (first, second) = ("1".repeat(300), "2".repeat(300));
    way.push(&first);
    way.push(&second);
    assert!(!way.flush(3));

    way.writing.drop_unbegun();
    way.writing.put_last(frame(Opcode::Close, ""), &way.outbox);
    assert!(way.flush(1000));

    way.sent(&[(Opcode::Text, &first), (Opcode::Close, "")]);
}

#[test]
fn beyond_the_bound_a_push_is_refused_and_room_comes_back_as_bytes_leave() {
    let mut way = Way::new();
    let half = "y".repeat(490);

    assert_eq!(
        way.outbox.try_push_frame(&frame(Opcode::Text, &half)),
        Pushed::Taken
    );
    assert_eq!(
        way.outbox.try_push_frame(&frame(Opcode::Text, &half)),
        Pushed::Taken
    );
    assert_eq!(
        way.outbox.try_push_frame(&frame(Opcode::Text, &half)),
        Pushed::Full
    );
    assert!(!way.flush(600));
    assert_eq!(
        way.outbox.try_push_frame(&frame(Opcode::Text, &half)),
        Pushed::Taken
    );

    assert_eq!(way.push(&"z".repeat(990)), Pushed::Full);
    assert_eq!(way.push("after"), Pushed::Closed);
}

#[test]
fn an_empty_outbox_takes_one_message_of_any_size() {
    let mut way = Way::new();
    let large = "z".repeat(5000);

    assert_eq!(way.push(&large), Pushed::Taken);
    assert_eq!(way.push("more"), Pushed::Full);
}
