// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title The court of last resort of Photon: channels of every token, in one contract.
/// @notice Two participants lock tokens in a channel and pay each other off the chain with signed claims.
/// The contract holds the tokens and, when they disagree or are done, pays both out by their latest claims.
/// No owner, no proxy, no upgrade, no pause. Time is `block.timestamp`, in seconds.
///
/// A channel is its token and its two participants; `low` is the lower address, `high` the higher. An epoch
/// counts the lives of the pair: it grows at each opening and is kept for ever. Every claim is EIP-712 typed data
/// (domain: name "Photon", version "1", chain id, this contract) and binds channel id and epoch.
///
/// Signatures are 65 bytes `r ‖ s ‖ v` with low `s` and `v` 27 or 28. Where that does not recover the signer and
/// the signer has code, ERC-1271 decides, at the time of the call: such a signer can withdraw what he has signed,
/// so accept a contract wallet as payer only when you trust its code.
///
/// Tokens that change balances by themselves (rebasing) are not supported; they harm only their own channels.
interface IPhotonNetwork {
    /// @notice None: no such channel (never opened, or settled). Closed: the dispute runs, or awaits `settle`.
    enum Phase { None, Open, Closed }

    /// @notice How a relayer brings a participant's tokens, each with one signature of the participant:
    /// Allowance: over the authorization, in this contract's domain; tokens come by his allowance to this contract.
    /// ReceiveWithAuthorization: over the token's `ReceiveWithAuthorization(from, to, value, validAfter, validBefore,
    /// nonce)` (EIP-3009), where from is the participant, to is this contract, value the amount, validAfter 0, validBefore
    /// `validUntil + 1`, and nonce the EIP-712 digest of the authorization in this contract's domain.
    /// Permit2: over Permit2's `PermitWitnessTransferFrom(permitted, spender, nonce, deadline, witness)`, where permitted is
    /// token and amount, spender is this contract, nonce that of the authorization, deadline `validUntil`, and witness
    /// the authorization itself.
    enum Means { Allowance, ReceiveWithAuthorization, Permit2 }

    /// @notice A participant's word that whoever brings it may open this channel in his name and with his tokens.
    /// @param amount his first deposit; 0 only with `Means.Allowance`
    /// @param nonce never used before by the participant: for `Means.Allowance` in this contract, for `Means.Permit2` in
    /// Permit2, each of which counts nonces in words of 256
    /// @param validUntil the last second at which it is good
    struct OpenAuthorization {
        address token;
        address participant;
        address partner;
        uint64 settleTimeout;
        uint128 amount;
        uint256 nonce;
        uint64 validUntil;
    }

    /// @notice A participant's word that whoever brings it may deposit his tokens, for himself, into this epoch of the channel.
    /// Signed is `DepositAuthorization(channelId, epoch, participant, amount, nonce, validUntil)`.
    /// @param amount not 0
    /// @param nonce as in `OpenAuthorization`
    /// @param validUntil the last second at which it is good
    struct DepositAuthorization {
        address token;
        address participant;
        address partner;
        uint64 epoch;
        uint128 amount;
        uint256 nonce;
        uint64 validUntil;
    }

    /// @notice What a payer has signed for the direction payer -> payee. `nonce` 0 means no proof; the rest is then ignored.
    struct BalanceProof {
        uint64 nonce;
        uint128 transferred;
        bytes32 locksroot;
        bytes signature;
    }

    /// @notice What stands for a direction payer -> payee: the preimage of its stored commitment.
    /// @param transferred the sum transferred, by the stored proof
    /// @param locksroot the root of its pending locks
    /// @param declared what the payee declared, in `close`, to have transferred himself in the other direction;
    /// 0 unless he did
    struct Balance {
        uint128 transferred;
        bytes32 locksroot;
        uint128 declared;
    }

