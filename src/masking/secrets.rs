//! Forms of secrets: by whoever issues them, and by what people and programs write beside them.

use super::{IsMeant, always};

/// Expressions, and what must be true of what they find. `(?<v>…)` is what is masked, else all of it.
///
/// Sources: RFC 6750 and 7617 (HTTP), 7519 (JSON web tokens), 7468 (keys), 5802 (SCRAM), the issuers' own pages on the forms of
/// their tokens.
pub(super) const FORMS: &[(&str, IsMeant)] = &[
    (r"(?i)\bbearer\s+(?<v>[a-z0-9+/=._~-]{12,})", is_random),
    (r"(?i)\bbasic\s+(?<v>[a-z0-9+/]{8,}={0,2})", is_random),
    // `{"` in base64.
    (r"\beyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){0,4}", always),
    (
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:[A-Za-z0-9+/=:, \\-]|\r?\n[A-Za-z0-9+/=]{20,}|\r?\n(?:[A-Za-z0-9+/=]{1,76})?\r?\n?-----END)*",
        always,
    ),
    // `user:password@` of a URL.
    (r#"(?i)\b[a-z][a-z0-9+.-]*://[^\s/?\x23@:"'<>]*:(?<v>[^\s/?\x23@"'<>]+)@"#, always),
    // What people write beside a name.
    (
        r#"(?i)(?:password|passwd|passphrase|pwd)[\\"']{0,4}\s*(?:=>|=\\u003e|[=:])\s*[\\"']{0,4}(?<v>[^\s"'\\,;&|()<>\[\]{}]{4,})"#,
        is_no_word,
    ),
    (
        r#"(?i)(?:secret|token|api[_-]?key|access[_-]?key|account[_-]?key|private[_-]?key|signing[_-]?key|encryption[_-]?key|credential|authorization)[\\"']{0,4}\s*(?:=>|=\\u003e|[=:])\s*[\\"']{0,4}(?:(?:token|apikey|bearer|basic)\s+)?(?<v>[a-z0-9+/=._~:-]{8,})"#,
        is_random,
    ),
    (r#"(?i)\b(?:set-)?cookie[\\"']{0,4}\s*[=:]\s*[\\"']{0,4}[a-z0-9_.-]+=(?<v>[^\s"'\\,;]{8,})"#, always),
    (r#"(?i)\b(?:jsessionid|phpsessid|asp\.net_sessionid|connect\.sid|sessionid)=(?<v>[^\s"'\\,;&]{8,})"#, always),
    // Hashes of passwords: crypt, bcrypt, scrypt, Argon2, PBKDF2, LDAP, SCRAM.
    (r"\$(?:2[abxy]?|5|6|y|gy|scrypt|bcrypt-sha256)\$[A-Za-z0-9./$=,-]{20,}", always),
    (r"\$argon2(?:i|d|id)\$[A-Za-z0-9./$=,+-]+", always),
    (r"(?i)\bpbkdf2(?:_|-|:)sha(?:1|256|512)\$[a-z0-9./$=+]+", always),
    (r"\{(?:SSHA|SHA|SMD5|MD5|CRYPT)[0-9]*\}[A-Za-z0-9+/=$.]{12,}", always),
    (r"\bSCRAM-SHA-(?:1|256)\$[A-Za-z0-9+/=:$]{20,}", always),
    // Issuers' prefixes: GitHub, GitLab, Slack, npm, PyPI, RubyGems, DigitalOcean, Vault, Linear, Shopify, Square, Grafana, New
    // Relic, Google, SendGrid, Hugging Face, Databricks, PlanetScale, Doppler, Atlassian, Postman, Figma, Docker, Sentry, Notion.
    (r"\b(?:gh[pousr]_|github_pat_)[A-Za-z0-9_]{20,}", always),
    (r"\b(?:glpat|gldt|glrt|glcbt)-[A-Za-z0-9_-]{16,}", always),
    (r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-[A-Za-z0-9-]{10,}", always),
    (r"\b(?:npm_|hf_|dckr_pat_|lin_api_|ntn_)[A-Za-z0-9_-]{20,}", is_random),
    (r"\bpypi-[A-Za-z0-9_-]{16,}|\brubygems_[0-9a-f]{40,}|\bdo[pors]_v1_[0-9a-f]{40,}", always),
    (r"\bhv[sbr]\.[A-Za-z0-9_-]{20,}", always),
    (r"\b(?:shp(?:at|ca|pa|ss)_[0-9a-fA-F]{20,}|sq0(?:atp|csp)-[A-Za-z0-9_-]{20,})", always),
    (r"\bgl(?:sa|c)_[A-Za-z0-9_+/=]{16,}|\bNRAK-[A-Z0-9]{20,}", is_random),
    (r"\bya29\.[A-Za-z0-9_-]{20,}|\bAIza[A-Za-z0-9_-]{30,}|\bGOCSPX-[A-Za-z0-9_-]{20,}", always),
    (r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}", always),
    (
        r"\bdapi[0-9a-f]{32}\b|\bpscale_(?:pw|tkn|oauth)_[A-Za-z0-9_.-]{20,}|\bdp\.(?:pt|st|ct)\.[A-Za-z0-9.]{30,}",
        always,
    ),
    (r"\bATATT3[A-Za-z0-9_=-]{20,}|\bPMAK-[0-9a-f]{20,}-[0-9a-f]{20,}|\bfigd_[A-Za-z0-9_-]{20,}", always),
    (r"\bsntry[su]_[A-Za-z0-9_+/=-]{20,}", always),
    // Amazon, Stripe, OpenAI and Anthropic, Twilio, Mailgun, Telegram, age, and keys of this server.
    (r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b", always),
    (r"\b(?:sk|rk|whsec)[-_](?:live_|test_|proj-|ant-|or-)?[A-Za-z0-9_-]{16,}", is_random),
    (r"\bSK[0-9a-f]{32}\b|\bkey-[0-9a-f]{32}\b|\bAGE-SECRET-KEY-1[A-Z0-9]{20,}", always),
    (r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b", always),
    (r"\btfo_[A-Za-z0-9]+_[A-Za-z0-9_-]{40,}", always),
    // Addresses that let in whoever knows them.
    (
        r"(?i)(?:hooks\.slack\.com/(?:services|workflows)|discord(?:app)?\.com/api/webhooks|webhook\.office\.com/webhookb2)/(?<v>[a-z0-9/_:@.-]+)",
        always,
    ),
    (r"(?i)api\.telegram\.org/bot(?<v>[a-z0-9:_-]+)", always),
    (
        r#"(?i)(?:[?&]|\\u0026)(?:sig|signature|token|key|api_?key|access_token|refresh_token|id_token|auth|password|secret|code|x-amz-signature|x-amz-security-token|x-goog-signature)=(?<v>[^\s&"'<>,;|]{8,})"#,
        is_random,
    ),
];

/// Nobody writes so: a digit among letters, or letters that change case within.
fn is_random(value: &str) -> bool {
    let letters = value.chars().any(|c| c.is_ascii_alphabetic());
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let changes = value.as_bytes().windows(2);
    let changes = changes.filter(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()));
    // `2026-11-20T10:00:00Z`, `v1.2.3` and `checkout-7` are no secrets.
    let (plain, changes) = (value.len() < 8 || is_stamp(value), changes.count());
    !plain && letters && (digits >= 3 || changes >= 2 || (digits > 0 && changes > 0))
}

fn is_stamp(value: &str) -> bool {
    value.get(..10).is_some_and(|head| {
        head.char_indices().all(|(at, c)| if matches!(at, 4 | 7) { c == '-' } else { c.is_ascii_digit() })
    })
}

/// What stands where a password would, in sentences about passwords.
fn is_no_word(value: &str) -> bool {
    const WORDS: [&str; 22] = [
        "null",
        "none",
        "true",
        "false",
        "required",
        "incorrect",
        "invalid",
        "expired",
        "missing",
        "wrong",
        "empty",
        "unset",
        "changed",
        "reset",
        "hidden",
        "masked",
        "redacted",
        "string",
        "text",
        "unknown",
        "rejected",
        "not",
    ];
    let word = value.trim_end_matches(['.', '!', '?', ':']);
    !WORDS.contains(&word.to_ascii_lowercase().as_str())
        && !word.chars().all(|c| matches!(c, '*' | 'x' | 'X' | '.' | '•'))
        && !word.starts_with(['$', '%'])
        && !word.is_empty()
}
