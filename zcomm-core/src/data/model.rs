//! What kind of rows there are: a model, its fields, its key. Reads no files.

use std::sync::Arc;

use super::Result;
use super::error::{DataError, brief};
use super::field::Field;
use super::rights::ModelAccess;
use super::schema::{Fault, Problem, SchemaError};

/// Names that filters or schema files use themselves.
const RESERVED: [&str; 6] = ["and", "or", "not", "access", "indexes", "primary_key"];

/// Tables that belong to the stores.
const RESERVED_PREFIXES: [&str; 4] = ["sqlite_", "pg_", "zcomm_", "system."];

/// One kind of rows. Made only by a [`ModelBuilder`], so its parts always fit together.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    name: String,
    source: String,
    fields: Vec<Arc<Field>>,
    key: usize,
    indexes: Vec<Index>,
    access: Option<ModelAccess>,
}

impl Model {
    /// Begins a model in code.
    pub fn builder(name: impl Into<String>) -> ModelBuilder {
        ModelBuilder {
            name: name.into(),
            source: "the schema".to_owned(),
            fields: Vec::new(),
            indexes: Vec::new(),
            access: None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file it was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Every field, in the order of the schema.
    pub fn fields(&self) -> &[Arc<Field>] {
        &self.fields
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Arc<Field>> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The primary key.
    pub fn key(&self) -> &Arc<Field> {
        &self.fields[self.key]
    }

    /// Indexes over and above those of keys and unique fields.
    pub fn indexes(&self) -> &[Index] {
        &self.indexes
    }

    /// Who may do what, if the schema says so.
    pub fn access(&self) -> Option<&ModelAccess> {
        self.access.as_ref()
    }

    /// Each set of fields in which no two rows may agree, the primary key first.
    pub fn unique_sets(&self) -> impl Iterator<Item = Vec<&Arc<Field>>> {
        let alone = self
            .fields
            .iter()
            .filter(|field| field.unique && !field.primary_key)
            .map(|field| vec![field]);
        let together = self.indexes.iter().filter(|index| index.unique);
        let together = together.map(|index| {
            let columns = index.columns.iter();
            columns.filter_map(|name| self.field(name)).collect()
        });
        std::iter::once(vec![self.key()])
            .chain(alone)
            .chain(together)
    }

    /// The field of that name, or an error that says where it was asked for.
    pub(super) fn known(&self, name: &str, at: &str) -> Result<&Arc<Field>> {
        self.field(name).ok_or_else(|| DataError::UnknownField {
            model: self.name.clone(),
            field: brief(name),
            at: at.to_owned(),
        })
    }
}

/// Fields that are looked up together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Index {
    /// The name of the index.
    pub name: String,
    /// The fields, most significant first.
    pub columns: Vec<String>,
    /// Whether no two rows may agree in all of them.
    pub unique: bool,
}

impl Index {
    /// An index of that name over these fields.
    pub fn new<C: Into<String>>(
        name: impl Into<String>,
        columns: impl IntoIterator<Item = C>,
    ) -> Self {
        Self {
            name: name.into(),
            columns: columns.into_iter().map(Into::into).collect(),
            unique: false,
        }
    }

    /// The same, with no two rows agreeing in all of its fields.
    #[must_use]
    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }
}

/// Puts a [`Model`] together; [`build`](Self::build) finds everything that is wrong with it.
#[derive(Clone, Debug)]
pub struct ModelBuilder {
    name: String,
    source: String,
    fields: Vec<Field>,
    indexes: Vec<Index>,
    access: Option<ModelAccess>,
}

impl ModelBuilder {
    /// Adds a field.
    #[must_use]
    pub fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// Adds an index.
    #[must_use]
    pub fn index(mut self, index: Index) -> Self {
        self.indexes.push(index);
        self
    }

    /// Sets who may do what.
    #[must_use]
    pub fn access(mut self, access: ModelAccess) -> Self {
        self.access = Some(access);
        self
    }