    /// @notice A pending lock, at its `slot` in the lock tree. `number` is unique for ever in its direction and epoch.
    /// Leaf, and the lock's hash: `keccak256(uint8(0) ‖ number ‖ secretHash ‖ amount ‖ expiration)`, packed, 65 bytes.
    /// @param expiration the last second at which a registration of its secret counts
    /// @param secretHash the SHA-256 of the secret
    struct Lock {
        uint16 slot;
        uint64 number;
        uint128 amount;
        uint64 expiration;
        bytes32 secretHash;
    }

    /// @notice Shows that the secrets of some locks were registered together (see `registerSecrets`).
    /// @param depth the depth of the registration's tree: 0 for one secret, ceil(log2(n)) for n
    /// @param members three bytes for each lock shown: its secret's index in the registration (one byte), then the
    /// lock's place in the call's `locks` (two bytes, big-endian). Strictly ascending by index; a secret that opens
    /// two locks needs two registrations
    /// @param siblings a multiproof over the registration's tree, in the order that `unlock` describes
    struct Registration {
        uint8 depth;
        bytes members;
        bytes32[] siblings;
    }

    /// @notice The payee's signed word that he gave up locks of payer -> payee.
    /// @param locks the hashes of all locks that the signature covers
    /// @param index the place among them of the lock in question
    struct Disposal {
        bytes32[] locks;
        uint256 index;
        bytes signature;
    }

    /// @notice One of the channels in `settleMany`.
    /// @param ofParticipant what stands for participant -> partner
    /// @param ofPartner what stands for partner -> participant
    struct Settlement {
        address partner;
        Balance ofParticipant;
        Balance ofPartner;
    }

    /// @notice Everything stored of a channel. `settleTimeout` is 0 once closed, `updateUntil` is 0 while open.
    /// `epoch` is that of the latest opening, also when `phase` is None.
    struct ChannelState {
        bytes32 channelId;
        Phase phase;
        uint64 epoch;
        uint64 settleTimeout;
        uint64 updateUntil;
        address low;
        address high;
        uint128 depositLow;
        uint128 depositHigh;
        uint128 withdrawnLow;
        uint128 withdrawnHigh;
    }

    /// @notice Everything stored of a direction payer -> payee in the channel's current epoch.
    /// @param nonce of the stored proof, 0 when there is none
    /// @param sealedByDeclaration the payee closed with a declaration: no update of this direction any more
    /// @param commitment the upper 207 bits of `keccak256(abi.encode(transferred, locksroot, declared))`, 0 when nothing is stored
    /// @param unlocked the sum of the claimed locks of the stored proof
    /// @param penalty what the payee owes the payer for claiming locks he had disposed
    struct DirectionState {
        uint64 nonce;
        bool sealedByDeclaration;
        uint256 commitment;
        uint128 unlocked;
        uint128 penalty;
    }

