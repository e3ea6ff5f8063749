//! The facade and the program as their users meet them, in one binary.

mod facade;
mod needs_redis;
mod program;
mod run;
mod serve;
