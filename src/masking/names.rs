//! Names of secrets, and what each says of its value.

use std::sync::LazyLock;

use regex::Regex;

/// What names of secrets end with.
macro_rules! names {
    () => {
        r"(?:pass(?:words?|wd|phrase|code)?|pwd|pswd|psk|secret|token|(?:api|access|account|private|priv|secret|signing|encryption|master|shared|auth|session|storage|app|application|license|licence|agent|ingest|ingestion|clickhouse|deploy|service|project|user|admin|server|write|integration)[_.-]?key|key[_.-]?base|credentials?|authorization)"
    };
}

/// What may stand behind one and changes nothing of what it says, up to three of them: a number, a year, a version, one letter, a
/// place.
macro_rules! behind {
    () => {
        r"(?:[_-]{0,2}(?:v?[0-9]{1,12}|confirm(?:ation)?|again|prod(?:uction)?|dev|test|staging|primary|secondary|replica|main|old|new|default|local|admin|root|ro|rw|base64|b64|value|plain(?:text)?|hash(?:ed)?|sha(?:1|256|512)?(?:[_-]?hex)?|md5)|[_-]{1,2}[a-z](?-u:\b)){0,3}"
    };
}

pub(super) use behind;
pub(super) use names;

/// What stands behind a name and changes nothing of what it says; digits at the end are cut off before.
const ENDS: [&str; 24] = [
    "confirmation",
    "confirm",
    "again",
    "production",
    "prod",
    "dev",
    "test",
    "staging",
    "primary",
    "secondary",
    "replica",
    "main",
    "old",
    "new",
    "default",
    "local",
    "admin",
    "root",
    "base",
    "b",
    "rw",
    "value",
    "plain",
    "plaintext",
];

/// The same of what is made of a secret.
const MADE: [&str; 6] = ["hash", "hashed", "sha", "sha256_hex", "sha256hex", "md"];

/// The least digits of a number that is no count below the name of a key.
const DIGITS_OF_A_KEY: usize = 8;

/// What a name says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// A password: also a word is one.
    Password,
    /// A key or another secret: also a word is one, but not the name of an object or a file.
    Secret,
    /// A key that may also be another thing: digits among letters.
    Issued,
    /// A token of somebody: random, or an identifier.
    Token,
    /// A `token`: random.
    Bare,
    /// A scheme and what proves it.
    Authorization,
    Cookie,
}

impl Class {
    /// Whether digits that stand behind a name as a number are what it is about, and no count: of a password, and as many as a key has.
    pub(super) fn has_digits(self, value: &str) -> bool {
        self == Self::Password || self == Self::Secret && value.len() >= DIGITS_OF_A_KEY
    }

    /// Of a name as it is written, with all that stands before it.
    pub(super) fn of(name: &str) -> Option<Self> {
        let name = without_number(name);
        let lower = name.to_ascii_lowercase();
        let cut = ENDS.into_iter().find_map(|end| lower.strip_suffix(end));
        let lower = cut.unwrap_or(&lower).trim_end_matches(['_', '-']).to_owned();
        // What is made of a secret tells it only if it looks so: of a `password_hash` also words are said.
        let made = MADE.into_iter().find_map(|end| lower.strip_suffix(end)).map(|of| of.trim_end_matches(['_', '-']));
        if made.is_some_and(|of| Self::of(of) == Some(Self::Password)) {
            return Some(Self::Token);
        }
        let plain: String = lower.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        let ends = |ends: &[&str]| ends.iter().any(|end| plain.ends_with(end));
        if ends(&["password", "passwords", "passwd", "passphrase", "passcode", "pwd", "pswd", "psk"]) || is_pass(name) {
            return Some(Self::Password);
        }
        if ends(&["authorization"]) {
            return Some(Self::Authorization);
        }
        if ends(&["cookie"]) {
            return Some(Self::Cookie);
        }
        let key = [
            "api",
            "access",
            "account",
            "private",
            "priv",
            "secret",
            "signing",
            "encryption",
            "master",
            "shared",
            "auth",
            "session",
            "storage",
        ];
        // Keys that are also other things, as of an app or a user, look like keys where they are some.
        const ISSUED: [&str; 15] = [
            "app",
            "application",
            "license",
            "licence",
            "agent",
            "ingest",
            "ingestion",
            "clickhouse",
            "deploy",
            "service",
            "project",
            "server",
            "admin",
            "write",
            "integration",
        ];
        let before = plain.strip_suffix("key");
        if before.is_some_and(|before| key.iter().any(|kind| before.ends_with(kind)))
            || ends(&["secret", "secretkeybase"])
        {
            return Some(Self::Secret);
        }
        let issued = before.is_some_and(|before| ISSUED.iter().any(|kind| before.ends_with(kind)));
        if issued {
            return Some(Self::Issued);
        }
        if ends(&["credential", "credentials"]) {
            return Some(Self::Token);
        }
        // Where a list goes on, and what a request is known by, lets nobody in.
        const NO_TOKENS: [&str; 17] = [
            "next",
            "page",
            "continuation",
            "continue",
            "cancel",
            "cancellation",
            "sync",
            "resume",
            "cursor",
            "trace",
            "request",
            "lock",
            "fencing",
            "pagination",
            "offset",
            "idempotency",
            "progress",
        ];
        let before = plain.strip_suffix("token")?;
        match before {
            before if NO_TOKENS.iter().any(|word| before.ends_with(word)) => None,
            "" | "x" | "the" | "a" => Some(Self::Bare),
            _ => Some(Self::Token),
        }
    }
}

