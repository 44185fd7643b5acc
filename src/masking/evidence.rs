//! What a value tells by itself: whether anybody wrote it, names something with it, or left its place open.

/// Nobody writes so: a digit among letters, or letters that change case within.
pub(super) fn is_random(value: &str) -> bool {
    let letters = value.chars().any(|c| c.is_ascii_alphabetic());
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let changes = value.as_bytes().windows(2);
    let changes = changes.filter(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()));
    // `2026-11-20T10:00:00Z`, `v1.2.3` and `checkout-7` are no secrets.
    let (plain, changes) = (value.len() < 8 || is_stamp(value), changes.count());
    !plain && letters && (digits >= 3 || changes >= 2 || (digits > 0 && changes > 0))
}

/// The same of a text for which no name speaks: on the average its letters, digits and capitals change within three
/// characters, which those of `getOrderById`, `sku12345678` and `ERR_12345` do not.
pub(super) fn is_scrambled(value: &str) -> bool {
    let lower = value.bytes().any(|b| b.is_ascii_lowercase());
    let changes = value.as_bytes().windows(2).filter(|pair| match pair {
        [a, b] if a.is_ascii_digit() != b.is_ascii_digit() => a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric(),
        [a, b] => lower && b.is_ascii_uppercase() && a.is_ascii_alphabetic(),
        _ => false,
    });
    let few = if lower { 3 } else { 5 };
    value.len() >= 16 && changes.count() * few >= value.len() && !is_identifier(value) && !is_workload(value)
}

fn is_stamp(value: &str) -> bool {
    value.get(..10).is_some_and(|head| {
        head.char_indices().all(|(at, c)| if matches!(at, 4 | 7) { c == '-' } else { c.is_ascii_digit() })
    })
}

/// A number of a span or a trace, a UUID, an MD5: what other records are found by.
pub(super) fn is_identifier(value: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    let parts: Vec<&str> = value.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    parts.iter().all(|part| hex(part))
        && matches!(lengths.as_slice(), [16 | 32] | [8, 4, 4, 4, 12] | [2, 32, 16, 2] | [1, 8, 24])
}

/// A pod by its deployment: `checkout-7f9c8d5b4-x2z9q`.
pub(super) fn is_workload(value: &str) -> bool {
    let small = |part: &str| part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let mut parts = value.rsplit('-');
    let (last, set) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let name: Vec<&str> = parts.collect();
    last.len() == 5
        && small(last)
        && matches!(set.len(), 6..=10)
        && small(set)
        && name.iter().any(|part| is_letters(part))
        && name.iter().all(|part| small(part))
}

fn is_letters(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphabetic())
}

/// Words and numbers with signs between them: `checkout-tls-2026`, `customer_4711`, `db.password`.
pub(super) fn is_words(value: &str) -> bool {
    let part = |part: &str| {
        let number = part.strip_prefix('v').unwrap_or(part);
        is_letters(part) || (!number.is_empty() && number.len() < 6 && number.bytes().all(|b| b.is_ascii_digit()))
    };
    value.split(['-', '_', '.', '/', ':']).all(part) && value.split(['-', '_', '.', '/', ':']).any(is_letters)
}

/// The name of an object of a cluster: small letters, and a hyphen in it.
pub(super) fn is_object_name(value: &str) -> bool {
    // `default-token-x7k2p`, as a cluster names the tokens of its accounts.
    let mut parts = value.rsplit('-');
    let (last, kind) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let of_an_account = last.len() == 5 && matches!(kind, "token" | "dockercfg") && parts.all(is_letters);
    if of_an_account && last.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
        return true;
    }
    value.contains('-') && is_words(value) && !value.bytes().any(|b| b.is_ascii_uppercase() || b"_/:".contains(&b))
}

/// A name and a password with a colon between them.
pub(super) fn is_pair(value: &str) -> bool {
    value.split_once(':').is_some_and(|(name, password)| {
        !name.is_empty() && password.len() > 3 && !password.starts_with('/') && !password.contains(':')
    })
}

