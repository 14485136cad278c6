//! Any nested value with objects in it, through a buffer and back, whole or damaged: each object
//! keeps exactly the references that are there.

use std::collections::BTreeMap;
use std::sync::Arc;

use objects::object::Object;
use objects::ownership::{compound, in_flight, Compound, Lifting, Lowering, Traced};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use recorder::events::live_handles;
use recorder::runtime::runtime;
use samples::TodoItem;
use segment::status::{Error, Result, Status};

const OBJECTS: usize = 3;

/// The shape of a value; objects by number.
#[derive(Clone, Debug)]
enum Shape {
    Text(String),
    Object(usize),
    Optional(Option<Box<Shape>>),
    Sequence(Vec<Shape>),
    Map(BTreeMap<String, Shape>),
}

/// A value of any shape.
enum Value {
    Text(String),
    Object(Traced<TodoItem>),
    Optional(Option<Box<Value>>),
    Sequence(Vec<Value>),
    Map(BTreeMap<String, Value>),
}

impl<T: Compound> Compound for Boxed<T> {
    fn write(self, to: &mut Lowering) -> Result<()> {
        (*self.0).write(to)
    }

    fn read(from: &mut Lifting<'_>) -> Result<Self> {
        T::read(from).map(Box::new).map(Self)
    }
}

/// A box, of which the trait knows nothing.
struct Boxed<T>(Box<T>);

impl Compound for Value {
    fn write(self, to: &mut Lowering) -> Result<()> {
        match self {
            Self::Text(text) => to.number(1).and_then(|()| text.write(to)),
            Self::Object(object) => to.number(2).and_then(|()| object.write(to)),
            Self::Optional(value) => to.number(3).and_then(|()| value.map(Boxed).write(to)),
            Self::Sequence(values) => to.number(4).and_then(|()| values.write(to)),
            Self::Map(values) => to.number(5).and_then(|()| values.write(to)),
        }
    }

    fn read(from: &mut Lifting<'_>) -> Result<Self> {
        Ok(match from.number()? {
            1 => Self::Text(Compound::read(from)?),
            2 => Self::Object(Compound::read(from)?),
            3 => Self::Optional(Option::<Boxed<Self>>::read(from)?.map(|boxed| boxed.0)),
            4 => Self::Sequence(Compound::read(from)?),
            5 => Self::Map(Compound::read(from)?),
            variant => {
                return Err(Error::new(Status::BadArgument, format!("no variant {variant}")))
            }
        })
    }
}

fn shapes() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![".{0,4}".prop_map(Shape::Text), (0..OBJECTS).prop_map(Shape::Object)];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::option::of(inner.clone())
                .prop_map(|shape| Shape::Optional(shape.map(Box::new))),
            vec(inner.clone(), 0..5).prop_map(Shape::Sequence),
            btree_map(".{0,3}", inner, 0..5).prop_map(Shape::Map),
        ]
    })
}

fn value(shape: &Shape, objects: &[Traced<TodoItem>]) -> Value {
    match shape {
        Shape::Text(text) => Value::Text(text.clone()),
        Shape::Object(at) => Value::Object(objects[*at].clone()),
        Shape::Optional(shape) => {
            Value::Optional(shape.as_ref().map(|shape| Box::new(value(shape, objects))))
        }
        Shape::Sequence(shapes) => {
            Value::Sequence(shapes.iter().map(|shape| value(shape, objects)).collect())
        }
        Shape::Map(shapes) => Value::Map(
            shapes.iter().map(|(key, shape)| (key.clone(), value(shape, objects))).collect(),
        ),
    }
}

/// Whether a value has this shape, each object at its place.
fn has_shape(value: &Value, shape: &Shape, objects: &[Traced<TodoItem>]) -> bool {
    match (value, shape) {
        (Value::Text(text), Shape::Text(expected)) => text == expected,
        (Value::Object(object), Shape::Object(at)) => Arc::ptr_eq(object.arc(), objects[*at].arc()),
        (Value::Optional(Some(value)), Shape::Optional(Some(shape))) => {
            has_shape(value, shape, objects)
        }
        (Value::Optional(None), Shape::Optional(None)) => true,
        (Value::Sequence(values), Shape::Sequence(shapes)) => {
            values.len() == shapes.len()
                && values.iter().zip(shapes).all(|(value, shape)| has_shape(value, shape, objects))
        }
        (Value::Map(values), Shape::Map(shapes)) => {
            values.len() == shapes.len()
                && values.iter().zip(shapes).all(|((key, value), (name, shape))| {
                    key == name && has_shape(value, shape, objects)
                })
        }
        _ => false,
    }
}

fn counts(objects: &[Traced<TodoItem>]) -> Vec<usize> {
    objects.iter().map(Traced::strong_count).collect()
}

proptest! {
    #[test]
    fn any_nested_value_comes_back_with_the_same_objects_and_counts(shape in shapes()) {
        let objects: Vec<_> = (0..OBJECTS).map(|_| Traced::new(TodoItem::new("x"))).collect();
        let before = value(&shape, &objects);
        let held = counts(&objects);
        let (bytes, buffer) = compound::lower(before).unwrap();
        prop_assert_eq!(counts(&objects), held.clone());
        let after: Value = compound::lift(&bytes, buffer).unwrap();
        prop_assert_eq!(counts(&objects), held);
        prop_assert!(has_shape(&after, &shape, &objects));
        drop(after);
        prop_assert_eq!(counts(&objects), vec![1; OBJECTS]);
    }

    #[test]
    fn any_damage_to_the_bytes_leaves_no_reference_behind(shape in shapes(), cut in 0..200_usize, at in 0..200_usize, byte: u8) {
        let objects: Vec<_> = (0..OBJECTS).map(|_| Traced::new(TodoItem::new("x"))).collect();
        let (mut bytes, buffer) = compound::lower(value(&shape, &objects)).unwrap();
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
        bytes.truncate(bytes.len().saturating_sub(cut % 8).max(bytes.len().min(4)));
        let lifted: Result<Value> = compound::lift(&bytes, buffer);
        let addresses = objects.iter().map(|object| Arc::as_ptr(object.arc()) as u64 - TodoItem::spec().data_offset);
        prop_assert_eq!(addresses.map(in_flight::count_of).sum::<usize>(), 0);
        drop(lifted);
        prop_assert_eq!(counts(&objects), vec![1; OBJECTS]);
        prop_assert_eq!(live_handles(runtime()), 0);
    }
}
