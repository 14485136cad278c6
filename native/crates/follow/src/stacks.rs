//! The site of a birth, read from the interpreter's own frames: a few nanoseconds a frame, no
//! object made.
//!
//! The frames' layout is fixed within a minor version of CPython. Versions without a layout here
//! are not walked, and a known layout is compared with the interpreter's own answer before it is
//! used. A stack is known by its frames' code objects and instructions; both stay valid because the
//! caller that reported a code object keeps it alive.

use super::places::Places;

/// Most frames read for one site, including frames that are left out.
const MOST_FRAMES: usize = 512;
/// Frames of a site, at most.
pub const MOST_KEPT: usize = segment::layout::SITE_FRAMES;

/// Offsets of the fields in the frames of one minor version of CPython. In bytes.
#[derive(Debug)]
pub struct FrameLayout {
    /// From the thread's state to its current frame, or to the pointer to it.
    pub current: usize,
    /// That leads to the frame's place, at this offset; `None`: the frame itself.
    pub through: Option<usize>,
    /// Code object.
    pub code: usize,
    /// Frame outside.
    pub previous: usize,
    /// Instruction.
    pub instruction: usize,
    /// Globals.
    pub globals: usize,
    /// The frame's owner; 3: a frame that stands for C code, which has no globals.
    pub owner: Option<usize>,
}

const LAYOUT_311: FrameLayout = FrameLayout {
    current: 56,
    through: Some(8),
    code: 32,
    previous: 48,
    instruction: 56,
    globals: 8,
    owner: None,
};
const LAYOUT_312: FrameLayout = FrameLayout {
    current: 56,
    through: Some(0),
    code: 0,
    previous: 8,
    instruction: 56,
    globals: 24,
    owner: Some(70),
};
const LAYOUT_313: FrameLayout = FrameLayout {
    current: 72,
    through: None,
    code: 0,
    previous: 8,
    instruction: 56,
    globals: 24,
    owner: Some(70),
};
const OWNED_BY_C: u8 = 3;

/// The layout of a minor version, where it is known.
pub fn layout_of(minor: u32) -> Option<&'static FrameLayout> {
    match minor {
        11 => Some(&LAYOUT_311),
        12 => Some(&LAYOUT_312),
        13 => Some(&LAYOUT_313),
        _ => None,
    }
}

/// The result of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// The site; 0: no frame of the program.
    Site(u32),
    /// A code object that may or may not be the program's, and its globals: the caller has to say.
    Code(usize, usize),
    /// A stack that is not known, of so many frames.
    Stack(usize),
}

/// The owner of the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The tool's, or generated: its frames are left out.
    Hidden,
    /// The program's own.
    User,
    /// The standard library's, or of the package that defines the followed class: its frames are
    /// kept, and name no site.
    Library,
}

/// Stacks that are known.
pub struct Stacks {
    layout: &'static FrameLayout,
    codes: Places<usize, Code>,
    sites: Places<Box<[usize]>, u32>,
    newest: [usize; 2 * MOST_KEPT],
}

impl Stacks {
    /// Knows nothing yet.
    pub fn new(layout: &'static FrameLayout) -> Self {
        Self {
            layout,
            codes: Places::default(),
            sites: Places::default(),
            newest: [0; 2 * MOST_KEPT],
        }
    }

    /// Whose a code object is; it lives from now on as long as this.
    pub fn set_code(&mut self, code: usize, whose: Code) {
        self.codes.insert(code, whose);
    }

    /// Whose a code object is; `None`: no caller has said.
    pub fn code(&self, code: usize) -> Option<Code> {
        self.codes.get(&code).copied()
    }

    /// The site of the stack that `walk` found unknown last, of `count` frames.
    pub fn set_site(&mut self, count: usize, site: u32) {
        self.sites.insert(self.newest[..2 * count].into(), site);
    }

    /// Stacks that are known.
    pub fn len(&self) -> usize {
        self.sites.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }

    /// The site of the calling thread, of `limit` frames at most. A limit of 1 asks for the
    /// innermost frame of the program's own, with the libraries' frames inside it; a stack without
    /// such a frame is told by its innermost one.
    ///
    /// # Safety
    /// `state` is the calling thread's state in the interpreter whose layout this is, and the
    /// interpreter's lock is held.
    pub unsafe fn walk(&mut self, state: usize, limit: usize) -> Walk {
        let (layout, is_short) = (self.layout, limit == 1);
        let most = if is_short { MOST_KEPT } else { limit.min(MOST_KEPT) };
        let (mut count, mut is_named) = (0, false);
        // SAFETY: the caller's promise, for the whole walk.
        let mut frame = unsafe { innermost(layout, state) };
        for _ in 0..MOST_FRAMES {
            if frame == 0 || count == most || is_short && is_named {
                break;
            }
            // SAFETY: a frame of the running thread, which does not run meanwhile.
            let (code, instruction, is_code) = unsafe { read(layout, frame) };
            if is_code {
                match self.codes.get(&code) {
                    Some(Code::Hidden) => {}
                    Some(whose) => {
                        self.newest[2 * count] = code;
                        self.newest[2 * count + 1] = instruction;
                        count += 1;
                        is_named |= *whose == Code::User;
                    }
                    // SAFETY: as above.
                    None => return Walk::Code(code, unsafe { word(frame + layout.globals) }),
                }
            }
            // SAFETY: as above.
            frame = unsafe { word(frame + layout.previous) };
        }
        if count == 0 {
            return Walk::Site(0);
        }
        if is_short && !is_named {
            count = 1;
        }
        self.sites
            .get(&self.newest[..2 * count])
            .map_or(Walk::Stack(count), |&site| Walk::Site(site))
    }
}

