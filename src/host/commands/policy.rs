//! Rules on command lines: which programs an operator wants to be run, looked for through what runs other programs.
//!
//! They are a convenience with clear messages, not the wall: a program can be copied under another name, and a script does what
//! it likes. The wall is the confinement, in which everything runs that the rules let pass.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, atomic::AtomicBool},
};

use super::{
    CommandError, counted,
    options::{self, behind_options, values},
    particular,
    rules::{Rule, denied},
    shell::{self, UNKNOWN},
    shells,
    shells::of_shell,
    work,
    wrappers::{BUILT_IN, Inner, OTHERS, SETS, SHELLS, SSH, TURNS, VALUES_RUN, WRAPPERS},
};

/// Most programs that one command surely runs.
const MOST: usize = 200;

/// What it costs to look at one program, whose file is looked for, in steps.
const PROGRAM: usize = 1000;

/// What an operator allows and denies.
#[derive(Debug, Default)]
pub(super) struct Policy {
    allow: Vec<Rule>,
    deny: Vec<Rule>,
}

impl Policy {
    /// # Errors
    /// The first rule that is none.
    pub(super) fn read(allow: &[String], deny: &[String]) -> Result<Self, String> {
        let rules = |written: &[String]| written.iter().map(|rule| Rule::read(rule)).collect::<Result<Vec<_>, _>>();
        Ok(Self { allow: rules(allow)?, deny: rules(deny)? })
    }

