//! What the store does that the evaluator alone does not show.
