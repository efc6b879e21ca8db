//! Telling a story to the bytecode and to the model, and comparing after every call.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, U256};
use alloy::sol_types::{SolEvent as _, SolInterface as _};

use super::author::{Author, PAIRS, Step};
use super::stage::{START, Stage};
use super::tally::Tally;
use crate::call::Call;
use crate::chain::Called;
use crate::contract::{PhotonNetwork, TestToken};
use crate::model::{Flaw, Manner, Model, Refusal};

/// Why a story failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The story's seed.
    pub seed: u64,
    /// What differs.
    pub why: String,
    /// What happened up to there, shrunk where that was possible.
    pub story: Vec<Step>,
    /// How the token behaved.
    pub manner: Manner,
}

/// A story under way.
struct Telling<'a> {
    stage: &'a mut Stage,
    model: Model,
    now: u64,
    story: Vec<Step>,
}

/// What a call did, where both agree.
enum Agreed {
    /// With what it settled: the channel, and what low and high got.
    Done(BTreeMap<B256, [u128; 2]>),
    Refused(Refusal),
}

/// Tells the story of this seed.
///
/// # Errors
/// The contract and the model differ, an honest call is refused, or Alice lost something.
pub fn tell(
    stage: &mut Stage,
    seed: u64,
    flaw: Option<Flaw>,
    tally: &mut Tally,
) -> Result<(), Box<Failure>> {
    let mut author = Author::new(stage, seed);
    let manner = author.manner();
    let model = stage.begin(manner, flaw);
    let mut telling = Telling { stage, model, now: START, story: Vec::new() };
    let told = telling.all(&mut author, tally);
    let story = telling.story;
    told.map_err(|why| {
        let (story, why) = super::shrink::shrink(stage, manner, flaw, story, why);
        Box::new(Failure { seed, why, story, manner })
    })
}

/// Tells a story again as it is written.
///
/// # Errors
/// The contract and the model differ.
pub(super) fn again(
    stage: &mut Stage,
    manner: Manner,
    flaw: Option<Flaw>,
    story: &[Step],
) -> Result<(), String> {
    let model = stage.begin(manner, flaw);
    let mut telling = Telling { stage, model, now: START, story: Vec::new() };
    for step in story {
        telling.enact(step)?;
    }
    Ok(())
}