/// What may be done with what is named: `api_key:create`, `password:reset`.
pub(super) fn is_permission(value: &str) -> bool {
    const VERBS: &str =
        " create read write update delete reset change list get manage rotate view admin use all revoke export grant ";
    is_one_of(VERBS, value.trim_end_matches([',', ';', '.', '`', ')']))
}

/// The path of a file.
pub(super) fn is_path(value: &str) -> bool {
    let rest = value.trim_start_matches(['.', '~']);
    let drive = value.as_bytes().get(1..3).is_some_and(|two| two == b":\\" || two == b":/");
    let parts = rest.split(['/', '\\']).count();
    let file = [".pem", ".key", ".json", ".p12", ".jks", ".crt", ".txt", ".yaml", ".yml"];
    let named = file.iter().any(|end| value.ends_with(end));
    (drive || (rest.starts_with('/') && (parts > 2 || rest.len() < 6)) || named) && !is_scrambled(value)
}

/// What is said about a secret where it would stand, and types of it.
const STATES: &str = " null none nil nan undefined true false yes no on off ok okay good bad required optional incorrect invalid \
    valid expired missing wrong empty blank unset set changed reset hidden masked redacted removed filtered omitted \
    encrypted string str text varchar char bool boolean bytes object unknown rejected accepted not absent present enabled \
    disabled allowed forbidden denied failed failure error mismatch found provided supplied given rotated revoked loaded \
    stored deprecated default mounted created updated deleted synced generated referenced managed renewed unauthorized unauthenticated authenticated anonymous n/a tbd todo secure weak short \
    long never always pending ";

/// Words that begin a sentence where a value would stand.
const BEGINNINGS: &str = " please must should cannot can could may might is was were are has have had does did do will would too at \
    this that these those your you ensure make use try enter type choose check see contains contain length minimum maximum \
    only if when for from in with without by to it the a an and or but not no field value ";

/// Words after which the name is a part of a sentence: `Invalid password: please`.
const ABOUT: &str = " invalid wrong bad incorrect enter your the for reset new forgot change weak missing expired old confirm with \
    using of a no same retype repeat empty default ";

fn is_one_of(words: &str, word: &str) -> bool {
    !word.is_empty() && !word.contains(' ') && words.contains(&format!(" {} ", word.to_ascii_lowercase()))
}

/// Whether a word tells the state of a secret.
pub(super) fn is_state(value: &str) -> bool {
    let word = value.trim_end_matches(['.', '!', '?', ':', ',', ';', ')']);
    let mut parts = word.split(['-', '_']);
    let known = |part: &str| is_one_of(STATES, part) || is_one_of(BEGINNINGS, part);
    is_one_of(STATES, word) || (word.contains(['-', '_']) && parts.all(known))
}

/// Whether what stands behind a name is a sentence about it. `before` is what stands before the name, `value` the first word
/// behind it and `after` what follows that.
pub(super) fn is_prose(before: &str, value: &str, after: &str) -> bool {
    let word = value.trim_end_matches(['.', '!', '?', ':', ',', ';']);
    let plain = is_letters(word);
    let follows = after.strip_prefix(' ').is_some_and(|after| after.starts_with(|c: char| c.is_alphanumeric()));
    let said = before.strip_suffix(' ').and_then(|before| before.rsplit([' ', '"', '\n', '\t', '\'', '(']).next());
    let said = said.map(|word| word.trim_start_matches(|c: char| !c.is_alphabetic()));
    plain && ((follows && is_one_of(BEGINNINGS, word)) || said.is_some_and(|word| is_one_of(ABOUT, word)))
}

/// Whether a sentence goes on behind a word: `mounted from`.
pub(super) fn goes_on(value: &str, after: &str) -> bool {
    let next = after.strip_prefix(' ').and_then(|after| after.split_whitespace().next()).unwrap_or_default();
    is_letters(value) && is_one_of(BEGINNINGS, next)
}

