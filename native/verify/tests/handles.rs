//! Sequences of handle operations against a plain model: names, counts, refusals and their reasons.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use objects::lifecycle;
use objects::ownership;
use objects::ownership::{borrow, clone_handle, is_same, lower, strong_and_weak, Traced};
use proptest::collection::vec;
use proptest::prelude::*;
use recorder::levels;
use recorder::runtime::runtime;
use samples::{Journal, TodoItem, TodoList};
use segment::status::{Result, Status};

#[derive(Clone, Copy, Debug)]
enum Operation {
    NewItem,
    NewList,
    NewJournal,
    /// Numbers pick a handle among all that ever were, live or not.
    Clone(usize),
    Release(usize),
    Share {
        list: usize,
        item: usize,
    },
    Merge {
        into: usize,
        from: usize,
    },
    Last(usize),
    Append(usize),
    Close(usize),
    Level(u8),
}

fn operation() -> impl Strategy<Value = Operation> {
    let pick = || 0_usize..1000;
    prop_oneof![
        Just(Operation::NewItem),
        Just(Operation::NewList),
        Just(Operation::NewJournal),
        pick().prop_map(Operation::Clone),
        pick().prop_map(Operation::Release),
        pick().prop_map(Operation::Release),
        (pick(), pick()).prop_map(|(list, item)| Operation::Share { list, item }),
        (pick(), pick()).prop_map(|(into, from)| Operation::Merge { into, from }),
        pick().prop_map(Operation::Last),
        pick().prop_map(Operation::Append),
        pick().prop_map(Operation::Close),
        (0_u8..4).prop_map(Operation::Level),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Item,
    List,
    Journal,
}

/// An object's state in the model.
struct Object {
    type_of: Type,
    /// Items of a list, by object.
    items: Vec<usize>,
    is_closed: bool,
}

#[derive(Default)]
struct Model {
    objects: Vec<Object>,
    /// Every handle that ever was: its number, its object, whether it is live.
    handles: Vec<(u64, usize, bool)>,
}

impl Model {
    fn add(&mut self, handle: u64, object: usize) {
        assert!(self.handles.iter().all(|known| known.0 != handle), "a number came back");
        self.handles.push((handle, object, true));
    }

    fn make(&mut self, handle: u64, type_of: Type) {
        self.objects.push(Object { type_of, items: Vec::new(), is_closed: false });
        self.add(handle, self.objects.len() - 1);
    }

    fn pick(&self, number: usize) -> Option<(usize, u64, usize, bool)> {
        let at = number.checked_rem(self.handles.len())?;
        let (handle, object, is_live) = self.handles[at];
        Some((at, handle, object, is_live))
    }

    /// The status with which a call through this handle has to end.
    fn expected(&self, object: usize, is_live: bool, wanted: Type) -> Status {
        if !is_live {
            Status::StaleHandle
        } else if self.objects[object].type_of != wanted {
            Status::WrongType
        } else if self.objects[object].is_closed {
            Status::Closed
        } else {
            Status::Ok
        }
    }

    /// Strong counts of all objects: their handles, and the lists that hold them and are alive
    /// themselves.
    fn counts(&self) -> HashMap<usize, u64> {
        let mut counts = HashMap::new();
        for &(_, object, _) in self.handles.iter().filter(|handle| handle.2) {
            *counts.entry(object).or_insert(0) += 1;
        }
        let lists: Vec<usize> = counts
            .keys()
            .copied()
            .filter(|&object| self.objects[object].type_of == Type::List)
            .collect();
        for list in lists {
            for &item in &self.objects[list].items {
                *counts.entry(item).or_insert(0) += 1;
            }
        }
        counts
    }
}

fn status<T>(result: &Result<T>) -> Status {
    result.as_ref().err().map_or(Status::Ok, |error| error.status)
}

struct World {
    model: Model,
    path: PathBuf,
}

impl World {
    fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::NewItem => {
                self.model.make(lower(Arc::new(TodoItem::new("x"))).unwrap(), Type::Item)
            }
            Operation::NewList => {
                self.model.make(lower(Arc::new(TodoList::new())).unwrap(), Type::List)
            }
            Operation::NewJournal => self
                .model
                .make(lower(Arc::new(Journal::open(&self.path).unwrap())).unwrap(), Type::Journal),
            Operation::Clone(number) => self.clone_one(number),
            Operation::Release(number) => self.release(number),
            Operation::Share { list, item } => self.share(list, item),
            Operation::Merge { into, from } => self.merge(into, from),
            Operation::Last(number) => self.last(number),
            Operation::Append(number) => self.append(number),
            Operation::Close(number) => self.close(number),
            Operation::Level(level) => levels::set_level(runtime(), level),
        }
    }

    fn clone_one(&mut self, number: usize) {
        let Some((_, handle, object, is_live)) = self.model.pick(number) else { return };
        let clone = clone_handle(handle);
        assert_eq!(status(&clone), if is_live { Status::Ok } else { Status::StaleHandle });
        if let Ok(clone) = clone {
            assert!(is_same(handle, clone).unwrap());
            self.model.add(clone, object);
        }
    }

    fn release(&mut self, number: usize) {
        let Some((at, handle, _, is_live)) = self.model.pick(number) else { return };
        let released = ownership::release(runtime(), handle);
        assert_eq!(status(&released), if is_live { Status::Ok } else { Status::StaleHandle });
        self.model.handles[at].2 = false;
    }

    fn share(&mut self, list: usize, item: usize) {
        let (Some(list), Some(item)) = (self.model.pick(list), self.model.pick(item)) else {
            return;
        };
        let (borrowed, shared) = (borrow::<TodoList>(list.1), borrow::<TodoItem>(item.1));
        assert_eq!(status(&borrowed), self.model.expected(list.2, list.3, Type::List));
        assert_eq!(status(&shared), self.model.expected(item.2, item.3, Type::Item));
        if let (Ok(borrowed), Ok(shared)) = (borrowed, shared) {
            borrowed.add(Traced::from_arc(Arc::clone(shared.arc())));
            self.model.objects[list.2].items.push(item.2);
        }
    }

    fn merge(&mut self, into: usize, from: usize) {
        let (Some(into), Some(from)) = (self.model.pick(into), self.model.pick(from)) else {
            return;
        };
        // lists double when they are merged with themselves
        if self.model.objects[from.2].items.len() > 64 {
            return;
        }
        if let (Ok(list), Ok(other)) = (borrow::<TodoList>(into.1), borrow::<TodoList>(from.1)) {
            list.merge(&other);
            let more = self.model.objects[from.2].items.clone();
            self.model.objects[into.2].items.extend(more);
            assert_eq!(list.len(), self.model.objects[into.2].items.len());
        }
    }

    fn last(&mut self, number: usize) {
        let Some((_, handle, object, _)) = self.model.pick(number) else { return };
        let Ok(list) = borrow::<TodoList>(handle) else { return };
        let last = list.last();
        assert_eq!(last.is_some(), !self.model.objects[object].items.is_empty());
        if let (Some(last), Some(&item)) = (last, self.model.objects[object].items.last()) {
            self.model.add(last.lower().unwrap(), item);
        }
    }

    fn append(&mut self, number: usize) {
        let Some((_, handle, object, is_live)) = self.model.pick(number) else { return };
        let journal = borrow::<Journal>(handle);
        assert_eq!(status(&journal), self.model.expected(object, is_live, Type::Journal));
        if let Ok(journal) = journal {
            journal.append("x").unwrap();
        }
    }

    fn close(&mut self, number: usize) {
        let Some((_, handle, object, is_live)) = self.model.pick(number) else { return };
        let expected = match self.model.expected(object, is_live, Type::Journal) {
            Status::WrongType => Status::BadArgument,
            other => other,
        };
        assert_eq!(status(&lifecycle::preview(runtime(), handle)), expected);
        assert_eq!(status(&lifecycle::close_with_defaults(runtime(), handle)), expected);
        self.model.objects[object].is_closed |= expected == Status::Ok;
    }

    fn check_counts(&self) {
        let counts = self.model.counts();
        for &(handle, object, is_live) in &self.model.handles {
            let strong = strong_and_weak(handle);
            match is_live {
                true => assert_eq!(strong.unwrap(), (counts[&object], 0)),
                false => assert_eq!(status(&strong), Status::StaleHandle),
            }
        }
    }

    fn release_all(&mut self) {
        for number in 0..self.model.handles.len() {
            self.release(number);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_operations_keeps_handles_counts_and_refusals_as_the_model_has_them(operations in vec(operation(), 1..120)) {
        let path = std::env::temp_dir().join(format!("arc-inspector-model-{}", std::process::id()));
        let mut world = World { model: Model::default(), path: path.clone() };
        for operation in operations {
            world.apply(operation);
            world.check_counts();
        }
        world.release_all();
        // not there when no journal was opened
        let _ = std::fs::remove_file(path);
    }
}