/// A name without what counts it: a number, a year, a version, one letter.
pub(super) fn without_number(name: &str) -> &str {
    let own = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_' || c == '-');
    let before = own.strip_suffix(|c: char| c.is_ascii_alphabetic()).filter(|before| before.ends_with(['_', '-']));
    before.map_or(own, without_number)
}

/// `pass` as a part of a name, and not of `bypass` or `compass`.
fn is_pass(name: &str) -> bool {
    const BEFORE: [&str; 16] = [
        "db", "user", "my", "ssh", "admin", "root", "smtp", "ftp", "pg", "mysql", "redis", "mongo", "store", "key",
        "require", "sudo",
    ];
    let Some((at, _)) = name.char_indices().rev().nth(3) else { return false };
    let (before, pass) = name.split_at(at);
    if !pass.eq_ignore_ascii_case("pass") {
        return false;
    }
    let parted = before.ends_with(|c: char| !c.is_ascii_alphabetic()) || before.is_empty();
    let capital = pass.starts_with('P') && before.ends_with(|c: char| c.is_ascii_lowercase());
    let lower = before.to_ascii_lowercase();
    parted || capital || BEFORE.iter().any(|word| lower.ends_with(word))
}

/// Whether a name that stands before a value tells that it is a secret.
pub(super) fn tells(name: &str) -> bool {
    Class::of(name).is_some()
}

/// Whether a value is itself a name of a secret, and no secret that somebody made of one: `api_key` and `DB_PASSWORD_2`, and not
/// `mypassword123`, `topsecret` or `Secret_2024`.
pub(super) fn is_name(value: &str) -> bool {
    let capitals = value.contains('_') && !value.bytes().any(|b| b.is_ascii_lowercase());
    let last = value.rsplit(['_', '-', '.', ' ', ':']).next().unwrap_or_default();
    let word = last
        .rfind(|c: char| c.is_ascii_uppercase())
        .filter(|at| *at > 0 && last.starts_with(|c: char| c.is_ascii_lowercase()));
    let plain = last.get(word.unwrap_or_default()..).unwrap_or_default().to_ascii_lowercase();
    const WORDS: &str = " password passwords passwd passphrase passcode pwd pass secret secrets token key apikey accesskey secretkey \
        privatekey credential credentials authorization cookie hash ";
    let known = WORDS.contains(&format!(" {plain} ")) || ENDS.contains(&plain.as_str());
    tells(value) && (capitals || (known && !value.bytes().any(|b| b.is_ascii_digit())))
}

/// Names of what only looks like a secret: requests that are sent again are known by it.
static OF_IDENTIFIERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)(?:idempotency|cache|partition|dedup[a-z]*|deduplication|message|routing|request|shard|row|sort|object|group)[-_. ]?key(?:\\*["'])?\s*(?:[:=]|=>)?\s*(?:\\*["'])?$"#).ok()
});

/// Whether a text ends with the name of a key by which something is found.
pub(super) fn names_an_identifier(before: &str) -> bool {
    let near = before.get(before.ceil_char_boundary(before.len().saturating_sub(64))..).unwrap_or_default();
    OF_IDENTIFIERS.as_ref().is_some_and(|names| names.is_match(near))
}

/// Whether a text is a key by which something is found, as its name says.
pub(super) fn is_of_an_identifier(name: &str, text: &str) -> bool {
    text.starts_with("key-") && names_an_identifier(name)
}
