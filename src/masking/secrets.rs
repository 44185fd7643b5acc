//! Forms of secrets: by whoever issues them, and by what people and programs write beside them.

use super::{
    BOUND, IsMeant, Of, Seen, always, cookies,
    evidence::{self, is_random},
    keys, named,
};

/// All forms, in the order in which they are looked for.
pub(super) fn forms() -> impl Iterator<Item = (String, Of)> {
    let read = [
        (keys::BEGINS, Of::Places(keys::places)),
        (named::NAMED, Of::Places(named::named)),
        (cookies::NAMED, Of::Places(cookies::places)),
    ];
    let read = read.into_iter().map(|(form, of)| (form.replace('§', BOUND), of));
    read.chain(FORMS.iter().map(|(form, meant)| (form.replace('§', BOUND), Of::Value(*meant))))
}

/// Expressions, and what must be true of what they find. `(?<v>…)` is what is masked, else all of it; a word begins at `§`.
///
/// Sources: RFC 6750 and 7617 (HTTP), 7519 (JSON web tokens), 7517 (JSON web keys), 5802 (SCRAM), the issuers' own pages on the
/// forms of their tokens.
const FORMS: &[(&str, IsMeant)] = &[
    (r"(?i)§bearer(?:\s|%20|\+)+(?<v>[a-z0-9+/=._~-]{12,})", |seen| is_random(seen.value)),
    (r"(?i)§basic(?:\s|%20|\+)+(?<v>[a-z0-9+/]{8,}={0,2})", |seen| is_random(seen.value)),
    // `{"` in base64, and a signature or `{"alg":` behind it: what continues a list is written so too.
    (r"§(?:eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){1,4}|eyJhbGciOi[A-Za-z0-9_-]*)", always),
    // A file of a key in base64, as secrets of a cluster are.
    (r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{30,}={0,2}", keys::is_private),
    (r#""(?:d|dp|dq|qi|k)\\*"\s*:\s*\\*"(?<v>[A-Za-z0-9_-]{40,})"#, |seen| evidence::is_scrambled(seen.value)),
    (r"<(?:D|P|Q|DP|DQ|InverseQ)>(?<v>[A-Za-z0-9+/=]{40,})</", always),
    // `user:password@` of a URL, and of a Go driver.
    (
        r#"(?i)§[a-z][a-z0-9+.-]*:\\*/\\*/[^\s/?\x23@:"'<>]*:(?<v>[^\s/?\x23@"'<>]+(?:@[^\s/?\x23@"'<>,;|\\)]+)*)@"#,
        is_userinfo,
    ),
    (r"(?i)%3A%2F%2F[^\s%&]*%3A(?<v>[^\s&]+?)%40", is_userinfo),
    (r"(?i)\b[a-z0-9_.-]+:(?<v>[^\s@/]+)@(?:tcp|unix)\(", is_userinfo),
    // What commands and statements are told.
    (r#"\bcurl\b[^\n|;]{0,400}?\s(?:-u|--user)[ =]?["']?[^\s:"']+:(?<v>[^\s"']+)"#, is_userinfo),
    (r"(?i)\bidentified\s+(?:with\s+\S+\s+)?by\s+(?:\\*['\x22])(?<v>[^'\x22\\]+)", is_userinfo),
    (named::ELEMENT, named::is_element),
    (r#"(?i)§(?:jsessionid|phpsessid|asp\.net_sessionid|connect\.sid|sessionid)=(?<v>[^\s"'\\,;&]{8,})"#, always),
    // Hashes of passwords: crypt, bcrypt, scrypt, Argon2, PBKDF2, LDAP, SCRAM.
    (r"\$(?:1|2[abxy]?|3|5|6|7|8|9|y|gy|apr1|md5|sha1|scrypt|bcrypt-sha256)[$,][A-Za-z0-9./$=,-]{20,}", is_hash),
    (r"\$(?:P|H|S)\$[A-Za-z0-9./]{31,}", always),
    (r"§(?:md5|sha1|sha256|sha512)\$[A-Za-z0-9]{1,32}\$[0-9a-f]{32,}", always),
    (r"§scrypt:[0-9]+:[0-9]+:[0-9]+\$[A-Za-z0-9]+\$[0-9a-f]{32,}", always),
    (r"\*[0-9A-F]{40}\b", always),
    (r"\$argon2(?:i|d|id)\$[A-Za-z0-9./$=,+-]+", always),
    (r"(?i)§pbkdf2(?:_|-|:)sha(?:1|256|512)(?::[0-9]+)?\$[a-z0-9./$=+]+", always),
    (r"\{(?:SSHA|SHA|SMD5|MD5|CRYPT)[0-9]*\}[A-Za-z0-9+/=$.]{12,}", always),
    (r"§SCRAM-SHA-(?:1|256)\$[A-Za-z0-9+/=:$]{20,}", always),
    // Issuers' prefixes: GitHub, GitLab, Slack, npm, PyPI, RubyGems, DigitalOcean, Vault, Linear, Shopify, Square, Grafana, New
    // Relic, Google, SendGrid, Hugging Face, Databricks, PlanetScale, Doppler, Atlassian, Postman, Figma, Docker, Sentry, Notion.
    (r"§(?:(?:gh[pousr]_|github_pat_)[A-Za-z0-9_]{20,})", always),
    (r"§(?:(?:glpat|gldt|glrt|glcbt)-[A-Za-z0-9_-]{16,})", always),
    (r"§(?:xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,})", always),
    (r"§(?:(?:npm_|hf_|dckr_pat_|lin_api_|ntn_)[A-Za-z0-9_-]{20,})", |seen| is_random(seen.value)),
    (r"§(?:pypi-[A-Za-z0-9_-]{16,}|rubygems_[0-9a-f]{40,}|do[pors]_v1_[0-9a-f]{40,})", always),
    (r"§(?:hv[sbr]\.[A-Za-z0-9_-]{20,})", always),
    (r"§(?:(?:shp(?:at|ca|pa|ss)_[0-9a-fA-F]{20,}|sq0(?:atp|csp)-[A-Za-z0-9_-]{20,}))", always),
    (r"§(?:gl(?:sa|c)_[A-Za-z0-9_+/=]{16,}|NRAK-[A-Z0-9]{20,})", |seen| is_random(seen.value)),
    (r"§(?:ya29\.[A-Za-z0-9_-]{20,}|AIza[A-Za-z0-9_-]{30,}|GOCSPX-[A-Za-z0-9_-]{20,})", always),
    (r"§(?:SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,})", always),
    (
        r"§(?:dapi[0-9a-f]{32}\b|pscale_(?:pw|tkn|oauth)_[A-Za-z0-9_.-]{20,}|dp\.(?:pt|st|ct)\.[A-Za-z0-9.]{30,})",
        always,
    ),
    (r"§(?:ATATT3[A-Za-z0-9_=-]{20,}|PMAK-[0-9a-f]{20,}-[0-9a-f]{20,}|figd_[A-Za-z0-9_-]{20,})", always),
    (r"§(?:sntry[su]_[A-Za-z0-9_+/=-]{20,})", always),
    // Amazon, Stripe, OpenAI and Anthropic, Twilio, Mailgun, Telegram, age, and keys of this server.
    (r"§(?:(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b)", always),
    (r"§(?:(?:sk|rk|whsec)[-_](?:live_|test_|proj-|ant-|or-)?[A-Za-z0-9_-]{16,})", is_issued),
    (r"§(?:SK[0-9a-f]{32}\b|AGE-SECRET-KEY-1[A-Z0-9]{20,})", always),
    (r"§key-[0-9a-f]{32}\b", |seen| !named::names_an_identifier(seen.before)),
    (r"§(?:[0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b)", always),
    (r"§(?:tfo_[A-Za-z0-9]+_[A-Za-z0-9_-]{40,})", always),
    // Addresses that let in whoever knows them.
    (
        r"(?i)(?:hooks\.slack\.com/(?:services|workflows)|discord(?:app)?\.com/api/webhooks|webhook\.office\.com/webhookb2)/(?<v>[a-z0-9/_:@.-]+)",
        always,
    ),
    (r"(?i)api\.telegram\.org/bot(?<v>[a-z0-9:_-]+)", always),
    (
        r#"(?i)(?:[?&]|\\+u0026|&amp;|%26|%3F)(?:sig|signature|auth|x-amz-signature|x-amz-security-token|x-goog-signature)(?:=|%3D)(?<v>[^\s&"'<>,;|\\]{8,})"#,
        |seen| is_random(seen.value) && !evidence::is_words(seen.value),
    ),
    // Numbers of articles and of errors are asked for so too.
    (r#"(?i)(?:[?&]|\\+u0026|&amp;|%26|%3F)(?:key|code)(?:=|%3D)(?<v>[^\s&"'<>,;|\\]{16,})"#, |seen| {
        evidence::is_scrambled(seen.value)
    }),
];

/// Whether what stands before `@` is a password: no port before the digest of an image, and no place that is held open.
fn is_userinfo(seen: &Seen<'_>) -> bool {
    let digits = seen.value.bytes().all(|b| b.is_ascii_digit());
    let digest = ["@sha", "@md5"].iter().any(|begin| seen.after.starts_with(begin));
    !(evidence::is_placeholder(seen.value) || digits && digest)
}

/// Whether a hash of a password follows its salt: the numbers of a statement's values are no hashes.
fn is_hash(seen: &Seen<'_>) -> bool {
    let parts = seen.value.split('$').filter(|part| part.len() >= 20);
    parts.into_iter().any(|part| evidence::is_random(part) || part.len() > 30)
}

/// Whether a prefix that is also a word stands before a key, and not before the name of a pod or an index.
fn is_issued(seen: &Seen<'_>) -> bool {
    let value = seen.value;
    let any = |is: fn(&u8) -> bool| value.bytes().any(|b| is(&b));
    let mixed = any(u8::is_ascii_uppercase) && any(u8::is_ascii_lowercase) && any(u8::is_ascii_digit);
    let long = value.split(['-', '_']).any(|part| part.len() >= 16 && is_random(part));
    is_random(value) && (mixed || long) && !evidence::is_workload(value)
}
