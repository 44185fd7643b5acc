//! Forms of secrets: by whoever issues them, and by what people and programs write beside them.

use base64::Engine as _;

use super::{
    BOUND, IsMeant, Of, Seen, always, cookies,
    evidence::{self, is_random},
    insert, issuers, keys, manifests, named, names, pairs, records, table,
};

/// All forms, in the order in which they are looked for.
pub(super) fn forms() -> impl Iterator<Item = (String, Of)> {
    let read: [_; READ] = [
        (keys::BEGINS, Of::Places(keys::places)),
        // Before names: a colon of an address may be a code.
        (USERINFO, Of::Value(is_userinfo)),
        (table::HEADS, Of::Places(table::places)),
        (named::NAMED, Of::Places(named::named)),
        (cookies::NAMED, Of::Places(cookies::places)),
        (insert::INSERT, Of::Places(insert::places)),
        (insert::COPY, Of::Places(insert::copied)),
        (manifests::KIND, Of::Places(manifests::places)),
        (records::RECORD, Of::Places(records::places)),
    ];
    let read = read.into_iter().map(|(form, of)| (form.replace('§', BOUND), of));
    let paired = pairs::PAIRS.iter().map(|form| (form.replace('§', BOUND), Of::Places(pairs::paired)));
    let forms = FORMS.iter().map(|(form, meant)| (form.replace('§', BOUND), Of::Value(*meant)));
    // A name goes on behind an underscore, and what an issuer gives may stand there: `backup_ghp_…`.
    let issued =
        issuers::FORMS.iter().map(|(form, meant)| (form.replace('§', &format!("(?:{BOUND}|_)")), Of::Value(*meant)));
    read.chain(paired).chain(forms).chain(issued)
}

/// `user:password@` of a URL.
const USERINFO: &str =
    r#"(?i)§[a-z][a-z0-9+.-]*:\\*/\\*/[^\s/?\x23@:"'<>]*:(?<v>[^\s/?\x23@"'<>]+(?:@[^\s/?\x23@"'<>,;|\\)]+)*)@"#;

/// How many forms, the first ones, tell of several lines or of how a line begins.
pub(super) const OVER_LINES: usize = READ + pairs::PAIRS.len() + 3;

/// How many forms are read by functions of their own.
const READ: usize = 9;

