//! The npm packages of libchdb that this build knows, pinned by their hash.

use std::borrow::Cow;

use super::layout::LIBCHDB_VERSION;

/// An npm package with a libchdb.
#[derive(Debug, Clone)]
pub struct Package {
    pub name: Cow<'static, str>,
    pub version: Cow<'static, str>,
    /// SHA-512 of the package's tarball in hexadecimal digits; npm shows the same as base64 in `dist.integrity`.
    pub sha512: Cow<'static, str>,
    pub tarball_bytes: u64,
    pub library_bytes: u64,
    /// SHA-512 of the unpacked library in hexadecimal digits.
    pub library_sha512: Cow<'static, str>,
}

struct Platform {
    os: &'static str,
    arch: &'static str,
    /// libchdb is linked against glibc and cannot be loaded under musl.
    glibc: bool,
    package: Package,
}

/// Every row was measured on its platform: the server inside libchdb is young, so no version is taken on trust.
const PLATFORMS: [Platform; 1] = [Platform {
    os: "linux",
    arch: "x86_64",
    glibc: true,
    package: Package {
        name: Cow::Borrowed("@chdb/lib-linux-x64-gnu"),
        version: Cow::Borrowed(LIBCHDB_VERSION),
        sha512: Cow::Borrowed(
            "5cff7b98caa7739b59a4a432c11f0dedc2d3b073624e61ebdf4a42e66ce8de35\
             a6ba48ca9f62016bad1cd81fe059435cb858ce3235a8a2b408082a81563e70a7",
        ),
        tarball_bytes: 177_817_999,
        library_bytes: 566_330_096,
        library_sha512: Cow::Borrowed(
            "0a5e6af5cf57034116d34a39480989a160dd105f372d85aa748f8d2b0a5ebd52\
             a90d913737d7ae86f6f597d37fe06d3a4d22125c13c5aa961d91aa93d034751e",
        ),
    },
}];

impl Package {
    /// The package for the platform that this program was built for.
    pub fn for_this_platform() -> Option<Self> {
        PLATFORMS
            .into_iter()
            .find(|row| {
                row.os == std::env::consts::OS
                    && row.arch == std::env::consts::ARCH
                    && row.glibc == cfg!(target_env = "gnu")
            })
            .map(|row| row.package)
    }

    /// Platforms with a package, for people.
    pub(super) fn platforms() -> String {
        PLATFORMS.iter().map(|row| format!("{} on {}", row.os, row.arch)).collect::<Vec<_>>().join(", ")
    }
}
