use super::world::*;
use crate::store::{Batch, Key, Store};
use crate::{Engine, Fault, tables};
use photon_core::Input;
use photon_wire::Nonce;
use std::fs;
use std::path::{Path, PathBuf};

/// A stopped node with three updates that were not acknowledged, and what its files say.
fn stopped() -> (World, PathBuf) {
    let mut world = World::new();
    world.begin();
    let [_, bob] = world.accounts();
    for number in 1..=3 {
        world.nodes[0].turn(vec![paying(&pay(number, bob, 100))]).unwrap();
    }
    world.nodes[0].stop();
    let path = world.nodes[0].path().to_path_buf();
    (world, path)
}

fn change(path: &Path, key: Key, value: Option<Vec<u8>>) {
    let store = Store::open(&path.join("rows")).unwrap();
    let mut batch = Batch::default();
    match value {
        Some(value) => batch.put(key, value),
        None => batch.delete(key),
    }
    store.commit(batch).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn missing_and_unreadable_rows_are_told_by_name() {
    let (world, path) = stopped();
    let account = world.accounts()[0];
    let channel = world.channel();
    let open = || Engine::open(&path, config(account)).map(|_| ());

    let second = tables::update(channel, Nonce(2));
    let store = Store::open(&path.join("rows")).unwrap();
    let row = store.read(&second).unwrap();
    let channel_row = store.read(&tables::channel(channel)).unwrap();
    drop(store);

    change(&path, second.clone(), None);
    let fault = open().unwrap_err();
    assert!(matches!(fault, Fault::MissingUpdate { nonce: Nonce(2), .. }), "{fault}");
    change(&path, second, row);
    open().unwrap();

    let key = tables::channel(channel);
    change(&path, key.clone(), Some(vec![1, 2, 3]));
    let fault = open().unwrap_err();
    assert!(fault.to_string().starts_with(&format!("row {key} of the store")), "{fault}");
    change(&path, key.clone(), Some(vec![9]));
    let fault = open().unwrap_err();
    assert!(fault.to_string().contains("no row version has tag 9"), "{fault}");
    change(&path, key, channel_row);
    open().unwrap();

    change(&path, tables::format(), Some(tables::value(&7_u32)));
    assert!(matches!(open(), Err(Fault::Newer { stored: 7, .. })));
    change(&path, tables::format(), None);
    assert!(matches!(open(), Err(Fault::MissingRow { .. })));
}

#[test]
fn a_store_put_back_from_an_older_copy_is_noticed() {
    let mut world = World::new();
    world.begin();
    let [alice, bob] = world.accounts();
    let path = world.nodes[0].path().to_path_buf();
    world.nodes[0].stop();
    let backup = path.with_extension("backup");
    copy(&path.join("rows"), &backup);
    world.nodes[0].restart();
    let said = introduces(bob, world.channel());
    world.nodes[0].turn(vec![Input::Connected(bob), said, paying(&pay(1, bob, 100))]).unwrap();
    world.nodes[0].stop();
    fs::remove_dir_all(path.join("rows")).unwrap();
    copy(&backup, &path.join("rows"));
    let fault = Engine::open(&path, config(alice)).unwrap_err();
    assert!(matches!(fault, Fault::Stale { .. }), "{fault}");
}

/// The bytes of the journal up to the end of what was written.
fn journal(path: &Path) -> (PathBuf, usize) {
    let file = path.join("rows").join("0.jnl");
    let bytes = fs::read(&file).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    (file, end)
}

#[test]
fn a_torn_end_is_cut_off_and_a_lost_end_is_noticed() {
    let mut world = World::new();
    world.begin();
    let [alice, bob] = world.accounts();
    let path = world.nodes[0].path().to_path_buf();
    let before = journal(&path).1;
    let remembered = fs::read(path.join("last-commit")).unwrap();
    world.nodes[0].turn(vec![paying(&pay(1, bob, 100))]).unwrap();
    world.nodes[0].stop();
    let (file, end) = journal(&path);
    assert!(before < end);
    let whole = path.with_extension("whole");
    copy(&path, &whole);
    for cut in (before..end).step_by(61) {
        fs::remove_dir_all(&path).unwrap();
        copy(&whole, &path);
        fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(cut as u64).unwrap();
        // The commit was not durable, so nobody remembers it.
        fs::write(path.join("last-commit"), &remembered).unwrap();
        let engine = Engine::open(&path, config(alice)).unwrap();
        assert_eq!(engine.history().payment(id(1)).unwrap(), None);
        drop(engine);
        // It was durable, and its end is gone.
        let newer = fs::read(whole.join("last-commit")).unwrap();
        fs::write(path.join("last-commit"), newer).unwrap();
        let fault = Engine::open(&path, config(alice)).unwrap_err();
        assert!(matches!(fault, Fault::Stale { .. }), "{fault}");
    }
}

#[test]
fn a_commit_that_was_half_written_when_the_power_went_is_cut_off() {
    let mut world = World::new();
    world.begin();
    let [alice, bob] = world.accounts();
    let path = world.nodes[0].path().to_path_buf();
    let before = journal(&path).1;
    let remembered = fs::read(path.join("last-commit")).unwrap();
    let many = (1..=100).map(|number| paying(&pay(number, bob, 1))).collect();
    world.nodes[0].turn(many).unwrap();
    world.nodes[0].stop();
    let (file, end) = journal(&path);
    let whole = path.with_extension("whole");
    copy(&path, &whole);
    const PAGE: usize = 4096;
    assert!(end - before > 5 * PAGE);
    for hole in (before..end - 16).step_by(PAGE / 2) {
        let mut bytes = fs::read(&file).unwrap();
        bytes[hole..(hole + PAGE).min(end - 16)].fill(0);
        fs::write(&file, bytes).unwrap();
        fs::write(path.join("last-commit"), &remembered).unwrap();
        let engine = Engine::open(&path, config(alice)).unwrap();
        assert_eq!(engine.history().payment(id(1)).unwrap(), None);
        drop(engine);
        let newer = fs::read(whole.join("last-commit")).unwrap();
        fs::write(path.join("last-commit"), newer).unwrap();
        assert!(matches!(Engine::open(&path, config(alice)), Err(Fault::Stale { .. })));
        fs::remove_dir_all(&path).unwrap();
        copy(&whole, &path);
    }
}

/// Flips bytes all over a file, one at a time, and tells how often that was noticed.
fn flip(
    path: &Path,
    whole: &Path,
    file: &Path,
    end: usize,
    account: photon_wire::Address,
) -> usize {
    let good = fs::read(file).unwrap();
    let step = (end / 24).max(1);
    let mut noticed = 0;
    for at in (0..end).step_by(step) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x55;
        fs::write(file, bytes).unwrap();
        match Engine::open(path, config(account)) {
            Err(_) => noticed += 1,
            Ok(engine) => {
                let history = engine.history();
                for number in 1..=3 {
                    // Read, or refused: never missing.
                    assert!(!matches!(history.payment(id(number)), Ok(None)), "{at} in {file:?}");
                }
            }
        }
        fs::remove_dir_all(path).unwrap();
        copy(whole, path);
    }
    noticed
}

#[test]
fn damage_of_the_journal_never_goes_unnoticed() {
    let (world, path) = stopped();
    let whole = path.with_extension("whole");
    copy(&path, &whole);
    let (journal, end) = journal(&path);
    let noticed = flip(&path, &whole, &journal, end, world.accounts()[0]);
    assert!(noticed > 20, "only {noticed} were noticed");
}

#[test]
fn damage_of_a_tables_rows_never_goes_unnoticed() {
    let (world, path) = stopped();
    Store::open(&path.join("rows")).unwrap().flush();
    let whole = path.with_extension("whole");
    copy(&path, &whole);
    let mut files = Vec::new();
    let mut folders = vec![path.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let list = if entry.file_type().unwrap().is_dir() { &mut folders } else { &mut files };
            list.push(entry.path());
        }
    }
    files.retain(|file| file.parent().is_some_and(|folder| folder.ends_with("tables")));
    assert!(files.len() > 2, "{files:?}");
    // The library believes what the ends of its files say of themselves before it checks them:
    // damage there stops the process. ADR 0007.
    for file in files {
        let end = usize::try_from(fs::metadata(&file).unwrap().len()).unwrap();
        flip(&path, &whole, &file, end / 2, world.accounts()[0]);
    }
}
