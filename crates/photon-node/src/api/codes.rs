//! Every code of a problem, with its status and what it means. `docs/errors.md` is made of it.

/// One code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// The stable name that programs see.
    pub(crate) code: &'static str,
    /// The HTTP status.
    pub(crate) status: u16,
    /// What happened, in a few words.
    pub(crate) title: &'static str,
    /// What to do about it.
    pub(crate) advice: &'static str,
}

const fn row(code: &'static str, status: u16, title: &'static str, advice: &'static str) -> Row {
    Row { code, status, title, advice }
}

/// The row of a code.
pub(crate) fn of(code: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.code == code)
}

/// What to do about a problem of this code, in a few words.
pub fn advice(code: &str) -> Option<&'static str> {
    of(code).map(|row| row.advice)
}

/// What an owner can run into, grouped by status.
pub(crate) const ROWS: &[Row] = &[
    row("malformed", 400, "The request cannot be read", "The detail names the field."),
    row(
        "unknown_field",
        400,
        "The request has an unknown field",
        "Leave it out, or spell it right.",
    ),
    row(
        "bad_amount",
        400,
        "The amount is malformed or out of range",
        "Amounts are decimal texts in base units, 1 to 79228162514264337593543950335.",
    ),
    row(
        "bad_address",
        400,
        "An address is malformed",
        "0x and 40 digits, with the right checksum.",
    ),
    row("bad_hash", 400, "A hash is malformed", "0x and 64 hexadecimal digits."),
    row("bad_payment_id", 400, "A payment's name is malformed", "32 hexadecimal digits."),
    row(
        "bad_idempotency_key",
        400,
        "The idempotency key is empty or too long",
        "The numbers say how long it may be.",
    ),
    row(
        "bad_peer_address",
        400,
        "An address cannot be dialled",
        "A multiaddress such as /ip4/192.0.2.1/tcp/9735.",
    ),
    row("bad_fees", 400, "The fees are out of range", "At most 1000000 parts per million."),
    row(
        "settle_timeout_out_of_bounds",
        400,
        "The settle timeout is out of bounds",
        "The numbers say what is allowed.",
    ),
    row("zero_address", 400, "The zero address cannot take part", "Name the other side's account."),
    row(
        "partner_is_self",
        400,
        "One has no channel with oneself",
        "Name the other side's account.",
    ),
    row("pay_to_self", 400, "One does not pay oneself", "Name another account."),
    row("note_too_long", 400, "The note is too long", "At most 256 bytes."),
    row("description_too_long", 400, "The description is too long", "At most 200 bytes."),
    row(
        "expiry_out_of_bounds",
        400,
        "The invoice would be past at once, or years away",
        "The numbers say what is allowed.",
    ),
    row(
        "invoice_unreadable",
        400,
        "The text is no invoice",
        "It may be cut or mistyped; ask for it again.",
    ),
    row("amount_missing", 400, "The invoice names no amount", "Say how much to pay."),
    row(
        "unauthorized",
        401,
        "The token is missing or wrong",
        "Send `Authorization: Bearer` with the token of the node's token file.",
    ),
    row(
        "origin_forbidden",
        403,
        "A web page of another origin asks",
        "Add the origin to api.origins if you trust it.",
    ),
    row(
        "host_forbidden",
        403,
        "The node was called under an unknown name",
        "Use a loopback name, or add the name to api.hosts.",
    ),
    row(
        "read_only",
        403,
        "The token only looks",
        "Take the token of api.token_file, or ask for less.",
    ),
    row("not_found", 404, "There is nothing at this path", "See /api/v1/openapi.json."),
    row("unknown_channel", 404, "There is no such channel of this node", "List the channels."),
    row("unknown_payment", 404, "There is no such payment of this node", "List the payments."),
    row(
        "unknown_invoice",
        404,
        "There is no such invoice of this node",
        "The hash is in the answer to its making.",
    ),
    row(
        "unknown_authorization",
        404,
        "The relay knows no such authorization",
        "Hand it over again: only those since its start are remembered.",
    ),
    row(
        "unknown_transaction",
        404,
        "There is no such transaction",
        "Only the latest since the start are remembered.",
    ),
    row(
        "method_not_allowed",
        405,
        "The path does not know this method",
        "The header Allow says which it knows.",
    ),
    row("too_slow", 408, "The body did not arrive in time", "Send it within 30 seconds."),
    row(
        "payment_exists",
        409,
        "The idempotency key, or the invoice, belongs to another payment",
        "Take a fresh key, or ask for a fresh invoice: an invoice is paid once.",
    ),
    row("channel_exists", 409, "The channel is open already", "Deposit into it instead."),
    row(
        "channel_not_open",
        409,
        "The channel is closing or closed",
        "Open a new one after it is settled.",
    ),
    row(
        "direction_stopped",
        409,
        "The channel stands still after a violation by the partner",
        "Close it; your balance is safe.",
    ),
    row(
        "nonce_exhausted",
        409,
        "The channel has used all its nonces",
        "Settle it and open a new one.",
    ),
    row("not_closed", 409, "The channel is open", "Close it first."),
    row("not_settleable", 409, "The dispute still runs", "Wait; the node settles by itself."),
    row("already_pending", 409, "A transaction for this is pending already", "Wait for it."),
    row("invoice_exists", 409, "There is an invoice with this secret hash", "Make another one."),
    row("invoice_own", 409, "The invoice is this node's own", "Give it to somebody else."),
    row(
        "state_lost",
        409,
        "The partner knows more of this node's own updates than its store",
        "The store is an older copy. Ask the partner to close the channel: his node declares what \
         it has paid. Closed from here, what came in since the copy may be lost.",
    ),
    row("channel_settling", 409, "A cooperative settle is under way", "Wait for it."),
    row("locks_pending", 409, "Locks are pending in the channel", "Wait until they are gone."),
    row("not_in_step", 409, "Something is on its way between the two sides", "Try again at once."),
    row("not_cancellable", 409, "It cannot be cancelled any more", "Wait for its end."),
    row("invoice_paid", 409, "The invoice is being paid", "Its secret is out."),
    row("too_late_to_release", 409, "The held payment is past", "Every token is back."),
    row("body_too_large", 413, "The body is too large", "At most 1 MiB."),
    row(
        "unsupported_media_type",
        415,
        "The body is not declared as JSON",
        "Send `Content-Type: application/json`.",
    ),
    row(
        "insufficient_balance",
        422,
        "The balance is too small",
        "Deposit, or pay less; the numbers say how much there is.",
    ),
    row(
        "insufficient_tokens",
        422,
        "The account holds too little of the token",
        "The numbers say how much is missing.",
    ),
    row("no_channels", 422, "There is no open channel for this token", "Open one."),
    row(
        "no_route",
        422,
        "No route of open channels reaches the target",
        "Open a channel nearer to it.",
    ),
    row(
        "partner_offline",
        422,
        "The partner is not connected",
        "Try again when it is; nothing was sent.",
    ),
    row(
        "fee_too_high",
        422,
        "The cheapest route takes more than is allowed",
        "Raise max_fee, or do without.",
    ),
    row("unknown_target", 422, "No record of the target is known", "Ask it for an invoice."),
    row(
        "not_a_token",
        422,
        "There is no token at this address",
        "Check the address and the chain.",
    ),
    row("not_partner", 422, "The account is no side of the channel", "Name one of its two sides."),
    row("invoice_expired", 422, "The invoice is past", "Ask for a new one."),
    row(
        "invoice_foreign",
        422,
        "The invoice is for another network",
        "Pay it with a node of that network.",
    ),
    row("invoice_amount", 422, "The invoice asks for another amount", "Leave the amount out."),
    row(
        "payment_failed",
        422,
        "A node on the route could not go on",
        "hop and reason say who and why; every token is back.",
    ),
    row(
        "payment_expired",
        422,
        "Nobody took the payment in time",
        "Every token is back; try again.",
    ),
    row(
        "channel_closed",
        422,
        "The channel was closed before the payment was under way",
        "Every token is back.",
    ),
    row("odd_token", 422, "The token does not do what a token must", "Take another token."),
    row(
        "token_fee",
        422,
        "The token keeps a part of what is sent",
        "Say accept_token_fee (--accept-fee) if less may arrive.",
    ),
    row(
        "no_such_way",
        422,
        "The token cannot be deposited in this way",
        "`photon tokens examine` lists the ways; leave the way out for the cheapest.",
    ),
    row(
        "insufficient_coins",
        422,
        "The account has too few coins of the chain to pay for the gas",
        "Send it some, or open without coins: gasless (--gasless).",
    ),
    row("no_wrapped_native", 422, "The network names no wrapped coin", "Use a token."),
    row("no_relayer", 422, "No relay is configured", "Set relayer.url to the address of one."),
    row(
        "no_gasless_way",
        422,
        "The token cannot be deposited without coins",
        "It needs EIP-3009, Permit2, ERC-2612, or an allowance that stands already.",
    ),
    row("relay_refused", 422, "The relay refuses", "The detail has its words."),
    row(
        "authorization_expired",
        422,
        "Nobody carried the authorization to the chain in time",
        "Nothing was moved; try again.",
    ),
    row(
        "relay_other_network",
        422,
        "The relay is for another network",
        "Take a relay of this network.",
    ),
    row(
        "relay_validity",
        422,
        "The authorization is past, or good for too long",
        "The detail says what the relay takes.",
    ),
    row(
        "relay_reverts",
        422,
        "The contract would refuse the authorization",
        "The detail has the chain's words; nothing was sent.",
    ),
    row(
        "transaction_failed",
        422,
        "The transaction cannot be done",
        "The detail has the chain's words.",
    ),
    row(
        "too_many_requests",
        429,
        "Too many requests without the token of full access",
        "Wait a second; the owner's token is not held back.",
    ),
    row(
        "relay_too_many",
        429,
        "The relay takes no more of this caller or this account for now",
        "Wait; the detail says what it allows.",
    ),
    row("internal", 500, "The node has a fault", "Its log says more."),
    row(
        "store_failed",
        500,
        "The history could not be read",
        "Check the disk; the node's log says more.",
    ),
    row(
        "chain_unavailable",
        503,
        "The chain does not answer, or cannot be relied on",
        "`chain_trouble` of the node's status (`photon status`) says why; check chain.endpoint.",
    ),
    row(
        "relay_gas_price",
        503,
        "Gas costs more than the relay pays",
        "Wait, or take another relay, or pay for the gas yourself.",
    ),
    row(
        "relay_budget",
        503,
        "The relay has spent its gas for today",
        "Wait, or take another relay.",
    ),
    row(
        "relay_silent",
        503,
        "The relay does not answer",
        "Check relayer.url; what was signed is offered again until it is past.",
    ),
    row("channel_busy", 503, "Too many payments are pending in the channel", "Try again at once."),
    row("busy", 503, "Too many requests are waiting", "Try again at once."),
    row("stopping", 503, "The node is stopping", "Start it again."),
    row(
        "still_pending",
        504,
        "It takes longer than the request waited",
        "It goes on by itself; ask again.",
    ),
    row("valid_until_out_of_bounds", 422, "An agreement would be good for too long", RULE),
    row(
        "agreement_expired",
        422,
        "An agreement was not executed in time",
        "Nothing has changed; try again.",
    ),
    row("wrong_epoch", 422, "The channel is in another life", RULE),
    row("wrong_nonce", 422, "An update is out of order", RULE),
    row("wrong_transferred", 422, "The sum of an update differs", RULE),
    row("wrong_locked", 422, "The sum of the locks differs", RULE),
    row("wrong_locksroot", 422, "The root of the locks differs", RULE),
    row("wrong_signer", 422, "A signature is not the partner's", RULE),
    row("empty_update", 422, "An update says nothing", RULE),
    row("slot_taken", 422, "A slot holds a lock", RULE),
    row("slot_empty", 422, "A slot holds no lock", RULE),
    row("wrong_lock_number", 422, "A lock's number did not rise", RULE),
    row("wrong_secret", 422, "A secret does not open its lock", RULE),
    row("not_expired", 422, "A lock may still be claimed", RULE),
    row("lock_claimed", 422, "A lock is being claimed", RULE),
    row("not_disposed", 422, "A lock was not given back", RULE),
];

