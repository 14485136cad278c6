//! Instances of given classes, found by walking the interpreter's own lists of objects, a slice at
//! a time.
//!
//! CPython links every object that can hold other objects into one of a few rings, by two words
//! before the object. `gc.get_objects` copies all of them into a list, which takes three to seven
//! milliseconds for 430,000 objects and makes the tool a holder of each; reading the links and the
//! type takes less, and touches nothing. Between two slices a *marker*, an object of ours, keeps
//! the place: it is taken out of its ring and inserted further on, as the collector does with
//! objects all the time. The lists are consistent whenever the interpreter's lock can be had, also
//! while a collection runs a finaliser.
//!
//! The layout of these words is that of CPython 3.11 to 3.13 with the interpreter's lock; `begin`
//! checks it as far as possible and otherwise refuses.

use super::places::Places;

/// Bytes from the links to the object.
const LINK_BYTES: usize = 16;
/// Bytes from the object to its type.
const TYPE_BYTES: usize = 8;
/// The links' lowest bits are flags.
const FLAGS: usize = 3;
/// Bytes from one ring's head to the next, and from the first head to the head of frozen objects.
const HEAD_BYTES: usize = 24;
const FROZEN_BYTES: usize = 80;
const RINGS: usize = 4;

/// A walk through the heap.
pub struct Heap {
    marker: usize,
    heads: [usize; RINGS],
    /// Ring to be walked when the marker's own ends.
    next_ring: usize,
    /// The marker is at the end of the last slice.
    is_placed: bool,
}

impl Heap {
    /// Ready to begin. `None`: the lists are not built as expected, and nothing was touched.
    ///
    /// # Safety
    /// `marker` is an object of the running interpreter (CPython 3.11 to 3.13) that was made just
    /// now and is in the youngest ring's last place; the interpreter's lock is held.
    pub unsafe fn begin(marker: usize, marker_type: usize) -> Option<Self> {
        // SAFETY: the caller's promise: the words before an object are its links, and the linked
        // words are readable.
        unsafe {
            let links = marker - LINK_BYTES;
            if word(marker + TYPE_BYTES) != marker_type || !is_linked(links) {
                return None;
            }
            let first = next(links);
            let heads = [first, first + HEAD_BYTES, first + 2 * HEAD_BYTES, first + FROZEN_BYTES];
            heads.iter().all(|&head| is_linked(head)).then_some(Self {
                marker: links,
                heads,
                next_ring: 0,
                is_placed: false,
            })
        }
    }

    /// Looks at up to `most` objects and puts those of `types` into `found`, which has room. True:
    /// more objects follow.
    ///
    /// # Safety
    /// The interpreter's lock is held, and the marker is alive.
    pub unsafe fn step(
        &mut self,
        types: &Types,
        most: usize,
        room: usize,
        found: &mut Vec<usize>,
    ) -> bool {
        // SAFETY: the caller's promise; every link of a ring leads to another, or to its head.
        unsafe {
            let mut at = if self.is_placed { next(self.marker) } else { self.heads[0] };
            let mut seen = 0;
            loop {
                if self.heads.contains(&at) {
                    if self.next_ring == RINGS {
                        return false;
                    }
                    at = next(self.heads[self.next_ring]);
                    self.next_ring += 1;
                    continue;
                }
                if seen == most || found.len() == room {
                    self.place_before(at);
                    return true;
                }
                seen += 1;
                if at != self.marker && types.has(word(at + LINK_BYTES + TYPE_BYTES)) {
                    found.push(at + LINK_BYTES);
                }
                at = next(at);
            }
        }
    }

    /// Takes the marker out of its place and puts it in right before `at`.
    ///
    /// # Safety
    /// `at` is linked; the interpreter's lock is held.
    unsafe fn place_before(&mut self, at: usize) {
        self.is_placed = true;
        if at == self.marker {
            return;
        }
        // SAFETY: the caller's promise. Each store keeps the flags beside the link.
        unsafe {
            let (before, after) = (previous(self.marker), next(self.marker));
            set_next(before, after);
            set_previous(after, before);
            let new_before = previous(at);
            set_next(new_before, self.marker);
            set_previous(self.marker, new_before);
            set_next(self.marker, at);
            set_previous(at, self.marker);
        }
    }
}

/// Types to find.
#[derive(Default)]
pub struct Types(Places<usize, ()>);

impl Types {
    /// One more.
    pub fn add(&mut self, class: usize) {
        self.0.insert(class, ());
    }

    fn has(&self, class: usize) -> bool {
        self.0.contains_key(&class)
    }
}

