//! What is measured, on whom, and what zcomm is to reach. Runs nothing.

use crate::load::{Echo, FanOut};

/// One kind of load, and the servers that bear it in turn.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) work: Work,
    pub(crate) contenders: &'static [Contender],
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    /// Messages per second.
    Echo(Echo),
    /// Deliveries per second.
    FanOut(FanOut),
    /// Microseconds; the less the better.
    Latency(FanOut),
}

/// A server as it is set up for a case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contender {
    pub(crate) label: &'static str,
    pub(crate) server: &'static str,
    pub(crate) tls: bool,
    pub(crate) workers: usize,
    /// Connections that never read.
    pub(crate) stuck: usize,
}

/// What a contender of a case is to reach in relation to another one.
#[derive(Debug)]
pub(crate) struct Goal {
    pub(crate) case: &'static str,
    pub(crate) label: &'static str,
    pub(crate) against: &'static str,
    pub(crate) bound: Bound,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    pub(crate) fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }

    pub(crate) fn text(self) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {least}"),
            Self::AtMost(most) => format!("≤ {most}"),
        }
    }
}

const fn plain(server: &'static str) -> Contender {
    Contender {
        label: server,
        server,
        tls: false,
        workers: 1,
        stuck: 0,
    }
}

const fn tls(server: &'static str) -> Contender {
    Contender {
        tls: true,
        ..plain(server)
    }
}

const ECHO: &[Contender] = &[
    plain("raw"),
    plain("fastwebsockets"),
    plain("fastwebsockets-corked"),
    plain("tungstenite"),
    plain("tungstenite-fed"),
    plain("axum"),
    plain("zcomm"),
    plain("zcomm-async"),
];
const TLS: &[Contender] = &[tls("raw"), tls("zcomm"), tls("zcomm-async")];
const FAN_OUT: &[Contender] = &[
    plain("fastwebsockets"),
    plain("fastwebsockets-writev"),
    plain("tungstenite-fed"),
    plain("zcomm"),
];
const WORKERS: &[Contender] = &[
    plain("zcomm"),
    Contender {
        label: "zcomm, two workers",
        workers: 2,
        ..plain("zcomm")
    },
];
const STUCK: &[Contender] = &[
    plain("zcomm"),
    Contender {
        label: "zcomm, one stuck reader",
        stuck: 1,
        ..plain("zcomm")
    },
];

/// Whose memory is looked at with many idle connections.
pub(crate) const IDLE: &[Contender] = &[
    plain("zcomm"),
    Contender {
        label: "zcomm with TLS",
        ..tls("zcomm")
    },
    plain("fastwebsockets"),
    plain("tungstenite"),
    plain("axum"),
];

const fn echo(size: usize, depth: usize, sockets: usize) -> Work {
    Work::Echo(Echo {
        size,
        depth,
        sockets,
    })
}

const fn fan_out(size: usize, batch: usize) -> FanOut {
    FanOut {
        size,
        receivers: 200,
        batch,
    }
}

pub(crate) const ONE: &str = "echo 64 B, 1 in flight";
pub(crate) const DEEP: &str = "echo 64 B, 32 in flight";
pub(crate) const LARGE: &str = "echo 16 KiB × 4";
pub(crate) const HUGE: &str = "echo 1 MiB";
pub(crate) const TLS_ONE: &str = "TLS echo 64 B, 1 in flight";
pub(crate) const TLS_DEEP: &str = "TLS echo 64 B, 32 in flight";
pub(crate) const TLS_LARGE: &str = "TLS echo 16 KiB × 4";
pub(crate) const MANY_SMALL: &str = "fan-out 200 × 64 B";
pub(crate) const MANY_LARGE: &str = "fan-out 200 × 4 KiB";
pub(crate) const BOTH_CORES: &str = "echo 64 B, 1 in flight, on both cores";
pub(crate) const LATE: &str = "fan-out 200 × 4 KiB each millisecond, 99 % within";

pub(crate) const CASES: &[Case] = &[
    Case {
        name: ONE,
        work: echo(64, 1, 64),
        contenders: ECHO,
    },
    Case {
        name: DEEP,
        work: echo(64, 32, 64),
        contenders: ECHO,
    },
    Case {
        name: LARGE,
        work: echo(16 * 1024, 4, 64),
        contenders: ECHO,
    },
    Case {
        name: HUGE,
        work: echo(1024 * 1024, 1, 8),
        contenders: ECHO,
    },
    Case {
        name: TLS_ONE,
        work: echo(64, 1, 64),
        contenders: TLS,
    },
    Case {
        name: TLS_DEEP,
        work: echo(64, 32, 64),
        contenders: TLS,
    },
    Case {
        name: TLS_LARGE,
        work: echo(16 * 1024, 4, 64),
        contenders: TLS,
    },
    Case {
        name: MANY_SMALL,
        work: Work::FanOut(fan_out(64, 32)),
        contenders: FAN_OUT,
    },
    Case {
        name: MANY_LARGE,
        work: Work::FanOut(fan_out(4096, 8)),
        contenders: FAN_OUT,
    },
    Case {
        name: BOTH_CORES,
        work: echo(64, 1, 64),
        contenders: WORKERS,
    },
    Case {
        name: LATE,
        work: Work::Latency(fan_out(4096, 1)),
        contenders: STUCK,
    },
];

const fn goal(
    case: &'static str,
    label: &'static str,
    against: &'static str,
    bound: Bound,
) -> Goal {
    Goal {
        case,
        label,
        against,
        bound,
    }
}

pub(crate) const GOALS: &[Goal] = &[
    goal(ONE, "zcomm", "raw", Bound::AtLeast(0.95)),
    goal(ONE, "zcomm-async", "raw", Bound::AtLeast(0.93)),
    goal(DEEP, "zcomm", "raw", Bound::AtLeast(0.85)),
    goal(DEEP, "zcomm-async", "raw", Bound::AtLeast(0.6)),
    goal(
        DEEP,
        "zcomm-async",
        "fastwebsockets-corked",
        Bound::AtLeast(1.0),
    ),
    goal(DEEP, "zcomm-async", "tungstenite-fed", Bound::AtLeast(1.0)),
    goal(LARGE, "zcomm", "fastwebsockets", Bound::AtLeast(1.5)),
    goal(LARGE, "zcomm-async", "fastwebsockets", Bound::AtLeast(1.4)),
    goal(HUGE, "zcomm", "fastwebsockets", Bound::AtLeast(0.9)),
    goal(TLS_ONE, "zcomm", "raw", Bound::AtLeast(0.9)),
    goal(TLS_DEEP, "zcomm", "raw", Bound::AtLeast(0.9)),
    goal(TLS_LARGE, "zcomm", "raw", Bound::AtLeast(0.9)),
    goal(
        MANY_SMALL,
        "zcomm",
        "fastwebsockets-writev",
        Bound::AtLeast(1.0),
    ),
    goal(
        MANY_LARGE,
        "zcomm",
        "fastwebsockets-writev",
        Bound::AtLeast(1.0),
    ),
    goal(LATE, "zcomm, one stuck reader", "zcomm", Bound::AtMost(1.2)),
];

/// What an idle connection without TLS may cost, in bytes, and by how much a second crowd may exceed the first.
pub(crate) const IDLE_BYTES: f64 = 2048.0;
pub(crate) const IDLE_GROWTH: f64 = 1.02;
