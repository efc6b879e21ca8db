// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "./interfaces/IPhotonNetwork.sol";
import {CLOCK_LIMIT, Channel} from "./libraries/Channel.sol";
import {Claims} from "./libraries/Claims.sol";
import {ClaimedLocks} from "./libraries/ClaimedLocks.sol";
import {Direction} from "./libraries/Direction.sol";
import {hashOfThree} from "./libraries/Hashes.sol";
import {Signatures} from "./libraries/Signatures.sol";

/// @title What is stored of channels, how to ask for it, and whose signature counts.
abstract contract ChannelStore is IPhotonNetwork {
    using ClaimedLocks for ClaimedLocks.Bits;

    /// @inheritdoc IPhotonNetwork
    uint64 public immutable leastSettleTimeout;
    /// @inheritdoc IPhotonNetwork
    uint64 public immutable greatestSettleTimeout;
    /// @inheritdoc IPhotonNetwork
    uint64 public immutable challenge;

    uint256 private immutable deployedChain;
    bytes32 private immutable deployedSeparator;

    /// @notice A year, and then some: keeps every deadline within the channel's clock for centuries.
    uint64 private constant LONGEST = 400 days;

    struct Withdrawals {
        uint128 low;
        uint128 high;
    }

    mapping(bytes32 id => Channel) internal channels;
    /// @dev Written only by withdrawals; the channel's flag tells.
    mapping(bytes32 id => mapping(uint64 epoch => Withdrawals)) internal withdrawals;

    // All of a direction payer -> payee is keyed by channel, epoch and payer (C-11), and written only in a dispute.
    mapping(bytes32 key => Direction) internal directions;
    mapping(bytes32 key => mapping(uint64 nonce => ClaimedLocks.Bits)) internal claimed;
    /// @dev Survives a newer proof; the channel's flag tells.
    mapping(bytes32 key => uint256 amount) internal penalties;
    /// @dev By the lock's hash, which never comes again: so a penalty is owed at most once for each lock.
    mapping(bytes32 key => mapping(bytes32 lock => bool)) internal punished;

    constructor(uint64 least, uint64 greatest, uint64 challenge_) {
        if (least == 0 || least > greatest || greatest > LONGEST || challenge_ == 0 || challenge_ > LONGEST) {
            revert InvalidParameters(least, greatest, challenge_);
        }
        // Some chains count milliseconds or nanoseconds: deadlines would not fit the channel's clock, and run into its
        // flags, so that a dispute would be over at once.
        if (block.timestamp + LONGEST > CLOCK_LIMIT) revert InvalidParameters(least, greatest, challenge_);
        leastSettleTimeout = least;
        greatestSettleTimeout = greatest;
        challenge = challenge_;
        deployedChain = block.chainid;
        deployedSeparator = Claims.domainSeparator(address(this));
    }

    /// @inheritdoc IPhotonNetwork
    function channelId(address token, address participant, address partner) public pure returns (bytes32) {
        (address low, address high) = ordered(participant, partner);
        return hashOfThree(uint160(token), uint160(low), uint160(high));
    }

    /// @inheritdoc IPhotonNetwork
    function domainSeparator() public view returns (bytes32) {
        // C-13: after a fork, claims of the one chain must not count on the other.
        return block.chainid == deployedChain ? deployedSeparator : Claims.domainSeparator(address(this));
    }

    /// @inheritdoc IPhotonNetwork
    function channel(address token, address participant, address partner)
        external view returns (ChannelState memory state)
    {
        (state.low, state.high) = ordered(participant, partner);
        state.channelId = channelId(token, participant, partner);
        Channel stored = channels[state.channelId];
        state.phase = stored.phase();
        state.epoch = stored.epoch();
        if (state.phase == Phase.Open) state.settleTimeout = stored.clock();
        if (state.phase == Phase.Closed) state.updateUntil = stored.clock();
        state.depositLow = stored.depositOf(false);
        state.depositHigh = stored.depositOf(true);
        Withdrawals memory withdrawn = withdrawalsOf(state.channelId, stored);
        state.withdrawnLow = withdrawn.low;
        state.withdrawnHigh = withdrawn.high;
    }

    /// @inheritdoc IPhotonNetwork
    function direction(address token, address payer, address payee)
        external view returns (DirectionState memory state)
    {
        bytes32 key = currentKey(token, payer, payee);
        Direction stored = directions[key];
        state.nonce = stored.nonce();
        state.sealedByDeclaration = stored.isSealed();
        state.commitment = stored.commitment();
        state.unlocked = claimed[key][state.nonce].sum();
        state.penalty = uint128(penalties[key]);
    }

    /// @inheritdoc IPhotonNetwork
    function isClaimed(address token, address payer, address payee, uint16 slot) external view returns (bool) {
        bytes32 key = currentKey(token, payer, payee);
        return claimed[key][directions[key].nonce()].isSet(slot);
    }

    /// @inheritdoc IPhotonNetwork
    function isPunished(address token, address payer, address payee, bytes32 lock) external view returns (bool) {
        return punished[currentKey(token, payer, payee)][lock];
    }

    function ordered(address participant, address partner) internal pure returns (address low, address high) {
        if (participant == partner) revert InvalidParticipants(participant, partner);
        return participant < partner ? (participant, partner) : (partner, participant);
    }

    /// @notice The channel, which must be in this phase.
    function channelIn(Phase expected, bytes32 id) internal view returns (Channel stored) {
        stored = channels[id];
        if (stored.phase() != expected) revert WrongPhase(expected, stored.phase());
    }

    /// @notice The closed channel, when updates and unlocks still count.
    function disputed(bytes32 id) internal view returns (Channel stored) {
        stored = channelIn(Phase.Closed, id);
        if (block.timestamp > stored.clock()) revert TooLate(stored.clock(), block.timestamp);
    }

    function keyOf(bytes32 id, uint64 epoch, address payer) internal pure returns (bytes32) {
        return hashOfThree(uint256(id), epoch, uint160(payer));
    }

    function withdrawalsOf(bytes32 id, Channel stored) internal view returns (Withdrawals memory withdrawn) {
        if (stored.hasWithdrawn()) withdrawn = withdrawals[id][stored.epoch()];
    }

    /// @notice Refuses unless `signer` signed the claim.
    function checkSigned(address signer, bytes32 structHash, bytes calldata signature) internal view {
        Signatures.check(signer, Claims.digest(domainSeparator(), structHash), signature);
    }

    /// @notice Refuses unless `signer` signed the claim, or calls and so agrees.
    function checkAgreed(address signer, bytes32 structHash, bytes calldata signature) internal view {
        if (msg.sender == signer && signature.length == 0) return;
        checkSigned(signer, structHash, signature);
    }

    function checkNotExpired(uint64 validUntil) internal view {
        if (block.timestamp > validUntil) revert ClaimExpired(validUntil, block.timestamp);
    }

    function currentKey(address token, address payer, address payee) private view returns (bytes32) {
        bytes32 id = channelId(token, payer, payee);
        return keyOf(id, channels[id].epoch(), payer);
    }
}
