//! What people put where the URL of a database belongs: quotes of an env file, a placeholder that nobody filled in,
//! another database's URL, a password with characters that mean something in a URL.
//!
//! Pure. Nothing of the text is repeated but its scheme: it holds the password.

use super::{SourceError, SourceErrorKind};

/// How the URL of a database is written.
pub(super) struct Form {
    /// The database, as in "no URL of PostgreSQL".
    pub database: &'static str,
    pub schemes: &'static [&'static str],
    pub example: &'static str,
}

impl Form {
    /// The text without white space around it, if it can be the URL of one database.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read<'t>(&self, text: &'t str) -> Result<&'t str, SourceError> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}');
        if text.is_empty() {
            return Err(self.wrong("the URL is empty"));
        }
        if text.starts_with(['"', '\'', '`']) || text.ends_with(['"', '\'', '`']) {
            return Err(wrong("the URL has a quotation mark at its beginning or end", "leave the quotation marks out"));
        }
        if let Some(form) = placeholder(text) {
            return Err(wrong(
                format!("the URL holds a placeholder that nobody filled in ({form})"),
                "put the value there, or let the program that starts this one do it",
            ));
        }
        self.scheme(text)?;
        self.characters(text)?;
        Ok(text)
    }

    /// An error that shows how such a URL is written.
    pub fn wrong(&self, message: impl Into<String>) -> SourceError {
        wrong(message, format!("write it as `{}`", self.example))
    }

    /// An IPv6 address with the port of the example.
    fn ipv6(&self) -> String {
        let port = self.example.rsplit(':').next().unwrap_or_default();
        format!("[::1]:{}", port.split('/').next().unwrap_or_default())
    }

    fn scheme(&self, text: &str) -> Result<(), SourceError> {
        let database = self.database;
        let Some((scheme, _)) = text.split_once("://") else {
            let words = text.split_whitespace().all(|word| word.contains('=')) && text.contains('=');
            return Err(match words {
                true => self.wrong(format!("a list of `name=value` is no URL of {database}")),
                false => self.wrong(format!("the URL does not begin with `{}://`", self.schemes.join("://` or `"))),
            });
        };
        if self.schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
            return Ok(());
        }
        let shown = scheme.len() <= 40 && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.:".contains(&b));
        let found = if shown { format!("`{scheme}://`") } else { "what it begins with".to_owned() };
        Err(self.wrong(format!("{found} is no URL of {database}")))
    }

    /// A `#`, a `/` or a `?` ends the part with user and password wherever it stands.
    fn characters(&self, text: &str) -> Result<(), SourceError> {
        let rest = text.split_once("://").map_or("", |(_, rest)| rest);
        let (authority, behind) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let cut = !authority.contains('@') && self.looks_cut(authority, behind);
        if rest.contains('#') || cut {
            return Err(wrong(
                "the URL has a character that means something else there",
                "in a user, a password or a database write `#` as `%23`, `/` as `%2F`, `?` as `%3F`, `@` as `%40`, \
                 `%` as `%25`",
            ));
        }
        let hosts = authority.rsplit('@').next().unwrap_or_default();
        if hosts.contains(',') {
            return Err(wrong("the URL names several hosts", "name one, or what stands in front of them"));
        }
        if hosts.starts_with('[') != hosts.contains(']') {
            let lacks = if hosts.starts_with('[') { "the `]`" } else { "the `[`" };
            return Err(wrong(
                format!("the URL lacks {lacks} of an IPv6 address"),
                format!("it stands in brackets, and the port behind them: `{}`", self.ipv6()),
            ));
        }
        if !hosts.starts_with('[') && hosts.matches(':').count() > 1 {
            return Err(wrong(
                "the URL has more than one `:` in its host",
                format!("an IPv6 address stands in brackets: `{}`", self.ipv6()),
            ));
        }
        let port = match hosts.rsplit_once(']') {
            Some((_, port)) => port.strip_prefix(':'),
            None => hosts.split_once(':').map(|(_, port)| port),
        };
        match port {
            Some(port) if !port.is_empty() && port.parse::<u16>().is_err() => {
                Err(self.wrong("the port of the URL is no number up to 65535"))
            }
            _ => Ok(()),
        }
    }

    /// Whether what stands before the first `/` or `?` is the beginning of a password: an `@` follows, in what would be
    /// the path, or the port is none.
    fn looks_cut(&self, authority: &str, behind: &str) -> bool {
        let path = behind.split('?').next().unwrap_or_default();
        let port = authority.rsplit_once(':').map(|(_, port)| port);
        path.contains('@') || (behind.contains('@') && port.is_some_and(|port| port.parse::<u16>().is_err()))
    }
}

fn wrong(message: impl Into<String>, hint: impl Into<String>) -> SourceError {
    SourceError::new(SourceErrorKind::Unavailable, message).hint(hint)
}

/// The form of a placeholder in a text, if it has one.
fn placeholder(text: &str) -> Option<&'static str> {
    let between = |open: &str, close: &str| {
        text.split_once(open).is_some_and(|(_, rest)| rest.find(close).is_some_and(|length| length > 0))
    };
    match () {
        () if between("${", "}") => Some("`${…}`"),
        () if between("{{", "}}") => Some("`{{…}}`"),
        () if between("$(", ")") => Some("`$(…)`"),
        () if between("<", ">") => Some("`<…>`"),
        () if between("[YOUR", "]") || between("[your", "]") => Some("`[…]`"),
        () if text.strip_prefix('$').is_some_and(is_word) => Some("`$…`"),
        () => text.split(['/', ':', '@', '?', '&', '=']).find_map(whole),
    }
}

