//! `photon invoice`.

use super::amount;
use super::pay::is_invoice;
use crate::client::{Answer, ApiArgs};
use crate::failure::Failure;
use crate::show;
use anyhow::anyhow;
use clap::Subcommand;
use console::Term;
use photon_node::api::types::{
    Decimal, HexHash, InvoiceBody, InvoiceContents, InvoiceState, InvoiceView, Page, ReleaseBody,
};
use photon_wire::Verifier;
use photon_wire::invoice::Invoice;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

/// What can be done with invoices.
#[derive(Subcommand, Debug)]
pub(crate) enum InvoiceCommand {
    /// Ask for a payment: a text to give away, and a QR code on a terminal
    Create {
        /// How much, in base units; without it, the payer decides
        #[arg(value_parser = amount)]
        amount: Option<Decimal>,
        /// The token: its address or its symbol
        #[arg(long)]
        token: String,
        /// What for, at most 200 bytes
        #[arg(long, default_value = "")]
        description: String,
        /// How long it is valid, in seconds; without it, an hour
        #[arg(long, value_name = "SECONDS")]
        valid_for: Option<u64>,
        /// The SHA-256 of a secret of your own: what is paid is held until `release` or `cancel`
        #[arg(long, value_name = "HASH", value_parser = hash)]
        hold: Option<HexHash>,
        /// No QR code
        #[arg(long)]
        no_qr: bool,
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Read an invoice and check its signature; no node is needed
    Decode {
        /// The text that starts with photon1
        invoice: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show an invoice of ours and whether it is paid
    Show {
        /// Its text, or its secret hash
        invoice: String,
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Take the payment that is held for an invoice, by its secret
    Release {
        /// 64 hexadecimal digits; their SHA-256 names the invoice
        #[arg(value_parser = hash)]
        secret: HexHash,
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Give an invoice up; what is held for it goes back
    Cancel {
        /// Its text, or its secret hash
        invoice: String,
        #[command(flatten)]
        api: ApiArgs,
    },
    /// List our invoices, newest first
    List {
        /// Only those that are open, paid or expired
        #[arg(long)]
        status: Option<String>,
        /// How many
        #[arg(long, value_name = "NUMBER", default_value_t = 20)]
        limit: u32,
        /// Where the page before ended
        #[arg(long)]
        cursor: Option<String>,
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// Does it.
pub(crate) async fn run(command: InvoiceCommand) -> anyhow::Result<()> {
    match command {
        InvoiceCommand::Create { amount, token, description, valid_for, hold, no_qr, api } => {
            let client = api.client()?;
            let token = client.token(&token).await?.token;
            let body = InvoiceBody { token, amount, description, valid_for, secret_hash: hold };
            let answer: Answer<InvoiceContents> = client.post("/invoices", &body).await?;
            if api.json {
                return show::line(answer.text);
            }
            contents(&answer.value)?;
            if !no_qr && Term::stdout().is_term() {
                show::line(code(&answer.value.text)?)?;
            }
            show::line(format_args!("\n{}", answer.value.text))
        }
        InvoiceCommand::Decode { invoice, json } => {
            let invoice = InvoiceContents::from(&decode(&invoice)?);
            if json { show::json(&invoice) } else { contents(&invoice) }
        }
        InvoiceCommand::Show { invoice, api } => {
            let client = api.client()?;
            let hash = secret_hash(&invoice)?;
            let answer: Answer<InvoiceView> = client.get(&format!("/invoices/{hash}")).await?;
            if api.json {
                return show::line(answer.text);
            }
            contents(&answer.value.invoice)?;
            show::line(format_args!("state        {}", state(&answer.value)))
        }
        InvoiceCommand::Release { secret, api } => {
            let body = ReleaseBody { secret };
            api.client()?.tell("/invoices/release", &body).await?;
            show::line("released")
        }
        InvoiceCommand::Cancel { invoice, api } => {
            let hash = secret_hash(&invoice)?;
            api.client()?.delete(&format!("/invoices/{hash}")).await?;
            show::line("cancelled")
        }
        InvoiceCommand::List { status, limit, cursor, api } => {
            let parameters =
                [("status", status), ("limit", Some(limit.to_string())), ("cursor", cursor)];
            let client = api.client()?;
            let answer: Answer<Page<InvoiceView>> = client.list("/invoices", &parameters).await?;
            if api.json { show::line(answer.text) } else { list(&answer.value) }
        }
    }
}

fn hash(text: &str) -> Result<HexHash, String> {
    text.parse().map_err(|malformed: photon_node::api::types::Malformed| malformed.to_string())
}

fn decode(text: &str) -> anyhow::Result<Invoice> {
    Invoice::from_text(text.trim(), &Verifier::new())
        .map_err(|error| anyhow!("{error} (invoice_unreadable)"))
}

fn secret_hash(text: &str) -> anyhow::Result<HexHash> {
    if is_invoice(text) {
        return Ok(HexHash(decode(text)?.secret_hash.0));
    }
    text.parse().map_err(|_| {
        Failure::usage(format!("`{text}` is neither an invoice (photon1…) nor a secret hash"))
    })
}

fn contents(invoice: &InvoiceContents) -> anyhow::Result<()> {
    let amount =
        invoice.amount.map_or_else(|| "as the payer likes".to_owned(), |it| it.to_string());
    let mut facts = vec![
        ("target", invoice.target.to_string()),
        ("token", invoice.token.to_string()),
        ("amount", amount),
        ("issued", format!("{} UTC", show::instant(invoice.issued))),
        ("expires", format!("{} UTC", show::instant(invoice.expires))),
        ("network", format!("chain {}, contract {}", invoice.chain_id, invoice.contract)),
        ("secret hash", invoice.secret_hash.to_string()),
    ];
    if !invoice.description.is_empty() {
        facts.insert(3, ("description", printable(&invoice.description)));
    }
    show::facts(&facts)
}

/// Somebody else's words, without what would steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { '\u{fffd}' } else { it }).collect()
}

/// The text as a QR code; in capitals, which need less room.
fn code(text: &str) -> anyhow::Result<String> {
    let code = QrCode::new(text.to_uppercase())?;
    // A terminal is dark as a rule: the light parts are what is drawn.
    Ok(code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build())
}

fn state(view: &InvoiceView) -> String {
    match (view.state, view.paid) {
        (InvoiceState::Open, _) => "open".to_owned(),
        (InvoiceState::Paid, Some(paid)) => format!("paid: {paid}"),
        (InvoiceState::Paid, None) => "paid".to_owned(),
        (InvoiceState::Expired, _) => "expired".to_owned(),
        (InvoiceState::Cancelled, _) => "cancelled".to_owned(),
    }
}

fn list(page: &Page<InvoiceView>) -> anyhow::Result<()> {
    if page.items.is_empty() {
        return show::line("no invoices; `photon invoice create` makes one");
    }
    let rows = page.items.iter().map(|view| {
        let invoice = &view.invoice;
        [
            show::instant(invoice.issued),
            invoice.amount.map_or_else(|| "any".to_owned(), |it| it.to_string()),
            show::short_address(&invoice.token.0),
            state(view),
            invoice.secret_hash.to_string(),
            printable(&invoice.description),
        ]
    });
    show::table(["issued", "amount", "token", "state", "secret hash", "for"], &[1], rows)?;
    super::history::more(page.next.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invoice_fits_into_a_code_that_a_terminal_shows() {
        let shown = code(&format!("photon1{}", "q".repeat(500))).unwrap();
        assert!(shown.lines().count() < 60, "{}", shown.lines().count());
        assert!(shown.contains('█') || shown.contains('▀'));
    }

    #[test]
    fn foreign_words_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
    }
}