/// Expressions, of which the first three tell of several lines or of how a line begins, and what must be true of what they find. `(?<v>…)` is what is masked, else all of it; a word begins at `§`.
///
/// Sources: RFC 6750 and 7617 (HTTP), 7519 (JSON web tokens), 7517 (JSON web keys), 5802 (SCRAM), the issuers' own pages on the
/// forms of their tokens.
const FORMS: &[(&str, IsMeant)] = &[
    // A file of a key in base64, as secrets of a cluster are.
    (
        r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{30,}={0,2}(?:(?:(?:\\+r)?\\+n|\r?\n)[ \t]*[A-Za-z0-9+/]{60,76})*(?:(?:(?:\\+r)?\\+n|\r?\n)[ \t]*[A-Za-z0-9+/]{0,75}(?:={1,2}|LS0tLS0K))?",
        keys::is_private,
    ),
    (
        r"(?i)§machine\s+(?:[a-z0-9-]+(?:[.:][a-z0-9.:-]+)|localhost)\s+login\s+\S+\s+(?:account\s+\S+\s+)?password\s+(?<v>\S+)",
        is_told,
    ),
    (r#"(?m)(?:^|[>"][ \t]*)AUTH[ \t]+(?:[a-z][\w-]*[ \t]+)?(?<v>[^\s"]+)"?[ \t]*$"#, |seen| {
        let any = |is: fn(&u8) -> bool| seen.value.bytes().any(|b| is(&b));
        seen.value.len() >= 6 && any(u8::is_ascii_lowercase) && any(u8::is_ascii_digit) && is_told(seen)
    }),
    (r"(?i)§bearer(?::[ \t]*|(?:\s|%20|\+)+)(?<v>[a-z0-9+/=._~-]{12,})", |seen| is_random(seen.value)),
    (r"(?i)§basic(?:\s|%20|\+)+(?<v>[a-z0-9+/]{8,}={0,2})", |seen| is_random(seen.value)),
    // `{"` in base64, and a signature or `{"alg":` behind it: what continues a list is written so too.
    (r"§(?:eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){1,4}|eyJhbGciOi[A-Za-z0-9_-]*)", always),
    (r#""(?:d|dp|dq|qi|k)\\*"\s*:\s*\\*"(?<v>[A-Za-z0-9_-]{40,})"#, |seen| evidence::is_scrambled(seen.value)),
    (r"<(?:D|P|Q|DP|DQ|InverseQ)>(?<v>[A-Za-z0-9+/=]{40,})</", always),
    (r"(?i)%3A%2F%2F[^\s%&]*%3A(?<v>[^\s&]+?)%40", is_userinfo),
    (r"(?i)\b[a-z0-9_.-]+:(?<v>[^\s@/]+)@(?:tcp|unix)\(", is_userinfo),
    // A password with what ends a host, before another host.
    (
        r#"(?i)§[a-z][a-z0-9+.-]*://[^\s/?\x23@:"'<>]+:(?<v>[^\s@"'<>]+)@[a-z0-9_.-]+(?::[0-9]+)?(?:[/?\s"',;)]|$)"#,
        is_userinfo,
    ),
    // One that was cut off before its `@`, as columns are that a statement shortens.
    (r#"(?i)§[a-z][a-z0-9+.-]*://[^\s/?\x23@:"'<>]+:(?<v>[^\s/?\x23@:"'<>]{2,})$"#, |seen| {
        is_userinfo(seen) && !seen.value.eq_ignore_ascii_case("port") && seen.value.bytes().any(|b| !b.is_ascii_digit())
    }),
    (r"(?i)§jdbc:oracle:[a-z0-9]+:[a-z0-9_$]+/(?<v>[^\s@/]+)@", is_userinfo),
    (
        r"(?i)§(?:sqlplus|sqlldr|expdp|impdp|rman|conn(?:ect)?)[ \t]+(?:-\S+[ \t]+)*[a-z0-9_$]+/(?<v>[^\s@/]+)@",
        is_userinfo,
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
    (r#"§az\s+(?:acr\s+)?login\b[^\n|;]*?\s-p[ =]["']?(?<v>[^\s"']+)"#, is_told),
    (r#"§aws\s+ssm\s+put-parameter\b[^\n|;]*?\s--value[ =]["']?(?<v>[^\s"']+)"#, is_told),
    (r#"--secret-(?:string|binary)[ =]\\*["']?(?<v>[^\s"'\\{]+)"#, is_told),
    (r#""SecretString\\*"\s*:\s*\\*"(?<v>[^"\\{]+)"#, is_told),
    (r#"§echo\s+(?:-n\s+)?["']?[^\s:"'|]+:(?<v>[^\s"'|]+)["']?\s*\|\s*(?:sudo\s+)?chpasswd"#, is_told),
    (
        r#"§echo\s+(?:-n\s+)?["']?(?<v>[^\s"'|]+)["']?\s*\|\s*(?:sudo\s+(?:-[a-zA-Z]+\s+)*-S|gh\s+auth\s+login|passwd\s+--stdin|[^\n|]*--password-stdin)"#,
        is_told,
    ),
    (
        r"(?i)§(?:setuser|user)[ \t]+\S+[ \t]+(?:[^\n>]{0,100}[ \t])?on[ \t]+(?:[^\n>]{0,100}[ \t])?>(?<v>[^\s>]{4,})",
        is_told,
    ),
    // What people say, and names with a blank.
    (
        r#"(?i)§(?:password|passphrase|passcode|pwd)[ \t]+(?:is|was)[ \t]+(?:now[ \t]+|set[ \t]+to[ \t]+)?["'`]?(?<v>[^\s"'`,;()]{6,})"#,
        is_mixed,
    ),
    (r#"(?i)§(?:[a-z0-9_.-]*_)?pw(?:=|:[ \t]*)["']?(?<v>[^\s"',;()<>.]{6,})"#, is_mixed),
    (
        r#"(?i)§(?:api|access|secret|encryption|signing|private|auth|service|unseal)[ ]key(?:[ ][0-9]{1,2})?[ \t]*(?:[:=]|[ ]is[ :])[ \t]*["'`]?(?<v>[a-z0-9+/=_.~-]{16,})"#,
        |seen| is_random(seen.value) && !evidence::is_words(seen.value) && !evidence::is_path(seen.value),
    ),
    // Settings of databases and directories, and names that end otherwise.
    (
        r#"(?i)§(?:requirepass|masterauth|bindpw|rootpw)[ \t]+(?:--[a-z]+[ \t]+){0,3}\\*["']?(?<v>[^\s"'\\]+)"#,
        is_of_a_line,
    ),
    (r"(?i)§default\s+login\s+\S+\s+password\s+(?<v>\S+)", is_told),
    (r"(?i)§(?:(?:un)?encrypted\s+password\s+e?|password\s+[en])'(?<v>[^'\n]+)'", is_said),
    (
        r#"(?i)§(?:[a-z0-9_.-]*_pw|rediscli_auth|[a-z0-9_.-]*pass_phrase)["']?\s*[=:]\s*["']?(?<v>[^\s"',;()<>]+)"#,
        is_said,
    ),
    (r#"(?i)§[a-z0-9_.-]*(?:state|guard)_key["']?\s*[=:]\s*["']?(?<v>[a-z0-9+/=_-]{16,})"#, |seen| {
        is_random(seen.value)
    }),
    // What a program takes where nothing is set, macros, and elements within those of a name.
    (
        concat!(
            r#"(?i)"#,
            names::names!(),
            r#"["')\]]{0,3}\s*(?:\|\||\?\?|\.unwrap_or\()\s*["'](?<v>[^\s"']{6,})["']"#
        ),
        is_mixed,
    ),
    (concat!(r#"(?i)#define[ \t]+\w*?"#, names::names!(), r#"[ \t]+"(?<v>[^"\n]+)""#), |seen| {
        is_said(seen) && !names::is_name(seen.value)
    }),
    (concat!(r#"(?i)"#, names::names!(), r#"[ \t]*\?=[ \t]*(?<v>[^\s"'$({\\]{6,})"#), is_mixed),
    (concat!(r#"(?i)<[\w.:-]*?"#, names::names!(), r#">\s*<(?:value|string)>\s*(?<v>[^<\s]+)\s*</"#), is_said),
    // What servers say at their first start.
    (
        r#"(?i)§password[ \t]+(?:(?:is|was)[ \t]+(?:re)?(?:generated|set)[ \t]+)?for[ \t]+[^\s:,;]{1,64}(?:[ \t]+user)?(?::|[ \t]+is)[ \t]+["'`]?(?<v>[^\s"'`,;()]{6,})"#,
        is_mixed,
    ),
    (r#"(?i)§password[ \t]+is:[ \t]+["'`]?(?<v>[^\s"'`,;()]{6,})"#, is_mixed),
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
    // Addresses that let in whoever knows them.
    (
        r"(?i)(?:hooks\.slack\.com/(?:services|workflows|triggers)|discord(?:app)?\.com/api/webhooks|webhook\.office\.com/webhookb2|hooks\.zapier\.com/hooks/catch|events\.pagerduty\.com/integration)/(?<v>[a-z0-9/_:@.-]+)",
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

/// Whether what a sentence says has letters and digits, and is no name of an algorithm or a number with a unit.
fn is_mixed(seen: &Seen<'_>) -> bool {
    const KINDS: [&str; 9] = ["base64", "sha", "md5", "utf", "rfc", "bcrypt", "pbkdf2", "scrypt", "argon2"];
    let lower = seen.value.to_ascii_lowercase();
    let any = |is: fn(&u8) -> bool| seen.value.bytes().any(|b| is(&b));
    let known = KINDS.iter().any(|kind| lower.starts_with(kind));
    any(u8::is_ascii_alphabetic)
        && any(u8::is_ascii_digit)
        && !known
        && !evidence::is_words(seen.value)
        && is_told(seen)
        && !evidence::is_measure(seen.value)
        && seen.value.split('-').next().is_some_and(|part| !part.bytes().all(|b| b.is_ascii_digit()))
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
