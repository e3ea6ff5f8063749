//! What a server can show on a page. Renders nothing: that is the page's.

use serde_json::{Value, json};

/// Something to show on a page.
///
/// ```
/// use serde_json::json;
/// use zcomm_ws::bifrost::Display;
///
/// let table = Display::table(["id", "name"], [json!([1, "Ada"]), json!([2, "Grace"])]);
/// assert_eq!(table.data()["type"], "table");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Display(Value);

impl Display {
    /// A text.
    pub fn text(content: impl Into<String>) -> Self {
        Self(json!({"type": "text", "content": content.into()}))
    }

    /// Rows, each an array in the order of the columns, or an object by their names.
    pub fn table<C: Into<String>>(
        columns: impl IntoIterator<Item = C>,
        rows: impl IntoIterator<Item = Value>,
    ) -> Self {
        let columns: Vec<String> = columns.into_iter().map(Into::into).collect();
        let rows: Vec<Value> = rows.into_iter().collect();
        Self(json!({"type": "table", "columns": columns, "rows": rows}))
    }

    /// Things to choose from.
    pub fn menu<I: Into<Value>>(
        title: impl Into<String>,
        items: impl IntoIterator<Item = I>,
    ) -> Self {
        let items: Vec<Value> = items.into_iter().map(Into::into).collect();
        Self(json!({"type": "menu", "title": title.into(), "items": items}))
    }

    /// Fields, each an object with a `name`, and what else the page needs to show it.
    pub fn form(title: impl Into<String>, fields: impl IntoIterator<Item = Value>) -> Self {
        let fields: Vec<Value> = fields.into_iter().collect();
        Self(json!({"type": "form", "title": title.into(), "fields": fields}))
    }

    /// How far something has come.
    pub fn progress(label: impl Into<String>, current: u64, total: u64) -> Self {
        Self(json!({"type": "progress", "label": label.into(), "current": current, "total": total}))
    }

    /// A picture.
    pub fn image(src: impl Into<String>, alt: impl Into<String>) -> Self {
        Self(json!({"type": "image", "src": src.into(), "alt": alt.into()}))
    }

    /// What is sent as `data`.
    pub fn data(&self) -> &Value {
        &self.0
    }
}