/// Whether a `token` is one of a text that somebody parses.
pub(super) fn is_of_a_parser(before: &str) -> bool {
    const SAID: &str = " unexpected unknown expected next illegal current last bad stray first extra end start ";
    let word = before.trim_end_matches(' ').rsplit(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    is_one_of(SAID, word)
}

/// Whether the place of a secret is held open: `${DB_PASSWORD}`, `%s`, `<password>`, `{{ .Values.password }}`, `?`, `***`.
pub(super) fn is_placeholder(value: &str) -> bool {
    let names = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["pass", "pwd", "secret", "token", "key", "cred", "auth", "env", "arg"].iter().any(|part| name.contains(part))
    };
    let word = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let capitals = |text: &str| text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let within = |open: &str, close: &str| {
        value.strip_prefix(open).is_some_and(|rest| rest.trim_end_matches([',', ';', '.', ')']).ends_with(close))
    };
    let first = value.chars().next().unwrap_or_default();
    let rest = value.get(first.len_utf8()..).unwrap_or_default();
    let bare = rest.trim_end_matches([',', ';', '.', ')', '"']);
    match first {
        '$' if within("${", "}") || rest.starts_with("{{") || rest.starts_with('(') => return true,
        '$' => return word(bare) && !bare.is_empty() && (names(bare) || (capitals(bare) && !bare.is_empty())),
        '%' if within("%", "%") && rest.len() > 1 => return !is_mixed(bare.trim_end_matches('%')),
        '%' => {
            return matches!(bare, "s" | "d" | "v" | "q" | "r" | "@" | "+v" | "S")
                || rest.starts_with('(') && rest.contains(')');
        }
        '<' if within("<", ">") => return is_told(bare.trim_end_matches('>')),
        '[' if within("[", "]") => return is_told(bare.trim_end_matches(']')),
        '{' if rest.starts_with(['{', '%']) => return true,
        '{' if within("{", "}") => return is_told(bare.trim_end_matches('}')),
        ':' | '@' => {
            let mixed = is_mixed(bare.strip_suffix(|c: char| c.is_ascii_digit()).unwrap_or(bare));
            return word(bare) && !mixed && (names(bare) || bare.starts_with('p') && bare.len() < 4);
        }
        '!' if ["vault", "Ref", "Sub", "GetAtt", "secret"].iter().any(|tag| rest.starts_with(tag)) => return true,
        _ => {}
    }
    // What somebody left out, unless what stands before it is a secret that a log was going to say more behind.
    if let Some(said) = value.strip_suffix('…').or_else(|| value.strip_suffix("...")) {
        let said = said.trim_end_matches(['.', '…']);
        return !is_mixed(said) || said.len() < 6;
    }
    // Nothing to read, or crosses as Go writes them into addresses.
    !value.chars().any(char::is_alphanumeric) || value.chars().all(|c| matches!(c, 'x' | 'X' | '*' | '.' | '•'))
}

/// Whether small letters and digits stand side by side in a word, as in the secrets that people think of and not in names of them.
fn is_mixed(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_digit()) && word.bytes().any(|b| b.is_ascii_lowercase())
}

