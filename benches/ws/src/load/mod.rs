//! The load: one thread, many sockets, frames encoded before the clock starts. Decides nothing about rounds or reports.

mod echo;
mod fanout;
mod frames;
mod idle;
mod wire;

use std::io;

use anyhow::{Result, ensure};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;

pub(crate) use echo::{Echo, echo};
pub(crate) use fanout::{FanOut, fan_out, latency};
pub(crate) use idle::{Idle, idle};
pub(crate) use wire::{Target, Wire};

/// Which sockets can be read or written.
struct Ready {
    epoll: OwnedFd,
    events: Vec<Event>,
}

impl Ready {
    fn new(wires: &[Wire]) -> Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        for (number, wire) in wires.iter().enumerate() {
            let data = EventData::new_u64(number as u64);
            epoll::add(&epoll, wire.socket(), data, EventFlags::IN)?;
        }
        Ok(Self {
            epoll,
            events: Vec::with_capacity(wires.len().max(1)),
        })
    }

    /// Waits for any of them, but no longer than three seconds: whoever answers nothing has failed.
    fn wait(&mut self) -> Result<&[Event]> {
        self.events.clear();
        let most = Timespec {
            tv_sec: 3,
            tv_nsec: 0,
        };
        epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&most))?;
        ensure!(!self.events.is_empty(), "the server answers no more");
        Ok(&self.events)
    }

    fn wants(&self, wire: &Wire, number: usize, writing: bool) -> Result<()> {
        let flags = if writing {
            EventFlags::IN | EventFlags::OUT
        } else {
            EventFlags::IN
        };
        let data = EventData::new_u64(number as u64);
        Ok(epoll::modify(&self.epoll, wire.socket(), data, flags)?)
    }
}

/// How many bytes, or none for the moment.
fn unless_blocked(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
