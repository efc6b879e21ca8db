//! The shortest story that still shows the difference.

use super::author::Step;
use super::run::again;
use super::stage::Stage;
use crate::model::{Flaw, Manner};

/// Leaves out whatever can be left out. A story whose failure is not a difference between contract
/// and model (but what Alice was entitled to) stays as it is.
pub(super) fn shrink(
    stage: &mut Stage,
    manner: Manner,
    flaw: Option<Flaw>,
    mut story: Vec<Step>,
    mut why: String,
) -> (Vec<Step>, String) {
    if again(stage, manner, flaw, &story).is_ok() {
        return (story, why);
    }
    let mut part = story.len().div_ceil(2);
    while part > 0 {
        let mut from = 0;
        while from < story.len() {
            let until = (from + part).min(story.len());
            let mut shorter = story.clone();
            shorter.drain(from..until);
            match again(stage, manner, flaw, &shorter) {
                Err(still) => (story, why) = (shorter, still),
                Ok(()) => from = until,
            }
        }
        part /= 2;
    }
    (story, why)
}
