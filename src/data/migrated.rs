//! A store that gets what it lacks of the models before it is first asked anything. Migrates nothing by itself.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OnceCell;
use zcomm_core::data::{
    ForeignChanges, Migration, Model, Permitted, Query, Result, Rows, Store, Write, Written,
};

/// A store before which the models stand. Whoever asks first waits until they are there; if that fails, the next one
/// tries again.
pub(crate) struct Migrated {
    store: Arc<dyn Store>,
    models: Vec<Arc<Model>>,
    done: OnceCell<()>,
}

impl Migrated {
    pub(crate) fn new(store: Arc<dyn Store>, models: Vec<Arc<Model>>) -> Self {
        Self {
            store,
            models,
            done: OnceCell::new(),
        }
    }

    async fn store(&self) -> Result<&dyn Store> {
        self.done.get_or_try_init(|| self.add_models()).await?;
        Ok(&*self.store)
    }

    async fn add_models(&self) -> Result<()> {
        for model in &self.models {
            let added = self.store.migrate(model).await?;
            for step in &added.steps {
                tracing::info!(model = model.name(), %step, "migrated");
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Store for Migrated {
    async fn read(&self, query: &Permitted<Query>) -> Result<Rows> {
        self.store().await?.read(query).await
    }

    async fn write(&self, writes: &[Permitted<Write>]) -> Result<Written> {
        self.store().await?.write(writes).await
    }

    async fn models(&self) -> Result<Vec<Arc<Model>>> {
        self.store().await?.models().await
    }

    async fn migrate(&self, model: &Arc<Model>) -> Result<Migration> {
        self.store.migrate(model).await
    }

    fn changes(&self) -> Option<ForeignChanges> {
        self.store.changes()
    }
}