/// The code objects of the calling thread's frames, innermost first; frames beyond the room of
/// `codes` are left out. Returns the number of frames.
///
/// # Safety
/// As for [`Stacks::walk`].
pub unsafe fn codes(layout: &FrameLayout, state: usize, codes: &mut [usize]) -> usize {
    let mut count = 0;
    // SAFETY: the caller's promise.
    let mut frame = unsafe { innermost(layout, state) };
    while frame != 0 && count < codes.len() {
        // SAFETY: the caller's promise.
        let (code, _, is_code) = unsafe { read(layout, frame) };
        if is_code {
            codes[count] = code;
            count += 1;
        }
        // SAFETY: the caller's promise.
        frame = unsafe { word(frame + layout.previous) };
    }
    count
}

/// # Safety
/// As for [`Stacks::walk`].
unsafe fn innermost(layout: &FrameLayout, state: usize) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        let current = word(state + layout.current);
        match layout.through {
            Some(_) if current == 0 => 0,
            Some(offset) => word(current + offset),
            None => current,
        }
    }
}

/// Code, instruction, and whether it is a frame of code at all.
///
/// # Safety
/// `frame` is a frame of this layout.
unsafe fn read(layout: &FrameLayout, frame: usize) -> (usize, usize, bool) {
    // SAFETY: the caller's promise.
    unsafe {
        let owner = layout.owner.map_or(0, |offset| *((frame + offset) as *const u8));
        (word(frame + layout.code), word(frame + layout.instruction), owner != OWNED_BY_C)
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

    /// Frames in the layout of 3.13: `(code, instruction, owner)`, innermost first; and the
    /// thread's state that leads to them.
    #[allow(clippy::vec_box)] // frames lead to each other, so they must not move
    fn stack(frames: &[(usize, usize, u8)]) -> (Vec<Box<[usize; 10]>>, [usize; 10]) {
        let mut made: Vec<Box<[usize; 10]>> = Vec::new();
        for &(code, instruction, owner) in frames.iter().rev() {
            let mut frame = Box::new([0; 10]);
            (frame[0], frame[3], frame[7]) = (code, 0x600 + code, instruction);
            frame[1] = made.last().map_or(0, |outer| outer.as_ptr() as usize);
            frame[8] = usize::from(owner) << 48;
            made.push(frame);
        }
        let mut state = [0; 10];
        state[9] = made.last().map_or(0, |innermost| innermost.as_ptr() as usize);
        (made, state)
    }

    fn walk(stacks: &mut Stacks, state: &[usize; 10], limit: usize) -> Walk {
        // SAFETY: the frames are built as the layout says.
        unsafe { stacks.walk(state.as_ptr() as usize, limit) }
    }

    #[test]
    fn a_stack_is_asked_for_once_and_known_by_code_and_instruction() {
        let mut stacks = Stacks::new(&LAYOUT_313);
        let (_frames, state) = stack(&[(1, 10, 0), (2, 20, 0), (3, 30, 0)]);
        assert_eq!(walk(&mut stacks, &state, 2), Walk::Code(1, 0x601));
        stacks.set_code(1, Code::Hidden);
        stacks.set_code(2, Code::User);
        stacks.set_code(3, Code::User);
        assert_eq!(walk(&mut stacks, &state, 2), Walk::Stack(2));
        stacks.set_site(2, 77);
        assert_eq!(walk(&mut stacks, &state, 2), Walk::Site(77));
        let (_frames, elsewhere) = stack(&[(1, 10, 0), (2, 21, 0), (3, 30, 0)]);
        assert_eq!(walk(&mut stacks, &elsewhere, 2), Walk::Stack(2));
    }

    #[test]
    fn frames_that_stand_for_c_code_are_left_out() {
        let mut stacks = Stacks::new(&LAYOUT_313);
        let (_frames, state) = stack(&[(9, 0, OWNED_BY_C), (2, 20, 0)]);
        stacks.set_code(2, Code::User);
        assert_eq!(walk(&mut stacks, &state, 1), Walk::Stack(1));
        let mut seen = [0; 4];
        // SAFETY: as in `walk`.
        assert_eq!(unsafe { codes(&LAYOUT_313, state.as_ptr() as usize, &mut seen) }, 1);
        assert_eq!(seen[0], 2);
    }

    #[test]
    fn a_thread_without_frames_of_the_program_has_no_site() {
        let mut stacks = Stacks::new(&LAYOUT_313);
        let (_frames, state) = stack(&[(1, 10, 0)]);
        stacks.set_code(1, Code::Hidden);
        assert_eq!(walk(&mut stacks, &state, 4), Walk::Site(0));
        assert_eq!(walk(&mut stacks, &[0; 10], 4), Walk::Site(0));
    }

    #[test]
    fn a_short_site_reaches_the_first_frame_of_the_programs_own() {
        let mut stacks = Stacks::new(&LAYOUT_313);
        let codes = [
            (1, Code::Library),
            (2, Code::Hidden),
            (3, Code::Library),
            (4, Code::User),
            (5, Code::User),
        ];
        codes.iter().for_each(|&(code, whose)| stacks.set_code(code, whose));
        let (_frames, state) = stack(&[(1, 10, 0), (2, 20, 0), (3, 30, 0), (4, 40, 0), (5, 50, 0)]);
        assert_eq!(walk(&mut stacks, &state, 1), Walk::Stack(3));
        assert_eq!(walk(&mut stacks, &state, 2), Walk::Stack(2));
        let (_frames, without) = stack(&[(1, 10, 0), (3, 30, 0)]);
        assert_eq!(walk(&mut stacks, &without, 1), Walk::Stack(1));
    }
}
