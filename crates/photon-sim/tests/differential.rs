//! The contract's bytecode against the Rust arithmetic, by random life stories; and that a mistake
//! in either would be found.

use photon_sim::differential::{Failure, Tally, Telling, differential, trees};
use photon_sim::model::Flaw;

/// Where stories begin; PHOTON_SEED replays others.
fn seed() -> u64 {
    let seed = std::env::var("PHOTON_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(1);
    println!("PHOTON_SEED={seed}");
    seed
}

fn told(stories: u64, flaw: Option<Flaw>) -> Result<Tally, Box<Failure>> {
    differential(Telling { seed: seed(), stories, threads: 2, flaw })
}

#[test]
fn two_thousand_stories_end_alike_in_the_bytecode_and_in_rust() {
    let tally = told(2_000, None).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{tally}");
    assert_eq!(tally.stories, 2_000);
    assert_eq!(tally.missing(), [""; 0], "every kind of call succeeds and is refused");
    assert!(tally.errors() >= 30, "only {} different errors came up", tally.errors());
}

#[test]
fn every_mistake_on_purpose_is_found_and_shrunk_to_a_short_story() {
    let flaws = [
        Flaw::PenaltyIgnored,
        Flaw::ClampMissing,
        Flaw::UnlockedKeptOnUpdate,
        Flaw::DeclarationNotOverridden,
        Flaw::SealIgnored,
        Flaw::ClaimedTwice,
        Flaw::LateSecretAccepted,
        Flaw::UpdatesOneSecondLonger,
        Flaw::WithdrawalPaysTotal,
        Flaw::PunishedClaimedAgain,
        Flaw::EpochForgotten,
        Flaw::FeeCredited,
        Flaw::AnyCallerAgrees,
    ];
    for flaw in flaws {
        let Err(failure) = told(20_000, Some(flaw)) else { panic!("{flaw:?} was not found") };
        println!("{flaw:?}: {} steps, {}", failure.story.len(), failure.why);
        assert!(failure.story.len() <= 12, "{flaw:?}: a long story\n{failure}");
    }
}

#[test]
fn a_thousand_random_trees_are_opened_by_right_multiproofs_only() {
    let tried = trees::trees(seed(), 1_000).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!((tried.trees, tried.taken), (1_000, 3_000));
    assert!(tried.refused > 2_000, "{tried:?}");
}
