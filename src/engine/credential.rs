//! Whether a text tells by its form that it is, or holds, a credential.
//!
//! It is asked of what is shown unasked, as samples are: a column named `note` may hold one. It is no lock: what has no
//! form of its own is not recognised. The forms are those of [`Masking`], and beginnings of them.

use std::{borrow::Cow, sync::LazyLock};

use regex::bytes::{Regex, RegexBuilder};

use crate::masking::Masking;

/// What is left of forms of [`Masking`] in a text that was cut. Texts may be cut after forty characters, so a form asks for little behind its beginning.
static FORMS: LazyLock<Regex> = LazyLock::new(|| {
    let forms = [
        // HTTP, RFC 6750 and RFC 7617.
        r"\b(bearer|basic)\s+[a-z0-9+/=._~-]{8,}",
        // JSON web tokens: `{"` in base64.
        r"\beyJ[a-z0-9_-]{6,}",
        // Keys and certificates, RFC 7468.
        r"-----BEGIN ",
        // `user:password@` of a URL.
        r"\b[a-z][a-z0-9+.-]*://[^\s/?#@]*:[^\s/?#@*]+@",
        // What people write beside a name.
        r#"\b(password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|client[_-]?secret)["']?\s*[=:]\s*["']?[^\s"',;&]{4,}"#,
        // Hashes of passwords: crypt, bcrypt, scrypt, Argon2, PBKDF2, LDAP.
        r"(^|[\s:])\$(1|2[abxy]?|5|6|7|y|gy|argon2(i|d|id)|scrypt|pbkdf2(-[a-z0-9]+)?|bcrypt-sha256)\$[a-z0-9./]",
        r"\{(SSHA|SHA|SMD5|MD5|CRYPT)[0-9]*\}",
        r"\bpbkdf2_sha(1|256|512)\$",
        r"^SCRAM-SHA-(1|256)\$",
        // Issuers' prefixes.
        r"\b(gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|xapp-|npm_|pypi-|dop_v1_|hvs\.|hvb\.|tfo_|lin_api_|shpat_|sq0atp-|glsa_|glc_|NRAK-|ya29\.|SG\.)[a-z0-9._-]{12,}",
        r"\b(sk|rk|whsec)[-_](live_|test_|proj-|ant-|or-)?[a-z0-9_-]{16,}",
        r"\b(AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}",
        r"\bAIza[a-z0-9_-]{20,}",
        // Addresses that let in whoever knows them.
        r"hooks\.slack\.com/|discord(app)?\.com/api/webhooks/|webhook\.office\.com/|api\.telegram\.org/bot",
        r"[?&](sig|signature|token|key|api_key|access_token|x-amz-signature)=[^\s&]{8,}",
    ];
    // They are written in the source: a test compiles them.
    #[allow(clippy::expect_used)]
    RegexBuilder::new(&forms.join("|")).case_insensitive(true).unicode(false).build().expect("forms of credentials")
});

/// Whether a text is, or holds, what lets somebody in.
pub fn is_credential(text: &str) -> bool {
    FORMS.is_match(text.as_bytes()) || Masking::secrets().masked(text).1 > 0
}

/// The text with `***` for what lets somebody in, up to the end of the word that it begins; of a key, to the end.
pub fn masked(text: &str) -> Cow<'_, str> {
    let text = Masking::secrets().masked(text).0;
    match cut(&text) {
        Some(shown) => Cow::Owned(shown),
        None => text,
    }
}

fn cut(text: &str) -> Option<String> {
    let (mut shown, mut rest) = (String::new(), text);
    while let Some(found) = FORMS.find(rest.as_bytes()) {
        let (before, from) = rest.split_at_checked(rest.floor_char_boundary(found.start())).unwrap_or((rest, ""));
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`');
        let after = from.get(from.ceil_char_boundary(found.end() - before.len())..).unwrap_or_default();
        shown.push_str(before);
        shown.push_str("***");
        rest = match from.starts_with("-----BEGIN") {
            true => "",
            false => after.find(ends).and_then(|end| after.get(end..)).unwrap_or_default(),
        };
    }
    (!shown.is_empty()).then(|| shown + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_known_by_their_form() {
        for text in [
            "Bearer abcdefgh1234",
            "authorization: basic dXNlcjpwYXNz",
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJz",
            "-----BEGIN OPENSSH PRIVATE KEY-----",
            "postgres://app:hunter2@db.internal:5432/app",
            "redis://:hunter2@cache:6379",
            "login ok, password=hunter2",
            r#"{"api_key": "abcd1234"}"#,
            "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92",
            "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbH",
            "{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
            "pbkdf2_sha256$260000$abc",
            "SCRAM-SHA-256$4096:salt",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "xoxb-123456789012-abcdef",
            "sk-ant-api03-abcdefghijkl",
            "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
            "AKIAIOSFODNN7EXAMPLE",
            "https://hooks.slack.com/services/T000/B00",
            "https://blob/x?sv=2020&sig=abcdefgh1234",
        ] {
            assert!(is_credential(text), "{text}");
        }
    }

    #[test]
    fn of_a_text_only_the_credential_is_masked() {
        for (text, shown) in [
            ("no role \"x\": password=hunter2, try again", "no role \"x\": password=***, try again"),
            ("value \"eyJhbGciOiJIUzI1NiJ9.eyJz.x\" is no uuid", "value \"***\" is no uuid"),
            (
                "at https://hooks.slack.com/services/T0/B0 and postgres://a:b@c/d",
                "at https://*** and postgres://a:***@c/d",
            ),
            ("é -----BEGIN PRIVATE KEY----- MIIE vQ", "é ***"),
            ("relation \"checkout\" does not exist", "relation \"checkout\" does not exist"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }

    #[test]
    fn what_an_engineer_wants_to_see_is_no_credential() {
        for text in [
            "checkout",
            "POST /checkout",
            "invalid password for user 17",
            "token expired",
            "tokens: 1200",
            "http://checkout:8080/health",
            "https://example.org/a?key=7",
            "SELECT * FROM orders WHERE id = $1",
            "$1$",
            "basic plan",
            "connection refused: db:5432",
            "sha256:0f3a",
            "user@example.org",
            "pk_orders",
            "task_1",
            "skipped-because-of-rule-1234567",
        ] {
            assert!(!is_credential(text), "{text}");
        }
    }
}
