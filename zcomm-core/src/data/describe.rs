//! Tells a client what a model looks like to it: fields, rules, relations, rights. Shows nothing it may not use.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::field::{DefaultValue, Field};
use super::lookup::Lookup;
use super::model::Model;
use super::rights::Rights;
use super::rules::Rules;
use crate::action::Operation;

impl Model {
    /// The model as somebody with these rights may know it.
    ///
    /// Fields that can be neither read nor written are left out.
    ///
    /// ```
    /// use zcomm_core::data::{Access, Field, Kind, Model};
    /// use zcomm_core::Identity;
    ///
    /// let users = Model::builder("users").field(Field::new("id", Kind::Int).primary_key()).build().unwrap();
    /// let rights = Access::unrestricted().rights(&users, &Identity::guest()).unwrap();
    /// let told = users.describe(&rights);
    /// assert_eq!(told["primary_key"], "id");
    /// assert_eq!(told["fields"][0]["type"], "int");
    /// ```
    pub fn describe(&self, rights: &Rights) -> Json {
        let known =
            |field: &&Arc<Field>| rights.may_read(&field.name) || rights.may_write(&field.name);
        let fields: Vec<&Arc<Field>> = self.fields().iter().filter(known).collect();
        let relations = fields.iter().filter_map(|field| {
            let to = field.relation.as_ref()?;
            Some(json!({"field": field.name, "model": to.model, "target": to.field}))
        });
        let operations = rights.operations().into_iter();
        json!({
            "model": self.name(),
            "primary_key": self.key().name,
            "relations": relations.collect::<Vec<_>>(),
            "operations": operations.map(Operation::as_str).collect::<Vec<_>>(),
            "fields": fields.iter().map(|field| describe(field, rights)).collect::<Vec<_>>(),
        })
    }
}

fn describe(field: &Field, rights: &Rights) -> Json {
    let mut told = Map::new();
    told.insert("name".into(), json!(field.name));
    told.insert("type".into(), json!(field.kind.as_str()));
    told.insert("required".into(), json!(field.is_never_null()));
    told.insert("unique".into(), json!(field.unique || field.primary_key));
    told.insert("primary_key".into(), json!(field.primary_key));
    told.insert("auto_increment".into(), json!(field.auto_increment));
    told.insert("default".into(), json!(field.default.as_ref().map(default)));
    told.insert("readable".into(), json!(rights.may_read(&field.name)));
    told.insert("writable".into(), json!(rights.may_write(&field.name)));
    if rights.may_read(&field.name) {
        let lookups: Vec<&str> = Lookup::names(field.kind).collect();
        told.insert("lookups".into(), json!(lookups));
    }
    rules(&field.rules, &mut told);
    Json::Object(told)
}

fn default(default: &DefaultValue) -> Json {
    match default {
        DefaultValue::Now => json!("now"),
        DefaultValue::Uuid => json!("uuid"),
        DefaultValue::Literal(value) => value.to_json(),
    }
}

fn rules(rules: &Rules, told: &mut Map<String, Json>) {
    let choices = (!rules.choices.is_empty())
        .then(|| rules.choices.iter().map(super::Value::to_json).collect());
    let each = [
        ("min", rules.min.as_ref().map(super::Value::to_json)),
        ("max", rules.max.as_ref().map(super::Value::to_json)),
        ("min_length", rules.min_length.map(Json::from)),
        ("max_length", rules.max_length.map(Json::from)),
        (
            "pattern",
            rules.pattern.as_ref().map(|it| json!(it.as_str())),
        ),
        ("format", rules.format.map(|format| json!(format.as_str()))),
        ("choices", choices),
    ];
    for (name, rule) in each {
        if let Some(rule) = rule {
            told.insert(name.to_owned(), rule);
        }
    }
}
