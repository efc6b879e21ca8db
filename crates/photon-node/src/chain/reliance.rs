//! Whether the chain can be relied on, from what its endpoint and the witnesses say.

use photon_chain::Verdict;
use tracing::{info, warn};

/// What speaks against the endpoint.
#[derive(Default)]
pub(super) struct Reliance {
    /// Why it does not answer.
    trouble: Option<String>,
    /// What the witnesses say against it.
    doubt: Option<String>,
}

impl Reliance {
    /// It does not answer, for this reason, or it does.
    pub(super) fn on_trouble(&mut self, reason: Option<String>) {
        self.trouble = reason;
    }

    /// Takes in what the witnesses say; true where it says something of the endpoint.
    pub(super) fn on_verdict(&mut self, endpoint: &str, verdict: Verdict) -> bool {
        self.doubt = match verdict {
            Verdict::Silent { url } => {
                warn!(%url, "a witness of the chain does not answer");
                return false;
            }
            Verdict::Agree => None,
            Verdict::Behind { url, blocks } => {
                Some(format!("{endpoint} is {blocks} blocks or more behind {url}"))
            }
            Verdict::Disagree { url, block } => {
                Some(format!("{endpoint} and {url} disagree: block {block} is another"))
            }
        };
        match &self.doubt {
            Some(doubt) => warn!(%doubt, "locked payments wait until the endpoints agree"),
            None => info!("the witnesses of the chain agree with its endpoint"),
        }
        true
    }

    /// Why the chain cannot be relied on, where it cannot.
    pub(super) fn trouble(&self) -> Option<String> {
        let troubles: Vec<&str> =
            [&self.trouble, &self.doubt].into_iter().flatten().map(String::as_str).collect();
        (!troubles.is_empty()).then(|| troubles.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use photon_wire::BlockNumber;

    #[test]
    fn all_must_be_well() {
        let mut reliance = Reliance::default();
        let url = || "http://two".to_owned();
        assert_eq!(reliance.trouble(), None);
        assert!(
            reliance
                .on_verdict("http://one", Verdict::Disagree { url: url(), block: BlockNumber(7) })
        );
        reliance.on_trouble(Some("no answer".to_owned()));
        let disagree = "http://one and http://two disagree: block 7 is another";
        assert_eq!(reliance.trouble(), Some(format!("no answer; {disagree}")));
        reliance.on_trouble(None);
        assert_eq!(reliance.trouble().as_deref(), Some(disagree));
        assert!(!reliance.on_verdict("http://one", Verdict::Silent { url: url() }));
        assert_eq!(reliance.trouble().as_deref(), Some(disagree));
        assert!(reliance.on_verdict("http://one", Verdict::Behind { url: url(), blocks: 4 }));
        let behind = "http://one is 4 blocks or more behind http://two";
        assert_eq!(reliance.trouble().as_deref(), Some(behind));
        assert!(reliance.on_verdict("http://one", Verdict::Agree));
        assert_eq!(reliance.trouble(), None);
    }
}
