//! Reads the models of one schema file, and reports everything that is wrong with them by its line.

use std::collections::HashMap;
use std::sync::Arc;

use super::field;
use super::node::Node;
use super::problem::{Fault, Problem};
use super::{Meta, Warning};
use crate::data::field::Relation;
use crate::data::model::{Index, Model, ModelBuilder};
use crate::data::rights::{FieldSet, ModelAccess, RoleAccess};

const ROLE_KEYS: &str = "read, create, update, delete, owner";

/// What is known of a file so far.
pub(super) struct Reader<'f> {
    pub(super) file: &'f str,
    pub(super) models: Vec<Arc<Model>>,
    pub(super) meta: Meta,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Warning>,
    pub(super) relations: Vec<Link>,
    lines: HashMap<(String, String), u64>,
}

/// A relation, and what is wrong if it leads nowhere.
pub(super) struct Link {
    pub(super) problem: Problem,
    pub(super) to: Relation,
}

impl<'f> Reader<'f> {
    pub(super) fn read(file: &'f str, text: &str) -> Self {
        let mut reader = Self {
            file,
            models: Vec::new(),
            meta: Meta::default(),
            problems: Vec::new(),
            warnings: Vec::new(),
            relations: Vec::new(),
            lines: HashMap::new(),
        };
        match Node::parse(text) {
            Err(error) => {
                let message = error.message;
                reader.fault(error.line, "", None, Fault::Syntax { message });
            }
            Ok(document) => reader.document(&document),
        }
        reader
    }

    pub(super) fn fault(&mut self, line: u64, model: &str, field: Option<&str>, fault: Fault) {
        let problem = self.problem(line, model, field, fault);
        self.problems.push(problem);
    }

    /// Keeps a relation, to be looked up once all models are known.
    pub(super) fn relation(&mut self, line: u64, model: &str, field: &str, to: &Relation) {
        let fault = Fault::NoSuchTarget {
            model: to.model.clone(),
            field: to.field.clone(),
        };
        let problem = self.problem(line, model, Some(field), fault);
        let to = to.clone();
        self.relations.push(Link { problem, to });
    }

    fn problem(&self, line: u64, model: &str, field: Option<&str>, fault: Fault) -> Problem {
        Problem {
            file: self.file.to_owned(),
            line: Some(line),
            model: model.to_owned(),
            field: field.map(ToOwned::to_owned),
            fault,
        }
    }

    fn document(&mut self, document: &Node) {
        let Some(entries) = document.map() else {
            return self.expected(document, "", "the file", "a mapping of models");
        };
        for (name, node) in entries {
            match name.as_str() {
                "Meta" => self.meta(node),
                _ => self.model(name, node),
            }
        }
    }

    fn meta(&mut self, node: &Node) {
        for (key, value) in node.map().unwrap_or_default() {
            let text = value.text().map(ToOwned::to_owned);
            match key.as_str() {
                "Data_Type" => match text.as_deref() {
                    Some("sqlite" | "postgresql" | "mongodb") => self.meta.data_type = text,
                    Some("csv") => self.fault(
                        value.line,
                        "Meta",
                        Some(key),
                        Fault::Unsupported {
                            what: "`csv`".to_owned(),
                            instead: "import the file into sqlite",
                        },
                    ),
                    _ => self.expected(value, "Meta", key, "sqlite, postgresql or mongodb"),
                },
                "Data_Label" => self.meta.label = text,
                "Data_Path" => self.meta.path = text,
                "Data_Password" => self.warn(
                    value,
                    "`Data_Password` keeps a secret in a schema; put it into a setting",
                ),
                _ => self.warn(value, "this key of `Meta` means nothing here"),
            }
        }
    }

    fn model(&mut self, name: &str, node: &Node) {
        let Some(entries) = node.map() else {
            return self.expected(node, "", name, "a mapping of fields");
        };
        self.lines
            .insert((name.to_owned(), String::new()), node.line);
        let mut builder = Model::builder(name).source(self.file);
        let mut key = None;
        for (entry, node) in entries {
            self.lines
                .insert((name.to_owned(), entry.clone()), node.line);
            match entry.as_str() {
                "access" => builder = builder.access(self.access(name, node)),
                "indexes" => builder = self.indexes(builder, name, node),
                "primary_key" => key = self.primary_key(name, node),
                _ => {
                    if let Some(field) = field::read(self, name, entry, node) {
                        builder = builder.field(field);
                    }
                }
            }
        }
        if let Some(key) = key {
            builder = builder.key(&key);
        }
        match builder.build() {
            Ok(model) => self.models.push(model),
            Err(error) => {
                let placed = error.problems().iter().cloned();
                let placed: Vec<_> = placed.map(|problem| self.placed(problem)).collect();
                self.problems.extend(placed);
            }
        }
    }

