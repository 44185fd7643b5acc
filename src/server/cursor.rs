//! Cursors: where a page ends, in a form that a client hands back and cannot make up by accident.
//!
//! A cursor names the last entry of a page; the next page begins after that name in the order of the list, whether the
//! entry is still there or not. So it needs no memory: any replica can go on, also after the catalog was replaced.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest;

/// A list that comes in pages. The names keep a cursor from being used for another list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    Tools,
    Prompts,
    Resources,
    ResourceTemplates,
}

impl List {
    fn mark(self) -> u8 {
        match self {
            Self::Tools => b't',
            Self::Prompts => b'p',
            Self::Resources => b'r',
            Self::ResourceTemplates => b'u',
        }
    }
}

/// Bytes of the check value. It keeps out what nobody handed out; there is nothing to be kept secret.
const CHECK: usize = 8;
/// Longest cursor that is looked at.
const MAX_LEN: usize = 4096;

/// The cursor of the page that ends with this entry.
pub fn seal(list: List, last: &str) -> String {
    let mut bytes = check(list, last).to_vec();
    bytes.extend_from_slice(last.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The name of the entry at which the page before ended; none for a cursor of another list or of nobody.
pub fn open(list: List, cursor: &str) -> Option<String> {
    if cursor.len() > MAX_LEN {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (found, last) = bytes.split_at_checked(CHECK)?;
    let last = String::from_utf8(last.to_vec()).ok()?;
    (found == check(list, &last)).then_some(last)
}

fn check(list: List, last: &str) -> [u8; CHECK] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"tfo-mcp list cursor 1\0");
    context.update(&[list.mark()]);
    context.update(last.as_bytes());
    let mut check = [0; CHECK];
    for (to, from) in check.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTS: [List; 4] = [List::Tools, List::Prompts, List::Resources, List::ResourceTemplates];

    #[test]
    fn only_a_cursor_of_the_same_list_opens() {
        for list in LISTS {
            for name in ["a", "query_metrics", "größe", &"x".repeat(300)] {
                let cursor = seal(list, name);
                for other in LISTS {
                    assert_eq!(open(other, &cursor).as_deref(), (other == list).then_some(name));
                }
                for at in 0..cursor.len() {
                    let mut forged = cursor.clone().into_bytes();
                    forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
                    let forged = String::from_utf8(forged).unwrap();
                    assert_eq!(open(list, &forged), None, "{forged}");
                }
            }
        }
        for made_up in ["", "page-2", "MTA=", "\u{0}", &"A".repeat(5000)] {
            assert_eq!(open(List::Tools, made_up), None, "{made_up}");
        }
    }
}