impl Telling<'_> {
    fn all(&mut self, author: &mut Author, tally: &mut Tally) -> Result<(), String> {
        for _ in 0..author.length() {
            let step = author.step(&self.model, self.now);
            self.one(author, step, tally)?;
        }
        // Bounded: each round passes time, defends or settles.
        for _ in 0..60 {
            let Some(step) = author.last_steps(&self.model, self.now) else { return Ok(()) };
            self.one(author, step, tally)?;
        }
        Err("the channels could not be settled".into())
    }

    fn one(&mut self, author: &mut Author, step: Step, tally: &mut Tally) -> Result<(), String> {
        let Step::Call { sender, call, must } = &step else {
            self.story.push(step.clone());
            return self.enact(&step).map(drop);
        };
        let entitled = [0, 1].map(|pair| author.entitlement(&self.model, pair));
        let keys = [0, 1].map(|pair| author.key(&self.model, pair));
        self.story.push(step.clone());
        match self.call(*sender, call)? {
            Agreed::Refused(refusal) => {
                tally.refused(call, &error_name(&refusal));
                if *must {
                    let error = named(&refusal);
                    return Err(format!("an honest {} was refused: {error}", call.kind()));
                }
            }
            Agreed::Done(settled) => {
                tally.done(call);
                for (key, entitled) in keys.iter().zip(entitled) {
                    let Some(paid) = settled.get(&key.id().0) else { continue };
                    let alice = usize::from(author.account(0) == key.high());
                    if entitled.is_some_and(|least| U256::from(paid[alice]) < least) {
                        let (got, least) = (paid[alice], entitled.unwrap_or_default());
                        return Err(format!("Alice got {got}, {least} was hers"));
                    }
                }
                author.notice(&self.model, call, self.now);
            }
        }
        Ok(())
    }

    fn enact(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Wait(seconds) => {
                self.now += seconds;
                self.stage.chain.set_time(self.now);
                Ok(())
            }
            Step::Block(owner, on) => {
                let call =
                    crate::contract::BlockingToken::setBlockedCall { owner: *owner, on: *on };
                let input = alloy::sol_types::SolCall::abi_encode(&call);
                self.stage.chain.call(*owner, self.model.token, input.into());
                self.model.set_blocked(*owner, *on);
                Ok(())
            }
            Step::Call { sender, call, .. } => self.call(*sender, call).map(drop),
        }
    }

    /// Makes the call on both and compares.
    fn call(&mut self, sender: Address, call: &Call) -> Result<Agreed, String> {
        let expected = self.model.apply(sender, call, self.now);
        let got = self.stage.chain.call(sender, self.model.network, call.encode());
        match (expected, got) {
            (Ok(()), Called::Done { logs, .. }) => {
                self.compare(call)?;
                let settled = logs
                    .iter()
                    .filter_map(|log| PhotonNetwork::ChannelSettled::decode_log(log).ok())
                    .map(|log| (log.channelId, [log.paidLow, log.paidHigh]))
                    .collect();
                Ok(Agreed::Done(settled))
            }
            (Err(expected), Called::Refused(got)) if expected.0 == got => {
                Ok(Agreed::Refused(expected))
            }
            (Err(expected), Called::Refused(got)) => Err(format!(
                "{}: the contract refuses with {}, the model with {}",
                call.kind(),
                named(&Refusal(got)),
                named(&expected)
            )),
            (Ok(()), Called::Refused(got)) => Err(format!(
                "{}: the contract refuses with {}, the model accepts",
                call.kind(),
                named(&Refusal(got))
            )),
            (Err(expected), Called::Done { .. }) => Err(format!(
                "{}: the contract accepts, the model refuses with {}",
                call.kind(),
                named(&expected)
            )),
            (_, Called::Broken(why)) => Err(format!("{}: {why}", call.kind())),
        }
    }

    /// What is stored, and who has what.
    fn compare(&mut self, call: &Call) -> Result<(), String> {
        let after = call.kind();
        let (network, token) = (self.model.network, self.model.token);
        let people = self.stage.people.clone().map(|person| person.account);
        for [one, other] in PAIRS.map(|pair| pair.map(|person| people[person])) {
            let ask = PhotonNetwork::channelCall { token, participant: one, partner: other };
            let got = self.stage.ask(network, &ask);
            equal(after, "channel", &got, &self.model.channel_state(one, other))?;
            for [payer, payee] in [[one, other], [other, one]] {
                let ask = PhotonNetwork::directionCall { token, payer, payee };
                let got = self.stage.ask(network, &ask);
                equal(after, "direction", &got, &self.model.direction_state(payer, payee))?;
            }
        }
        for owner in people {
            let got = self.stage.ask(token, &TestToken::balanceOfCall { owner });
            equal(after, "balance", &got, &self.model.purse(owner))?;
            let got = self.stage.ask(network, &PhotonNetwork::creditCall { token, owner });
            equal(after, "credit", &got, &self.model.credit(owner))?;
        }
        let holds = self.stage.ask(token, &TestToken::balanceOfCall { owner: network });
        equal(after, "what the contract holds and owes", &holds, &self.model.owed())
    }
}

fn equal<T: PartialEq + std::fmt::Debug>(
    after: &str,
    what: &str,
    got: &T,
    expected: &T,
) -> Result<(), String> {
    if got == expected {
        return Ok(());
    }
    Err(format!("after {after}, {what}: the contract says {got:?}, the model {expected:?}"))
}

/// The error in words.
fn named(refusal: &Refusal) -> String {
    PhotonNetwork::PhotonNetworkErrors::abi_decode(&refusal.0)
        .map_or_else(|_| refusal.0.to_string(), |error| format!("{error:?}"))
}

/// The error's name alone.
fn error_name(refusal: &Refusal) -> String {
    let words = named(refusal);
    words.split(['(', ' ']).next().unwrap_or_default().to_owned()
}
