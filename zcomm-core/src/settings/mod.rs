//! Settings: five layers, merged and checked by one table of keys. Reads no files and no environment.
//!
//! The layers, the weakest first: the table's defaults, the machine file (YAML), the environment of
//! the process, the project's `.zEnv`, and zSpark, the values given in code or by flags. A later one
//! wins. Note that **`.zEnv` beats the environment**.
//!
//! * Tables are made of [`Key`]s: [`KEYS`] here, and one in each plugin. They drive the parsing, the
//!   errors, [`Settings::explain`], the documentation ([`markdown`]) and the tests.
//! * A key that YAML or zSpark gives and no table has is an error with a suggestion. Variables are
//!   shared with other programs, so there only a near miss of one of ours gives a [`Warning`].
//! * Something empty is a value like any other: an empty list, an empty text, an error for a port. A
//!   `null`, in YAML or zSpark, is none: the layer below stays in force.
//! * Relative paths belong to the folder of the file that gives them; those of variables and code are
//!   left as they are, for the working directory.

mod explain;
mod gathering;
mod invalid;
mod key;
mod keys;
mod layer;
mod loader;
mod merged;
mod page;
mod quantity;
mod spark;
mod suggest;
mod table;
mod value;
mod websocket;
mod yaml;
mod zenv;

#[cfg(test)]
mod tests;

pub use explain::{Explained, Shadowed};
pub use invalid::{Fault, Invalid, Problem};
pub use key::{Key, Kind};
pub use keys::{KEYS, SECTIONS, Section};
pub use layer::{Layer, Origin};
pub use loader::{Loader, ReadFile};
pub use merged::{Settings, Warning};
pub use page::{machine_yaml, markdown};
pub use websocket::WEBSOCKET_KEYS;
