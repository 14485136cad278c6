//! The owner of a code object, told by its module's name and its file as
//! `inspector/source_places.py` and `SiteTable` do, without running Python code.
//!
//! A hook in `tp_alloc` runs within native code that may hold locks of its own. Python code there
//! could hand the interpreter's lock to a thread that waits for such a lock.

use crate::stacks::Code;

/// The texts by which files and modules are told apart.
#[derive(Clone, Debug, Default)]
pub struct Naming {
    /// Prefixes of the names of modules whose frames are left out.
    pub own_modules: Vec<String>,
    /// Parts of the paths of installed packages.
    pub installed: Vec<String>,
    /// Parts of the paths of standard libraries.
    pub standard: Vec<String>,
    /// Top-level packages that define the followed classes.
    pub packages: Vec<String>,
    /// Beginnings of the tool's own paths below an installer's folder.
    pub own_rooms: Vec<String>,
}

const FROZEN: &str = "<frozen ";

impl Naming {
    /// The owner of a file's code; `module` is empty where its globals have no name.
    pub fn whose(&self, module: &str, file: &str) -> Code {
        if self.own_modules.iter().any(|own| module.starts_with(own.as_str())) {
            Code::Hidden
        } else if self.is_standard(file) || self.is_of_package(file) {
            Code::Library
        } else {
            Code::User
        }
    }

    fn is_standard(&self, file: &str) -> bool {
        !contains(file, &self.installed)
            && (file.starts_with(FROZEN) || contains(file, &self.standard))
    }

    fn is_of_package(&self, file: &str) -> bool {
        let below = self
            .installed
            .iter()
            .find_map(|part| file.rfind(part.as_str()).map(|at| &file[at + part.len()..]));
        below.is_some_and(|below| {
            let top = below.split('/').next().unwrap_or_default();
            let top = top.strip_suffix(".py").unwrap_or(top);
            self.packages.iter().any(|package| package == top)
                || self.own_rooms.iter().any(|room| below.starts_with(room.as_str()))
        })
    }
}

fn contains(file: &str, parts: &[String]) -> bool {
    parts.iter().any(|part| file.contains(part.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn code_is_the_tools_the_librarys_or_the_programs() {
        let naming = Naming {
            own_modules: texts(&["inspector.agent"]),
            installed: texts(&["/site-packages/"]),
            standard: texts(&["/lib/python3"]),
            packages: texts(&["polars"]),
            own_rooms: texts(&["inspector/wire/"]),
        };
        let whose = |module: &str, file: &str| naming.whose(module, file);
        assert_eq!(whose("inspector.agent.worker", "/x/worker.py"), Code::Hidden);
        assert_eq!(whose("app", "/home/me/app.py"), Code::User);
        assert_eq!(whose("json", "/usr/lib/python3.11/json/__init__.py"), Code::Library);
        assert_eq!(whose("x", "<frozen importlib._bootstrap>"), Code::Library);
        let site = "/usr/lib/python3.11/site-packages/";
        assert_eq!(whose("polars.frame", &format!("{site}polars/frame.py")), Code::Library);
        assert_eq!(whose("polars", &format!("{site}polars.py")), Code::Library);
        assert_eq!(whose("pandas", &format!("{site}pandas/frame.py")), Code::User);
        assert_eq!(whose("", &format!("{site}inspector/wire/a.py")), Code::Library);
    }
}