const RULE: &str = "A rule between peers: seen as `rule` of an event, not as an answer.";

/// The whole document.
#[cfg(test)]
pub(crate) fn document() -> String {
    use photon_wire::message::Reason;
    use std::fmt::Write as _;

    let mut text = String::from(
        "# Errors\n\n\
         A refused request answers `application/problem+json` (RFC 9457): `type`, `title`, \
         `status`, `code`, `detail`, and, where they are known, `hop`, `reason` and the numbers.\n\
         Programs look at `code`, which does not change; texts may.\n\
         Refused means that nothing was changed.\n\n\
         | code | status | what happened | what to do |\n|---|---|---|---|\n",
    );
    for Row { code, status, title, advice } in ROWS {
        writeln!(text, "| `{code}` | {status} | {title} | {advice} |").expect("a text takes all");
    }
    text.push_str(
        "\n## Reasons\n\nWhy a node on the route could not go on with a payment: `reason` of \
         `payment_failed`, with the node as `hop`.\n\n| reason | what the hop says |\n|---|---|\n",
    );
    for reason in Reason::ALL {
        writeln!(text, "| `{}` | {reason} |", reason.code()).expect("a text takes all");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use photon_core::Rejection;
    use std::path::Path;

    #[test]
    fn every_rejection_has_a_row() {
        let missing: Vec<_> = (0..=u16::MAX)
            .filter_map(Rejection::code_of)
            .filter(|code| of(code).is_none())
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn no_code_has_two_rows() {
        for (index, row) in ROWS.iter().enumerate() {
            let first = ROWS.iter().position(|other| other.code == row.code);
            assert_eq!(first, Some(index), "{}", row.code);
        }
    }

    #[test]
    fn the_document_is_the_table() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
        if std::env::var_os("PHOTON_BLESS").is_some() {
            std::fs::write(&path, document()).unwrap();
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(there == document(), "PHOTON_BLESS=1 cargo test -p photon-node codes writes it");
    }
}