    /// Judges a command line. `names` gives the names of a program: first the one by which it may be allowed, then its last part,
    /// and that of the file which it leads to.
    ///
    /// # Errors
    /// The rule that is against it, or what cannot be judged.
    pub(super) fn judge(
        &self,
        line: &[String],
        names: impl Fn(&str) -> Vec<String>,
        given_up: Arc<AtomicBool>,
    ) -> Result<(), CommandError> {
        work::begin(given_up);
        let mut ahead = VecDeque::from([Line::sure(line.to_vec())]);
        let mut count = 0;
        while let Some(Line { words, reading }) = ahead.pop_front() {
            work::take(PROGRAM + words.len()).map_err(too_much)?;
            count += usize::from(reading == Reading::Sure);
            if count > MOST {
                return Err(refused("too many programs are run by one command", "run them one after the other"));
            }
            let Some((program, arguments)) = words.split_first() else { continue };
            if program.contains(UNKNOWN) {
                if reading == Reading::Far {
                    continue;
                }
                return Err(refused(
                    "the program of a command would be known only when it runs",
                    "write its name plainly",
                ));
            }
            let names = names(program);
            if let Some((rule, denies)) =
                self.deny.iter().find_map(|rule| Some((rule, rule.denies(&names, arguments)?)))
            {
                return Err(denied(program, &rule.written, denies));
            }
            // A word that is no program cannot be what is run.
            let runs = reading == Reading::Sure || reading == Reading::Likely && names.len() > KNOWN;
            let is_free = self.allow.is_empty() || !runs || BUILT_IN.contains(&program.as_str());
            if !is_free && !self.allow.iter().any(|rule| rule.allows(&names, arguments)) {
                let rules: Vec<&str> = self.allow.iter().map(|rule| rule.written.as_str()).collect();
                let shown =
                    [program.as_str()].into_iter().chain(arguments.first().map(String::as_str)).collect::<Vec<_>>();
                let message = format!("`{}` is not among what may be run here", shell::shown(&shown.join(" ")));
                return Err(refused(&message, &format!("`commands.allow` has: {}", rules.join(", "))));
            }
            match inside(&names, arguments) {
                Ok(found) => {
                    ahead.extend(found.into_iter().map(|line| Line { reading: reading.max(line.reading), ..line }));
                }
                Err(_) if reading == Reading::Far => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A line is more than is judged.
fn too_much(why: String) -> CommandError {
    refused(&format!("the command line cannot be judged: it {why}"), "write it shorter and plainly")
}

/// A command line inside another.
struct Line {
    words: Vec<String>,
    reading: Reading,
}

/// How likely it is that a command line is what is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reading {
    Sure,
    /// It is if the options before it are read in another way, which may be that of the program.
    Likely,
    /// It stands somewhere behind a wrapper: only what is denied by name is looked for.
    Far,
}

/// Names of a program whose file is not there: the file adds one.
const KNOWN: usize = 2;

impl Line {
    fn sure(words: Vec<String>) -> Self {
        Self { words, reading: Reading::Sure }
    }
}

/// Most texts in whose place a program may put what it reads.
const PLACES: usize = 8;

/// Words behind the options of a wrapper that may stand before its program.
const BEHIND: usize = 3;

/// Words behind which a wrapper may find its program, at least.
const READINGS: usize = 12;

pub(super) fn refused(message: &str, hint: &str) -> CommandError {
    CommandError::forbidden(message).hint(hint)
}

/// The command lines that a program is given to run.
fn inside(names: &[String], arguments: &[String]) -> Result<Vec<Line>, CommandError> {
    let is = |known: &[&str]| names.iter().any(|name| known.contains(&name.as_str()));
    let mut found: Vec<Vec<String>> = Vec::new();
    let mut maybe: Vec<Line> = Vec::new();
    let likely = |words: Vec<String>| Line { words, reading: Reading::Likely };
    let far = |words: Vec<String>| Line { words, reading: Reading::Far };
    if is(&SHELLS) {
        found.extend(of_shell(names, arguments)?);
    }
    if is(&["env", "export", "declare", "typeset", "local", "readonly"])
        && let Some(word) = arguments.iter().find(|word| turns_names(word))
    {
        return Err(refused(&format!("`{word}` would make names mean other programs"), "leave it out"));
    }
    if is(&SETS) {
        counted::judge_names(names, arguments)?;
    }
    if is(&["env"]) {
        judge_environment(arguments)?;
    }
    if is(&["env", "export", "declare", "typeset", "local", "readonly"]) {
        for command in arguments.iter().filter_map(|word| set_command(word)) {
            found.extend(text(command)?);
        }
    }
    if is(&["eval"]) {
        let words = arguments.get(usize::from(arguments.first().is_some_and(|word| word == "--"))..);
        found.extend(text(&words.unwrap_or_default().join(" "))?);
    }
    if is(&["trap"]) {
        let mut given = arguments.iter().skip_while(|word| ["-l", "-p", "-P", "-lp", "-pl"].contains(&word.as_str()));
        let given = given.next().filter(|word| *word != "--").or_else(|| given.next());
        found.extend(text(given.filter(|word| *word != "-").map_or("", String::as_str))?);
    }
    if is(&["env"]) {
        for value in values(arguments, &["-S", "--split-string"]) {
            // It has a language of its own behind these signs.
            let words =
                shlex::split(&value).filter(|_| !value.contains(['$', '\\', '#', '\r', '\x0b', '\x0c', UNKNOWN]));
            let words =
                words.ok_or_else(|| refused("what `env -S` would run cannot be judged", "write it as arguments"))?;
            found.push(std::iter::once("env".to_owned()).chain(words).collect());
        }
    }
    shells::judge_settings(names, arguments)?;
    if is(&["ssh", "scp", "sftp"])
        && let Some(file) = values(arguments, &["-F"]).iter().find(|file| shells::is_stream(file))
    {
        return Err(refused(&format!("what `{file}` would set cannot be judged"), "give it a file"));
    }
    found.extend(particular::inside(names, arguments)?);
    if is(&["ssh", "scp", "sftp"]) {
        for value in values(arguments, &["-o"]) {
            let key: String = value.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
            if let Some(name) = SSH.iter().find(|name| key.starts_with(*name)) {
                // Blanks, signs and quotes stand around it as anybody likes.
                let at = value.to_lowercase().find(name).unwrap_or_default() + name.len();
                let command = value.get(at..).unwrap_or_default().trim_start_matches([' ', '\t', '=', '"']);
                found.extend(text(command.trim_end_matches('"'))?);
            }
        }
    }
    for wrapper in WRAPPERS.iter().filter(|wrapper| is(wrapper.names) || is_loader(names, wrapper.names)) {
        match &wrapper.inner {
            Inner::Rest { values, long, skip } => {
                found.push(behind_options(arguments, values, long, *skip).to_vec());
                maybe.extend(others(arguments, values, long, *skip)?.into_iter().map(likely));
                maybe.extend(readings(arguments)?.into_iter().map(far));
            }
            Inner::Perhaps { skip } => {
                let places = options::readings(arguments, &OTHERS.to_string(), &[], *skip);
                maybe.extend(behind(arguments, places)?.into_iter().map(likely));
            }
            Inner::Reads { values, long } => {
                let places = places(arguments)?;
                let whole = with_read(arguments, &places, behind_options(arguments, values, long, 0))?;
                found.extend((!whole.is_empty()).then_some(whole));
                for words in others(arguments, values, long, 0)? {
                    maybe.push(likely(with_read(arguments, &places, &words)?));
                }
                for words in readings(arguments)? {
                    maybe.push(far(with_read(arguments, &places, &words)?));
                }
            }
            Inner::Joined { values } => {
                found.extend(text(&behind_options(arguments, values, &[], 0).join(" "))?);
                for words in others(arguments, values, &[], 0)? {
                    maybe.extend(text(&words.join(" "))?.into_iter().map(likely));
                }
                for words in readings(arguments)? {
                    maybe.extend(text(&words.join(" ")).unwrap_or_default().into_iter().map(far));
                }
            }
            Inner::Text { options, skip } => {
                let texts = values(arguments, options);
                for value in &texts {
                    found.extend(text(value.strip_prefix("exec=").unwrap_or(value))?);
                }
                if let (true, Some(skip)) = (texts.is_empty(), skip) {
                    found.push(behind_options(arguments, "", &[], *skip).to_vec());
                }
            }
            Inner::Behind { words } => {
                let mut rest = arguments;
                while let Some(at) = rest.iter().position(|word| words.contains(&word.as_str())) {
                    rest = rest.get(at + 1..).unwrap_or_default();
                    let end = rest.iter().position(|word| word == ";" || word == "+").unwrap_or(rest.len());
                    let words = rest.get(..end).unwrap_or_default();
                    work::take_words(words).map_err(too_much)?;
                    let words = words.iter();
                    // The name of a file, which may be anything, and not only in a word of its own.
                    found.push(words.map(|word| word.replace("{}", &UNKNOWN.to_string())).collect());
                }
            }
        }
    }
    for words in &found {
        work::take_words(words).map_err(too_much)?;
    }
    Ok(found.into_iter().filter(|words| !words.is_empty()).map(Line::sure).chain(maybe).collect())
}

/// An assignment by which a name is another program than it was, or another one is run before it.
pub(super) fn turns_names(word: &str) -> bool {
    let Some((name, value)) = word.split_once('=') else { return false };
    let name = name.strip_suffix('+').unwrap_or(name);
    // Options of a program in a variable, and among them texts that it runs.
    let makes = ["MAKEFLAGS", "GNUMAKEFLAGS"].contains(&name) && value.contains(['E', 'v', '$', UNKNOWN]);
    turns(name) || makes
}

fn turns(name: &str) -> bool {
    // A place in an array is one of its name.
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
    let name = name.get(..end).unwrap_or_default();
    TURNS.contains(&name) || ["LD_", "BASH_FUNC_", "GIT_CONFIG_"].iter().any(|of| name.starts_with(of))
}

/// A name of a variable by which other programs are run than it seems, or one that is run as a whole.
pub(super) fn is_turning(name: &str) -> bool {
    turns(name) || VALUES_RUN.contains(&name)
}

/// Values that `env` sets and a shell counts with, or puts together first.
fn judge_environment(arguments: &[String]) -> Result<(), CommandError> {
    let sets = |word: &&String| {
        word.split_once('=').is_some_and(|(name, value)| !name.contains(' ') && value.contains(['$', '`']))
    };
    let counts = |word: &String| ["((", "$[", "let ", " -v ", "@P"].iter().any(|of| word.contains(of));
    match arguments.iter().find(sets) {
        Some(word) if arguments.iter().any(counts) => {
            let message = format!("what a shell counts with cannot be judged: it has `{word}`");
            Err(refused(&message, "write it plainly"))
        }
        _ => Ok(()),
    }
}

/// The program that loads programs, under any of its names.
fn is_loader(names: &[String], known: &[&str]) -> bool {
    known == ["ld.so"] && names.iter().any(|name| name.starts_with("ld-linux") || name.starts_with("ld-musl"))
}

/// The value of an assignment that is a command for another program.
pub(super) fn set_command(word: &str) -> Option<&str> {
    let (name, command) = word.split_once('=')?;
    VALUES_RUN.contains(&name).then_some(command)
}

/// What a wrapper runs by each reading of its options but the first one.
fn others(arguments: &[String], values: &str, long: &[&str], skip: usize) -> Result<Vec<Vec<String>>, CommandError> {
    let first = arguments.len() - behind_options(arguments, values, long, skip).len();
    behind(arguments, options::readings(arguments, values, long, skip).into_iter().filter(|at| *at != first))
}

/// The words from each of these places on.
fn behind(arguments: &[String], places: impl IntoIterator<Item = usize>) -> Result<Vec<Vec<String>>, CommandError> {
    let words = |at: usize| {
        let words = arguments.get(at..).unwrap_or_default();
        work::take_words(words).map(|()| words.to_vec()).map_err(too_much)
    };
    places.into_iter().map(words).collect()
}

/// Where a wrapper may find its program, by any reading of its options: at the first words, and as long as no two words in a row are
/// neither an option nor what may be its value.
fn readings(arguments: &[String]) -> Result<Vec<Vec<String>>, CommandError> {
    let is_option = |at: usize| arguments.get(at).is_some_and(|word| word.starts_with('-'));
    let of_options = (0..arguments.len()).take_while(|at| *at == 0 || is_option(*at) || is_option(at - 1)).count();
    let places = (0..arguments.len().min(of_options.saturating_add(BEHIND).max(READINGS))).filter(|at| !is_option(*at));
    behind(arguments, places)
}

/// Texts in whose place a program puts what it reads.
fn places(arguments: &[String]) -> Result<Vec<String>, CommandError> {
    let given = values(arguments, &["-I", "--replace", "-J"]).into_iter().chain(["{}".to_owned()]);
    let places: BTreeSet<String> = given.filter(|place| !place.is_empty()).collect();
    match places.len() > PLACES {
        true => Err(refused("what is put in the place of so many texts cannot be judged", "name one such text")),
        false => Ok(places.into_iter().collect()),
    }
}

/// What a program runs that puts words which it reads behind others, or in their place.
fn with_read(arguments: &[String], places: &[String], words: &[String]) -> Result<Vec<String>, CommandError> {
    if words.is_empty() {
        return Ok(Vec::new());
    }
    work::take_words(words).map_err(too_much)?;
    let unknown = UNKNOWN.to_string();
    let is_short = |word: &String| word.starts_with("-i") || word == "--replace" || word.starts_with("-I");
    let fill = |word: &String| places.iter().fold(word.clone(), |word, place| word.replace(place, &unknown));
    let behind = if arguments.iter().any(is_short) { None } else { Some(unknown.clone()) };
    Ok(words.iter().map(fill).chain(behind).collect())
}

/// The commands of a text for a shell.
pub(super) fn text(text: &str) -> Result<Vec<Vec<String>>, CommandError> {
    let hint = "write it plainly, as a command with its arguments, or put it into a file that a shell is given";
    shell::commands(text).map_err(|why| refused(&format!("a text for a shell cannot be judged: it {why}"), hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(policy: &Policy, line: &str) -> Result<(), String> {
        let words = shlex::split(line).unwrap();
        let names = |program: &str| vec![program.rsplit('/').next().unwrap_or_default().to_owned()];
        policy.judge(&words, names, Arc::default()).map_err(|error| error.message)
    }

    fn rules(rules: &[&str]) -> Vec<String> {
        rules.iter().map(|rule| (*rule).to_owned()).collect()
    }

    #[test]
    fn what_is_allowed_is_allowed_as_it_is_written() {
        let policy = Policy::read(&rules(&["git status", "cargo *", "sh"]), &[]).unwrap();
        for line in ["git status", "git status --short", "cargo test", "sh -c 'cd x && git status'"] {
            assert_eq!(judge(&policy, line), Ok(()), "{line}");
        }
        for line in ["git", "git push", "git -c core.pager=x status", "env git status", "cargo", "sh -c 'rm x'", "ls"] {
            assert!(judge(&policy, line).is_err(), "{line}");
        }
        assert!(Policy::read(&rules(&[" "]), &[]).is_err() && Policy::read(&[], &rules(&["a["])).is_err());
    }

    #[test]
    fn words_of_a_denied_program_are_found_anywhere() {
        let policy = Policy::read(&[], &rules(&["git push", "mkfs*"])).unwrap();
        // What cannot be the word of the rule, whatever it will be.
        for line in [
            "git status",
            "sh -c 'git diff HEAD~1; git add *.c'",
            "sh -c 'git commit -qam \"$(date)\"; git log --since \"$x\"'",
            "sh -c 'git log --author=\"$x\" \"HEAD~$n\"'",
            "sh -c 'git -C dir --no-pager -c a.b=c commit -m \"$x\"'",
        ] {
            assert_eq!(judge(&policy, line), Ok(()), "{line}");
        }
        for line in [
            "git --no-pager\"$@\"",
            "git \"x${y:-$@$z}\"",
            "git checkout -m \"$x\"",
            "git \"$x\"",
            "git commit -m $x",
            "git commit -m *",
            "git x$y",
            "git \"pu$x\"",
            "git --namespace --date \"$x\" o",
            "git --namespace -m \"$x\" o tag v1",
            "git -C --grep \"$x\"",
            "git -c a.b=--date \"$x\"",
            "git --unknown --date \"$x\"",
            "git \"$y\" --date \"$x\"",
            "git --date \"$x\" log",
            "git p* x",
            "git $x.c",
        ] {
            let refused = judge(&policy, &format!("sh -c '{line}'")).unwrap_err();
            assert!(refused.contains("the rule `git push` may be against it"), "{line}: {refused}");
        }
        for line in ["git push", "git -C x push --force", "sh -c 'git $X'", "mkfs.ext4 /dev/sda", "env -i /sbin/mkfs"] {
            assert!(judge(&policy, line).unwrap_err().contains("the rule"), "{line}");
        }
    }
}
