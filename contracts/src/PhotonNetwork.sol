// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ChannelStore} from "./ChannelStore.sol";
import {Disputes} from "./Disputes.sol";
import {Funding} from "./Funding.sol";
import {IPhotonNetwork} from "./interfaces/IPhotonNetwork.sol";
import {Channel} from "./libraries/Channel.sol";
import {Claims} from "./libraries/Claims.sol";
import {ClaimedLocks} from "./libraries/ClaimedLocks.sol";
import {Direction} from "./libraries/Direction.sol";
import {Settlements} from "./libraries/Settlements.sol";

/// @title Photon's contract: how tokens go out, and all its parts together. See `IPhotonNetwork` for what holds.
contract PhotonNetwork is Funding, Disputes {
    using ClaimedLocks for ClaimedLocks.Bits;

    /// @param least the least settle timeout of a channel, in seconds
    /// @param greatest the greatest
    /// @param challenge_ how long after the updates claims can still be punished, in seconds
    constructor(uint64 least, uint64 greatest, uint64 challenge_) ChannelStore(least, greatest, challenge_) {}

    /// @inheritdoc IPhotonNetwork
    function withdraw(
        address token, address participant, address partner, uint128 withdrawn, uint64 validUntil,
        bytes calldata participantSignature, bytes calldata partnerSignature
    ) external {
        checkNotExpired(validUntil);
        bytes32 id = channelId(token, participant, partner);
        Channel stored = channelIn(Phase.Open, id);
        uint64 epoch = stored.epoch();
        bytes32 claim = Claims.withdraw(id, epoch, participant, withdrawn, validUntil);
        checkAgreed(participant, claim, participantSignature);
        checkAgreed(partner, claim, partnerSignature);

        uint128 amount = raiseWithdrawn(id, stored, participant > partner, withdrawn);
        emit Withdrawn(id, participant, token, epoch, withdrawn);
        pay(token, participant, amount);
    }

    /// @inheritdoc IPhotonNetwork
    function cooperativeSettle(
        address token, address low, address high, uint128 transferredLow, uint128 transferredHigh, uint64 validUntil,
        bytes calldata signatureLow, bytes calldata signatureHigh
    ) external {
        checkNotExpired(validUntil);
        if (low >= high) revert InvalidParticipants(low, high);
        bytes32 id = channelId(token, low, high);
        Channel stored = channelIn(Phase.Open, id);
        uint64 epoch = stored.epoch();
        bytes32 claim = Claims.cooperativeSettle(id, epoch, transferredLow, transferredHigh, validUntil);
        checkAgreed(low, claim, signatureLow);
        checkAgreed(high, claim, signatureHigh);

        (uint128 payLow, uint128 payHigh) = agreedSplit(id, stored, transferredLow, transferredHigh);
        end(id, stored);
        emit ChannelSettled(id, token, epoch, payLow, payHigh);
        pay(token, low, payLow);
        pay(token, high, payHigh);
    }

    /// @inheritdoc IPhotonNetwork
    function settle(address token, address low, address high, Balance calldata ofLow, Balance calldata ofHigh) external {
        if (low >= high) revert InvalidParticipants(low, high);
        bytes32 id = channelId(token, low, high);
        Channel stored = channelIn(Phase.Closed, id);
        uint64 until = stored.clock() + challenge;
        if (block.timestamp <= until) revert TooEarly(until, block.timestamp);
        (uint128 payLow, uint128 payHigh) = conclude(token, id, stored, low, high, ofLow, ofHigh);
        pay(token, low, payLow);
        pay(token, high, payHigh);
    }

    /// @inheritdoc IPhotonNetwork
    function settleMany(address token, address participant, Settlement[] calldata settlements) external {
        uint256 sum = 0;
        for (uint256 i = 0; i < settlements.length; i++) {
            sum += settleOne(token, participant, settlements[i]);
        }
        pay(token, participant, sum);
    }

    /// @inheritdoc IPhotonNetwork
    function multicall(bytes[] calldata calls) external returns (bytes[] memory results) {
        results = new bytes[](calls.length);
        for (uint256 i = 0; i < calls.length; i++) {
            (bool success, bytes memory result) = address(this).delegatecall(calls[i]);
            // In assembly because Solidity has no other way to pass on another call's error.
            if (!success) assembly ("memory-safe") { revert(add(result, 0x20), mload(result)) }
            results[i] = result;
        }
    }

    /// @notice Who gets what by both transfers, which must be within what the channel holds.
    function agreedSplit(bytes32 id, Channel stored, uint128 transferredLow, uint128 transferredHigh)
        private view returns (uint128 payLow, uint128 payHigh)
    {
        Withdrawals memory withdrawn = withdrawalsOf(id, stored);
        uint256 held = stored.total() - withdrawn.low - withdrawn.high;
        int256 balanceLow = int256(uint256(stored.depositOf(false)) + transferredHigh)
            - int256(uint256(withdrawn.low) + transferredLow);
        if (balanceLow < 0 || uint256(balanceLow) > held) revert BalanceOutOfRange(balanceLow, held);
        payLow = uint128(uint256(balanceLow));
        payHigh = uint128(held - payLow);
    }

    /// @notice Settles if it can be now, and pays the partner.
    /// @return owed what the participant gets
    function settleOne(address token, address participant, Settlement calldata settlement) private returns (uint128 owed) {
        address partner = settlement.partner;
        bytes32 id = channelId(token, participant, partner);
        Channel stored = channels[id];
        if (stored.phase() != Phase.Closed || block.timestamp <= stored.clock() + challenge) return 0;
        uint128 partnersPay;
        if (participant < partner) {
            (owed, partnersPay) =
                conclude(token, id, stored, participant, partner, settlement.ofParticipant, settlement.ofPartner);
        } else {
            (partnersPay, owed) =
                conclude(token, id, stored, partner, participant, settlement.ofPartner, settlement.ofParticipant);
        }
        pay(token, partner, partnersPay);
    }

    /// @notice Ends a dispute: computes what each gets, and clears what was stored.
    function conclude(
        address token, bytes32 id, Channel stored, address low, address high, Balance calldata ofLow, Balance calldata ofHigh
    ) private returns (uint128 payLow, uint128 payHigh) {
        uint64 epoch = stored.epoch();
        Withdrawals memory withdrawn = withdrawalsOf(id, stored);
        Settlements.Side memory sideLow = Settlements.Side(stored.depositOf(false), withdrawn.low, 0, 0);
        Settlements.Side memory sideHigh = Settlements.Side(stored.depositOf(true), withdrawn.high, 0, 0);
        bytes32 keyLow = keyOf(id, epoch, low);
        bytes32 keyHigh = keyOf(id, epoch, high);
        if (stored.hasPenalty(false)) sideLow.penalty = takePenalty(keyLow);
        if (stored.hasPenalty(true)) sideHigh.penalty = takePenalty(keyHigh);
        sideLow.given = takeGiven(keyLow, low, ofLow, ofHigh.declared);
        sideHigh.given = takeGiven(keyHigh, high, ofHigh, ofLow.declared);
        (payLow, payHigh) = Settlements.split(sideLow, sideHigh);
        end(id, stored);
        emit ChannelSettled(id, token, epoch, payLow, payHigh);
    }

    /// @notice What the payer gave: by his latest stored proof and its claimed locks, or else what he declared.
    /// Any proof that he signed comes before what he declared. Clears the words.
    function takeGiven(bytes32 key, address payer, Balance calldata balance, uint128 declared)
        private returns (uint256 given)
    {
        Direction stored = standing(key, payer, balance);
        if (!stored.isBlank()) directions[key] = Direction.wrap(0);
        if (stored.nonce() == 0) return declared;
        given = balance.transferred;
        if (balance.locksroot != 0) given += claimed[key][stored.nonce()].takeSum();
    }

    function takePenalty(bytes32 key) private returns (uint256 penalty) {
        penalty = penalties[key];
        penalties[key] = 0;
    }

    /// @notice Stores a participant's new total of withdrawals.
    /// @return amount by how much it grew
    function raiseWithdrawn(bytes32 id, Channel stored, bool high, uint128 total) private returns (uint128 amount) {
        Withdrawals memory withdrawn = withdrawalsOf(id, stored);
        uint128 before = high ? withdrawn.high : withdrawn.low;
        if (total <= before) revert StaleWithdrawal(before, total);
        if (high) withdrawn.high = total;
        else withdrawn.low = total;
        uint256 both = uint256(withdrawn.low) + withdrawn.high;
        if (both > stored.total()) revert WithdrawalTooLarge(stored.total(), both);
        if (!stored.hasWithdrawn()) channels[id] = stored.withdrawnFrom();
        withdrawals[id][stored.epoch()] = withdrawn;
        return total - before;
    }

    /// @notice Clears the channel but for its epoch.
    function end(bytes32 id, Channel stored) private {
        channels[id] = stored.settled();
        if (stored.hasWithdrawn()) delete withdrawals[id][stored.epoch()];
    }
}
