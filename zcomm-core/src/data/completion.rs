//! Rewrites a permitted write: new rows get owner and defaults, filters the row rules. Refuses foreign owners.

use super::Result;
use super::error::DataError;
use super::filter::Filter;
use super::model::Model;
use super::rights::{Grant, Owner, rows};
use super::write::Values;

/// Leaves only the rows that one of the grants is about.
pub(super) fn restrict(filter: &mut Filter, serving: &[Grant]) {
    let whole = std::mem::replace(filter, Filter::all());
    *filter = whole.and(rows(serving));
}

/// Drops the grants whose owner rule the row breaks, and puts in what the row leaves open.
pub(super) fn complete(model: &Model, row: &mut Values, serving: &mut Vec<Grant>) -> Result<()> {
    keep_owner(model, row, serving)?;
    let owner = serving.iter().find_map(|grant| grant.owner.as_ref());
    if let Some(Owner {
        field,
        value: Some(value),
    }) = owner
        && row.value(&field.name).is_none()
    {
        row.put(field, value.clone());
    }
    for field in model.fields() {
        if row.value(&field.name).is_some() {
            continue;
        }
        if let Some(value) = field.filled()? {
            row.put(field, value);
        }
    }
    Ok(())
}

/// Keeps the grants under which these values leave every row with its owner.
pub(super) fn keep_owner(model: &Model, values: &Values, serving: &mut Vec<Grant>) -> Result<()> {
    let broken = |grant: &Grant| {
        let owner = grant.owner.as_ref()?;
        let said = values.value(&owner.field.name);
        let kept =
            owner.value.is_some() && said.is_none_or(|said| Some(said) == owner.value.as_ref());
        (!kept).then(|| owner.field.name.clone())
    };
    let field = serving.iter().find_map(broken);
    serving.retain(|grant| broken(grant).is_none());
    match field {
        Some(field) if serving.is_empty() => Err(DataError::ForbiddenOwner {
            model: model.name().to_owned(),
            field,
        }),
        _ => Ok(()),
    }
}
