//! Nights of a town with the real engine and the real contract; and that the checkers see what is
//! planted.

use photon_sim::town::{Night, Plant, Report, live};

/// Where nights begin; PHOTON_SEED replays others.
fn seed() -> u64 {
    let seed = std::env::var("PHOTON_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(1);
    println!("PHOTON_SEED={seed}");
    seed
}

fn nights(count: u64, seconds: u64, plant: Option<Plant>) -> Result<Report, String> {
    let space = tempfile::tempdir().expect("a folder for stores");
    let mut all = Report::default();
    for seed in seed()..seed() + count {
        all.add(&live(&Night { seed, seconds, plant, trace: false }, space.path())?);
    }
    Ok(all)
}

#[test]
fn whatever_goes_wrong_at_night_everything_ends_and_nobody_loses() {
    let report = nights(12, 800, None).unwrap_or_else(|why| panic!("{why}"));
    println!("{report:?}");
    let happened = [
        report.falls,
        report.reorganisations,
        report.breaks,
        report.doubles,
        report.paid,
        report.failed,
        report.closes,
        report.agreements,
    ];
    assert!(happened.iter().all(|count| *count > 5), "too quiet: {report:?}");
}

#[test]
fn the_same_seed_is_the_same_night() {
    let [one, other] = [1, 2].map(|_| nights(1, 300, None));
    assert_eq!(one, other);
}

#[test]
fn what_leaves_before_its_commit_is_seen() {
    assert!(nights(60, 1_500, Some(Plant::SendBeforeCommit)).is_err());
}

#[test]
fn believing_a_shallow_chain_is_seen() {
    assert!(nights(60, 1_500, Some(Plant::NoDepth)).is_err());
}
