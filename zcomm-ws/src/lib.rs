//! WebSocket for zcomm: the frame engine, and what is built on it.

pub mod frame;
