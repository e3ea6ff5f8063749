//! Puts the stacks together: the one place that sees all crates at once.
