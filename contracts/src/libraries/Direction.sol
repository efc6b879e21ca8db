// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../interfaces/IPhotonNetwork.sol";
import {hashOfThree} from "./Hashes.sol";

/// @notice What is stored of a direction payer -> payee, only in a dispute, in one word: nonce (48, the highest),
/// sealed (1: the payee closed with a declaration), and the upper 207 bits of the hash of its `Balance`.
/// The preimage changes only with a newer nonce, by the payee, so no call of one side can invalidate the other's.
type Direction is uint256;

using {nonce, isSealed, commitment, matches, isBlank} for Direction global;

uint64 constant NONCE_LIMIT = (1 << 48) - 1;
uint256 constant NONCE_SHIFT = 208;
uint256 constant SEALED_FLAG = 1 << 207;
uint256 constant COMMITMENT_MASK = SEALED_FLAG - 1;

/// @notice The word for a proof, or for a declaration alone (`proofNonce` 0). Sealed when something is declared.
function directionOf(uint64 proofNonce, uint128 transferred, bytes32 locksroot, uint128 declared)
    pure returns (Direction)
{
    if (proofNonce > NONCE_LIMIT) revert IPhotonNetwork.NonceTooLarge(NONCE_LIMIT, proofNonce);
    uint256 seal = declared == 0 ? 0 : SEALED_FLAG;
    return Direction.wrap(uint256(proofNonce) << NONCE_SHIFT | seal | commit(transferred, locksroot, declared));
}

function commit(uint128 transferred, bytes32 locksroot, uint128 declared) pure returns (uint256) {
    return uint256(hashOfThree(transferred, uint256(locksroot), declared)) >> 49;
}

function nonce(Direction self) pure returns (uint64) {
    return uint64(Direction.unwrap(self) >> NONCE_SHIFT);
}

function isSealed(Direction self) pure returns (bool) {
    return Direction.unwrap(self) & SEALED_FLAG != 0;
}

function commitment(Direction self) pure returns (uint256) {
    return Direction.unwrap(self) & COMMITMENT_MASK;
}

function isBlank(Direction self) pure returns (bool) {
    return Direction.unwrap(self) == 0;
}

/// @notice Whether this is what stands. A blank direction stands for nothing transferred, locked and declared.
function matches(Direction self, IPhotonNetwork.Balance calldata balance) pure returns (bool) {
    if (isBlank(self)) return balance.transferred == 0 && balance.locksroot == 0 && balance.declared == 0;
    return commitment(self) == commit(balance.transferred, balance.locksroot, balance.declared);
}
