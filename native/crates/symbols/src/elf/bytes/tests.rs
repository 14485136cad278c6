use std::cell::Cell;
use std::io::Write;

use gimli::EndianSlice;

use super::*;

/// Three pages and a bit.
fn content() -> Vec<u8> {
    (0..3 * PAGE + 123).map(|at| (at % 251) as u8).collect()
}

/// A file in which the content lies behind a header.
fn of_file(content: &[u8], budget: &Rc<Budget>) -> Bytes {
    let mut file = platform::unnamed_file(&std::env::temp_dir()).expect("a file");
    file.write_all(&[7; 100]).expect("room");
    file.write_all(content).expect("room");
    Bytes::of_file(Rc::new(file), 100, content.len() as u64, budget.clone(), 1).expect("a section")
}

#[test]
fn a_section_of_a_file_reads_as_the_same_bytes_in_memory_do() {
    let content = content();
    let slice = EndianSlice::new(&content, LittleEndian);
    let file = of_file(&content, &Rc::default());
    for at in [0, 1, PAGE - 3, PAGE - 1, PAGE, 2 * PAGE - 9, content.len() - 8] {
        let (mut ours, mut theirs) = (file.clone(), slice);
        ours.skip(at).expect("within");
        Reader::skip(&mut theirs, at).expect("within");
        assert_eq!(ours.offset_from(&file), at);
        assert_eq!(ours.clone().read_u64(), Reader::read_u64(&mut theirs.clone()));
        assert_eq!(ours.clone().read_uleb128(), Reader::read_uleb128(&mut theirs.clone()));
        assert_eq!(ours.find(3).ok(), Reader::find(&theirs, 3).ok());
        assert_eq!(ours.to_slice().ok(), Reader::to_slice(&theirs).ok());
        let (first, same) = (ours.split(5).expect("bytes"), Reader::split(&mut theirs, 5));
        assert_eq!(first.to_slice().ok(), Reader::to_slice(&same.expect("bytes")).ok());
    }
}

#[test]
fn reading_beyond_the_end_is_an_error() {
    let mut file = of_file(&content(), &Rc::default());
    assert!(file.clone().skip(4 * PAGE).is_err() && file.clone().truncate(4 * PAGE).is_err());
    file.skip(file.len() - 3).expect("within");
    assert!(file.clone().read_u32().is_err() && file.find(255).is_err());
    file.empty();
    assert!(file.is_empty() && file.clone().read_u8().is_err());
    assert!(Bytes::none().read_u8().is_err() && Bytes::none().to_slice().is_ok());
}

#[test]
fn a_file_that_is_cut_short_is_an_error() {
    let file = platform::unnamed_file(&std::env::temp_dir()).expect("a file");
    let mut bytes = Bytes::of_file(Rc::new(file), 0, 64, Rc::default(), 1).expect("a section");
    assert_eq!(bytes.read_u8(), Err(Error::Io));
}

#[test]
fn bytes_that_are_parsed_are_counted_and_bounded() {
    let budget = Rc::new(Budget::new(PAGE as u64 + 20, &Rc::new(Cell::new(1 << 20))));
    let file = of_file(&content(), &budget);
    budget.measured(|| {
        assert!(file.clone().read_u64().is_ok() && file.clone().read_u64().is_ok());
        assert_eq!(file.clone().read_u64(), Err(Error::Io));
    });
    assert!(budget.is_exceeded());
    let any = Rc::new(File::open("/dev/null").expect("a file"));
    assert!(Bytes::of_file(any, 0, 1 << 40, Rc::default(), 1).is_none());
}
