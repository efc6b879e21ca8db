//! `photon pay`.

use super::{address, amount};
use crate::client::{Answer, ApiArgs, Client};
use crate::failure::Failure;
use crate::progress;
use crate::show;
use clap::Args;
use photon_node::api::types::{Decimal, HexAddress, PaymentBody, PaymentState, PaymentView, Way};
use std::time::Instant;

/// What is to be paid.
#[derive(Args, Debug)]
pub(crate) struct PayArgs {
    /// Who: an account, or the text of an invoice
    #[arg(value_name = "ACCOUNT|INVOICE")]
    payee: String,
    /// How much shall arrive, in base units; an invoice may say it itself
    #[arg(value_parser = amount)]
    amount: Option<Decimal>,
    /// The token, by its address or its symbol; an invoice says it itself
    #[arg(long)]
    token: Option<String>,
    /// The most that mediators may take in all, in base units
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    max_fee: Option<Decimal>,
    /// A note for the payee, at most 256 bytes
    #[arg(long, default_value = "")]
    note: String,
    /// Our own name for the payment: said twice, it is paid once
    #[arg(long, value_name = "NAME")]
    id: Option<String>,
    /// Lock the payment with a secret even to a partner: gives a proof of payment
    #[arg(long, conflicts_with = "direct")]
    locked: bool,
    /// Only directly to a partner, or not at all
    #[arg(long)]
    direct: bool,
    /// How long to wait for its end, in seconds, at most 600
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
    /// Do not wait
    #[arg(long, conflicts_with = "wait")]
    no_wait: bool,
    #[command(flatten)]
    api: ApiArgs,
}

/// Whether a text is meant as an invoice.
pub(super) fn is_invoice(text: &str) -> bool {
    text.get(..7).is_some_and(|front| front.eq_ignore_ascii_case("photon1"))
}

/// Who is paid, as the API takes it.
pub(super) struct PayeeFields {
    pub(super) invoice: Option<String>,
    pub(super) target: Option<HexAddress>,
    pub(super) token: Option<HexAddress>,
}

/// Reads the payee off the command line.
pub(super) async fn payee(
    client: &Client,
    text: &str,
    amount: Option<Decimal>,
    token: Option<&str>,
) -> anyhow::Result<PayeeFields> {
    if is_invoice(text) {
        if token.is_some() {
            return Err(Failure::usage("an invoice says its token itself; leave --token out"));
        }
        return Ok(PayeeFields { invoice: Some(text.to_owned()), target: None, token: None });
    }
    let target = address(text)
        .map_err(|error| Failure::usage(format!("{error}, nor an invoice (photon1…)")))?;
    if amount.is_none() {
        return Err(Failure::usage("how much? Say the amount behind the account"));
    }
    let Some(token) = token else {
        return Err(Failure::usage("in what? Say it with --token, by address or symbol"));
    };
    let token = client.token(token).await?.token;
    Ok(PayeeFields { invoice: None, target: Some(target), token: Some(token) })
}

/// Pays.
pub(crate) async fn run(arguments: PayArgs) -> anyhow::Result<()> {
    let PayArgs { payee: text, amount, token, max_fee, note, id, locked, direct, .. } = arguments;
    let client = arguments.api.client()?;
    let PayeeFields { invoice, target, token } =
        payee(&client, &text, amount, token.as_deref()).await?;
    let way = match (locked, direct) {
        (true, _) => Way::Locked,
        (false, true) => Way::Direct,
        (false, false) => Way::Any,
    };
    let wait = if arguments.no_wait { 0 } else { arguments.wait };
    let body = PaymentBody {
        invoice,
        target,
        token,
        amount,
        max_fee,
        note,
        way,
        idempotency_key: id,
        wait_seconds: Some(wait),
    };
    let begun = Instant::now();
    let asking = client.post("/payments", &body);
    let answer: Answer<PaymentView> = progress::wait("paying", asking).await?;
    let took = begun.elapsed();
    let payment = answer.value;
    if arguments.api.json {
        show::line(answer.text)?;
    } else {
        show_payment(&payment, &show::duration(took))?;
    }
    if payment.status == PaymentState::Pending && !arguments.no_wait {
        let text = format!(
            "payment {} is not over after {wait} s; it goes on by itself (`photon history`)",
            payment.id
        );
        return Err(Failure::Pending(text).into());
    }
    Ok(())
}

fn show_payment(payment: &PaymentView, took: &str) -> anyhow::Result<()> {
    let state = match payment.status {
        PaymentState::Paid => format!("paid in {took}"),
        PaymentState::Pending => "pending".to_owned(),
        PaymentState::Failed => "failed; every token is back".to_owned(),
    };
    let mut facts = vec![
        ("payment", payment.id.to_string()),
        ("state", state),
        ("to", payment.target.to_string()),
        ("amount", payment.amount.to_string()),
        ("token", payment.token.to_string()),
        ("fee", payment.fee.to_string()),
        ("way", way(payment)),
    ];
    if let Some(proof) = &payment.proof {
        facts.push(("proof", proof.to_string()));
    }
    show::facts(&facts)
}

/// Directly, or through whom.
pub(super) fn way(payment: &PaymentView) -> String {
    if payment.direct {
        return "direct".to_owned();
    }
    let between = payment.route.get(1..payment.route.len().saturating_sub(1)).unwrap_or_default();
    match between {
        [] => "locked, to a partner".to_owned(),
        [..] => {
            let names = between.iter().map(|hop| show::short_address(&hop.0));
            format!("through {}", names.collect::<Vec<_>>().join(", "))
        }
    }
}
