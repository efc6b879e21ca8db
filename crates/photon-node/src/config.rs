/// The HTTP API's part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiConfig {
    /// Where it listens; none: no API.
    pub listen: Option<SocketAddr>,
    /// The file that holds the token of full access; made, 0600, where it is not there.
    pub token_file: PathBuf,
    /// Web origins that may call it; none by default.
    pub origins: Vec<String>,
    /// Host names beside the loopback ones under which it may be called.
    pub hosts: Vec<String>,
}
