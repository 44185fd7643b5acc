//! Why nothing was done with a file, in words that name what the caller wrote and nothing else of this machine.

use std::io;

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    pub kind: FileErrorKind,
    /// One sentence. It may quote the caller.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Lines of the file that explain it, as they are.
    pub shown: Option<String>,
}

/// The kinds that a caller can do something different about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileErrorKind {
    /// The arguments make no sense together, or none for this file.
    Invalid,
    /// It lies outside of the folders, is no plain file or may not be changed.
    Forbidden,
    /// Nothing that could be read stands there: no name, or a folder.
    Missing,
    /// The call was given up.
    Cancelled,
    Failed,
}

impl FileError {
    pub(super) fn new(kind: FileErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, shown: None }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(FileErrorKind::Invalid, message)
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(FileErrorKind::Forbidden, message)
    }

    pub(super) fn missing(message: impl Into<String>) -> Self {
        Self::new(FileErrorKind::Missing, message)
    }

    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self::new(FileErrorKind::Failed, message)
    }

    pub(super) fn cancelled() -> Self {
        Self::new(FileErrorKind::Cancelled, "the call was cancelled")
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// What the system said of a path, in the words of the caller.
    pub(super) fn of(said: &str, error: &io::Error) -> Self {
        match error.kind() {
            // Said without a number of the system where a path led out of its folder.
            io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => Self::outside(said),
            io::ErrorKind::CrossesDevices => Self::outside(said),
            io::ErrorKind::NotFound => {
                Self::missing(format!("`{said}` does not exist")).hint("list the folder that should hold it")
            }
            io::ErrorKind::PermissionDenied => {
                Self::forbidden(format!("this server has no permission to do this with `{said}`"))
                    .hint("its operator can give the account of the server that permission")
            }
            io::ErrorKind::NotADirectory => Self::missing(format!("a part of `{said}` is a file and no folder")),
            io::ErrorKind::IsADirectory => Self::missing(format!("`{said}` is a folder")).hint("list it instead"),
            io::ErrorKind::DirectoryNotEmpty => Self::failed(format!("the folder `{said}` is not empty")),
            io::ErrorKind::AlreadyExists => Self::failed(format!("`{said}` exists already")),
            io::ErrorKind::InvalidFilename => Self::invalid(format!("a name in `{said}` is too long")),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::failed(format!("no room is left for `{said}`; no file was changed"))
            }
            _ => match error.raw_os_error() {
                Some(number) if number == rustix::io::Errno::LOOP.raw_os_error() => Self::failed(format!(
                    "the links of `{said}` lead in a circle, or one is of the system and not followed"
                )),
                _ => Self::failed(format!("`{said}`: {error}")),
            },
        }
    }

    /// It leads out of every folder.
    pub(super) fn outside(said: &str) -> Self {
        Self::forbidden(format!("`{said}` leads outside of the folders that file tools may touch"))
    }
}
