//! What holds, and where it came from.

use photon_chain::Depth;
use photon_node::config::{Config, ConfigError, Loaded, Options, Preset};
use photon_wire::Amount;
use std::path::Path;

fn load(
    dir: &Path,
    file: &str,
    environment: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> Result<Loaded, ConfigError> {
    std::fs::write(dir.join("config.toml"), file).unwrap();
    let environment = environment.iter().map(|(key, value)| ((*key).into(), (*value).into()));
    let mut options = Options::default().set("data_dir", Some(dir.display()));
    for (key, value) in flags {
        options = options.set(key, Some(value));
    }
    Config::load_with(&options, environment)
}

#[test]
fn the_command_line_overrides_the_environment_which_overrides_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = "
        [chain]
        endpoint = 'http://file.example:1'
        confirmations = 7
        [api]
        listen = '127.0.0.1:1111'
        [fees]
        base = '100'
    ";
    let environment = [
        ("PHOTON_CHAIN_ENDPOINT", "http://environment.example:2"),
        ("PHOTON_API_LISTEN", "127.0.0.1:2222"),
        ("PHOTON_NET_LISTEN", "/ip4/127.0.0.1/tcp/1, /ip4/127.0.0.1/tcp/2"),
        ("PHOTON_SOMETHING_ELSE", "not ours"),
    ];
    let loaded = load(dir.path(), file, &environment, &[("api.listen", "127.0.0.1:3333")]).unwrap();
    let config = &loaded.config;
    assert_eq!(config.api.listen.port(), 3333);
    assert_eq!(config.chain.endpoint, "http://environment.example:2");
    assert_eq!(config.chain.confirmations.0, Depth::Blocks(7));
    assert_eq!(config.fees.base.0, Amount(100));
    assert_eq!(config.net.listen.len(), 2);
    assert_eq!(config.api.token_file, dir.path().join("api.token"));
    let source =
        |key: &str| loaded.explain().into_iter().find(|value| value.key == key).unwrap().source;
    assert_eq!(source("api.listen"), "command line");
    assert_eq!(source("data_dir"), "command line");
    assert_eq!(source("chain.endpoint"), "environment PHOTON_CHAIN_ENDPOINT");
    assert_eq!(
        source("chain.confirmations"),
        format!("file {}", dir.path().join("config.toml").display())
    );
    assert_eq!(source("net.mdns"), "default");
}

#[test]
fn a_preset_changes_the_defaults_of_its_company_only() {
    let dir = tempfile::tempdir().unwrap();
    let file = "timing = { preset = 'development', claim_time = 77 }";
    let config = load(dir.path(), file, &[], &[]).unwrap().config;
    let development = Preset::Development.timing();
    assert_eq!(config.timing().reveal_timeout, development.reveal_timeout);
    assert_eq!(config.timing().claim_time.0, 77);
    assert_eq!(config.chain.confirmations.0, Depth::Blocks(0));
}

#[test]
fn what_is_unknown_or_malformed_is_named() {
    let dir = tempfile::tempdir().unwrap();
    for (file, named) in [
        ("colour = 'blue'", "colour"),
        ("[api]\nlissen = '127.0.0.1:1'", "lissen"),
        ("[api]\nlisten = 'here'", "api.listen"),
        ("[chain]\nconfirmations = -1", "chain.confirmations"),
        ("[fees]\nbase = '1.5'", "fees.base"),
        ("[fees]\nparts_per_million = 1000001", "fees.parts_per_million"),
        ("[timing]\nlock_duration = 10", "timing.lock_duration"),
        ("[timing]\npreset = 'hasty'", "preset"),
        ("[net]\npeers = ['somebody']", "net.peers"),
        ("[net", "config.toml"),
    ] {
        let error = load(dir.path(), file, &[], &[]).unwrap_err().to_string();
        assert!(error.contains(named), "{file}: {error}");
    }
    let unknown = load(dir.path(), "", &[], &[("api.colour", "blue")]).unwrap_err().to_string();
    assert!(unknown.contains("colour"), "{unknown}");
    let missing = Options { config_file: Some(dir.path().join("none.toml")), ..Options::default() };
    assert!(matches!(Config::load_with(&missing, []), Err(ConfigError::File { .. })));
}

#[test]
fn no_part_of_a_url_that_may_be_a_key_is_explained() {
    let dir = tempfile::tempdir().unwrap();
    let file = "[chain]\nendpoint = 'https://chain.example/v3/0123456789abcdef'";
    let witnesses = "https://a.example/v3/0123456789abcdef, https://b.example";
    let environment = [("PHOTON_CHAIN_WITNESSES", witnesses)];
    let loaded = load(dir.path(), file, &environment, &[]).unwrap();
    assert_eq!(loaded.config.chain.witnesses.len(), 2);
    let explained = loaded.explain();
    let shown = explained.iter().find(|value| value.key == "chain.witnesses").unwrap();
    assert_eq!(shown.value, r#"["https://a.example/…", "https://b.example"]"#);
    assert_eq!(shown.source, "environment PHOTON_CHAIN_WITNESSES");
    assert!(explained.iter().all(|value| !value.value.contains("0123456789abcdef")));
}
