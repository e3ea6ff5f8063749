//! Fan-out: one socket publishes, all others receive. How many deliveries there are, and how late they come.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Ready, Target, Wire, frames, unless_blocked};
use crate::server::PUBLISH;

/// How much goes to how many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FanOut {
    pub(crate) size: usize,
    pub(crate) receivers: usize,
    /// Messages that are published at once.
    pub(crate) batch: usize,
}

struct Room {
    publisher: Wire,
    receivers: Vec<Wire>,
    ready: Ready,
    /// Bytes that each of them received.
    received: Vec<u64>,
    buffer: Vec<u8>,
}

impl Room {
    fn open(target: &Target, receivers: usize) -> Result<Self> {
        let receivers = Wire::open_many(target, "/", receivers)?;
        Ok(Self {
            publisher: Wire::open(target, PUBLISH)?,
            ready: Ready::new(&receivers)?,
            received: vec![0; receivers.len()],
            receivers,
            buffer: vec![0; 256 * 1024],
        })
    }

    fn publish(&mut self, bytes: &[u8]) -> Result<()> {
        let mut written = 0;
        while written < bytes.len() {
            match unless_blocked(self.publisher.write(&bytes[written..]))? {
                Some(count) => written += count,
                None => std::hint::spin_loop(),
            }
        }
        Ok(())
    }

    /// Waits for some of them and tells `seen` which one has how much; returns how many bytes came.
    fn receive(&mut self, mut seen: impl FnMut(usize, u64)) -> Result<u64> {
        let mut all = 0;
        for event in self.ready.wait()? {
            let number = event.data.u64() as usize;
            let read = self.receivers[number].read(&mut self.buffer);
            if let Some(count) = unless_blocked(read)? {
                self.received[number] += count as u64;
                all += count as u64;
                seen(number, self.received[number]);
            }
        }
        Ok(all)
    }
}

/// Deliveries per second. Two batches are on their way at any time.
pub(crate) fn fan_out(target: &Target, plan: FanOut, window: Duration) -> Result<f64> {
    let payload = frames::payload(plan.size);
    let out = frames::masked(&payload).repeat(plan.batch);
    let message = frames::plain(&payload).len() as u64;
    let batch = message * (plan.batch * plan.receivers) as u64;
    let mut room = Room::open(target, plan.receivers)?;
    let mut run = |window: Duration| -> Result<f64> {
        let (mut sent, mut received) = (0, 0);
        let start = Instant::now();
        while start.elapsed() < window || received < sent {
            while start.elapsed() < window && received + 2 * batch > sent {
                room.publish(&out)?;
                sent += batch;
            }
            received += room.receive(|_, _| {})?;
        }
        let seconds = start.elapsed().as_secs_f64();
        ensure!(received == sent, "{received} bytes arrived of {sent}");
        Ok((received / message) as f64 / seconds)
    };
    run(window / 4)?;
    run(window)
}

/// Lateness in microseconds that 99 of 100 deliveries keep below, one message each millisecond, beside so many readers
/// that never read.
pub(crate) fn latency(
    target: &Target,
    plan: FanOut,
    stuck: usize,
    window: Duration,
) -> Result<f64> {
    let payload = frames::payload(plan.size);
    let out = frames::masked(&payload);
    let message = frames::plain(&payload).len() as u64;
    let _stuck = Wire::open_many(target, "/", stuck)?;
    let mut room = Room::open(target, plan.receivers)?;
    let messages = window.as_millis() as u64;
    let mut late = Vec::with_capacity(messages as usize * plan.receivers);
    let start = Instant::now();
    for number in 0..messages {
        let due = start + Duration::from_millis(number);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let sent = Instant::now();
        room.publish(&out)?;
        let mut waiting = plan.receivers;
        while waiting > 0 {
            room.receive(|_, received| {
                if received == (number + 1) * message {
                    waiting -= 1;
                    late.push(sent.elapsed().as_nanos() as u64);
                }
            })?;
        }
    }
    late.sort_unstable();
    Ok(late[late.len() * 99 / 100] as f64 / 1000.0)
}
