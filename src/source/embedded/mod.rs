//! The embedded ClickHouse: a child process of our own executable that loads libchdb and serves ClickHouse's own
//! HTTP interface on loopback.
//!
//! `install` fetches the library (`package` says which), `server` starts or joins the server of a data directory, `child` is what runs in
//! the child process, `ffi` is the binding. Only `source::clickhouse` asks for a server; the command line calls
//! [`install()`] and [`run_child`].

mod child;
mod endpoint;
mod ffi;
mod install;
mod layout;
mod package;
mod progress;
mod server;

pub use child::{SUBCOMMAND, run_child};
pub use endpoint::Endpoint;
pub use install::{InstallError, Installed, Installer, Step, install};
pub use layout::{LIBCHDB_VERSION, library_path};
pub use package::Package;
pub use progress::progress_bar;
pub use server::{Embedded, LIBRARY_VARIABLE, find_library, named_library};
