//! The sample `TodoList` as UniFFI generates it, for comparison in benchmarks.

use std::sync::{Arc, Mutex};

uniffi::setup_scaffolding!();

/// An item that lists share.
#[derive(uniffi::Object)]
pub struct TodoItem {
    text: String,
}

#[uniffi::export]
impl TodoItem {
    /// A new item.
    #[uniffi::constructor]
    pub fn new(text: String) -> Arc<Self> {
        Arc::new(Self { text })
    }

    /// The task, as text.
    pub fn text(&self) -> String {
        self.text.clone()
    }
}

/// A list of shared items.
#[derive(uniffi::Object)]
pub struct TodoList {
    items: Mutex<Vec<Arc<TodoItem>>>,
}

#[uniffi::export]
impl TodoList {
    /// An empty list.
    #[uniffi::constructor]
    pub fn new() -> Arc<Self> {
        Arc::new(Self { items: Mutex::new(Vec::new()) })
    }

    /// Adds an item.
    pub fn add_item(&self, item: Arc<TodoItem>) {
        self.items.lock().unwrap().push(item);
    }

    /// Items in it: the cheapest method.
    pub fn len(&self) -> u64 {
        self.items.lock().unwrap().len() as u64
    }
}
