//! Descriptions as the macros write them.

use super::*;
use crate::types::samples::{name, object};

fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(text.len() as u8);
    bytes.extend(text.as_bytes());
}

fn begin(code: u8, words: &[&str]) -> Vec<u8> {
    let mut bytes = vec![code];
    words.iter().for_each(|word| text(&mut bytes, word));
    bytes
}

fn with_object(bytes: &mut Vec<u8>, of: &str) {
    bytes.push(16);
    text(bytes, "shapes");
    text(bytes, of);
}

#[test]
fn a_method_says_its_symbol_its_arguments_and_its_result() {
    let mut bytes = begin(1, &["shapes", "Node", "Child_At"]);
    bytes.extend([0, 1]);
    text(&mut bytes, "at");
    bytes.extend([2, 1, 1, 1]);
    text(&mut bytes, "7");
    bytes.extend([23, 12]);
    with_object(&mut bytes, "Node");
    bytes.push(14);
    text(&mut bytes, "shapes");
    text(&mut bytes, "Failure");
    bytes.extend([3, 0]);
    bytes.extend(b"doc");
    let method = Function {
        symbol: "uniffi_shapes_fn_method_node_child_at".to_owned(),
        receiver: Some(name("Node")),
        inputs: vec![Type::Whole(4)],
        returns: Some(Type::Optional(Box::new(object("Node")))),
        is_async: false,
    };
    assert_eq!(read(&bytes), Some(Item::Function(method)));
    bytes.push(0);
    assert_eq!(read(&bytes), None, "bytes that no form uses");
}

#[test]
fn a_constructor_of_an_old_form_has_no_word_on_futures() {
    let mut bytes = begin(7, &["shapes::inner", "Node", "new"]);
    bytes.push(0);
    with_object(&mut bytes, "Node");
    bytes.extend([0, 0]);
    let Some(Item::Function(made)) = read(&bytes) else { panic!("a constructor") };
    assert_eq!(made.symbol, "uniffi_shapes_fn_constructor_node_new");
    assert_eq!((made.returns, made.is_async), (Some(object("Node")), false));
}

#[test]
fn records_and_enums_have_their_fields() {
    let mut record = begin(2, &["shapes", "Pair"]);
    record.push(1);
    text(&mut record, "left");
    with_object(&mut record, "Node");
    record.extend([0, 0, 0, 0, 0]);
    assert_eq!(read(&record), Some(Item::Record(name("Pair"), vec![object("Node")])));
    let mut either = begin(3, &["shapes", "Either"]);
    either.extend([0, 0, 2]);
    text(&mut either, "Left");
    either.extend([0, 1]);
    text(&mut either, "node");
    with_object(&mut either, "Node");
    either.extend([0, 0, 0, 0, 0]);
    text(&mut either, "Right");
    either.extend([0, 0, 0, 0, 0, 0, 0]);
    let variants = Variants { fields: vec![vec![object("Node")], vec![]], is_flat_error: false };
    assert_eq!(read(&either), Some(Item::Enum(name("Either"), variants)));
}

#[test]
fn any_bytes_are_read_without_harm() {
    for code in 0..=255 {
        for length in 0..40 {
            let bytes: Vec<u8> = (0..length).map(|at| (code ^ at as u8).wrapping_mul(31)).collect();
            let _ = read(&[&[code], &bytes[..]].concat());
        }
    }
}