/// Whether brackets hold what is to be put in, and no secret: letters, or the name of one.
fn is_told(inner: &str) -> bool {
    // How it is to be written stands behind a sign: `{:?}`, `{name!r}`.
    let inner = inner.split([':', '!']).next().unwrap_or_default();
    let lower = inner.to_ascii_lowercase();
    let names =
        ["pass", "pwd", "secret", "token", "key", "cred", "auth", "env"].iter().any(|part| lower.contains(part));
    let plain = inner.bytes().all(|b| b.is_ascii_alphabetic() || b"_-. ,'$".contains(&b) || !b.is_ascii());
    names || plain || inner.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a number tells how long, how many or how much: `34ms`, `12/17`, `98.5%`.
pub(super) fn is_measure(value: &str) -> bool {
    let value = value.trim_end_matches([',', ';', '.', ')']);
    let unit = value.trim_start_matches(|c: char| c.is_ascii_digit() || ".,/".contains(c));
    value.starts_with(|c: char| c.is_ascii_digit())
        && matches!(unit, "" | "ns" | "us" | "µs" | "ms" | "s" | "m" | "h" | "%" | "x" | "B" | "KB" | "MB" | "GB")
}

/// Whether a value says where something lies: `orders/2026/part-1.parquet`, `alias/orders`, `prod/checkout/db`.
pub(super) fn is_location(value: &str) -> bool {
    let Some((head, rest)) = value.split_once('/') else { return value.starts_with("arn:") };
    let last = rest.rsplit('/').next().unwrap_or_default();
    let extension = last
        .rsplit_once('.')
        .is_some_and(|(name, end)| !name.is_empty() && matches!(end.len(), 2..=7) && is_letters(end));
    let small = |part: &str| part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b));
    let parts = value.split('/').all(|part| part.is_empty() || (small(part) && is_words(part)));
    value.starts_with("arn:") || head == "alias" || (extension && !is_scrambled(value)) || parts
}

/// Roots of paths in code that lead to what was read elsewhere.
const ROOTS: &str = " self this config cfg conf settings setting options opts args argv params props env os process ctx context \
    request req state app var local data values vault secrets secret credentials creds user module each input ";

/// Whether a path in code begins with what holds values.
pub(super) fn is_root(word: &str) -> bool {
    is_one_of(ROOTS, word)
}

/// An attribute of what is described elsewhere: `random_password.db.result`.
pub(super) fn is_attribute(value: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let mut parts = value.split('.');
    value.matches('.').count() > 1 && parts.clone().all(part) && parts.next().is_some_and(|kind| kind.contains('_'))
}

/// A type of a program where the value of a parameter would stand: `&str`, `SecretString`.
pub(super) fn is_type(value: &str, after: &str) -> bool {
    const TYPES: &str = " secretstring secretstr secretbox secretvec securestring guardedstring zeroizing vec box arc rc cow osstring \
        pathbuf buffer uint8array charsequence bytestring nsstring ";
    let word = value.trim_end_matches([',', ';', ')', '?', '{']);
    let ends = word.len() < value.len() || after.starts_with([',', ')']) || after.starts_with(" =");
    let capital = word.starts_with(|c: char| c.is_ascii_uppercase());
    let borrowed = word.strip_prefix('&').is_some_and(|of| is_letters(&of.replace("::", "")));
    borrowed && ends || capital && is_one_of(TYPES, word)
}

/// A state of an element of a page, of which a style is told: `.password:hover`.
pub(super) fn is_of_a_style(name: &str, before: &str, value: &str) -> bool {
    const STATES: &str = " hover focus active visited disabled enabled checked invalid valid not before after placeholder empty is \
        where has target root first-child last-child nth-child focus-within focus-visible read-only autofill ";
    let word = value.split(|c: char| !(c.is_ascii_lowercase() || c == '-')).next().unwrap_or_default();
    (name.contains('.') || before.ends_with('#')) && is_one_of(STATES, word)
}

/// Words in brackets that are told instead of a value: `(sensitive value)`, `(hidden)`.
pub(super) fn is_remark(value: &str, after: &str) -> bool {
    let Some(first) = value.strip_prefix('(') else { return false };
    if let Some(word) = first.strip_suffix(')') {
        return is_state(word);
    }
    let line = after.get(..after.floor_char_boundary(64)).unwrap_or_default().split('\n').next().unwrap_or_default();
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c == ' ');
    line.split_once(')').is_some_and(|(rest, _)| rest.starts_with(' ') && plain(first) && plain(rest))
}

