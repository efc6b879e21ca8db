//! `photon events`.

use crate::client::ApiArgs;
use crate::show;
use crate::signals::interrupted;
use clap::Args;
use photon_node::api::types::Event;
use reqwest::Response;
use serde_json::Value;

/// From where on.
#[derive(Args, Debug)]
pub(crate) struct EventsArgs {
    /// After the event of this number; `start` begins with the first; without it, with the next
    #[arg(long, value_name = "NUMBER|start")]
    after: Option<String>,
    /// End after so many; without it, at Ctrl-C
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,
    #[command(flatten)]
    api: ApiArgs,
}

/// Follows them until it is interrupted or the node stops.
pub(crate) async fn run(arguments: EventsArgs) -> anyhow::Result<()> {
    let client = arguments.api.client()?;
    let after = arguments.after.map(|after| format!("?after={after}")).unwrap_or_default();
    let stream = client.stream(&format!("/events{after}")).await?;
    tokio::select! {
        ended = follow(stream, arguments.api.json, arguments.limit) => ended,
        () = interrupted() => Ok(()),
    }
}

async fn follow(mut stream: Response, json: bool, limit: Option<u64>) -> anyhow::Result<()> {
    let mut lines = Lines::default();
    let mut left = limit.unwrap_or(u64::MAX);
    if left == 0 {
        return Ok(());
    }
    while let Some(chunk) = stream.chunk().await? {
        for line in lines.take(&chunk) {
            let Some(data) = line.strip_prefix("data:") else { continue };
            let data = data.trim_start();
            if json {
                show::line(data)?;
            } else {
                show::line(described(data)?)?;
            }
            left = left.saturating_sub(1);
            if left == 0 {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Cuts what arrives into lines.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn take(&mut self, chunk: &[u8]) -> Vec<String> {
        self.0.extend_from_slice(chunk);
        let Some(end) = self.0.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let rest = self.0.split_off(end.saturating_add(1));
        let whole = std::mem::replace(&mut self.0, rest);
        String::from_utf8_lossy(&whole).lines().map(str::to_owned).collect()
    }
}

/// Number, time, kind, and the rest as `name=value`.
fn described(data: &str) -> anyhow::Result<String> {
    let event: Event = serde_json::from_str(data)?;
    let fields: Value = serde_json::to_value(&event.what)?;
    let rest: Vec<String> = fields
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name != "kind")
        .map(|(name, value)| match value.as_str() {
            Some(text) => format!("{name}={text}"),
            None => format!("{name}={value}"),
        })
        .collect();
    let kind = console::style(event.what.name()).bold();
    Ok(format!("{:>6}  {}  {kind}  {}", event.number, show::instant(event.at), rest.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_however_they_arrive() {
        let mut lines = Lines::default();
        assert!(lines.take(b"data: {\"a").is_empty());
        assert_eq!(lines.take(b"\":1}\n\ndata:"), ["data: {\"a\":1}", ""]);
        assert_eq!(lines.take(b" 2\n"), ["data: 2"]);
    }

    #[test]
    fn an_event_is_one_line() {
        let channel = format!("0x{}", "ab".repeat(32));
        let account = "0x5B38Da6a701c568545dCfcB03FcB875f56beddC4";
        let data = format!(
            r#"{{"number":7,"at":0,"what":{{"kind":"balance_updated","channel":"{channel}",
            "payer":"{account}","nonce":2}}}}"#
        );
        let shown = described(&data).unwrap();
        let plain = console::strip_ansi_codes(&shown);
        assert!(plain.starts_with("     7  1970-01-01 00:00:00  balance_updated  "), "{plain}");
        assert!(plain.contains("nonce=2"), "{plain}");
    }
}
