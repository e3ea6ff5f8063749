//! Schema files: what is wrong with them, and the models they hold. Reads texts, not files.

mod problem;

pub use problem::{Fault, Problem, SchemaError};
