//! A record with objects in every possible place, and an object that takes and returns it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::{try_locked, TodoItem, TodoList, ORIGIN};
use objects::object::Life;
use objects::object::Object;
use objects::object::TypeSpec;
use objects::object::{Edges, Reports};
use objects::ownership::{plain, reporting, Compound, Lifting, Lowering, Traced};
use segment::status::{Error, Result, Status};
use segment::sync::lock;

static PLANNER: TypeSpec = reporting::<Planner>(plain::<Planner>("Planner", ORIGIN));

/// A record. Its clone counts each of its objects up.
#[derive(Clone)]
pub struct Board {
    /// Title of the board.
    pub title: String,
    /// A field.
    pub backlog: Traced<TodoList>,
    /// An enum, whose variants have objects or none.
    pub focus: Focus,
    /// A map.
    pub by_name: BTreeMap<String, Traced<TodoItem>>,
    /// An optional object.
    pub pinned: Option<Traced<TodoItem>>,
    /// Sequences in a sequence.
    pub columns: Vec<Vec<Traced<TodoItem>>>,
}

/// The part of a board that is looked at.
#[derive(Clone)]
pub enum Focus {
    /// None.
    Nothing,
    /// An item.
    Item(Traced<TodoItem>),
    /// A list, with a note.
    List(Traced<TodoList>, String),
}

impl Compound for Board {
    fn write(self, to: &mut Lowering) -> Result<()> {
        self.title.write(to)?;
        self.backlog.write(to)?;
        self.focus.write(to)?;
        self.by_name.write(to)?;
        self.pinned.write(to)?;
        self.columns.write(to)
    }

    fn read(from: &mut Lifting<'_>) -> Result<Self> {
        Ok(Self {
            title: Compound::read(from)?,
            backlog: Compound::read(from)?,
            focus: Compound::read(from)?,
            by_name: Compound::read(from)?,
            pinned: Compound::read(from)?,
            columns: Compound::read(from)?,
        })
    }
}

impl Compound for Focus {
    fn write(self, to: &mut Lowering) -> Result<()> {
        match self {
            Self::Nothing => to.number(1),
            Self::Item(item) => {
                to.number(2)?;
                item.write(to)
            }
            Self::List(list, note) => {
                to.number(3)?;
                list.write(to)?;
                note.write(to)
            }
        }
    }

    fn read(from: &mut Lifting<'_>) -> Result<Self> {
        match from.number()? {
            1 => Ok(Self::Nothing),
            2 => Ok(Self::Item(Compound::read(from)?)),
            3 => Ok(Self::List(Compound::read(from)?, Compound::read(from)?)),
            variant => {
                Err(Error::new(Status::BadArgument, format!("a focus has no variant {variant}")))
            }
        }
    }
}

/// Keeps a board.
pub struct Planner {
    life: Life,
    board: Mutex<Option<Board>>,
}

// SAFETY: the static was made for this type and is returned here alone.
unsafe impl Object for Planner {
    fn spec() -> &'static TypeSpec {
        &PLANNER
    }

    fn life(&self) -> &Life {
        &self.life
    }
}

impl Reports for Planner {
    fn report(&self, edges: &mut Edges<'_>) {
        let Some(board) = try_locked(&self.board) else { return edges.skip() };
        let Some(board) = &*board else { return };
        edges.traced("board.backlog", &board.backlog);
        match &board.focus {
            Focus::Nothing => {}
            Focus::Item(item) => edges.traced("board.focus", item),
            Focus::List(list, _) => edges.traced("board.focus", list),
        }
        board.by_name.values().for_each(|item| edges.traced("board.by_name", item));
        board.pinned.iter().for_each(|item| edges.traced("board.pinned", item));
        board.columns.iter().flatten().for_each(|item| edges.traced("board.columns", item));
    }
}

impl Default for Planner {
    fn default() -> Self {
        Self { life: Life::new(&PLANNER), board: Mutex::default() }
    }
}

impl Planner {
    /// Without a board.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a board, or none, and returns the earlier board.
    pub fn exchange(&self, board: Option<Board>) -> Option<Board> {
        std::mem::replace(&mut *lock(&self.board), board)
    }

    /// A board with the same objects as the kept board, each counted up.
    pub fn board(&self) -> Option<Board> {
        lock(&self.board).clone()
    }
}
