// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ChannelStore} from "./ChannelStore.sol";
import {SecretRegistry} from "./SecretRegistry.sol";
import {IPhotonNetwork} from "./interfaces/IPhotonNetwork.sol";
import {Channel} from "./libraries/Channel.sol";
import {Claims} from "./libraries/Claims.sol";
import {ClaimedLocks} from "./libraries/ClaimedLocks.sol";
import {Direction, directionOf} from "./libraries/Direction.sol";
import {Locks} from "./libraries/Locks.sol";

/// @title What can be said between closing and settling: newer proofs, claims of locks, and that a claim was false.
abstract contract Disputes is ChannelStore, SecretRegistry {
    using ClaimedLocks for ClaimedLocks.Bits;
    using Locks for IPhotonNetwork.Lock;

    /// @inheritdoc IPhotonNetwork
    function close(address token, address partner, BalanceProof calldata proof, uint128 declared) external {
        bytes32 id = channelId(token, msg.sender, partner);
        Channel stored = channelIn(Phase.Open, id);
        uint64 updateUntil = uint64(block.timestamp) + stored.clock();
        uint64 epoch = stored.epoch();
        channels[id] = stored.closed(updateUntil);
        emit ChannelClosed(id, msg.sender, token, epoch, updateUntil);

        bytes32 key = keyOf(id, epoch, partner);
        if (proof.nonce != 0) {
            checkProof(id, epoch, partner, proof);
            directions[key] = directionOf(proof.nonce, proof.transferred, proof.locksroot, declared);
            emit BalanceUpdated(id, partner, token, epoch, proof.nonce, proof.transferred, proof.locksroot);
        } else if (declared != 0) {
            directions[key] = directionOf(0, 0, 0, declared);
        }
        if (declared != 0) emit BalanceUpdated(id, msg.sender, token, epoch, 0, declared, 0);
    }

    /// @inheritdoc IPhotonNetwork
    function update(
        address token, address payer, address payee, BalanceProof calldata proof, bytes calldata delegation
    ) external {
        bytes32 id = channelId(token, payer, payee);
        uint64 epoch = disputed(id).epoch();
        bytes32 key = keyOf(id, epoch, payer);
        Direction stored = directions[key];
        if (proof.nonce <= stored.nonce()) revert StaleNonce(stored.nonce(), proof.nonce);
        if (stored.isSealed()) revert SealedByDeclaration(payer);
        checkProof(id, epoch, payer, proof);
        if (msg.sender != payee) {
            checkDelegated(id, epoch, payer, payee, proof.nonce, proof.transferred, proof.locksroot, delegation);
        }
        directions[key] = directionOf(proof.nonce, proof.transferred, proof.locksroot, 0);
        emit BalanceUpdated(id, payer, token, epoch, proof.nonce, proof.transferred, proof.locksroot);
    }

    /// @inheritdoc IPhotonNetwork
    function unlock(
        address token, address payer, address payee, Balance calldata balance, Lock[] calldata locks,
        bytes32[] calldata siblings, Registration[] calldata registrations, bytes calldata delegation
    ) external {
        bytes32 id = channelId(token, payer, payee);
        Channel stored = disputed(id);
        bytes32 key = keyOf(id, stored.epoch(), payer);
        uint64 nonce = standing(key, payer, balance).nonce();
        if (msg.sender != payee) {
            checkDelegated(
                id, stored.epoch(), payer, payee, nonce, balance.transferred, balance.locksroot, delegation
            );
        }
        Locks.check(locks, siblings, balance.locksroot);
        checkRegistered(locks, registrations);
        (uint16[] memory slots, uint128 amount) =
            claimed[key][nonce].claim(locks, stored.hasPenalty(payer > payee), punished[key]);
        if (slots.length != 0) emit Unlocked(id, payer, token, stored.epoch(), nonce, slots, amount);
    }

    /// @inheritdoc IPhotonNetwork
    function punish(
        address token, address payer, address payee, Balance calldata balance, Lock calldata lock,
        bytes32[] calldata siblings, Disposal calldata disposal
    ) external {
        bytes32 id = channelId(token, payer, payee);
        Channel stored = channelIn(Phase.Closed, id);
        uint64 until = stored.clock() + challenge;
        if (block.timestamp > until) revert TooLate(until, block.timestamp);
        uint64 epoch = stored.epoch();
        bytes32 key = keyOf(id, epoch, payer);
        uint64 nonce = standing(key, payer, balance).nonce();
        Locks.checkOne(lock, siblings, balance.locksroot);
        bytes32 hash = lock.hash();
        if (disposal.index >= disposal.locks.length || disposal.locks[disposal.index] != hash) revert NotDisposed(hash);
        checkSigned(payee, Claims.disposal(id, epoch, payer, disposal.locks), disposal.signature);

        ClaimedLocks.Bits storage bits = claimed[key][nonce];
        if (!bits.isSet(lock.slot)) revert NotClaimed(lock.slot);
        bits.clear(lock.slot, lock.amount);
        punished[key][hash] = true;
        penalties[key] += lock.amount;
        channels[id] = stored.punishedFor(payer > payee);
        emit Punished(id, payer, token, epoch, nonce, lock.slot, lock.amount);
    }

    /// @notice The stored direction, which must be what the caller says stands for it.
    function standing(bytes32 key, address payer, Balance calldata balance) internal view returns (Direction stored) {
        stored = directions[key];
        if (!stored.matches(balance)) revert WrongBalance(payer);
    }

    function checkProof(bytes32 id, uint64 epoch, address payer, BalanceProof calldata proof) private view {
        checkSigned(
            payer,
            Claims.balanceProof(id, epoch, payer, proof.nonce, proof.transferred, proof.locksroot),
            proof.signature
        );
    }

    /// @notice Refuses a caller whom the payee did not name for exactly this proof.
    function checkDelegated(
        bytes32 id, uint64 epoch, address payer, address payee, uint64 nonce, uint128 transferred, bytes32 locksroot,
        bytes calldata delegation
    ) private view {
        checkSigned(
            payee, Claims.delegation(id, epoch, payer, nonce, transferred, locksroot, msg.sender), delegation
        );
    }
}
