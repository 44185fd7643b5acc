//! Settings: flags, environment, file, defaults.
