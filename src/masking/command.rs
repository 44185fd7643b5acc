//! The words of a command line: which of them is a secret tells the option before it, and what the option means tells the program.

use super::{MASK, Masking};

/// What an option of a program takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// A secret, in the rest of its word or in the next one.
    Either,
    /// A secret in the rest of its word.
    Rest,
    /// A name, a sign, and a secret behind that.
    Behind(char),
}

/// A letter of a program that has a secret, and the letters that take the rest of a word before it.
struct Row {
    programs: &'static [&'static str],
    letter: char,
    takes: Takes,
    others: &'static str,
}

const fn row(programs: &'static [&'static str], letter: char, takes: Takes, others: &'static str) -> Row {
    Row { programs, letter, takes, others }
}

const MYSQL: &[&str] = &[
    "mysql",
    "mariadb",
    "mysqldump",
    "mariadb-dump",
    "mysqladmin",
    "mariadb-admin",
    "mysqlimport",
    "mysqlshow",
    "mysqlcheck",
];
const MONGO: &[&str] = &["mongosh", "mongo", "mongodump", "mongorestore", "mongoexport", "mongoimport", "mongostat"];
const LDAP: &[&str] =
    &["ldapsearch", "ldapmodify", "ldapadd", "ldapdelete", "ldapwhoami", "ldappasswd", "ldapcompare", "ldapmodrdn"];
const SMB: &[&str] = &["smbclient", "rpcclient", "smbget", "smbcacls", "smbtree", "net", "nmblookup"];
const CURL: &str = "AbcCdDeFHKmoPQrtTwXYyz";

/// Where letters mean a secret.
const LETTERS: [Row; 17] = [
    row(MYSQL, 'p', Takes::Rest, "hueDPS"),
    row(&["curl"], 'u', Takes::Behind(':'), CURL),
    row(&["curl"], 'U', Takes::Behind(':'), CURL),
    row(&["curl"], 'E', Takes::Behind(':'), CURL),
    row(MONGO, 'p', Takes::Either, "hudc"),
    row(LDAP, 'w', Takes::Either, "DHbhpsfyY"),
    row(SMB, 'U', Takes::Behind('%'), "cWIpL"),
    row(&["zip", "unzip"], 'P', Takes::Either, "bntx"),
    row(&["7z", "7za", "7zr", "7zz", "rar", "unrar"], 'p', Takes::Rest, "otm"),
    row(&["sshpass", "docker", "podman", "helm", "nerdctl", "az", "oc", "hydra", "medusa"], 'p', Takes::Either, "uf"),
    row(&["redis-cli", "keydb-cli", "valkey-cli"], 'a', Takes::Either, "hpnu"),
    row(
        &["sqlcmd", "bcp", "isql", "mosquitto_pub", "mosquitto_sub", "ipmitool", "bsqldb"],
        'P',
        Takes::Either,
        "SUdhtQHI",
    ),
    row(&["lftp", "ncftp"], 'u', Takes::Behind(','), "ep"),
    row(&["snmpwalk", "snmpget", "snmpset", "snmpbulkwalk"], 'c', Takes::Either, "v"),
    row(&["snmpwalk", "snmpget", "snmpset", "snmpbulkwalk"], 'A', Takes::Either, "v"),
    row(&["openssl"], 'k', Takes::Either, ""),
    row(&["openssl"], 'K', Takes::Either, ""),
];

/// Long options of any program, by the last parts of their names.
const NAMES: [&str; 22] = [
    "password",
    "passwd",
    "pass",
    "passphrase",
    "pwd",
    "pw",
    "secret",
    "token",
    "apikey",
    "api-key",
    "access-key",
    "secret-key",
    "account-key",
    "auth-key",
    "private-token",
    "bearer",
    "oauth2-bearer",
    "credential",
    "credentials",
    "pin",
    "passcode",
    "sas-token",
];

/// Long options of which a secret stands behind a sign.
const PAIRS: [(&str, char); 5] = [("user", ':'), ("proxy-user", ':'), ("cert", ':'), ("user", '%'), ("userpwd", ':')];

impl Masking {
    /// The words of a command line without what their options say is a secret.
    pub fn command(words: &[String]) -> Vec<String> {
        let mut shown = words.to_vec();
        let mut program = "";
        for (at, word) in words.iter().enumerate() {
            let name = word.rsplit('/').next().unwrap_or_default();
            if at == 0 || LETTERS.iter().any(|row| row.programs.contains(&name)) {
                program = name;
                continue;
            }
            let Some((place, takes)) = secret(program, at, word) else { continue };
            let Some(word) = shown.get_mut(place.word) else { continue };
            // What is an option itself is no value of another.
            let value = word.get(place.from..).unwrap_or_default();
            let begins = match takes {
                Takes::Behind(sign) => value.find(sign).map(|at| place.from + at + sign.len_utf8()),
                _ if place.word > at && value.starts_with('-') => None,
                _ => Some(place.from),
            };
            if let Some(begins) = begins.filter(|begins| *begins < word.len()) {
                word.truncate(begins);
                word.push_str(MASK);
            }
        }
        shown
    }
}