    /// @notice A channel begins a life. The opener's first deposit is already in the deposits; no `Deposited` follows for it.
    event ChannelOpened(
        address indexed token, address indexed low, address indexed high,
        uint64 epoch, uint64 settleTimeout, uint128 depositLow, uint128 depositHigh
    );
    /// @param deposit the participant's new total deposit in this epoch
    event Deposited(bytes32 indexed channelId, address indexed participant, address indexed token, uint64 epoch, uint128 deposit);
    /// @param withdrawn the participant's new total in this epoch
    event Withdrawn(bytes32 indexed channelId, address indexed participant, address indexed token, uint64 epoch, uint128 withdrawn);
    /// @param updateUntil the last second at which updates and unlocks count; punish until `updateUntil + challenge`
    event ChannelClosed(bytes32 indexed channelId, address indexed closer, address indexed token, uint64 epoch, uint64 updateUntil);
    /// @notice A direction's balance is now this. Emitted by `close` for the partner's proof and, with nonce 0 and no
    /// locks, for what the closer declared of his own; and by `update`.
    event BalanceUpdated(
        bytes32 indexed channelId, address indexed payer, address indexed token,
        uint64 epoch, uint64 nonce, uint128 transferred, bytes32 locksroot
    );
    /// @notice The locks in `slots` of the payer's stored proof were claimed by the payee.
    /// @param amount their sum
    event Unlocked(
        bytes32 indexed channelId, address indexed payer, address indexed token,
        uint64 epoch, uint64 nonce, uint16[] slots, uint128 amount
    );
    /// @notice The payee's claim of the lock in `slot`, which he had disposed, is taken back, and he owes the payer `amount` as well.
    event Punished(
        bytes32 indexed channelId, address indexed payer, address indexed token,
        uint64 epoch, uint64 nonce, uint16 slot, uint128 amount
    );
    /// @notice The channel's life is over and both are paid (or credited).
    event ChannelSettled(bytes32 indexed channelId, address indexed token, uint64 epoch, uint128 paidLow, uint128 paidHigh);
    /// @notice All the secrets of one registration, whose tree has this root.
    event SecretsRegistered(bytes32 indexed root, bytes32[] secrets);
    /// @notice The token refused a payout; the owner may claim it.
    event Credited(address indexed token, address indexed owner, uint256 amount);
    /// @notice A relayed authorization was used or cancelled; its nonce is spent (`Means.Allowance`).
    event AuthorizationSpent(address indexed participant, uint256 nonce);
    /// @notice The owner claimed his credit.
    event CreditClaimed(address indexed token, address indexed owner, address recipient, uint256 amount);

    /// @notice A deployment parameter makes no sense, or the chain's time is too great to be in seconds.
    error InvalidParameters(uint64 leastSettleTimeout, uint64 greatestSettleTimeout, uint64 challenge);
    /// @notice A channel needs two different addresses other than zero.
    error InvalidParticipants(address participant, address partner);
    /// @notice There is no contract at the token's address.
    error NotAToken(address token);
    /// @notice The channel is in the wrong phase for this call.
    error WrongPhase(Phase expected, Phase got);
    /// @notice The channel is in another epoch than the caller expects.
    error WrongEpoch(uint64 current, uint64 got);
    /// @notice The pair was opened as often as can be counted.
    error EpochsExhausted(uint64 epoch);
    error SettleTimeoutOutOfBounds(uint64 least, uint64 greatest, uint64 got);
    /// @notice An amount does not fit where it must be stored.
    error AmountTooLarge(uint256 limit, uint256 got);
    /// @notice The token took the call but nothing arrived.
    error NothingReceived(address token, uint256 amount);
    /// @notice The token refused the transfer.
    error TransferFailed(address token, address from, address to, uint256 amount);
    /// @notice The claim was good until then.
    error ClaimExpired(uint64 validUntil, uint256 timestamp);
    /// @notice A withdrawal must raise the participant's total.
    error StaleWithdrawal(uint128 stored, uint128 got);
    /// @notice Withdrawals of both must not exceed deposits of both.
    error WithdrawalTooLarge(uint256 deposits, uint256 withdrawals);
    /// @notice By what was transferred, low would get less than nothing or more than the channel holds.
    error BalanceOutOfRange(int256 balanceLow, uint256 held);
    /// @notice The nonce of this participant is spent: used, or cancelled.
    error AuthorizationUsed(address participant, uint256 nonce);
    /// @notice The token (for `Means.ReceiveWithAuthorization`) or Permit2 refused the participant's signature, or the transfer.
    error AuthorizationRefused(Means means, address token, address participant, uint256 amount);
    /// @notice There is no Permit2 on this chain.
    error NoPermit2(address expected);
    /// @notice Only the deposit receiver may call this.
    error NotTheReceiver(address receiver, address caller);
    /// @notice Tokens sent here plainly would be lost to their owner: send them to the receiver, with an instruction.
    error SendToTheReceiver(address receiver);
    /// @notice The signature is not by this signer over this claim.
    error InvalidSignature(address signer);
    /// @notice A proof must be newer than the stored one.
    error StaleNonce(uint64 stored, uint64 got);
    error NonceTooLarge(uint64 limit, uint64 got);
    /// @notice The payee closed with a declaration, and so gave up updates of what he is paid.
    error SealedByDeclaration(address payer);
    /// @notice The time for this was over after `until`.
    error TooLate(uint64 until, uint256 timestamp);
    /// @notice The time for this begins after `after_`.
    error TooEarly(uint64 after_, uint256 timestamp);
    /// @notice What the caller says stands for the direction is not what is stored.
    error WrongBalance(address payer);
    error NoLocks();
    error SlotOutOfRange(uint16 limit, uint16 got);
    /// @notice Slots, and indices in a registration, must be strictly ascending.
    error NotAscending(uint256 previous, uint256 got);
    /// @notice A multiproof has too few or too many siblings.
    error MalformedProof(uint256 expected, uint256 got);
    /// @notice The lock is not in the stored proof.
    error WrongRoot(bytes32 expected, bytes32 got);
    /// @notice A registration names no lock of the call, or its members are no whole triples.
    error MalformedRegistration(uint256 registration);
    /// @notice No registration was shown for the lock at this place.
    error NotRegistered(uint256 place);
    /// @notice The tree with this root was never registered.
    error UnknownRegistration(bytes32 root);
    /// @notice The lock's secret was registered after its expiration.
    error RegisteredTooLate(uint64 expiration, uint64 registered);
    error WrongNumberOfSecrets(uint256 limit, uint256 got);
    /// @notice The disposal does not name the lock at its index.
    error NotDisposed(bytes32 lock);
    /// @notice The lock in this slot is not claimed (or its claim was taken back already).
    error NotClaimed(uint16 slot);
    error NoCredit(address token, address owner);
    /// @notice A payout failed, and may have failed only because the caller gave too little gas.
    error GasTooLow(uint256 needed, uint256 got);
    /// @notice A token called back into a deposit.
    error Reentered();

