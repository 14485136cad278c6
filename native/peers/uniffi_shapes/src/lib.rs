//! Every way in which a handle reaches a host: constructors, methods, functions, options, sequences,
//! records, variants, futures, traits and callbacks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

uniffi::setup_scaffolding!("shapes");

/// A node that shares its children.
#[derive(uniffi::Object)]
pub struct Node {
    number: u64,
    children: Mutex<Vec<Arc<Node>>>,
}

/// Two nodes and a text.
#[derive(uniffi::Record)]
pub struct Pair {
    name: String,
    left: Arc<Node>,
    right: Option<Arc<Node>>,
}

/// A node or a number.
#[derive(uniffi::Enum)]
pub enum Either {
    Number { value: u32 },
    Shape { node: Arc<Node> },
}

/// A refusal.
#[derive(Debug, uniffi::Error)]
pub enum Refusal {
    Odd { number: u64 },
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "refused")
    }
}

fn node(number: u64) -> Arc<Node> {
    Arc::new(Node { number, children: Mutex::default() })
}

#[uniffi::export]
impl Node {
    /// A node without children.
    #[uniffi::constructor]
    pub fn new(number: u64) -> Arc<Self> {
        node(number)
    }

    /// A node with an even number.
    #[uniffi::constructor]
    pub fn even(number: u64) -> Result<Arc<Self>, Refusal> {
        if number % 2 == 1 {
            return Err(Refusal::Odd { number });
        }
        Ok(node(number))
    }

    /// Its number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Itself again.
    pub fn itself(self: Arc<Self>) -> Arc<Self> {
        self
    }

    /// Adds a child, which it shares. Eight arguments, so that some lie on the stack.
    #[allow(clippy::too_many_arguments)]
    pub fn adopt(
        self: Arc<Self>,
        child: Arc<Node>,
        _a: u64,
        name: String,
        _b: u64,
        _c: f64,
        more: Vec<Arc<Node>>,
        _d: u64,
        _e: u64,
    ) -> Arc<Self> {
        let mut children = self.children.lock().unwrap();
        children.push(child);
        children.extend(more);
        assert_eq!(name, "named");
        drop(children);
        self
    }

    /// Its children.
    pub fn children(&self) -> Vec<Arc<Node>> {
        self.children.lock().unwrap().clone()
    }

    /// The first child.
    pub fn first(&self) -> Option<Arc<Node>> {
        self.children.lock().unwrap().first().cloned()
    }

    /// A record of itself and its first child.
    pub fn pair(self: Arc<Self>, name: String) -> Pair {
        let right = self.first();
        Pair { name, left: self, right }
    }

    /// Children by name.
    pub fn named(&self) -> HashMap<String, Either> {
        let children = self.children.lock().unwrap();
        let named = |child: &Arc<Node>| (child.number.to_string(), Either::Shape { node: child.clone() });
        let mut all: HashMap<_, _> = children.iter().map(named).collect();
        all.insert("none".to_owned(), Either::Number { value: 7 });
        all
    }

    /// A new child, some time later.
    pub async fn grow(&self, number: u64) -> Arc<Node> {
        let child = node(number);
        self.children.lock().unwrap().push(child.clone());
        child
    }
}

/// A node.
#[uniffi::export]
pub fn make_node(number: u64) -> Arc<Node> {
    node(number)
}

/// A class of the same form as `Node`'s smallest, so that the linker may fold their functions.
#[derive(uniffi::Object)]
pub struct Metre {
    value: u64,
}

/// Another of the same form.
#[derive(uniffi::Object)]
pub struct Second {
    value: u64,
}

#[uniffi::export]
impl Metre {
    /// A length.
    #[uniffi::constructor]
    pub fn new(value: u64) -> Arc<Self> {
        Arc::new(Self { value })
    }

    /// Its number.
    pub fn value(&self) -> u64 {
        self.value
    }
}

#[uniffi::export]
impl Second {
    /// A time.
    #[uniffi::constructor]
    pub fn new(value: u64) -> Arc<Self> {
        Arc::new(Self { value })
    }

    /// Its number.
    pub fn value(&self) -> u64 {
        self.value
    }
}

/// Data that is aligned to more than its counts.
#[derive(uniffi::Object)]
#[repr(align(128))]
pub struct Wide {
    value: u64,
}

#[uniffi::export]
impl Wide {
    /// Wide data.
    #[uniffi::constructor]
    pub fn new(value: u64) -> Arc<Self> {
        Arc::new(Self { value })
    }

    /// Its number.
    pub fn value(&self) -> u64 {
        self.value
    }
}

/// A trait that Rust implements.
#[uniffi::export]
pub trait Shape: Send + Sync {
    /// Corners.
    fn corners(&self) -> u32;
}

struct Square;

impl Shape for Square {
    fn corners(&self) -> u32 {
        4
    }
}

/// A square.
#[uniffi::export]
pub fn make_square() -> Arc<dyn Shape> {
    Arc::new(Square)
}
