//! The socket that viewers connect to.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use platform::descriptors::{Descriptor, Table};

/// A listening socket and its place in the file system.
pub struct Listener {
    /// The socket.
    pub descriptor: Descriptor,
    path: PathBuf,
}

impl Listener {
    /// Listens at `path`; a socket that an earlier start left there is replaced.
    pub fn new(path: &Path, table: &Arc<Table>) -> io::Result<Self> {
        Ok(Self { descriptor: listen(path, table)?, path: path.to_owned() })
    }

    /// Listens again when the program closed the descriptor.
    pub fn renew(&mut self) -> io::Result<()> {
        if self.descriptor.is_lost() {
            let table = Arc::clone(self.descriptor.table());
            table.count_lost();
            self.descriptor = listen(&self.path, &table)?;
        }
        Ok(())
    }
}

fn listen(path: &Path, table: &Arc<Table>) -> io::Result<Descriptor> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = table.listen(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}
