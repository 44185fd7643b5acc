//! The folders that a client says it works in (MCP roots): read from their addresses, and held against those of the settings.
//!
//! A client narrows what the operator opened and never widens it; where the operator named nothing its folders stand in the
//! place of the working folder ([ADR 0062](../../docs/adr/0062-clients-name-folders.md)).

use std::{
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use url::Url;

use super::own::{led, way};

/// Most folders of a client that are looked at.
const MOST: usize = 64;

/// Longest address that is looked at, in bytes.
const LONGEST: usize = 8192;

/// What a client said, held against this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientFolders {
    /// Those that are here, without links, in the client's order.
    pub found: Vec<PathBuf>,
    /// Sentences about those that are not.
    pub refused: Vec<String>,
}

impl ClientFolders {
    /// Reads addresses as `roots/list` answers them. It looks at the disk. `changeable` are folders in which somebody may have put
    /// a link anywhere, beside these.
    pub fn read(addresses: &[String], changeable: &[PathBuf]) -> Self {
        let mut folders = Self::default();
        let read: Vec<_> = addresses.iter().take(MOST).map(|address| (address, path(address))).collect();
        let these = read.iter().filter_map(|(_, path)| Some(way(path.as_ref().ok()?).1));
        let changeable: Vec<PathBuf> = changeable.iter().cloned().chain(these).collect();
        for (address, path) in read {
            match path.and_then(|path| folder(&path, &changeable)) {
                Ok(found) if folders.found.contains(&found) => {}
                Ok(found) => folders.found.push(found),
                Err(why) => folders.refused.push(refused(&cut(address), why)),
            }
        }
        if addresses.len() > MOST {
            folders.refused.push(format!("of the client's {} folders the first {MOST} are used", addresses.len()));
        }
        folders
    }

    /// Sentences about those that lie behind a link: what it leads to is open where the operator named nothing, also where a command
    /// has put it there before this server started.
    pub fn behind_links(&self, addresses: &[String]) -> Vec<String> {
        let link = |address: &String| {
            let (steps, end) = way(&path(address).ok()?);
            let is_open = self.found.contains(&end) && super::files::may_be_default(&end);
            steps.into_iter().find(|step| is_open && step.is_link)
        };
        let told = |address: &String| {
            let link = link(address)?;
            let (folder, link) = (cut(address), link.path.display().to_string());
            Some(format!(
                "the client's folder `{folder}` lies behind the link `{link}`, and what that leads to is open: name folders in `files.roots` \
                 where somebody may have turned it"
            ))
        };
        addresses.iter().take(MOST).filter_map(told).collect()
    }

    /// Those in whose place the operator named nothing: what nobody chooses, such as `/`, is refused.
    pub(super) fn chosen(&self) -> (Vec<PathBuf>, Vec<String>) {
        let (chosen, others): (Vec<_>, Vec<_>) = self.found.iter().partition(|path| super::files::may_be_default(path));
        let why = "`/` and the home folder are opened by the operator alone, under `files.roots` and `commands.roots`";
        let told = others.into_iter().map(|path| refused(&path.display().to_string(), why)).collect();
        (chosen.into_iter().cloned().collect(), told)
    }

    /// What the client's folders and the operator's have in common: each with the place of the operator's folder whose rules
    /// are its own, which is the innermost; and sentences about those that have nothing in common with any.
    pub(super) fn within(&self, operator: &[&Path]) -> (Vec<(usize, PathBuf)>, Vec<String>) {
        let (mut common, mut told) = (Vec::<(usize, PathBuf)>::new(), Vec::new());
        for folder in &self.found {
            let around = operator.iter().enumerate().filter(|(_, outer)| folder.starts_with(outer));
            let around = around.max_by_key(|(_, outer)| outer.components().count());
            let around = around.map(|(at, _)| (at, folder.clone()));
            let inside =
                operator.iter().enumerate().filter(|(_, inner)| **inner != folder && inner.starts_with(folder));
            let both: Vec<_> = around.into_iter().chain(inside.map(|(at, inner)| (at, inner.to_path_buf()))).collect();
            if both.is_empty() {
                told.push(refused(
                    &folder.display().to_string(),
                    "it lies outside of the folders that the operator of this server opened",
                ));
            }
            for one in both {
                if !common.iter().any(|(_, path)| *path == one.1) {
                    common.push(one);
                }
            }
        }
        (common, told)
    }
}

fn refused(folder: &str, why: impl std::fmt::Display) -> String {
    format!("the client's folder `{folder}` is not used: {why}")
}

/// The beginning of an address, for a sentence about it.
fn cut(address: &str) -> String {
    address.chars().take(200).collect()
}

/// A folder of this machine without links.
fn folder(path: &Path, changeable: &[PathBuf]) -> Result<PathBuf, String> {
    let real = led(path, changeable, &[])?;
    let found = std::fs::symlink_metadata(&real).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "it does not exist on the machine of this server".to_owned(),
        _ => format!("it cannot be opened: {error}"),
    })?;
    if found.is_dir() { Ok(real) } else { Err("it is no folder".to_owned()) }
}