    fn primary_key(&mut self, model: &str, node: &Node) -> Option<String> {
        let names = node.texts().or_else(|| node.text().map(|name| vec![name]));
        match names.as_deref() {
            Some(&[name]) => return Some(name.to_owned()),
            Some([_, _, ..]) => self.fault(
                node.line,
                model,
                Some("primary_key"),
                Fault::Unsupported {
                    what: "a composite primary key".to_owned(),
                    instead: "add a key of one field and a unique index over the others",
                },
            ),
            _ => self.expected(node, model, "primary_key", "the name of a field"),
        }
        None
    }

    fn indexes(&mut self, mut builder: ModelBuilder, model: &str, node: &Node) -> ModelBuilder {
        for item in node.list().unwrap_or_default() {
            let entry = |key: &str| {
                let mut entries = item.map()?.iter();
                entries
                    .find(|(other, _)| other == key)
                    .map(|(_, node)| node)
            };
            let columns = entry("columns").and_then(Node::texts);
            let known = |key: &str| matches!(key, "name" | "columns" | "unique");
            let unknown = item
                .map()
                .is_none_or(|all| all.iter().any(|(key, _)| !known(key)));
            let Some(columns) = columns.filter(|all| !all.is_empty() && !unknown) else {
                self.expected(item, model, "indexes", "{name, columns: [fields], unique}");
                continue;
            };
            let name = entry("name").and_then(Node::text).map(ToOwned::to_owned);
            let name = name.unwrap_or_else(|| format!("idx_{model}_{}", columns.join("_")));
            let index = Index::new(name, columns);
            builder = builder.index(match entry("unique").and_then(Node::flag) {
                Some(true) => index.unique(),
                _ => index,
            });
        }
        if node.list().is_none() {
            self.expected(node, model, "indexes", "a list");
        }
        builder
    }

    fn access(&mut self, model: &str, node: &Node) -> ModelAccess {
        let Some(roles) = node.map() else {
            self.expected(node, model, "access", "a mapping of roles");
            return ModelAccess::new();
        };
        let roles = roles.iter();
        roles.fold(ModelAccess::new(), |access, (role, node)| {
            let granted = match (node.text(), node.map()) {
                (Some("*"), _) => RoleAccess::full(),
                (_, Some(entries)) => self.role(model, entries),
                _ => {
                    self.expected(node, model, role, "\"*\" or a mapping of operations");
                    RoleAccess::default()
                }
            };
            access.role(role, granted)
        })
    }

    fn role(&mut self, model: &str, entries: &[(String, Node)]) -> RoleAccess {
        let mut access = RoleAccess::default();
        for (key, node) in entries {
            match key.as_str() {
                "read" => access.read = self.fields(model, key, node),
                "create" => access.create = self.fields(model, key, node),
                "update" => access.update = self.fields(model, key, node),
                "delete" => match node.flag() {
                    Some(flag) => access.delete = flag,
                    None if node.text() == Some("*") => access.delete = true,
                    None => self.expected(node, model, key, "true or false"),
                },
                "owner" => match node.text() {
                    Some(field) => access.owner = Some(field.to_owned()),
                    None => self.expected(node, model, key, "the name of a field"),
                },
                _ => self.fault(
                    node.line,
                    model,
                    Some("access"),
                    Fault::UnknownKey {
                        key: key.clone(),
                        allowed: ROLE_KEYS,
                    },
                ),
            }
        }
        access
    }

    fn fields(&mut self, model: &str, key: &str, node: &Node) -> FieldSet {
        match (node.flag(), node.text(), node.texts()) {
            (Some(true), ..) | (_, Some("*"), _) => FieldSet::All,
            (Some(false), ..) => FieldSet::None,
            (.., Some(names)) => names.into_iter().collect(),
            _ => {
                self.expected(node, model, key, "\"*\", true, false or a list of fields");
                FieldSet::None
            }
        }
    }

    /// Gives a problem that the builder found the line of what it is about.
    fn placed(&self, mut problem: Problem) -> Problem {
        let place = problem.field.clone().unwrap_or_default();
        let line = self.lines.get(&(problem.model.clone(), place));
        problem.line = line.copied();
        problem
    }

    fn expected(&mut self, node: &Node, model: &str, key: &str, expected: &str) {
        let (key, expected) = (key.to_owned(), expected.to_owned());
        self.fault(node.line, model, None, Fault::Expected { key, expected });
    }

    fn warn(&mut self, node: &Node, text: &'static str) {
        self.warnings.push(Warning {
            file: self.file.to_owned(),
            line: node.line,
            text,
        });
    }
}
