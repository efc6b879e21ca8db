// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title The court of last resort of Photon: channels of every token, in one contract.
/// @notice Two participants lock tokens in a channel and pay each other off the chain with signed claims.
/// The contract holds the tokens and, when they disagree or are done, pays both out by their latest claims.
/// No owner, no proxy, no upgrade, no pause. Time is `block.timestamp`, in seconds.
interface IPhotonNetwork {
    /// @notice None: no such channel (never opened, or settled). Closed: dispute runs.
    enum Phase { None, Open, Closed }

    /// @notice What a payer has signed for a direction payer -> payee. `nonce` 0 means no proof.
    struct BalanceProof { uint64 nonce; uint128 transferred; bytes32 locksroot; bytes signature; }

    /// @notice The preimage of a direction's stored commitment.
    struct Balance { uint128 transferred; bytes32 locksroot; }

    /// @notice A pending lock, at its `slot` in the tree. `number` is unique for ever in its direction and epoch.
    struct Lock { uint16 slot; uint64 number; uint128 amount; uint64 expiration; bytes32 secretHash; }

    /// @notice Shows that a secret was registered: a Merkle path from its leaf, at `index`, to a registered root.
    /// A secret registered alone is a tree of one leaf: `path` empty, `index` 0.
    struct Registration { uint8 index; bytes32[] path; }

    /// @notice The payee's consent that `delegate` (never zero; the caller) submits exactly one proof and claims its locks.
    struct Delegation { address delegate; bytes signature; }

    event ChannelOpened(address indexed token, address indexed low, address indexed high, uint32 epoch, uint64 settleTimeout);
    /// @param deposit the participant's new total deposit in this epoch
    event Deposited(bytes32 indexed channelId, address indexed participant, address indexed token, uint32 epoch, uint128 deposit);
    /// @param withdrawn the participant's new total
    event Withdrawn(bytes32 indexed channelId, address indexed participant, address indexed token, uint32 epoch, uint128 withdrawn);
    /// @param updateUntil the last second at which updates and unlocks count; punish until `updateUntil + challenge`
    event ChannelClosed(bytes32 indexed channelId, address indexed closer, address indexed token, uint32 epoch, uint64 updateUntil);
    /// @notice A direction's balance is now this. Emitted by close (for the partner's proof, or one's own declared side with nonce 0) and update.
    event BalanceUpdated(bytes32 indexed channelId, address indexed payer, address indexed token, uint32 epoch, uint64 nonce, uint128 transferred, bytes32 locksroot);
    /// @notice The lock in `slot` of the payer's stored proof was claimed by the payee.
    event Unlocked(bytes32 indexed channelId, address indexed payer, address indexed token, uint32 epoch, uint64 nonce, uint16 slot, uint128 amount);
    event Punished(bytes32 indexed channelId, address indexed payer, address indexed token, uint32 epoch, uint16 slot, uint128 amount);
    event ChannelSettled(bytes32 indexed channelId, address indexed token, uint32 epoch, uint128 paidLow, uint128 paidHigh);
    /// @notice All the secrets of one registration, whose tree has this root.
    event SecretsRegistered(bytes32 indexed root, bytes32[] secrets);
    /// @notice The token refused a payout; the owner may claim it.
    event Credited(address indexed token, address indexed owner, uint256 amount);
}
