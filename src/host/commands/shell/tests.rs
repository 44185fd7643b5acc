//! How texts for a shell are read, and which are not.

use super::*;

fn read(text: &str) -> String {
    match commands(text) {
        Ok(commands) => {
            let show = |words: &Vec<String>| shown(&words.join(" ")).replace('…', "?");
            commands.iter().map(show).collect::<Vec<_>>().join(" / ")
        }
        Err(why) => format!("it {why}"),
    }
}

#[test]
fn commands_are_found_wherever_they_stand() {
    for (text, found) in [
        ("ls -la", "ls -la"),
        ("a | b && c || d; e & f\ng", "a / b / c / d / e / f / g"),
        ("A=1 B='x y' prog 'two words' \"and more\"", "prog two words and more"),
        ("r\\m 'r'\"m\" x", "rm rm x"),
        ("echo $(rm -rf x) `sudo y`", "rm -rf x / sudo y / echo ? ?"),
        ("echo \"in $(rm a) quotes\" 'not $(rm b)'", "rm a / echo in ? quotes not $(rm b)"),
        ("$X y", "? y"),
        ("cat$IFS/etc/passwd", "cat?/etc/passwd"),
        ("(a; b) > out 2>&1 < in", "a / b"),
        ("if a; then b; else c; fi", "a / b / c"),
        ("for x in rm ls; do $x; done", "?"),
        ("while read x; do y; done", "read x / y"),
        ("diff <(a) <(b)", "a / b / diff ? ?"),
        ("echo a # rm b\nc", "echo a / c"),
        ("/bin/r?m x", "/bin/r?m x"),
        ("{ a; b; }", "a / b"),
        ("{rm,-rf,x}", "?rm,-rf,x}"),
        ("! a", "a"),
        ("exec -c a", "exec -c a"),
        ("time -p a", "a"),
        ("for x do a; done", "a"),
        ("GIT_EDITOR='a b' c", "a b / c"),
        ("echo ${x:-$(rm a)}", "rm a / echo ?"),
        ("echo 5>out", "echo"),
        ("a >out|b", "a / b"),
        ("[ -f x ] && a", "[ -f x ] / a"),
        ("echo $'a b'", "echo ?a b"),
        ("\\\n a \\\n b", "a b"),
        ("a\r#b; c", "a\r#b / c"),
        ("n=0; n=$((n + 1)); grep 'x$' f", "n + 1 / grep x$ f"),
        ("echo `echo \\' ; rm a #'`", "echo ' / rm a / echo ?"),
        ("case $x in a|b) c;; (*) d; e; esac; f", "c / d / e / f"),
        ("case x in\n x)\n  rm y\n ;;\nesac", "rm y"),
        ("[[ -f x && ! -n y ]] && a", "[[ -f x / -n y ]] / a"),
        ("[[ a =~ ^a.c$ ]] || b", "[[ a =~ ^a.c$ ]] / b"),
        ("if [[ \"$x\" == *y* ]]; then a; fi", "[[ ? == ?y? ]] / a"),
        ("n=1; [[ $n -lt 5 ]] && a", "[[ ? -lt 5 ]] / a"),
        ("[[ a || (rm b)\n]]", "[[ a / rm b / ]]"),
        ("cat <<EOF\n$(rm x) $y\nEOF\na", "cat / rm x / a"),
        ("cat <<'EOF' | b\n$(rm x) ' \"\nEOF\nc", "cat / b / c"),
        ("a \"$(cat <<'EOF'\nit's (b)\nEOF\n)\"", "cat / a ?"),
        ("cat <<-E <<F\n\tx\n\tE\ny\nF", "cat"),
        ("cat <<< \"$x\"", "cat"),
        ("while IFS=, read -r a b; do c; done", "read -r a b / c"),
        ("git diff HEAD~1 ~/x", "git diff HEAD~1 ?/x"),
    ] {
        assert_eq!(read(text), found, "{text}");
    }
}

#[test]
fn what_is_not_understood_is_refused() {
    for text in [
        "cat <<EOF\n$(rm x)",
        "cat <<'EO F'\nx\nEO F",
        "cat <<$x\nx\n$x",
        "cat <<EOF\na\\\nEOF\nEOF",
        "cat <<EOF 'a\nb'\nEOF",
        "cat <<EOF $(a\nb)\nEOF",
        "x=$(cat <<EOF)",
        "x=$(cat <<EOF\nx\nEOF)\nrm x\nEOF\n)",
        "case x in a) cat <<E;;\nb) c\nE\nesac",
        "[[ -f x",
        "[[ $x -gt 5 ]]",
        "[[ 'a[$(rm x)]' -eq 1 ]]",
        "[[ -v $x ]]",
        "[[ a && $x == y ]]",
        "[[ a || ($x y) ]]",
        "[[ a; rm x ]]",
        "IFS=,",
        "IFS=, a",
        "IFS=/ PATH=. read x",
        "case x in x) a;;",
        "esac",
        "f() { rm x; }",
        "alias ls=rm",
        "echo 'open",
        "echo $(open",
        "a )",
        "coproc rm",
        "PATH=. git status",
        "PS4='$(rm x)'; set -x",
        "x='a[$(rm x)]'; echo $((x))",
        "y='`rm x`'; echo ${y@P}",
        "echo ${y@P}",
        "\0",
        "echo $'\\'' ; rm victim #'",
        "echo $'\\x72m'",
        "echo \"${x:-'$(rm victim)'}\"",
        "echo \"${x:-'}\" ; rm victim #'}\"",
        "echo \"${x:-\"}\"; rm victim #\"}\"",
        "echo \"`echo \\\"`\"",
        "for PS4 in x; do a; done",
        ": ${PS4:='$(rm victim)'}",
        "x=PS4; : ${!x:=y}",
        "x='b[$' y='(rm victim)]'; z=$x$y; echo $((z))",
        "x='b[$' y='(rm victim)]'; z=$x$y; ((z))",
        "x='b[$' y='(rm victim)]'; z=$x$y; echo $[z]",
        "x='b[$' y='(rm victim)]'; z=$x$y; echo ${x:z}",
        "x='b[$' y='(rm victim)]'; z=$x$y; let z",
        "x='b[$' y='(rm victim)]'; z=$x$y; [ -v \"$z\" ]",
        "x='b[$' y='(rm victim)]'; declare -i z=$x$y",
    ] {
        assert!(read(text).starts_with("it "), "{text}: {}", read(text));
    }
    assert!(commands(&"$(".repeat(100)).is_err());
}