    /// @notice Opens a channel between the caller and `partner`, with the caller's first deposit (may be 0).
    /// Refused while the pair is open or closed; a deposit never goes into a channel that somebody else opened meanwhile.
    /// @param settleTimeout how long, from the closing, updates and unlocks count
    /// @param amount to pull from the caller; what arrives is credited, and shown in `ChannelOpened`
    /// @return epoch the life of the pair that begins
    function open(address token, address partner, uint64 settleTimeout, uint128 amount) external returns (uint64 epoch);

    /// @notice Deposits the caller's tokens for `participant`. Anyone, for either participant, while open and in this epoch.
    /// @param amount to pull from the caller; what arrives is credited, and shown in `Deposited`
    /// @return newDeposit the participant's new total
    function deposit(address token, address participant, address partner, uint64 epoch, uint128 amount)
        external returns (uint128 newDeposit);

    /// @notice Opens a channel in the name of a participant who authorized it. Anyone, until `validUntil`. The participant is
    /// the signer, so nobody opens for strangers, and what he signed decides everything.
    /// @param means how his tokens come, and so what `signature` is over
    /// @return epoch the life of the pair that begins
    function openAuthorized(OpenAuthorization calldata authorization, Means means, bytes calldata signature)
        external returns (uint64 epoch);

    /// @notice Deposits the tokens of a participant who authorized it. Anyone, until `validUntil`, while open and in this epoch.
    /// @param means how his tokens come, and so what `signature` is over
    /// @return newDeposit the participant's new total
    function depositAuthorized(DepositAuthorization calldata authorization, Means means, bytes calldata signature)
        external returns (uint128 newDeposit);

