//! A resource that only its owner thread may close, and that holds another object.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::{Arc, Mutex};

use super::{Journal, ORIGIN};
use objects::object::Life;
use objects::object::Object;
use objects::object::{CloseSpec, TypeSpec};
use objects::object::{Edges, Reports};
use objects::ownership::{closable, reporting};
use segment::status::{Error, Result};
use segment::sync::lock;

static CURSOR: TypeSpec = reporting::<Cursor>(closable::<Cursor>(
    "Cursor",
    ORIGIN,
    CloseSpec { signature: "close()", is_thread_affine: true },
));

/// Reads a journal's lines one after the other.
pub struct Cursor {
    life: Life,
    journal: Arc<Journal>,
    reader: Mutex<Option<BufReader<File>>>,
}

// SAFETY: the static was made for this type and is returned here alone.
unsafe impl Object for Cursor {
    fn spec() -> &'static TypeSpec {
        &CURSOR
    }

    fn life(&self) -> &Life {
        &self.life
    }

    fn close_with_defaults(&self) -> Result<()> {
        self.close()
    }
}

impl Reports for Cursor {
    fn report(&self, edges: &mut Edges<'_>) {
        edges.object("journal", &self.journal);
    }
}

impl Cursor {
    /// At the first line of `journal`, which lives at least as long. The calling thread becomes the
    /// owner.
    pub fn open(journal: Arc<Journal>) -> Result<Self> {
        let file = File::open(journal.path())
            .map_err(|error| Error::io(journal.path().display(), &error))?;
        let life = Life::new(&CURSOR);
        life.needs(Arc::as_ptr(&journal) as u64);
        Ok(Self { life, journal, reader: Mutex::new(Some(BufReader::new(file))) })
    }

    /// The next line without its end; None after the last.
    pub fn next_line(&self) -> Result<Option<String>> {
        let mut reader = lock(&self.reader);
        let Some(reader) = reader.as_mut() else { return Ok(None) };
        let mut line = String::new();
        let read = reader
            .read_line(&mut line)
            .map_err(|error| Error::io(self.journal.path().display(), &error))?;
        Ok((read > 0).then(|| line.trim_end_matches('\n').to_owned()))
    }

    /// Stops reading.
    pub fn close(&self) -> Result<()> {
        *lock(&self.reader) = None;
        Ok(())
    }
}