/// The path that an address of the form `file:///…` names.
fn path(address: &str) -> Result<PathBuf, String> {
    if address.len() > LONGEST {
        return Err(format!("its address has more than {LONGEST} bytes"));
    }
    // What a reader of addresses would leave out or turn around without a word.
    if address.chars().any(char::is_control) {
        return Err("its address holds control characters, which are written as `%0A`".to_owned());
    }
    if address.trim_end().len() < address.len() {
        return Err("its address ends with a blank, which is written as `%20`".to_owned());
    }
    if address.contains('\\') {
        return Err("it is a path of Windows".to_owned());
    }
    let scheme = address.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:"));
    let after = address.get(5..).filter(|_| scheme).ok_or("its address is none of `file:///…`")?;
    if !after.starts_with('/') {
        return Err("its address has no absolute path: `file:///…`".to_owned());
    }
    let url = Url::parse(address).map_err(|error| format!("its address cannot be read: {error}"))?;
    if url.host_str().is_some_and(|host| !host.is_empty() && host != "localhost") {
        return Err("it lies on another machine".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(
            "its address has a part behind the path; `?` and `#` in a name are written `%3F` and `%23`".to_owned()
        );
    }
    let encoded = url.path().to_ascii_lowercase();
    if encoded.contains("%2f") || encoded.contains("%00") {
        return Err("a name in it holds a slash or a zero byte, which no name may".to_owned());
    }
    let path = url.to_file_path().map_err(|()| "its address is no path")?;
    let first = path.iter().nth(1).map(|name| name.as_bytes());
    if matches!(first, Some([letter, b':' | b'|']) if letter.is_ascii_alphabetic()) {
        return Err("it is a path of Windows".to_owned());
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_to_the_letter_or_not_at_all() {
        for (address, expected) in [
            ("file:///home/me/project", "/home/me/project"),
            ("file:///home/me/project/", "/home/me/project/"),
            ("FILE:///a", "/a"),
            ("file:/a", "/a"),
            ("file://localhost/a", "/a"),
            ("file:///with%20space/%C3%A4%E2%82%AC", "/with space/ä€"),
            ("file:///with space/ä", "/with space/ä"),
            ("file:///a%23b%3Fc", "/a#b?c"),
            ("file:///100%25", "/100%"),
            ("file:///a+b", "/a+b"),
            ("file:///a/p2%20", "/a/p2 "),
            ("file:///a /b", "/a /b"),
            ("file:///a/%2e%2e/b", "/b"),
        ] {
            assert_eq!(path(address).unwrap(), Path::new(expected), "{address}");
        }
        for (address, why) in [
            ("file:///C:/Users/me", "Windows"),
            ("file:///c%3A/Users/me", "Windows"),
            ("file:///C|/Users/me", "Windows"),
            ("file:///C:\\Users\\me", "Windows"),
            ("C:\\Users\\me", "Windows"),
            ("file://server/share", "another machine"),
            ("file:///a#b", "%23"),
            ("file:///a?b", "%3F"),
            ("file:///a%2Fb", "slash"),
            ("file:///a%00b", "zero byte"),
            ("file:///a\nb", "control"),
            ("file:///a/p2 ", "%20"),
            ("file:///a/p2\u{3000}", "%20"),
            ("file:a", "absolute"),
            ("https://example.com/a", "file:///"),
            ("/home/me", "file:///"),
            ("vscode-remote://ssh/home/me", "file:///"),
            ("", "file:///"),
            ("fileé", "file:///"),
        ] {
            let error = path(address).expect_err(address);
            assert!(error.contains(why), "{address}: {error}");
        }
    }

    #[test]
    fn a_folder_inside_others_has_the_rules_of_the_innermost() {
        let folders =
            |paths: &[&str]| ClientFolders { found: paths.iter().map(PathBuf::from).collect(), refused: Vec::new() };
        let operator = [Path::new("/a"), Path::new("/a/kept"), Path::new("/b")];
        let within = |paths: &[&str]| folders(paths).within(&operator);
        let common = |paths: &[&str]| within(paths).0;
        assert_eq!(common(&["/a/kept/x"]), [(1, "/a/kept/x".into())]);
        assert_eq!(common(&["/a/kept"]), [(1, "/a/kept".into())]);
        assert_eq!(common(&["/a/x"]), [(0, "/a/x".into())]);
        // What the operator set apart inside stays apart.
        assert_eq!(common(&["/a"]), [(0, "/a".into()), (1, "/a/kept".into())]);
        let all = [(0, "/a".into()), (1, "/a/kept".into()), (2, "/b".into())];
        assert_eq!(common(&["/"]), all);
        assert_eq!(common(&["/a", "/a/kept"]), all[..2]);
        let (none, told) = within(&["/ab", "/c"]);
        assert!(none.is_empty());
        assert_eq!(told.len(), 2);
        assert!(told[0].contains("`/ab`") && told[0].contains("outside"), "{told:?}");
    }
}