/// Where a value begins.
struct Place {
    word: usize,
    from: usize,
}

/// Where the value of an option is, if that is a secret.
fn secret(program: &str, at: usize, word: &str) -> Option<(Place, Takes)> {
    let next = Place { word: at + 1, from: 0 };
    let letters = word.strip_prefix('-')?;
    let long = letters.trim_start_matches('-');
    let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
    let place = |value: Option<&str>| {
        value.map_or(Place { word: at + 1, from: 0 }, |value| Place { word: at, from: word.len() - value.len() })
    };
    if letters.starts_with('-') || letters.len() > 2 {
        let lower = name.to_lowercase().replace('_', "-");
        if NAMES
            .iter()
            .any(|of| lower.strip_suffix(of).is_some_and(|before| before.is_empty() || before.ends_with('-')))
        {
            return Some((place(value), Takes::Either));
        }
        let sign = if program == "curl" || program == "wget" { ':' } else { '%' };
        let pair = PAIRS.iter().find(|(of, behind)| letters.starts_with('-') && *of == lower && *behind == sign);
        if let Some((_, sign)) = pair {
            return Some((place(value), Takes::Behind(*sign)));
        }
    }
    if letters.starts_with('-') {
        return None;
    }
    let of = |row: &&Row| row.programs.contains(&program);
    let found = LETTERS.iter().filter(of).find_map(|row| {
        let from = letters.find(row.letter)?;
        let before = letters.get(..from)?;
        let is_flag = |c: char| c.is_ascii_alphanumeric() && !row.others.contains(c);
        before.chars().all(is_flag).then_some((row.takes, from + 1 + row.letter.len_utf8()))
    });
    let (takes, from) = found?;
    match (from < word.len(), takes) {
        (true, _) => Some((Place { word: at, from }, takes)),
        (false, Takes::Rest) => None,
        (false, _) => Some((next, takes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_command_line_are_known_by_their_options() {
        for (line, shown) in [
            ("mysql -e 'select 1; select 2' -pV3ry", "mysql -e select 1; select 2 -p***"),
            ("mysql -u root -pV3ry | x", "mysql -u root -p*** | x"),
            ("/usr/bin/curl -sSu bob:V3ry https://a", "/usr/bin/curl -sSu bob:*** https://a"),
            ("curl -u bob:V3ry a", "curl -u bob:*** a"),
            ("curl -skubob:V3ry a", "curl -skubob:*** a"),
            ("curl --user bob:V3ry -XPUT a", "curl --user bob:*** -XPUT a"),
            ("curl --proxy-user=bob:V3ry a", "curl --proxy-user=bob:*** a"),
            ("kubectl get pods --token V3ry", "kubectl get pods --token ***"),
            ("influx --auth-token V3ry -o x", "influx --auth-token *** -o x"),
            ("prog -token V3ry", "prog -token ***"),
            ("prog --db_password V3ry", "prog --db_password ***"),
            ("mongosh -u a -p V3ry db", "mongosh -u a -p *** db"),
            ("sudo ldapsearch -x -D cn=a -w V3ry", "sudo ldapsearch -x -D cn=a -w ***"),
            ("smbclient //h/s -U bob%V3ry", "smbclient //h/s -U bob%***"),
            ("smbclient --user=bob%V3ry //h/s", "smbclient --user=bob%*** //h/s"),
            ("zip -r -P V3ry x.zip x", "zip -r -P *** x.zip x"),
            ("zip -rP V3ry x.zip x", "zip -rP *** x.zip x"),
            ("7z a -pV3ry x.7z x", "7z a -p*** x.7z x"),
            ("sshpass -p V3ry ssh a", "sshpass -p *** ssh a"),
            ("redis-cli -h a -a V3ry ping", "redis-cli -h a -a *** ping"),
            ("docker login -u a -p V3ry", "docker login -u a -p ***"),
            // No secrets.
            ("curl -o bob:x -XPUT a", "curl -o bob:x -XPUT a"),
            ("mysql -p -u root db", "mysql -p -u root db"),
            ("mkdir -p a/b", "mkdir -p a/b"),
            ("prog --token --verbose", "prog --token --verbose"),
            ("prog --password-file /etc/x", "prog --password-file /etc/x"),
            ("ssh -p 22 host", "ssh -p 22 host"),
            ("ls --user me:x", "ls --user me:x"),
        ] {
            let words = shlex::split(line).unwrap();
            assert_eq!(Masking::command(&words).join(" "), shown, "{line}");
        }
    }
}