    /// Makes the field of this name the primary key.
    #[must_use]
    pub fn key(mut self, name: &str) -> Self {
        let fields = self.fields.iter_mut();
        fields
            .filter(|field| field.name == name)
            .for_each(|field| field.primary_key = true);
        self
    }

    /// Names the file in which people find the model.
    #[must_use]
    pub fn source(mut self, file: impl Into<String>) -> Self {
        self.source = file.into();
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    ///
    /// [`SchemaError`], with everything that is wrong at once.
    pub fn build(self) -> Result<Arc<Model>, SchemaError> {
        let mut problems = Vec::new();
        self.check_names(&mut problems);
        for field in &self.fields {
            check_field(field, |fault| {
                problems.push(self.problem(Some(&field.name), fault));
            });
        }
        self.check_references(&mut problems);
        let keys: Vec<usize> = (0..self.fields.len())
            .filter(|&place| self.fields[place].primary_key)
            .collect();
        let &[key] = keys.as_slice() else {
            problems.push(self.problem(None, Fault::PrimaryKeys { found: keys.len() }));
            return Err(SchemaError::new(problems));
        };
        if !problems.is_empty() {
            return Err(SchemaError::new(problems));
        }
        Ok(Arc::new(Model {
            name: self.name,
            source: self.source,
            fields: self.fields.into_iter().map(Arc::new).collect(),
            key,
            indexes: self.indexes,
            access: self.access,
        }))
    }

    fn check_names(&self, problems: &mut Vec<Problem>) {
        let lower = self.name.to_ascii_lowercase();
        if !is_name(&self.name) {
            problems.push(self.problem(None, Fault::BadName));
        } else if RESERVED_PREFIXES
            .iter()
            .any(|prefix| lower.starts_with(prefix))
        {
            problems.push(self.problem(None, Fault::ReservedName));
        }
        for (place, field) in self.fields.iter().enumerate() {
            let same = |other: &&Field| other.name.eq_ignore_ascii_case(&field.name);
            let fault = if !is_name(&field.name) || field.name.contains("__") {
                Fault::BadName
            } else if RESERVED.contains(&field.name.to_ascii_lowercase().as_str()) {
                Fault::ReservedName
            } else if self.fields[..place].iter().any(|other| same(&other)) {
                // SQL takes `Name` and `name` for one column.
                Fault::DuplicateName
            } else {
                continue;
            };
            problems.push(self.problem(Some(&field.name), fault));
        }
    }

    fn check_references(&self, problems: &mut Vec<Problem>) {
        let named = self.indexes.iter().flat_map(|index| {
            let columns = index.columns.iter();
            columns.map(|column| ("indexes", column))
        });
        let ruled = self.access.iter().flat_map(ModelAccess::named_fields);
        for (section, name) in named.chain(ruled.map(|name| ("access", name))) {
            if !self.fields.iter().any(|field| field.name == *name) {
                let name = name.clone();
                problems.push(self.problem(Some(section), Fault::NoSuchField { name }));
            }
        }
    }

    fn problem(&self, field: Option<&str>, fault: Fault) -> Problem {
        Problem {
            file: self.source.clone(),
            line: None,
            model: self.name.clone(),
            field: field.map(ToOwned::to_owned),
            fault,
        }
    }
}

fn check_field(field: &Field, mut found: impl FnMut(Fault)) {
    if field.auto_increment && (field.kind != super::Kind::Int || !field.primary_key) {
        found(Fault::AutoIncrement);
    }
    if (field.primary_key || field.unique) && !field.kind.is_ordered() {
        found(Fault::NotAKey { kind: field.kind });
    }
    if let Some(default) = &field.default {
        let literal = match default {
            super::DefaultValue::Literal(value) => field.rules.broken_by(value),
            _ => None,
        };
        if !default.suits(field.kind) || literal.is_some() {
            found(Fault::DefaultMisfit { kind: field.kind });
        }
    }
}

/// Letters, digits and underscores, as every store takes them unquoted, and short enough for all of them.
fn is_name(name: &str) -> bool {
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let goes_on = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    starts && goes_on && name.len() <= 63
}
