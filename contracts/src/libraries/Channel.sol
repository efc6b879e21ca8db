// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../interfaces/IPhotonNetwork.sol";

/// @notice A channel in one word, from the lowest bit: deposit of low (96), deposit of high (96), epoch (24),
/// clock (35: the settle timeout while open, the last second of updates once closed), withdrawn (1: somebody
/// withdrew), punished (2: low, high was cheated as payer), phase (2).
/// The flags tell `settle` which other words exist.
type Channel is uint256;

using {
    phase, epoch, clock, depositOf, total, hasWithdrawn, hasPenalty,
    opened, credited, withdrawnFrom, closed, punishedFor, settled
} for Channel global;

uint256 constant DEPOSIT_BITS = 96;
uint256 constant DEPOSIT_LIMIT = (1 << DEPOSIT_BITS) - 1;
uint256 constant EPOCH_SHIFT = 192;
uint256 constant EPOCH_LIMIT = (1 << 24) - 1;
uint256 constant CLOCK_SHIFT = 216;
uint256 constant CLOCK_LIMIT = (1 << 35) - 1;
uint256 constant WITHDRAWN_FLAG = 1 << 251;
uint256 constant PUNISHED_FLAG = 1 << 252;
uint256 constant PHASE_SHIFT = 254;

function phase(Channel self) pure returns (IPhotonNetwork.Phase) {
    return IPhotonNetwork.Phase(Channel.unwrap(self) >> PHASE_SHIFT);
}

function epoch(Channel self) pure returns (uint64) {
    return uint64((Channel.unwrap(self) >> EPOCH_SHIFT) & EPOCH_LIMIT);
}

function clock(Channel self) pure returns (uint64) {
    return uint64((Channel.unwrap(self) >> CLOCK_SHIFT) & CLOCK_LIMIT);
}

/// @notice The deposit of high, or of low.
function depositOf(Channel self, bool high) pure returns (uint128) {
    return uint128((Channel.unwrap(self) >> (high ? DEPOSIT_BITS : 0)) & DEPOSIT_LIMIT);
}

/// @notice Both deposits.
function total(Channel self) pure returns (uint256) {
    return uint256(depositOf(self, false)) + depositOf(self, true);
}

function hasWithdrawn(Channel self) pure returns (bool) {
    return Channel.unwrap(self) & WITHDRAWN_FLAG != 0;
}

/// @notice Whether high, or low, as payer was cheated, so that there is a penalty to read.
function hasPenalty(Channel self, bool high) pure returns (bool) {
    return Channel.unwrap(self) & (PUNISHED_FLAG << (high ? 1 : 0)) != 0;
}

/// @notice The next life of a pair whose last one is over.
function opened(Channel self, uint64 settleTimeout) pure returns (Channel) {
    uint256 last = epoch(self);
    if (last == EPOCH_LIMIT) revert IPhotonNetwork.EpochsExhausted(uint64(last));
    return Channel.wrap(
        uint256(IPhotonNetwork.Phase.Open) << PHASE_SHIFT | uint256(settleTimeout) << CLOCK_SHIFT
            | (last + 1) << EPOCH_SHIFT
    );
}

/// @notice With a deposit of high, or of low, that is higher by `amount`.
function credited(Channel self, bool high, uint256 amount) pure returns (Channel) {
    uint256 room = DEPOSIT_LIMIT - depositOf(self, high);
    if (amount > room) revert IPhotonNetwork.AmountTooLarge(room, amount);
    return Channel.wrap(Channel.unwrap(self) + (amount << (high ? DEPOSIT_BITS : 0)));
}

function withdrawnFrom(Channel self) pure returns (Channel) {
    return Channel.wrap(Channel.unwrap(self) | WITHDRAWN_FLAG);
}

/// @notice Closed, with updates until `updateUntil`.
function closed(Channel self, uint64 updateUntil) pure returns (Channel) {
    uint256 kept = Channel.unwrap(self) & ~(CLOCK_LIMIT << CLOCK_SHIFT | uint256(3) << PHASE_SHIFT);
    return Channel.wrap(
        kept | uint256(updateUntil) << CLOCK_SHIFT | uint256(IPhotonNetwork.Phase.Closed) << PHASE_SHIFT
    );
}

/// @notice With the mark that high, or low, as payer was cheated.
function punishedFor(Channel self, bool high) pure returns (Channel) {
    return Channel.wrap(Channel.unwrap(self) | PUNISHED_FLAG << (high ? 1 : 0));
}

/// @notice What is kept for ever: the epoch.
function settled(Channel self) pure returns (Channel) {
    return Channel.wrap(Channel.unwrap(self) & (EPOCH_LIMIT << EPOCH_SHIFT));
}
