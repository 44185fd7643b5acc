//! The progress of an installation as a bar on standard error.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::install::Step;

/// Shows every step. Draws nothing where standard error is no terminal.
pub fn progress_bar() -> impl FnMut(Step) {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
    if let Ok(style) = ProgressStyle::with_template("{msg:<34} {bar:30} {bytes:>10} / {total_bytes} {eta:>4}") {
        bar.set_style(style);
    }
    let mut shown = "";
    move |step| {
        let (what, done, of) = match step {
            Step::Waiting => ("waiting for another setup", 0, 0),
            Step::Download { done, of } => ("downloading libchdb with npm", done, of),
            Step::Verify { done, of } => ("checking its SHA-512", done, of),
            Step::Unpack { done, of } => ("unpacking libchdb.so", done, of),
        };
        if what != shown {
            shown = what;
            bar.reset();
            bar.set_message(what);
        }
        bar.set_length(of);
        bar.set_position(done);
        if matches!(step, Step::Unpack { .. }) && done == of {
            bar.finish_and_clear();
        }
    }
}