/// # Safety
/// `links` are readable links.
unsafe fn next(links: usize) -> usize {
    // SAFETY: the caller's promise.
    unsafe { word(links) & !FLAGS }
}

/// # Safety
/// `links` are readable links.
unsafe fn previous(links: usize) -> usize {
    // SAFETY: the caller's promise.
    unsafe { word(links + 8) & !FLAGS }
}

/// # Safety
/// `links` are links.
unsafe fn set_next(links: usize, to: usize) {
    // SAFETY: the caller's promise.
    unsafe { *(links as *mut usize) = to | word(links) & FLAGS };
}

/// # Safety
/// `links` are links.
unsafe fn set_previous(links: usize, to: usize) {
    // SAFETY: the caller's promise.
    unsafe { *((links + 8) as *mut usize) = to | word(links + 8) & FLAGS };
}

/// Whether both neighbours know of it.
///
/// # Safety
/// `links` are readable, and so are the words they point to.
unsafe fn is_linked(links: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let (before, after) = (previous(links), next(links));
        before != 0 && after != 0 && next(before) == links && previous(after) == links
    }
}

/// # Safety
/// `address` is readable.
unsafe fn word(address: usize) -> usize {
    // SAFETY: the caller's promise.
    unsafe { *(address as *const usize) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rings as CPython keeps them: heads of 24 bytes, and objects of four words
    /// `{next, previous, count, type}`.
    struct Image {
        heads: Box<[usize; 16]>,
        #[allow(clippy::vec_box)] // links lead to the objects, so they must not move
        objects: Vec<Box<[usize; 4]>>,
    }

    impl Image {
        fn new() -> Self {
            let mut image = Self { heads: Box::new([0; 16]), objects: Vec::new() };
            for offset in [0, 24, 48, 80] {
                let head = image.heads.as_mut_ptr() as usize + offset;
                // SAFETY: within the array.
                unsafe { set_next(head, head) };
                // SAFETY: within the array.
                unsafe { set_previous(head, head) };
            }
            image
        }

        /// A new object of a type at the end of a ring; its address.
        fn add(&mut self, ring: usize, class: usize) -> usize {
            let mut object = Box::new([0, 0, 1, class]);
            let (head, links) = (
                self.heads.as_mut_ptr() as usize + [0, 24, 48, 80][ring],
                object.as_mut_ptr() as usize,
            );
            self.objects.push(object);
            // SAFETY: rings of this image.
            unsafe {
                let last = previous(head);
                set_next(last, links);
                set_previous(links, last);
                set_next(links, head);
                set_previous(head, links);
            }
            links + LINK_BYTES
        }
    }

    const MARKER: usize = 0x1000;
    const WANTED: usize = 0x2000;

    fn wanted() -> Types {
        let mut types = Types::default();
        types.add(WANTED);
        types
    }

    fn walk(image: &mut Image, most: usize, mut between: impl FnMut(&mut Image)) -> Vec<usize> {
        let marker = image.add(0, MARKER);
        // SAFETY: the image is built as the interpreter builds its lists.
        let mut heap = unsafe { Heap::begin(marker, MARKER) }.expect("built as expected");
        let (types, mut all) = (wanted(), Vec::new());
        loop {
            let mut found = Vec::new();
            // SAFETY: as above.
            let more = unsafe { heap.step(&types, most, 100, &mut found) };
            all.append(&mut found);
            if !more {
                return all;
            }
            between(image);
        }
    }

    #[test]
    fn every_instance_is_found_once_in_whatever_ring_and_slice() {
        let mut image = Image::new();
        let mut expected = Vec::new();
        for at in 0..200 {
            let ring = at % 4;
            image.add(ring, 0x3000);
            expected.push(image.add(ring, WANTED));
        }
        for most in [1, 7, 1000] {
            let mut found = walk(&mut image, most, |_| ());
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn objects_that_come_at_the_end_between_two_slices_are_found_too() {
        let mut image = Image::new();
        let first = image.add(2, WANTED);
        let mut late = 0;
        let found = walk(&mut image, 1, |image| {
            if late == 0 {
                late = image.add(2, WANTED);
            }
        });
        assert_eq!(found, [first, late]);
    }

    #[test]
    fn lists_that_are_built_otherwise_are_left_alone() {
        let mut image = Image::new();
        let marker = image.add(0, MARKER);
        // SAFETY: as in `walk`.
        assert!(unsafe { Heap::begin(marker, WANTED) }.is_none());
        image.heads[3] = image.heads.as_ptr() as usize;
        // SAFETY: as in `walk`.
        assert!(unsafe { Heap::begin(marker, MARKER) }.is_none());
    }
}
