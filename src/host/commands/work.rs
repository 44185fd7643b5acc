//! How much work the judgement of one command line may be, counted in one place.
//!
//! A line is judged on one thread from its beginning to its end, so that the thread has the account. What is left of it is little
//! once it is empty: whoever goes on is refused at the next step.

use std::{
    cell::{Cell, RefCell},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// Most steps of one judgement: a sign of a text that is read, a word of a line that is put together.
const MOST: usize = 4_000_000;

thread_local! {
    static LEFT: Cell<usize> = const { Cell::new(MOST) };
    static GIVEN_UP: RefCell<Arc<AtomicBool>> = RefCell::default();
}

/// Whoever drops it waits no longer for a judgement, which ends at its next step.
#[derive(Default)]
pub(super) struct Waits(Arc<AtomicBool>);

impl Waits {
    /// What the judgement asks.
    pub(super) fn given_up(&self) -> Arc<AtomicBool> {
        self.0.clone()
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Begins the judgement of another line, which somebody waits for.
pub(super) fn begin(given_up: Arc<AtomicBool>) {
    LEFT.set(MOST);
    GIVEN_UP.replace(given_up);
}

/// Takes so many steps.
///
/// # Errors
/// They are not left, as the end of a sentence that begins with "it".
pub(super) fn take(steps: usize) -> Result<(), String> {
    if GIVEN_UP.with_borrow(|given_up| given_up.load(Relaxed)) {
        LEFT.set(0);
    }
    let left = LEFT.get().checked_sub(steps.max(1));
    LEFT.set(left.unwrap_or_default());
    left.map(drop).ok_or_else(|| "would take too much work to be judged".to_owned())
}

/// Takes the steps that words cost which are put together anew.
///
/// # Errors
/// As [`take`] has them.
pub(super) fn take_words(words: &[String]) -> Result<(), String> {
    take(words.iter().map(|word| 1 + word.len() / 64).sum())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, atomic::AtomicBool};

    use super::super::policy::Policy;

    const LONG: usize = 100_000;

    /// Judges a line as a worker of the server would, which has no more room than this.
    fn judge(words: Vec<String>) -> Result<(), String> {
        let judges = move || {
            let policy = Policy::read(&[], &["rm".to_owned()]).unwrap();
            policy.judge(&words, |program| vec![program.to_owned()], Arc::default()).map_err(|error| error.message)
        };
        std::thread::Builder::new().stack_size(2 << 20).spawn(judges).unwrap().join().unwrap()
    }

    #[test]
    fn a_judgement_that_nobody_waits_for_ends() {
        let policy = Policy::read(&[], &["rm".to_owned()]).unwrap();
        let line = words(&["sh", "-c", "true"]);
        let judge = |given_up| policy.judge(&line, |program| vec![program.to_owned()], given_up);
        let waits = super::Waits::default();
        assert_eq!(judge(waits.given_up()), Ok(()));
        let given_up: Arc<AtomicBool> = waits.given_up();
        drop(waits);
        assert!(judge(given_up).unwrap_err().message.contains("cannot be judged"));
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn whatever_stands_in_itself_without_end_is_refused_and_ends_nobody() {
        let forms = [
            "${",
            "${a-",
            "${a:-${b",
            "\"${x:-",
            "\"$(",
            "$(",
            "$((",
            "((",
            "(",
            "( (",
            "$[",
            "$[$(",
            "a=$(",
            "<(",
            "> >(",
            "cat <(",
            "PAGER=",
            "PAGER=PAGER='",
            "PAGER=\"$(",
            "GIT_EDITOR=${",
            "`${",
            "${`",
            "`$(",
            "`\\`",
            "{a,",
            "{ ",
            "if (",
            "! (",
            "for x in $(",
            "eval $(",
            "echo \"`",
            "\"`",
            "a[$((",
            "time (",
            "x=`$(",
            "&> $(",
            "$(\"${",
        ];
        let mut refused = 0;
        for form in forms {
            let text = form.repeat(LONG / form.len());
            for line in [
                words(&["sh", "-c", &text]),
                words(&["env", &text, "true"]),
                words(&["env", &format!("PAGER={text}"), "true"]),
                words(&["eval", &text]),
                words(&["git", "-c", &format!("alias.x=!echo {text}"), "x"]),
                words(&["git", "status", "--", &format!("--exec={text}")]),
                words(&["watch", &text]),
                words(&["find", ".", "-exec", "sh", "-c", &text, ";"]),
            ] {
                refused += usize::from(judge(line).is_err());
            }
        }
        assert!(refused > forms.len() * 6, "{refused}");
        assert!(judge(words(&["sh", "-c", &"${".repeat(LONG)])).unwrap_err().contains("nested too deeply"));
        assert_eq!(judge(words(&["sh", "-c", "echo \"${a:-${b:-$(echo \"$(echo `c` $(d))\")}}\""])), Ok(()));
    }

    #[test]
    fn the_work_of_one_judgement_has_an_end_and_long_lines_that_are_plain_are_judged() {
        let of = |before: &[&str], again: &[&str], count: usize| -> Vec<String> {
            let again = std::iter::repeat_n(again, count).flatten();
            before.iter().chain(again).map(|word| (*word).to_owned()).collect()
        };
        let plain = of(&["nice", "-n", "5", "cat"], &["a/path/to/some/file"], 40_000);
        assert_eq!(judge(plain), Ok(()));
        assert_eq!(judge(of(&["nice", "grep"], &["-e", "a"], 200)), Ok(()));
        for (line, is_refused) in [
            (of(&["git"], &["-c", "--config"], 20_000), false),
            (of(&["git"], &["-c", "alias.a=x"], 20_000), true),
            (of(&["xargs"], &["-I", "{}"], 20_000), false),
            (of(&["find", ".", "-exec"], &["env"], 50_000), true),
            (of(&[], &["env"], 50_000), true),
            (of(&[], &["nice", "-n", "1"], 50_000), true),
            (of(&[], &["sh", "-c"], 50_000), false),
            (of(&[], &["xargs"], 50_000), true),
            (of(&["find"], &["-exec", "a", ";"], 30_000), true),
            (words(&["sh", "-c", &"((1));".repeat(20_000)]), true),
            (words(&["sh", "-c", &"a;".repeat(50_000)]), true),
        ] {
            let judged = judge(line.clone());
            assert!(!is_refused || judged.is_err(), "{:?}: {judged:?}", &line[..3.min(line.len())]);
        }
        // What is counted, and set.
        let set: String = (0..7000).map(|at| format!("x{at}=1;")).collect();
        let counted: Vec<String> = (0..7000).map(|at| format!("x{at}")).collect();
        let numbers = format!("{set}read {}</dev/null; echo $(({}))", "b ".repeat(14_000), counted.join("+"));
        assert!(judge(words(&["bash", "-c", &numbers])).unwrap_err().contains("too much work"));
        // As many words behind each `-exec` as there are to come, and as many letters as a shell does not have.
        assert!(judge(of(&["find", "."], &["-exec"], 100_000)).unwrap_err().contains("too much work"));
        let letters: String = ('\u{4e00}'..'\u{9fff}').collect();
        for line in [words(&["sh", &format!("-{letters}"), "x"]), words(&["bash", "-c", &format!("set -{letters}")])] {
            assert!(judge(line).unwrap_err().contains("cannot be judged"));
        }
        // Texts that are put in the place of others: a few.
        let many: Vec<String> = (0..1000).flat_map(|at| ["-I".to_owned(), format!("<{at}>")]).collect();
        assert!(judge([words(&["xargs"]), many].concat()).unwrap_err().contains("so many texts"));
    }
}
