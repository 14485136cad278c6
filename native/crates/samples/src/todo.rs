//! Lists that share their items.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::{try_locked, Listener, Notice, ORIGIN};
use objects::object::Life;
use objects::object::Object;
use objects::object::TypeSpec;
use objects::object::{Edges, Reports};
use objects::ownership;
use objects::ownership::{plain, reporting, Traced};
use recorder::runtime::runtime;
use segment::status::Result;
use segment::sync::lock;

static TODO_ITEM: TypeSpec = plain::<TodoItem>("TodoItem", ORIGIN);
static TODO_LIST: TypeSpec = reporting::<TodoList>(plain::<TodoList>("TodoList", ORIGIN));

/// Something to be done. Several lists may hold the same.
pub struct TodoItem {
    life: Life,
    text: String,
    is_done: AtomicBool,
}

// SAFETY: the static was made for this type and is returned here alone.
unsafe impl Object for TodoItem {
    fn spec() -> &'static TypeSpec {
        &TODO_ITEM
    }

    fn life(&self) -> &Life {
        &self.life
    }
}

impl TodoItem {
    /// An item that is not done.
    pub fn new(text: &str) -> Self {
        Self { life: Life::new(&TODO_ITEM), text: text.to_owned(), is_done: AtomicBool::new(false) }
    }

    /// The task, as text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is done.
    pub fn is_done(&self) -> bool {
        self.is_done.load(Ordering::Relaxed)
    }

    /// Sets whether it is done.
    pub fn set_done(&self, is_done: bool) {
        self.is_done.store(is_done, Ordering::Relaxed);
    }
}

/// A list of items, and of listeners that hear of new items.
pub struct TodoList {
    life: Life,
    items: Mutex<Vec<Traced<TodoItem>>>,
    /// Length of `items`, written under its lock and read without.
    length: AtomicUsize,
    listeners: Mutex<Vec<Arc<Listener>>>,
}

// SAFETY: the static was made for this type and is returned here alone.
unsafe impl Object for TodoList {
    fn spec() -> &'static TypeSpec {
        &TODO_LIST
    }

    fn life(&self) -> &Life {
        &self.life
    }
}

impl Reports for TodoList {
    fn report(&self, edges: &mut Edges<'_>) {
        match try_locked(&self.items) {
            Some(items) => items.iter().for_each(|item| edges.traced("items", item)),
            None => edges.skip(),
        }
        match try_locked(&self.listeners) {
            Some(listeners) => {
                listeners.iter().for_each(|listener| edges.object("listeners", listener))
            }
            None => edges.skip(),
        }
    }
}

impl Default for TodoList {
    fn default() -> Self {
        Self {
            life: Life::new(&TODO_LIST),
            items: Mutex::default(),
            length: AtomicUsize::new(0),
            listeners: Mutex::default(),
        }
    }
}

impl TodoList {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shares an item with this list and informs the listeners, on this thread, without any lock
    /// held.
    pub fn add(&self, item: Traced<TodoItem>) {
        self.share(std::iter::once(item.clone()));
        let listeners = lock(&self.listeners).clone();
        for listener in listeners {
            listener.notify(Notice::ItemAdded, item.clone());
        }
    }

    /// Each item, counted up.
    pub fn items(&self) -> Vec<Traced<TodoItem>> {
        lock(&self.items).clone()
    }

    /// The newest item, counted up.
    pub fn last(&self) -> Option<Traced<TodoItem>> {
        lock(&self.items).last().cloned()
    }

    /// Items.
    pub fn len(&self) -> usize {
        self.length.load(Ordering::Relaxed)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shares all items of another list, which may be the same list.
    pub fn merge(&self, from: &Self) {
        self.share(from.items().into_iter());
    }

    /// Calls `body` while no other thread can look at the items.
    pub fn while_locked(&self, body: impl FnOnce()) {
        let _items = lock(&self.items);
        body();
    }

    fn share(&self, more: impl Iterator<Item = Traced<TodoItem>>) {
        let mut items = lock(&self.items);
        items.extend(more);
        self.length.store(items.len(), Ordering::Relaxed);
    }

    /// Informs `listener` of new items from now on; the list holds it.
    pub fn listen(&self, listener: Arc<Listener>) {
        lock(&self.listeners).push(listener);
    }
}

/// Handles of all of them, or of none.
pub fn lower_all(items: impl Iterator<Item = Traced<TodoItem>>) -> Result<Vec<u64>> {
    let mut handles = Vec::new();
    for item in items {
        match item.lower() {
            Ok(handle) => handles.push(handle),
            Err(error) => {
                handles.into_iter().try_for_each(|handle| ownership::release(runtime(), handle))?;
                return Err(error);
            }
        }
    }
    Ok(handles)
}