/// The name of a test.
pub(super) fn is_test(value: &str) -> bool {
    value.strip_prefix("Test").is_some_and(|name| name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_'))
        || value.starts_with("test_")
        || value.starts_with("tests/")
}

/// Whether a pass is one over a program.
pub(super) fn is_of_a_compiler(before: &str) -> bool {
    const SAID: &str =
        " llvm compiler optimizer optimization opt clang rustc gcc mlir lowering analysis first second next last ";
    let word = before.trim_end_matches(' ').rsplit(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    before.ends_with(' ') && is_one_of(SAID, word)
}

/// Whether the bracket of a value is one of a call or an index, and no sign of a secret: it closes in its line, and no letter stands
/// behind it; or what it holds goes on below.
fn is_call(value: &str, open: usize, after: &str) -> bool {
    let behind = after.get(..after.floor_char_boundary(512)).unwrap_or_default();
    let behind = behind.split(['\n', '\r']).next().unwrap_or_default();
    let mut depth = 0_i32;
    let signs = value.get(open..).unwrap_or_default().chars().chain(behind.chars());
    let mut signs = signs.skip_while(|c| {
        depth += i32::from(matches!(c, '(' | '[' | '{')) - i32::from(matches!(c, ')' | ']' | '}'));
        depth > 0
    });
    if signs.next().is_some() {
        return !signs.next().is_some_and(char::is_alphanumeric);
    }
    let inner = value.get(open + 1..).unwrap_or_default();
    let digits = value.get(..open).is_some_and(|path| path.bytes().any(|b| b.is_ascii_digit()));
    match inner.is_empty() {
        true => !digits,
        // A list that goes on, a text, or what is worked out.
        false => {
            inner.contains(['"', '\'', '`'])
                || inner.ends_with([',', '(', '['])
                || behind.trim_start().starts_with(['+', '-', '*', '|', '?', ',', '&', '"', '\''])
        }
    }
}

/// Code that reads the secret from elsewhere: `config.password`, `os.environ[`, `getenv(`.
pub(super) fn is_expression(value: &str, after: &str) -> bool {
    let open = value.find(['(', '[']).unwrap_or(value.len());
    let path = value.get(..open).unwrap_or_default();
    let opened = open < value.len();
    let word = |part: &str| {
        let letters = part.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_' || (opened && b.is_ascii_digit()));
        letters && part.len() > 1 && part.starts_with(|c: char| !c.is_ascii_digit())
    };
    // A type of a program, and what is waited for.
    let of_a_type = value.starts_with(|c: char| c.is_ascii_uppercase()) && is_letters(value) && after.starts_with('<');
    let waits = matches!(value, "await" | "new" | "yield") && after.starts_with(' ') && after.len() > 1;
    let of_an_array =
        value.strip_prefix('[').is_some_and(|of| matches!(of.trim_end_matches(';'), "u8" | "char" | "byte" | "i8"));
    if of_a_type || waits || of_an_array {
        return true;
    }
    let path = path.trim_end_matches([',', ';', ')']).trim_end_matches('?');
    let opens = match opened {
        true if !is_call(value, open, after) => return false,
        opened => opened || after.starts_with(['(', '[']),
    };
    let parts = path.split(['.', ':', '-', '>']).filter(|part| !part.is_empty());
    let mut known = parts.clone();
    let root = known.next().is_some_and(|first| {
        is_one_of(ROOTS, first) && first.bytes().all(|b| !b.is_ascii_uppercase() || first.len() > 3)
    });
    let last = parts.clone().next_back().unwrap_or_default().to_ascii_lowercase();
    let names = ["pass", "pwd", "secret", "token", "key", "cred", "auth", "env"].iter().any(|part| last.contains(part));
    parts.clone().all(word)
        && (opens || root || names)
        && (opens || parts.count() > 1 && path.contains(['.', ':']) && !path.contains('-'))
        && !path.is_empty()
}