/// The form of a part of a URL that is a placeholder and nothing else: a password may hold such characters.
fn whole(part: &str) -> Option<&'static str> {
    let inside = |open, close| part.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).is_some_and(is_word);
    match () {
        () if inside("{", "}") => Some("`{…}`"),
        () if inside("#{", "}") => Some("`#{…}`"),
        () if inside("%(", ")s") => Some("`%(…)s`"),
        () if inside("%", "%") => Some("`%…%`"),
        () if inside("[", "]") => Some("`[…]`"),
        // A secret that a log has masked.
        () if part.len() > 2 && part.bytes().all(|b| b == b'*') => Some("`***`"),
        () => None,
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, b'_' | b'-' | b'.' | b' ') || b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Form = Form {
        database: "PostgreSQL",
        schemes: &["postgres", "postgresql"],
        example: "postgres://user:password@host:5432/database",
    };

    #[test]
    fn what_people_put_there_is_told() {
        for (text, message) in [
            ("", "empty"),
            (" \n", "empty"),
            ("\"postgres://u:hunter2@h/db\"", "quotation mark"),
            ("postgres://u:hunter2@h/db'", "quotation mark"),
            ("${PG_URL}", "`${…}`"),
            ("$PG_URL", "`$…`"),
            ("%PG_URL%", "`%…%`"),
            ("postgres://u:{{ password }}@h/db", "`{{…}}`"),
            ("postgres://u:<password>@h/db", "`<…>`"),
            ("postgres://u:[YOUR-PASSWORD]@h/db", "`[…]`"),
            ("postgres://${user}:hunter2@h/db", "`${…}`"),
            ("$(PG_URL)", "`$(…)`"),
            ("postgres://u:{password}@h/db", "`{…}`"),
            ("postgres://{user}:hunter2@{host}:{port}/{db}", "`{…}`"),
            ("postgres://u@h/db?password={db-password}", "`{…}`"),
            ("postgres://u:#{password}@h/db", "`#{…}`"),
            ("postgres://u:%(password)s@h/db", "`%(…)s`"),
            ("postgres://u:%PGPASSWORD%@h/db", "`%…%`"),
            ("postgres://u:[PASSWORD]@h/db", "`[…]`"),
            ("postgres://u:***@h/db", "`***`"),
            ("mysql://root:hunter2@127.0.0.1:3306/app", "`mysql://` is no URL of PostgreSQL"),
            ("jdbc:postgresql://h/app?password=hunter2", "`jdbc:postgresql://` is no URL of PostgreSQL"),
            ("postgresql+asyncpg://u:hunter2@h/app", "`postgresql+asyncpg://` is no URL of PostgreSQL"),
            ("https://h/app", "`https://` is no URL of PostgreSQL"),
            ("hunter2@h/app?x=://", "what it begins with is no URL"),
            ("host=h password=hunter2", "a list of `name=value`"),
            ("h:5432/app", "does not begin with `postgres://` or `postgresql://`"),
            ("postgres://u:hunter2#ss@h:5432/app", "means something else"),
            ("postgres://u:hunter2/ss@h:5432/app", "means something else"),
            ("postgres://u:2/hunter2@h:5432/app", "means something else"),
            ("postgres://u:hunter2?ss@h:5432/app", "means something else"),
            ("postgres://u:hunter2@h1:1,h2:2/app", "several hosts"),
            ("postgres://u:hunter2@::1:5432/app", "more than one `:`"),
            ("postgres://u:hunter2@[::1/app", "lacks the `]`"),
            ("postgres://u:hunter2@[::1:5432/app", "lacks the `]`"),
            ("postgres://u:hunter2@::1]:5432/app", "lacks the `[`"),
            ("postgres://u:hunter2@h:port/app", "no number"),
            ("postgres://u:hunter2@[::1]:70000/app", "no number"),
        ] {
            let error = FORM.read(text).unwrap_err();
            assert!(error.message.contains(message), "{text}: {error:?}");
            assert!(error.hint.is_some() && !format!("{error:?}").contains("hunter2"), "{text}: {error:?}");
        }
    }

    #[test]
    fn an_ipv6_address_is_shown_with_the_port_of_the_database() {
        let over_http =
            Form { database: "ClickHouse", schemes: &["http"], example: "http://user:password@host:8123/database" };
        for (form, text, shown) in [
            (&FORM, "postgres://u@::1:5432/app", "`[::1]:5432`"),
            (&over_http, "http://u@::1:8123/app", "`[::1]:8123`"),
            (&over_http, "http://u@[::1:8123/app", "`[::1]:8123`"),
        ] {
            assert!(form.read(text).unwrap_err().hint.unwrap().ends_with(shown), "{text}");
        }
    }

    #[test]
    fn what_is_a_url_stays_as_it_is() {
        for text in [
            "postgres://u:p@h:5432/app?sslmode=require",
            "postgres://u:p%23ss@[::1]:5432/app",
            "postgres://u:p@ss@h/app",
            "postgres://u:p$ss@h/app",
            "postgres://u:p{ss}w@h/app",
            "postgres://u:p[ss]**@h/app",
            "postgres://u:%70%71%@h/app",
            "POSTGRESQL://h",
            "postgres:///app?host=/var/run/postgresql",
            "postgres://%2Fvar%2Frun/app",
            "postgres://h:5432/app?application_name=a@b",
            "postgres://h:/app",
        ] {
            assert_eq!(FORM.read(&format!("\u{feff} {text}\r\n")).unwrap(), text);
        }
    }
}
