//! Forms of secrets: by whoever issues them, and by what people and programs write beside them.

use base64::Engine as _;

use super::{
    BOUND, IsMeant, Of, Seen, always, cookies,
    evidence::{self, is_random},
    insert, keys, named, pairs, records, table,
};

/// All forms, in the order in which they are looked for.
pub(super) fn forms() -> impl Iterator<Item = (String, Of)> {
    let read = [
        (keys::BEGINS, Of::Places(keys::places)),
        (table::HEADS, Of::Places(table::places)),
        (named::NAMED, Of::Places(named::named)),
        (cookies::NAMED, Of::Places(cookies::places)),
        (insert::INSERT, Of::Places(insert::places)),
        (records::RECORD, Of::Places(records::places)),
    ];
    let read = read.into_iter().map(|(form, of)| (form.replace('§', BOUND), of));
    let paired = pairs::PAIRS.iter().map(|form| (form.replace('§', BOUND), Of::Places(pairs::paired)));
    read.chain(paired).chain(FORMS.iter().map(|(form, meant)| (form.replace('§', BOUND), Of::Value(*meant))))
}

/// Expressions, and what must be true of what they find. `(?<v>…)` is what is masked, else all of it; a word begins at `§`.
///
/// Sources: RFC 6750 and 7617 (HTTP), 7519 (JSON web tokens), 7517 (JSON web keys), 5802 (SCRAM), the issuers' own pages on the
/// forms of their tokens.
const FORMS: &[(&str, IsMeant)] = &[
    (r"(?i)§bearer(?::[ \t]*|(?:\s|%20|\+)+)(?<v>[a-z0-9+/=._~-]{12,})", |seen| is_random(seen.value)),
    (r"(?i)§basic(?:\s|%20|\+)+(?<v>[a-z0-9+/]{8,}={0,2})", |seen| is_random(seen.value)),
    // `{"` in base64, and a signature or `{"alg":` behind it: what continues a list is written so too.
    (r"§(?:eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){1,4}|eyJhbGciOi[A-Za-z0-9_-]*)", always),
    // A file of a key in base64, as secrets of a cluster are.
    (
        r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{30,}={0,2}(?:(?:(?:\\+r)?\\+n|\r?\n)[ \t]*[A-Za-z0-9+/]{60,76})*(?:(?:(?:\\+r)?\\+n|\r?\n)[ \t]*[A-Za-z0-9+/]{0,75}(?:={1,2}|LS0tLS0K))?",
        keys::is_private,
    ),
    (r#""(?:d|dp|dq|qi|k)\\*"\s*:\s*\\*"(?<v>[A-Za-z0-9_-]{40,})"#, |seen| evidence::is_scrambled(seen.value)),
    (r"<(?:D|P|Q|DP|DQ|InverseQ)>(?<v>[A-Za-z0-9+/=]{40,})</", always),
    // `user:password@` of a URL, and of a Go driver.
    (
        r#"(?i)§[a-z][a-z0-9+.-]*:\\*/\\*/[^\s/?\x23@:"'<>]*:(?<v>[^\s/?\x23@"'<>]+(?:@[^\s/?\x23@"'<>,;|\\)]+)*)@"#,
        is_userinfo,
    ),
    (r"(?i)%3A%2F%2F[^\s%&]*%3A(?<v>[^\s&]+?)%40", is_userinfo),
    (r"(?i)\b[a-z0-9_.-]+:(?<v>[^\s@/]+)@(?:tcp|unix)\(", is_userinfo),
    // A password with what ends a host, before another host.
    (
        r#"(?i)§[a-z][a-z0-9+.-]*://[^\s/?\x23@:"'<>]+:(?<v>[^\s@"'<>]+)@[a-z0-9_.-]+(?::[0-9]+)?(?:[/?\s"',;)]|$)"#,
        is_userinfo,
    ),
    (r"(?i)§jdbc:oracle:[a-z0-9]+:[a-z0-9_$]+/(?<v>[^\s@/]+)@", is_userinfo),
    (
        r"(?i)§(?:sqlplus|sqlldr|expdp|impdp|rman|conn(?:ect)?)[ \t]+(?:-\S+[ \t]+)*[a-z0-9_$]+/(?<v>[^\s@/]+)@",
        is_userinfo,
    ),
    (
        r"(?i)§machine\s+(?:[a-z0-9-]+(?:[.:][a-z0-9.:-]+)|localhost)\s+login\s+\S+\s+(?:account\s+\S+\s+)?password\s+(?<v>\S+)",
        is_told,
    ),
    (r#"(?:^|[\s"])[^\s:"]+:(?:543[0-9]|6432|\*):[^\s:"]+:[^\s:"]+:(?<v>[^\s"\\]+)"#, |seen| {
        is_told(seen) && !(seen.value.len() < 4 && seen.value.bytes().all(|b| b.is_ascii_digit()))
    }),
    (
        r#"§(?:mysql|mysqldump|mysqladmin|mysqlimport|mariadb|mariadb-dump)\b[^\n|;]*?\s-p["']?(?<v>[^\s"'-][^\s"']*)"#,
        is_told,
    ),
    (r#"§sshpass\s+-p\s*["']?(?<v>[^\s"']+)"#, is_told),
    (r#"§redis-cli\b[^\n|;]*?\s(?:-a|--pass)[ =]["']?(?<v>[^\s"']+)"#, is_told),
    (r#"§(?:docker|podman|helm registry)\s+login\b[^\n|;]*?\s-p[ =]?["']?(?<v>[^\s"']+)"#, is_told),
    // Settings of databases and directories, and names that end otherwise.
    (r#"(?i)§(?:requirepass|masterauth|bindpw|rootpw)[ \t]+\\*["']?(?<v>[^\s"'\\]+)"#, is_of_a_line),
    (r"(?i)§default\s+login\s+\S+\s+password\s+(?<v>\S+)", is_told),
    (r"(?i)§(?:(?:un)?encrypted\s+password\s+e?|password\s+[en])'(?<v>[^'\n]+)'", is_said),
    (
        r#"(?i)§(?:[a-z0-9_.-]*_pw|rediscli_auth|[a-z0-9_.-]*pass_phrase)["']?\s*[=:]\s*["']?(?<v>[^\s"',;()<>]+)"#,
        is_said,
    ),
    (r#"(?i)§[a-z0-9_.-]*(?:state|guard)_key["']?\s*[=:]\s*["']?(?<v>[a-z0-9+/=_-]{16,})"#, |seen| {
        is_random(seen.value)
    }),
    // Functions of databases that are told who asks.
    (r#"§(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\\*['"]?\s*,\s*\\*['"](?<v>[^'"\\\s]{16,})"#, always),
    (
        r#"(?i)§(?:remote|remotesecure|mysql|postgresql|mongodb)\s*\(\s*'[^'\n]*'\s*,\s*(?:[a-z0-9_`"]+\.[a-z0-9_`"]+|'[^'\n]+\.[^'\n]+'|(?:'[^'\n]*'|[a-z0-9_`"]+)\s*,\s*(?:'[^'\n]*'|[a-z0-9_`"]+))\s*,\s*'[^'\n]*'\s*,\s*'(?<v>[^'\n]+)'"#,
        is_told,
    ),
    // Registries of images and of packages: a name and a password in base64.
    (r#"\\*"auth\\*"\s*:\s*\\*"(?<v>[A-Za-z0-9+/]{8,}={0,2})"#, is_encoded_pair),
    (r#"(?i)§_auth\s*=\s*"?(?<v>[A-Za-z0-9+/]{8,}={0,2})"#, is_encoded_pair),
    (r#"(?i)§x-honeycomb-team\\*["']?\s*[:=]\s*\\*["']?(?<v>[A-Za-z0-9_]{20,70})"#, always),
    // What commands and statements are told.
    (r#"\bcurl\b[^\n|;]{0,400}?\s(?:-u|--user)[ =]?["']?[^\s:"']+:(?<v>[^\s"']+)"#, is_userinfo),
    (r#""curl"[^\n]{0,400}?"(?:-u|--user)"\s*,\s*"[^":]+:(?<v>[^"]+)""#, is_userinfo),
    (r"(?i)\bidentified\s+(?:with\s+\S+\s+)?by\s+(?:\\*['\x22])(?<v>[^'\x22\\]+)", is_userinfo),
    (named::ELEMENT, named::is_element),
    (r#"(?i)§(?:jsessionid|phpsessid|asp\.net_sessionid|connect\.sid|sessionid)=(?<v>[^\s"'\\,;&]{8,})"#, always),
    // Hashes of passwords: crypt, bcrypt, scrypt, Argon2, PBKDF2, LDAP, SCRAM.
    (
        r"\$(?:1|2[abxy]?|3|5|6|7|8|9|y|gy|apr1|md5|sha1|scrypt|bcrypt-sha256)(?:,[a-z]+=[0-9]+)?\$(?:[a-z]+=[0-9a-z]+(?:,[a-z]+=[0-9a-z]+)*\$)?[A-Za-z0-9./$=-]{20,}",
        is_hash,
    ),
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
    (r"§(?:(?:glpat|gldt|glrt|glcbt)-[A-Za-z0-9_-]{16,}(?:\.[0-9a-z]{2}\.[0-9a-z]{5,12})?)", always),
    (r"§(?:xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,})", always),
    (r"§(?:(?:npm_|hf_|api_org_|dckr_pat_|lin_api_|ntn_)[A-Za-z0-9_-]{20,})", |seen| is_random(seen.value)),
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
    // Observability: Grafana, Dynatrace, New Relic, Honeycomb, Langfuse.
    (r"§eyJrIjoi[A-Za-z0-9+/_-]{30,}={0,2}", always),
    (r"§dt0[a-z][0-9]{2}\.[A-Z0-9]{8,}\.[A-Z0-9]{20,}", always),
    (r"§(?:NRII-[A-Za-z0-9_-]{20,}|NRJS-[a-f0-9]{15,}|[0-9a-f]+(?:FFFF)?NRAL\b)", is_long),
    (r"§(?:hc[abx]i[kc]_[a-z0-9]{40,}|(?:sk|pk)-lf-[0-9a-f]{8}-[0-9a-f-]{27})", always),
    // GitLab, HashiCorp, Pulumi, Bitbucket, CircleCI, Groq, Perplexity, xAI, Supabase, Tailscale, SonarQube, Brevo, Fly.io,
    // Artifactory, Heroku, Docker, Alibaba, Bedrock, Google, Slack, Buildkite, Mailchimp, Azure, Discord.
    (r"§(?:gl(?:ptt|soat|agent|imt|ffct|oas)-[A-Za-z0-9_-]{16,}|GR1348941[A-Za-z0-9_-]{16,})", always),
    (r"§[A-Za-z0-9]+\.atlasv1\.[A-Za-z0-9_=-]{40,}", always),
    (r"§(?:pul-[0-9a-f]{40}|ATBB[A-Za-z0-9]{24,}|CCIPAT_[A-Za-z0-9_]{20,}|CCIPRJ_[A-Za-z0-9_]{20,})", always),
    (r"§(?:(?:gsk_|pplx-|xai-|r8_|nvapi-|fw_|tvly-)[A-Za-z0-9_-]{20,})", |seen| is_random(seen.value)),
    (
        r"§(?:sbp_[0-9a-f]{40}|sb_secret_[A-Za-z0-9_-]{20,}|tskey-[a-z]+-[A-Za-z0-9-]{10,}|sq[upa]_[0-9a-f]{40})",
        |seen| is_random(seen.value),
    ),
    (
        r"§(?:xkeysib-[0-9a-f]{32,}-?[A-Za-z0-9]*|FlyV1 fm[0-9][a-z]?_[A-Za-z0-9+/=_,-]{20,}|fo1_[A-Za-z0-9_-]{40,})",
        always,
    ),
    (
        r"§(?:AKCp[0-9][A-Za-z0-9]{60,}|HRKU-[A-Za-z0-9_-]{30,}|dckr_oat_[A-Za-z0-9_-]{20,}|LTAI[A-Za-z0-9]{12,26}\b)",
        |seen| is_random(seen.value),
    ),
    (
        r"§(?:ABSK[A-Za-z0-9+/]{60,}={0,2}|1//0[A-Za-z0-9_-]{30,}|xox[cd]-[A-Za-z0-9%+/=_-]{20,}|bkua_[0-9a-f]{40})",
        always,
    ),
    (r"§[0-9a-f]+-us[0-9]{1,2}\b", is_long),
    (r"[A-Za-z0-9_~.-]*[0-9]Q~[A-Za-z0-9_~.-]+", is_long),
    (r"§[MNO][A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", |seen| {
        let lengths: Vec<usize> = seen.value.split('.').map(str::len).collect();
        matches!(lengths.as_slice(), [24..=28, 6, 27..=40]) && is_random(seen.value)
    }),
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
    // `kafka://broker:9092,broker:9093@topic`, `http://host:8080/path/user@example.org`: no password but a port.
    let port = seen.value.trim_start_matches(|c: char| c.is_ascii_digit());
    let port = port.len() < seen.value.len() && port.starts_with([',', '/', '?', '#']);
    !(evidence::is_placeholder(seen.value) || port || digits && digest)
}

/// Whether what a command is told is no place that is held open.
fn is_told(seen: &Seen<'_>) -> bool {
    !evidence::is_placeholder(seen.value)
}

/// The same of a name that sentences use too: its value is no word of one, or ends its line.
fn is_of_a_line(seen: &Seen<'_>) -> bool {
    let ends = seen.after.is_empty() || seen.after.starts_with(['\n', '\r', '"', '\'', '\\']);
    is_said(seen) && (ends || seen.value.bytes().any(|b| !b.is_ascii_lowercase()))
}

/// The same of what also a state is told of.
fn is_said(seen: &Seen<'_>) -> bool {
    is_told(seen) && !evidence::is_state(seen.value)
}

/// Whether a key is as long as one.
fn is_long(seen: &Seen<'_>) -> bool {
    seen.value.len() >= 15
}

/// Whether base64 holds a name and a password.
fn is_encoded_pair(seen: &Seen<'_>) -> bool {
    let bytes = base64::engine::general_purpose::STANDARD.decode(seen.value).unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap_or_default();
    text.split_once(':').is_some_and(|(name, password)| !name.is_empty() && password.len() > 2) && !text.contains('\n')
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
