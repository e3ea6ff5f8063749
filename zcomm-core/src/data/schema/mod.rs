//! Schema files: the models they hold, found by name, and what is wrong with them. Reads texts, not files.

mod field;
mod node;
mod problem;
mod reader;

use std::fmt;
use std::sync::Arc;

use super::Result;
use super::error::{DataError, brief};
use super::model::Model;
use reader::Reader;

pub use problem::{Fault, Problem, SchemaError};

/// How a schema file is called: `@.zSchema.users` is the file `zSchema.users.yaml`.
const PREFIX: &str = "@.zSchema.";

/// Every model there is, found by name without regard to case.
///
/// ```
/// use zcomm_core::data::Schema;
///
/// let file = "users:\n  id: {type: int, pk: true}\n  name: {type: str, required: true}\n";
/// let schema = Schema::parse([("zSchema.users.yaml", file)]).unwrap();
/// assert_eq!(schema.model("Users").unwrap().name(), "users");
/// assert_eq!(schema.model("@.zSchema.users").unwrap().name(), "users");
///
/// let wrong = Schema::parse([("zSchema.users.yaml", "users:\n  id: {type: integer, pk: true}\n")]).unwrap_err();
/// assert!(wrong.to_string().starts_with("zSchema.users.yaml:2: `users.id` has the unknown type `integer`"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Schema {
    models: Vec<Arc<Model>>,
    files: Vec<SchemaFile>,
    warnings: Vec<Warning>,
}

impl Schema {
    /// Models that were made in code.
    ///
    /// # Errors
    ///
    /// [`SchemaError`] where two have one name.
    pub fn of(models: impl IntoIterator<Item = Arc<Model>>) -> Result<Self, SchemaError> {
        let models = models.into_iter().collect();
        let schema = Self {
            models,
            ..Self::default()
        };
        let problems = schema.twins();
        match problems.is_empty() {
            true => Ok(schema),
            false => Err(SchemaError::new(problems)),
        }
    }

    /// Reads schema files, each given by its name and its text.
    ///
    /// # Errors
    ///
    /// [`SchemaError`], with everything that is wrong in all of them, by file and line.
    pub fn parse<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, SchemaError> {
        let mut schema = Self::default();
        let (mut problems, mut relations) = (Vec::new(), Vec::new());
        for (file, text) in files {
            let reader = Reader::read(file, text);
            schema.files.push(SchemaFile::new(file, &reader));
            schema.models.extend(reader.models);
            schema.warnings.extend(reader.warnings);
            problems.extend(reader.problems);
            relations.extend(reader.relations);
        }
        problems.extend(schema.twins());
        // A model that could not be read may well have the field.
        if problems.is_empty() {
            let missing = relations.into_iter().filter(|link| {
                let model = schema.find(&link.to.model);
                model
                    .and_then(|model| model.field(&link.to.field))
                    .is_none()
            });
            problems.extend(missing.map(|link| link.problem));
        }
        match problems.is_empty() {
            true => Ok(schema),
            false => Err(SchemaError::new(problems)),
        }
    }

    /// The model of that name, in any case, or the one in the file `@.zSchema.NAME`.
    ///
    /// # Errors
    ///
    /// [`DataError::UnknownModel`].
    pub fn model(&self, name: &str) -> Result<&Arc<Model>> {
        let plain = name.strip_prefix(PREFIX).unwrap_or(name);
        let found = self.find(plain).or_else(|| self.only_in(plain));
        found.ok_or_else(|| DataError::UnknownModel { name: brief(name) })
    }

    /// Every model, in the order of the files.
    pub fn models(&self) -> &[Arc<Model>] {
        &self.models
    }

    /// What each file says of its store.
    pub fn files(&self) -> &[SchemaFile] {
        &self.files
    }

    /// What is better changed, but works.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn find(&self, name: &str) -> Option<&Arc<Model>> {
        let mut models = self.models.iter();
        models.find(|model| model.name().eq_ignore_ascii_case(name))
    }

    /// The only model of the file that is called so.
    fn only_in(&self, stem: &str) -> Option<&Arc<Model>> {
        let mut files = self.files.iter();
        let file = files.find(|file| file.stem().eq_ignore_ascii_case(stem))?;
        match file.models.as_slice() {
            [only] => self.find(only),
            _ => None,
        }
    }

    fn twins(&self) -> Vec<Problem> {
        let models = self.models.iter().enumerate();
        let twins = models.filter(|(place, model)| {
            let mut earlier = self.models[..*place].iter();
            earlier.any(|other| other.name().eq_ignore_ascii_case(model.name()))
        });
        let problems = twins.map(|(_, model)| Problem {
            file: model.source().to_owned(),
            line: None,
            model: model.name().to_owned(),
            field: None,
            fault: Fault::DuplicateName,
        });
        problems.collect()
    }
}

/// One schema file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaFile {
    /// The file's name.
    pub name: String,
    /// What it says of its store.
    pub meta: Meta,
    /// The names of its models.
    pub models: Vec<String>,
}

impl SchemaFile {
    fn new(name: &str, reader: &Reader<'_>) -> Self {
        let models = reader.models.iter();
        Self {
            name: name.to_owned(),
            meta: reader.meta.clone(),
            models: models.map(|model| model.name().to_owned()).collect(),
        }
    }

    /// `users` of `folder/zSchema.users.yaml`.
    fn stem(&self) -> &str {
        let file = self.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let file = file.strip_prefix("zSchema.").unwrap_or(file);
        let bare = [".yaml", ".yml"]
            .iter()
            .find_map(|end| file.strip_suffix(end));
        bare.unwrap_or(file)
    }
}

/// What a schema file says of the store its models are in. Settings win over it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Meta {
    /// `sqlite`, `postgresql` or `mongodb`.
    pub data_type: Option<String>,
    /// The name of the database.
    pub label: Option<String>,
    /// The folder of the database.
    pub path: Option<String>,
}

/// Something in a schema file that works and had better be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The file.
    pub file: String,
    /// The line.
    pub line: u64,
    /// What it is.
    pub text: &'static str,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.text)
    }
}

#[cfg(test)]
mod tests;
