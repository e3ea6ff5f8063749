//! One run of the loader: goes through the layers, keeps each value and each fault.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::loader::{Loader, ReadFile, Spark, Text};
use super::merged::{Assigned, Entry};
use super::table::{Named, Table};
use super::value::{self, Raw, Value};
use super::{Fault, Invalid, Key, Kind, Layer, Origin, Problem, Settings, Warning};
use super::{spark, yaml, zenv};

pub(super) struct Gathering<'a> {
    table: Table,
    read_file: Option<ReadFile<'a>>,
    given: Vec<Given>,
    variables: HashMap<String, String>,
    problems: Vec<Problem>,
    warnings: Vec<Warning>,
}

/// Where a value stands, and under which name.
struct Place<'a> {
    layer: Layer,
    origin: Origin,
    folder: Option<&'a Path>,
    name: &'a str,
}

/// A value that was read, for its key.
struct Given {
    named: Named,
    name: String,
    assigned: Assigned,
}

impl<'a> Gathering<'a> {
    pub(super) fn new(table: Table, read_file: Option<ReadFile<'a>>) -> Self {
        Self {
            table,
            read_file,
            given: Vec::new(),
            variables: HashMap::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Goes through the layers, the weakest first, so that the last value of a key is the one in force.
    pub(super) fn gather(mut self, from: &Loader<'_>) -> (Settings, Option<Invalid>) {
        self.check_table();
        self.take_defaults();
        if let Some(file) = &from.machine {
            self.take_machine(file);
        }
        self.take_environment(&from.environment);
        if let Some(file) = &from.zenv {
            self.take_zenv(file);
        }
        for values in &from.spark {
            self.take_spark(values);
        }
        self.check_twice();
        self.finish()
    }

    fn check_table(&mut self) {
        for name in self.table.ambiguous() {
            self.fault(
                Layer::Defaults,
                Origin::BuiltIn,
                Some(name),
                Fault::Ambiguous,
            );
        }
    }

    fn take_defaults(&mut self) {
        for key in self.table.0.clone() {
            let Some(text) = key.default else { continue };
            let place = Place {
                layer: Layer::Defaults,
                origin: Origin::BuiltIn,
                folder: None,
                name: key.path,
            };
            let raw = Raw::One(text.to_owned());
            self.take(place, Named { key, file: false }, Some(&raw));
        }
    }

    fn take_machine(&mut self, file: &Text) {
        let label: Arc<str> = file.label.as_str().into();
        let at = |line| Origin::Line {
            label: Arc::clone(&label),
            line,
        };
        let leaves = match yaml::leaves(&file.text) {
            Ok(leaves) => leaves,
            Err(error) => {
                let fault = Fault::Yaml {
                    message: error.message,
                };
                return self.fault(Layer::Machine, at(error.line), None, fault);
            }
        };
        for leaf in leaves {
            let place = Place {
                layer: Layer::Machine,
                origin: at(leaf.line),
                folder: Some(&file.folder),
                name: &leaf.path,
            };
            self.take_path(place, leaf.raw.as_ref());
        }
    }

    fn take_environment(&mut self, pairs: &[(String, String)]) {
        for (name, value) in pairs {
            let place = Place {
                layer: Layer::Environment,
                origin: Origin::Variable { name: name.clone() },
                folder: None,
                name,
            };
            self.take_variable(place, value);
        }
    }

    fn take_zenv(&mut self, file: &Text) {
        let label: Arc<str> = file.label.as_str().into();
        let at = |line| Origin::Line {
            label: Arc::clone(&label),
            line,
        };
        let (variables, broken) = zenv::variables(&file.text);
        for line in broken {
            self.fault(Layer::ZEnv, at(line), None, Fault::NotAVariable);
        }
        for variable in &variables {
            let place = Place {
                layer: Layer::ZEnv,
                origin: at(variable.line),
                folder: Some(&file.folder),
                name: &variable.name,
            };
            self.take_variable(place, &variable.value);
        }
    }

    fn take_spark(&mut self, values: &Spark) {
        match values {
            Spark::Pairs(label, pairs) => {
                for (path, text) in pairs {
                    let raw = Raw::One(text.clone());
                    self.take_path(in_code(label, path), Some(&raw));
                }
            }
            Spark::Tree(tree) => match spark::leaves(tree) {
                Some(leaves) => {
                    for (path, raw) in leaves {
                        self.take_path(in_code("zSpark", &path), raw.as_ref());
                    }
                }
                None => {
                    let origin = in_code("zSpark", "").origin;
                    self.fault(Layer::ZSpark, origin, None, Fault::NotAnObject);
                }
            },
        }
    }

    fn take_path(&mut self, place: Place<'_>, raw: Option<&Raw>) {
        match self.table.by_path(place.name) {
            Some(named) => self.take(place, named, raw),
            None => {
                let fault = self.table.unknown(place.name);
                self.fault(place.layer, place.origin, Some(place.name), fault);
            }
        }
    }

    /// Variables belong to every program: one that is not ours is kept for [`Settings::var`] alone.
    fn take_variable(&mut self, place: Place<'_>, text: &str) {
        self.variables
            .insert(place.name.to_owned(), text.to_owned());
        match self.table.by_variable(place.name) {
            Some(named) => self.take(place, named, Some(&Raw::One(text.to_owned()))),
            None => {
                let path = match place.layer {
                    // `title` in the environment is anybody's; in `.zEnv` it can only be meant for us.
                    Layer::ZEnv => self
                        .table
                        .by_path(place.name)
                        .and_then(|named| named.key.env),
                    _ => None,
                };
                if let Some(meant) = path.or_else(|| self.table.near_variable(place.name)) {
                    self.warnings.push(Warning::NearMiss {
                        layer: place.layer,
                        origin: place.origin,
                        name: place.name.to_owned(),
                        meant,
                    });
                }
            }
        }
    }

    fn take(&mut self, place: Place<'_>, named: Named, raw: Option<&Raw>) {
        let (value, file) = match (raw, named.file) {
            (Some(Raw::One(path)), true) => match self.secret_from(&place, named.key, path) {
                Ok((value, file)) => (Ok(value), Some(file)),
                Err(fault) => (Err(fault), None),
            },
            _ => (read(named.key, raw, place.folder), None),
        };
        match value {
            Ok(value) => self.keep(place, named, value, file),
            Err(fault) => self.fault(place.layer, place.origin, Some(place.name), fault),
        }
    }

    fn keep(&mut self, place: Place<'_>, named: Named, value: Value, file: Option<String>) {
        let origin = match file {
            Some(path) => Origin::SecretFile {
                path,
                named_by: Box::new(place.origin),
            },
            None => place.origin,
        };
        self.given.push(Given {
            named,
            name: place.name.to_owned(),
            assigned: Assigned {
                value,
                layer: place.layer,
                origin,
            },
        });
    }

    fn secret_from(
        &self,
        place: &Place<'_>,
        key: &Key,
        path: &str,
    ) -> Result<(Value, String), Fault> {
        let read_file = self.read_file.ok_or(Fault::NoFiles)?;
        let file = value::resolve(path.trim(), place.folder);
        let shown = file.display().to_string();
        let text = read_file(&file).map_err(|cause| Fault::Unreadable {
            path: shown.clone(),
            cause: Arc::new(cause),
        })?;
        // Editors and `echo` end a file with a line break that is no part of the secret.
        let raw = Raw::One(text.trim_end_matches(['\r', '\n']).to_owned());
        read(key, Some(&raw), None).map(|value| (value, shown))
    }

    /// A secret and a file for it in one layer: nothing tells which of them is stale.
    fn check_twice(&mut self) {
        let mut faults = Vec::new();
        for file in self.given.iter().filter(|given| given.named.file) {
            let layer = file.assigned.layer;
            let plain = self.given.iter().find(|other| {
                !other.named.file
                    && other.assigned.layer == layer
                    && other.named.key.path == file.named.key.path
            });
            if let (Some(plain), true) = (plain, layer < Layer::ZSpark) {
                let other = plain.name.clone();
                let origin = plain.assigned.origin.clone();
                faults.push((layer, origin, file.name.clone(), Fault::Twice { other }));
            }
        }
        for (layer, origin, name, fault) in faults {
            self.fault(layer, origin, Some(&name), fault);
        }
    }

    fn fault(&mut self, layer: Layer, origin: Origin, name: Option<&str>, fault: Fault) {
        self.problems.push(Problem {
            layer,
            origin,
            name: name.map(str::to_owned),
            fault,
        });
    }

    fn finish(mut self) -> (Settings, Option<Invalid>) {
        self.problems.sort_by_key(|problem| problem.layer);
        let faults = (!self.problems.is_empty()).then(|| Invalid::new(self.problems));
        let mut entries: Vec<Entry> = self.table.0.iter().copied().map(Entry::new).collect();
        for given in self.given {
            let key = given.named.key;
            let entry = entries.iter_mut().find(|entry| entry.key.path == key.path);
            entry
                .expect("values are kept for rows of the table only")
                .assigned
                .push(given.assigned);
        }
        let settings = Settings::merged(entries, self.variables, self.warnings);
        (settings, faults)
    }
}

fn in_code<'a>(label: &str, path: &'a str) -> Place<'a> {
    Place {
        layer: Layer::ZSpark,
        origin: Origin::Code {
            label: label.into(),
        },
        folder: None,
        name: path,
    }
}

fn read(key: &Key, raw: Option<&Raw>, folder: Option<&Path>) -> Result<Value, Fault> {
    let Some(raw) = raw else {
        let expected = value::allowed(key);
        return Err(Fault::Value {
            given: None,
            expected,
        });
    };
    value::read(key, raw, folder).map_err(|expected| Fault::Value {
        given: shown(key, raw),
        expected,
    })
}

/// A value as an error may show it: no secret, and no address, since it may have a password in it.
fn shown(key: &Key, raw: &Raw) -> Option<String> {
    match raw {
        Raw::One(text) if !key.secret && key.kind != Kind::Url => Some(text.clone()),
        _ => None,
    }
}
