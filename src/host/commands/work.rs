//! How much work the judgement of one command line may be, counted in one place.
//!
//! A line is judged on one thread from its beginning to its end, so that the thread has the account. What is left of it is little
//! once it is empty: whoever goes on is refused at the next step.

use std::cell::Cell;

/// Most steps of one judgement: a sign of a text that is read, a word of a line that is put together.
const MOST: usize = 4_000_000;

thread_local! {
    static LEFT: Cell<usize> = const { Cell::new(MOST) };
}

/// Begins the judgement of another line.
pub(super) fn begin() {
    LEFT.set(MOST);
}

/// Takes so many steps.
///
/// # Errors
/// They are not left, as the end of a sentence that begins with "it".
pub(super) fn take(steps: usize) -> Result<(), String> {
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
    use super::super::policy::Policy;

    const LONG: usize = 100_000;

    /// Judges a line as a worker of the server would, which has no more room than this.
    fn judge(words: Vec<String>) -> Result<(), String> {
        let judges = move || {
            let policy = Policy::read(&[], &["rm".to_owned()]).unwrap();
            policy.judge(&words, |program| vec![program.to_owned()]).map_err(|error| error.message)
        };
        std::thread::Builder::new().stack_size(2 << 20).spawn(judges).unwrap().join().unwrap()
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
        // Texts that are put in the place of others: a few.
        let many: Vec<String> = (0..1000).flat_map(|at| ["-I".to_owned(), format!("<{at}>")]).collect();
        assert!(judge([words(&["xargs"]), many].concat()).unwrap_err().contains("so many texts"));
    }
}
