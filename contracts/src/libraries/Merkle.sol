// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../interfaces/IPhotonNetwork.sol";

/// @title Roots of index-addressed trees with zero subtrees, from some nodes and the siblings they lack.
/// @notice A parent is `keccak256(left ‖ right)` in the lock tree and `keccak256(uint8(1) ‖ left ‖ right)` in a
/// registration; in both, the parent of two zeros is zero. `IPhotonNetwork.unlock` describes the order of siblings.
library Merkle {
    /// @notice Room for nodes: index and hash of each, in turn.
    function nodes(uint256 count) internal pure returns (uint256[] memory) {
        return new uint256[](2 * count);
    }

    function setNode(uint256[] memory some, uint256 i, uint256 index, bytes32 hash) internal pure {
        some[2 * i] = index;
        some[2 * i + 1] = uint256(hash);
    }

    /// @notice The root. `some` is used up.
    /// @param some nodes by `setNode`, with indices strictly ascending, below 2^depth; at least one
    /// @param tagged whether parents are those of a registration
    function root(uint256[] memory some, bytes32[] calldata siblings, uint256 depth, bool tagged)
        internal pure returns (bytes32)
    {
        uint256 end;
        uint256 first;
        uint256 sibling;
        assembly ("memory-safe") {
            first := add(some, 0x20)
            end := add(first, shl(5, mload(some)))
            sibling := siblings.offset
        }
        for (uint256 level = 0; level < depth; level++) {
            (end, sibling) = ascend(first, end, sibling, tagged);
        }
        uint256 used;
        assembly ("memory-safe") {
            used := shr(5, sub(sibling, siblings.offset))
        }
        if (used != siblings.length) revert IPhotonNetwork.MalformedProof(used, siblings.length);
        return bytes32(some[1]);
    }

    /// @notice Replaces the nodes from `first` to `end` by their parents, in place.
    /// In assembly because it is the inner loop of `unlock`: Solidity's checks of array accesses cost more than the
    /// hashes: 30,000 gas more for 10 of 100 locks. Siblings read beyond the end are refused by `root`.
    /// @param sibling where the next sibling is in the call data
    function ascend(uint256 first, uint256 end, uint256 sibling, bool tagged)
        private pure returns (uint256 newEnd, uint256 newSibling)
    {
        assembly ("memory-safe") {
            // Behind the free memory: the tag, left, right.
            let tag := mload(0x40)
            mstore(tag, 1)
            newEnd := first
            newSibling := sibling
            for { let node := first } lt(node, end) { node := add(node, 0x40) } {
                let index := mload(node)
                // Where to put the node, and where its sibling: to the left or to the right.
                let side := add(add(tag, 0x20), shl(5, and(index, 1)))
                mstore(side, mload(add(node, 0x20)))
                side := sub(add(shl(1, tag), 0x60), side)
                switch and(lt(add(node, 0x40), end), eq(mload(add(node, 0x40)), or(index, 1)))
                case 1 {
                    node := add(node, 0x40)
                    mstore(side, mload(add(node, 0x20)))
                }
                default {
                    mstore(side, calldataload(newSibling))
                    newSibling := add(newSibling, 0x20)
                }
                mstore(newEnd, shr(1, index))
                newEnd := add(newEnd, 0x20)
                mstore(newEnd, 0)
                if or(mload(add(tag, 0x20)), mload(add(tag, 0x40))) {
                    mstore(newEnd, keccak256(sub(add(tag, 0x20), tagged), add(0x40, tagged)))
                }
                newEnd := add(newEnd, 0x20)
            }
        }
    }
}
