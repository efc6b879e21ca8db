// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../interfaces/IPhotonNetwork.sol";
import {Merkle} from "./Merkle.sol";

/// @title The lock tree of a direction: 4096 slots, the payer picks them.
library Locks {
    uint256 internal constant DEPTH = 12;
    uint16 internal constant SLOTS = 4096;

    /// @notice The lock's leaf in the tree, which is also what a disposal names. 65 bytes: never a parent's 64.
    function hash(IPhotonNetwork.Lock calldata lock) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(0), lock.number, lock.secretHash, lock.amount, lock.expiration));
    }

    /// @notice Refuses locks that are not in the tree with the root `expected`, or not strictly ascending by slot.
    function check(IPhotonNetwork.Lock[] calldata locks, bytes32[] calldata siblings, bytes32 expected) internal pure {
        uint256 count = locks.length;
        if (count == 0) revert IPhotonNetwork.NoLocks();
        uint256[] memory slots = new uint256[](count);
        bytes32[] memory leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            uint16 slot = checkedSlot(locks[i]);
            if (i > 0 && slot <= slots[i - 1]) revert IPhotonNetwork.NotAscending(slots[i - 1], slot);
            slots[i] = slot;
            leaves[i] = hash(locks[i]);
        }
        checkRoot(Merkle.root(slots, leaves, siblings, DEPTH, false), expected);
    }

    /// @notice Refuses a lock that is not in the tree with the root `expected`.
    function checkOne(IPhotonNetwork.Lock calldata lock, bytes32[] calldata siblings, bytes32 expected) internal pure {
        uint256[] memory slots = new uint256[](1);
        bytes32[] memory leaves = new bytes32[](1);
        slots[0] = checkedSlot(lock);
        leaves[0] = hash(lock);
        checkRoot(Merkle.root(slots, leaves, siblings, DEPTH, false), expected);
    }

    function checkedSlot(IPhotonNetwork.Lock calldata lock) private pure returns (uint16) {
        if (lock.slot >= SLOTS) revert IPhotonNetwork.SlotOutOfRange(SLOTS, lock.slot);
        return lock.slot;
    }

    function checkRoot(bytes32 got, bytes32 expected) private pure {
        if (got != expected) revert IPhotonNetwork.WrongRoot(expected, got);
    }
}
