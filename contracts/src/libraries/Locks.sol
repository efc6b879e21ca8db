// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../interfaces/IPhotonNetwork.sol";
import {Merkle} from "./Merkle.sol";

/// @title The lock tree of a direction: 4096 slots, the payer picks them.
library Locks {
    uint256 internal constant DEPTH = 12;
    uint16 internal constant SLOTS = 4096;

    /// @notice The lock's leaf in the tree, which is also what a disposal names. 65 bytes: never a parent's 64.
    /// In assembly because `abi.encodePacked` takes new memory for each lock and copies there: 150 gas more for each.
    function hash(IPhotonNetwork.Lock calldata lock) internal pure returns (bytes32 result) {
        (uint64 number_, bytes32 secretHash) = (lock.number, lock.secretHash);
        (uint128 amount, uint64 expiration) = (lock.amount, lock.expiration);
        assembly ("memory-safe") {
            let packed := mload(0x40)
            mstore8(packed, 0)
            mstore(add(packed, 1), shl(192, number_))
            mstore(add(packed, 9), secretHash)
            mstore(add(packed, 41), shl(128, amount))
            mstore(add(packed, 57), shl(192, expiration))
            result := keccak256(packed, 65)
        }
    }

    /// @notice Refuses locks that are not in the tree with the root `expected`, or not strictly ascending by slot.
    function check(IPhotonNetwork.Lock[] calldata locks, bytes32[] calldata siblings, bytes32 expected) internal pure {
        uint256 count = locks.length;
        if (count == 0) revert IPhotonNetwork.NoLocks();
        uint256[] memory leaves = Merkle.nodes(count, DEPTH, false);
        uint256 previous = 0;
        for (uint256 i = 0; i < count; i++) {
            IPhotonNetwork.Lock calldata lock = locks[i];
            uint16 slot = checkedSlot(lock);
            if (slot <= previous && i > 0) revert IPhotonNetwork.NotAscending(previous, slot);
            previous = slot;
            Merkle.setNode(leaves, i, slot, hash(lock));
        }
        checkRoot(Merkle.root(leaves, siblings), expected);
    }

    /// @notice Refuses a lock that is not in the tree with the root `expected`.
    function checkOne(IPhotonNetwork.Lock calldata lock, bytes32[] calldata siblings, bytes32 expected) internal pure {
        uint256[] memory leaves = Merkle.nodes(1, DEPTH, false);
        Merkle.setNode(leaves, 0, checkedSlot(lock), hash(lock));
        checkRoot(Merkle.root(leaves, siblings), expected);
    }

    function checkedSlot(IPhotonNetwork.Lock calldata lock) private pure returns (uint16 slot) {
        slot = lock.slot;
        if (slot >= SLOTS) revert IPhotonNetwork.SlotOutOfRange(SLOTS, slot);
    }

    function checkRoot(bytes32 got, bytes32 expected) private pure {
        if (got != expected) revert IPhotonNetwork.WrongRoot(expected, got);
    }
}
