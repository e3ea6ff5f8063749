//! Texts that are kept, and which value stands at which of their placeholders. Bounded.

use std::collections::HashMap;
use std::sync::Arc;

use sea_query::{QueryStatementWriter, Value as Slot};

use super::Statement;
use super::dialect::Dialect;
use crate::data::value::Value;

/// How many texts are kept. Callers choose filters, so without a bound they would choose how much memory this takes.
const MOST: usize = 512;

/// Every text that was written, by the shape of its command.
#[derive(Debug, Default)]
pub(super) struct Plans(HashMap<Vec<u8>, Plan>);

impl Plans {
    pub(super) fn find(&self, key: &[u8]) -> Option<&Plan> {
        self.0.get(key)
    }

    pub(super) fn keep(&mut self, key: Vec<u8>, plan: Plan) -> &Plan {
        // Starting anew is cheaper than knowing which was used last, and as rare as programs with so many queries.
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.entry(key).or_insert(plan)
    }
}

/// A text, and the slot of each of its placeholders.
#[derive(Debug)]
pub(super) struct Plan {
    text: Arc<str>,
    slots: Vec<usize>,
    in_order: bool,
}

impl Plan {
    /// Writes the text of a statement whose values are numbers of slots.
    pub(super) fn of(dialect: Dialect, statement: &impl QueryStatementWriter) -> Self {
        let (text, values) = dialect.build(statement);
        let slots: Vec<usize> = values.iter().map(slot).collect();
        Self {
            text: text.into(),
            in_order: slots.iter().copied().eq(0..slots.len()),
            slots,
        }
    }

    pub(super) fn bind(&self, values: Vec<Value>) -> Statement {
        let values = match self.in_order {
            true => values,
            false => self
                .slots
                .iter()
                .map(|&slot| values[slot].clone())
                .collect(),
        };
        Statement {
            text: Arc::clone(&self.text),
            values,
        }
    }
}

fn slot(value: &Slot) -> usize {
    let slot = match value {
        Slot::Int(Some(slot)) => usize::try_from(*slot).ok(),
        Slot::BigUnsigned(Some(slot)) => usize::try_from(*slot).ok(),
        _ => None,
    };
    slot.expect("statements are written with slots in the place of values")
}
