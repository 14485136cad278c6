//! The list of `todo` over the other strategies: the same behaviour, owned in other ways, so that
//! they can be compared.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

use super::{TodoItem, ORIGIN};
use objects::ownership::{ArcMap, MutexMap, ThinMap, Traced};
use segment::layout::Kind;
use segment::status::{Error, Result, Status};
use segment::sync::lock;

/// Lists that one call at a time is inside of.
pub static SERIAL_LISTS: MutexMap<Vec<Traced<TodoItem>>> = MutexMap::new("SerialTodoList", ORIGIN);
/// Lists that guard themselves, counted by `Arc`.
pub static SHARED_LISTS: ArcMap<Items> = ArcMap::new("SharedTodoList", ORIGIN);
/// Lists that guard themselves, counted in their rows.
pub static THIN_LISTS: ThinMap<Items> = ThinMap::new("ThinTodoList", ORIGIN);

/// Items that several calls may use at a time.
#[derive(Default)]
pub struct Items {
    items: Mutex<Vec<Traced<TodoItem>>>,
    /// Length of `items`, written under its lock and read without.
    length: AtomicUsize,
}

impl Items {
    fn share(&self, more: impl IntoIterator<Item = Traced<TodoItem>>) {
        let mut items = lock(&self.items);
        items.extend(more);
        self.length.store(items.len(), Ordering::Relaxed);
    }

    /// Each item, counted up.
    pub fn all(&self) -> Vec<Traced<TodoItem>> {
        lock(&self.items).clone()
    }

    /// Items.
    pub fn len(&self) -> usize {
        self.length.load(Ordering::Relaxed)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The lists of one strategy. A handle of another's list is of the wrong type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lists {
    /// `SERIAL_LISTS`.
    Serial,
    /// `SHARED_LISTS`.
    Shared,
    /// `THIN_LISTS`.
    Thin,
}

impl Lists {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Serial, Self::Shared, Self::Thin];

    /// The lists of a `Kind` by its number.
    pub fn of_kind(kind: u8) -> Result<Self> {
        Self::ALL.into_iter().find(|lists| lists.kind() as u8 == kind).ok_or_else(|| {
            Error::new(Status::BadArgument, format!("no strategy with sample lists: {kind}"))
        })
    }

    /// How they are owned.
    pub fn kind(self) -> Kind {
        match self {
            Self::Serial => Kind::MutexMap,
            Self::Shared => Kind::ArcMap,
            Self::Thin => Kind::Thin,
        }
    }

    /// An empty list.
    pub fn create(self) -> Result<u64> {
        match self {
            Self::Serial => SERIAL_LISTS.insert(Vec::new()),
            Self::Shared => SHARED_LISTS.insert(Items::default()),
            Self::Thin => THIN_LISTS.insert(Items::default()).map(objects::ownership::Thin::lower),
        }
    }

    /// Shares an item with a list.
    pub fn add(self, list: u64, item: Traced<TodoItem>) -> Result<()> {
        match self {
            Self::Serial => SERIAL_LISTS.with(list, |items| items.push(item)),
            Self::Shared => SHARED_LISTS.with(list, |items| items.share([item])),
            Self::Thin => THIN_LISTS.with(list, |items| items.share([item])),
        }
    }

    /// Each item, counted up.
    pub fn items(self, list: u64) -> Result<Vec<Traced<TodoItem>>> {
        match self {
            Self::Serial => SERIAL_LISTS.with(list, |items| items.clone()),
            Self::Shared => SHARED_LISTS.with(list, Items::all),
            Self::Thin => THIN_LISTS.with(list, Items::all),
        }
    }

    /// Items.
    pub fn len(self, list: u64) -> Result<usize> {
        match self {
            Self::Serial => SERIAL_LISTS.with(list, |items| items.len()),
            Self::Shared => SHARED_LISTS.with(list, Items::len),
            Self::Thin => THIN_LISTS.with(list, Items::len),
        }
    }

    /// Shares all items of `from` with `into`; both may be the same list, also under two handles.
    pub fn merge(self, into: u64, from: u64) -> Result<()> {
        match self {
            Self::Serial => SERIAL_LISTS.with_all([into, from], |mut lists| {
                let more = lists.get(1).clone();
                lists.get(0).extend(more);
            }),
            Self::Shared => {
                SHARED_LISTS.with_all([into, from], |[into, from]| into.share(from.all()))
            }
            Self::Thin => THIN_LISTS.with_all([into, from], |[into, from]| into.share(from.all())),
        }
    }

    /// The item at a position, which the caller knows to be there.
    ///
    /// # Panics
    /// When there is none: the bug in an object's own code that the strategies are compared by.
    pub fn item_at(self, list: u64, position: usize) -> Result<Traced<TodoItem>> {
        match self {
            Self::Serial => SERIAL_LISTS.with(list, |items| items[position].clone()),
            Self::Shared => SHARED_LISTS.with(list, |items| lock(&items.items)[position].clone()),
            Self::Thin => THIN_LISTS.with(list, |items| lock(&items.items)[position].clone()),
        }
    }
}