    /// @notice Passes the owner's permit (ERC-2612) for this contract as spender on to the token. In a `multicall` before
    /// `openAuthorized` or `depositAuthorized`. A refusal is ignored: somebody else may have brought the permit first.
    function permit(address token, address owner, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Spends a nonce of the caller, so that an authorization with it can not be used with `Means.Allowance` any more.
    function cancelAuthorization(uint256 nonce) external;

    /// @notice Opens a channel for whom a token told the deposit receiver that the tokens were his. Only the receiver.
    /// @param amount that the receiver is asked to hand over; what arrives is credited, and not nothing
    function openFromReceiver(address token, address participant, address partner, uint64 settleTimeout, uint128 amount)
        external returns (uint64 epoch);

    /// @notice Deposits tokens that the deposit receiver got. Only the receiver.
    /// @param amount as in `openFromReceiver`
    function depositFromReceiver(address token, address participant, address partner, uint64 epoch, uint128 amount)
        external returns (uint128 newDeposit);

    /// @notice The hooks of ERC-223, which such a token calls when the receiver hands tokens over. Refused at any other time,
    /// and so is the transfer, because tokens that are sent here plainly would be nobody's.
    /// @return `0x8943ec02`
    function tokenReceived(address from, uint256 value, bytes calldata data) external view returns (bytes4);
    function tokenFallback(address from, uint256 value, bytes calldata data) external view;

    /// @notice Pays a part of the participant's balance out of the open channel. Anyone with both signatures of
    /// `Withdraw(channelId, epoch, participant, withdrawn, validUntil)`; a caller who is one of the two may leave his own empty.
    /// @param withdrawn the participant's new total of withdrawals in this epoch; the increase is paid
    /// @param validUntil the last second at which the claim is good
    function withdraw(
        address token, address participant, address partner, uint128 withdrawn, uint64 validUntil,
        bytes calldata participantSignature, bytes calldata partnerSignature
    ) external;

    /// @notice Ends the open channel as both agree: low gets `depositLow - withdrawnLow + transferredHigh - transferredLow`,
    /// high the rest. Both signed what they transferred and not what they get, so that a deposit or a withdrawal in
    /// between changes what they get and sinks nothing. Anyone with both signatures of
    /// `CooperativeSettle(channelId, epoch, transferredLow, transferredHigh, validUntil)`; a caller who is one of the two may leave his own empty.
    /// @param low the lower address
    /// @param transferredLow all that low transferred to high in this epoch, claimed locks included
    /// @param transferredHigh all that high transferred to low
    /// @param validUntil the last second at which the claim is good
    function cooperativeSettle(
        address token, address low, address high, uint128 transferredLow, uint128 transferredHigh, uint64 validUntil,
        bytes calldata signatureLow, bytes calldata signatureHigh
    ) external;

    /// @notice Closes the caller's open channel and so begins the dispute.
    /// @param proof the partner's latest proof, or nonce 0 for none
    /// @param declared what the caller has transferred to the partner, or 0 to say nothing. When it is right and no
    /// locks are to be claimed, the partner need not answer; any proof that the caller ever signed overrides it. Who declares gives
    /// up later updates of what he is paid (`proof` is his last word), so that what he declared stands as well.
    function close(address token, address partner, BalanceProof calldata proof, uint128 declared) external;

    /// @notice Replaces the stored proof of payer -> payee by a newer one, until `updateUntil`. Claims of locks start anew.
    /// @param delegation empty when the payee calls; else the payee's signature of
    /// `Delegation(channelId, epoch, payer, nonce, transferred, locksroot, delegate)` for exactly this proof, naming the caller
    function update(address token, address payer, address payee, BalanceProof calldata proof, bytes calldata delegation) external;

    /// @notice Claims locks of the stored proof of payer -> payee whose secrets were registered in time, until
    /// `updateUntil`. Locks that are already claimed, or were taken back, are skipped.
    ///
    /// The multiproof: the tree has 4096 slots (depth 12). A parent is `keccak256(left ‖ right)`; an empty slot is 0, and
    /// so is the parent of two zeros. Take the nodes to prove at the bottom level, by slot, left to right. For each node:
    /// if its sibling is also there, the two give their parent; else the next of `siblings` is its sibling. The parents
    /// are the nodes of the next level. So `siblings` holds what is missing, bottom level first and left to right in
    /// each, up to the root, and nothing else.
    /// @param balance what stands for payer -> payee
    /// @param locks strictly ascending by slot
    /// @param siblings the multiproof
    /// @param registrations evidence, each lock in (at least) one of them; each of them in time for all that it shows
    /// @param delegation as in `update`, for the stored proof
    function unlock(
        address token, address payer, address payee, Balance calldata balance, Lock[] calldata locks,
        bytes32[] calldata siblings, Registration[] calldata registrations, bytes calldata delegation
    ) external;

    /// @notice Registers secrets at the present time. The first time of a batch stays; a batch that is registered already is no error.
    ///
    /// The tree: leaf `keccak256(uint8(0) ‖ sha256(secret))`, parent `keccak256(uint8(1) ‖ left ‖ right)`. Each level has half
    /// as many nodes as the one below, rounded up; a missing right node is 0. One secret is its own root.
    /// @param secrets 1 to 256
    /// @return root under which the time is stored
    function registerSecrets(bytes32[] calldata secrets) external returns (bytes32 root);

    /// @notice Takes back the payee's claim of a lock that he had disposed, and adds the same amount as penalty, from
    /// payee to payer. Once for each lock; it can not be claimed again. Anyone, until `updateUntil + challenge`.
    /// @param balance what stands for payer -> payee
    /// @param siblings as in `unlock`, for this one lock
    function punish(
        address token, address payer, address payee, Balance calldata balance, Lock calldata lock,
        bytes32[] calldata siblings, Disposal calldata disposal
    ) external;

    /// @notice Pays both out and ends the channel. Anyone, after `updateUntil + challenge`.
    /// @param ofLow what stands for low -> high
    /// @param ofHigh what stands for high -> low
    function settle(address token, address low, address high, Balance calldata ofLow, Balance calldata ofHigh) external;

    /// @notice Settles many channels of one participant in one token, and pays him once. Channels that can not be
    /// settled now (settled by somebody else, or opened again) are skipped.
    function settleMany(address token, address participant, Settlement[] calldata settlements) external;

    /// @notice Calls this contract several times in the caller's name; all succeed, or nothing happens.
    /// @param calls encoded calls
    /// @return results what each returned
    function multicall(bytes[] calldata calls) external returns (bytes[] memory results);

    /// @notice Pays the caller's credit of a token to `recipient`.
    function claimCredit(address token, address recipient) external;

    /// @notice The bounds of settle timeouts, and how long after `updateUntil` punishing goes on, in seconds.
    function leastSettleTimeout() external view returns (uint64);
    function greatestSettleTimeout() external view returns (uint64);
    function challenge() external view returns (uint64);

    /// @notice Where to send tokens that call their receiver, and the native coin: see `IDepositReceiver`.
    function receiver() external view returns (address);

    /// @notice `keccak256(abi.encode(token, low, high))`.
    function channelId(address token, address participant, address partner) external pure returns (bytes32);

    /// @notice The EIP-712 domain separator on the present chain.
    function domainSeparator() external view returns (bytes32);

    function channel(address token, address participant, address partner) external view returns (ChannelState memory);

    function direction(address token, address payer, address payee) external view returns (DirectionState memory);

    /// @notice Whether the lock in `slot` of the stored proof of payer -> payee is claimed.
    function isClaimed(address token, address payer, address payee, uint16 slot) external view returns (bool);

    /// @notice Whether the claim of a lock of payer -> payee was taken back in the channel's current epoch.
    /// @param lock its hash
    function isPunished(address token, address payer, address payee, bytes32 lock) external view returns (bool);

    /// @notice When the batch of secrets with this root was registered; 0 when never.
    function registeredAt(bytes32 root) external view returns (uint64);

    /// @notice Whether the nonce of an authorization with `Means.Allowance` is spent.
    function isAuthorizationUsed(address participant, uint256 nonce) external view returns (bool);

    /// @notice What the token refused to pay to the owner.
    function credit(address token, address owner) external view returns (uint256);
}
