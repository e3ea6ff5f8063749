//! Echo: every socket sends a batch, waits until all of it is back, and sends the next.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Ready, Target, Wire, frames, unless_blocked};

/// How much is sent, and on how many sockets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Echo {
    pub(crate) size: usize,
    pub(crate) depth: usize,
    pub(crate) sockets: usize,
}

/// What every socket sends and expects, encoded once.
struct Batch {
    out: Vec<u8>,
    back: Vec<u8>,
    depth: u64,
}

#[derive(Default)]
struct Course {
    written: usize,
    read: usize,
    blocked: bool,
    checked: bool,
}

/// Messages per second, after a warm-up that also looks at every byte of the first answers.
pub(crate) fn echo(target: &Target, echo: Echo, window: Duration) -> Result<f64> {
    let payload = frames::payload(echo.size);
    let out = frames::masked(&payload).repeat(echo.depth);
    let back = match target.bare {
        true => out.clone(),
        false => frames::plain(&payload).repeat(echo.depth),
    };
    let batch = Batch {
        out,
        back,
        depth: echo.depth as u64,
    };
    let mut wires = Wire::open_many(target, "/", echo.sockets)?;
    let mut ready = Ready::new(&wires)?;
    let mut courses: Vec<Course> = wires.iter().map(|_| Course::default()).collect();
    for (number, wire) in wires.iter_mut().enumerate() {
        send(wire, &mut courses[number], &batch, &ready, number)?;
    }
    run(&mut wires, &mut courses, &batch, &mut ready, window / 4)?;
    ensure!(
        courses.iter().all(|course| course.checked),
        "a socket got no answer"
    );
    let start = Instant::now();
    let messages = run(&mut wires, &mut courses, &batch, &mut ready, window)?;
    Ok(messages as f64 / start.elapsed().as_secs_f64())
}

fn run(
    wires: &mut [Wire],
    courses: &mut [Course],
    batch: &Batch,
    ready: &mut Ready,
    window: Duration,
) -> Result<u64> {
    let mut buffer = vec![0; 256 * 1024];
    let mut messages = 0;
    let until = Instant::now() + window;
    let mut due = Vec::new();
    while Instant::now() < until || courses.iter().any(|course| !course.checked) {
        due.clear();
        due.extend(ready.wait()?.iter().map(|event| event.data.u64() as usize));
        for &number in &due {
            let (wire, course) = (&mut wires[number], &mut courses[number]);
            if course.blocked {
                send(wire, course, batch, ready, number)?;
            }
            if receive(wire, course, batch, &mut buffer)? {
                messages += batch.depth;
                (course.written, course.read, course.checked) = (0, 0, true);
                send(wire, course, batch, ready, number)?;
            }
        }
    }
    Ok(messages)
}

fn send(
    wire: &mut Wire,
    course: &mut Course,
    batch: &Batch,
    ready: &Ready,
    number: usize,
) -> Result<()> {
    let was_blocked = course.blocked;
    while course.written < batch.out.len() {
        match unless_blocked(wire.write(&batch.out[course.written..]))? {
            Some(count) => course.written += count,
            None => break,
        }
    }
    course.blocked = course.written < batch.out.len() || wire.is_behind()?;
    if course.blocked != was_blocked {
        ready.wants(wire, number, course.blocked)?;
    }
    Ok(())
}

/// True once the whole batch is back.
fn receive(wire: &mut Wire, course: &mut Course, batch: &Batch, buffer: &mut [u8]) -> Result<bool> {
    while course.read < batch.back.len() {
        let Some(count) = unless_blocked(wire.read(buffer))? else {
            return Ok(false);
        };
        if !course.checked {
            let expected = batch.back.get(course.read..course.read + count);
            ensure!(
                expected == Some(&buffer[..count]),
                "the echo is not the message"
            );
        }
        course.read += count;
    }
    ensure!(
        course.read == batch.back.len(),
        "more came back than was sent"
    );
    Ok(true)
}
