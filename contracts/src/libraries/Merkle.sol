// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../interfaces/IPhotonNetwork.sol";

/// @title Roots of index-addressed trees with zero subtrees, from some nodes and the siblings they lack.
/// @notice A parent is `keccak256(left ‖ right)` in the lock tree and `keccak256(uint8(1) ‖ left ‖ right)` in a
/// registration; in both, the parent of two zeros is zero. `IPhotonNetwork.unlock` describes the order of siblings.
library Merkle {
    /// @dev The first words of some nodes: where two children are hashed, behind the tag of a registration's parents.
    uint256 private constant WORKBENCH = 3;

    /// @notice Room for nodes: behind the workbench, index and hash of each, in turn.
    function nodes(uint256 count) internal pure returns (uint256[] memory some) {
        some = new uint256[](WORKBENCH + 2 * count);
        some[0] = 1;
    }

    function setNode(uint256[] memory some, uint256 i, uint256 index, bytes32 hash) internal pure {
        some[WORKBENCH + 2 * i] = index;
        some[WORKBENCH + 2 * i + 1] = uint256(hash);
    }

    /// @notice The root. `some` is used up.
    /// @param some nodes by `setNode`, with indices strictly ascending, below 2^depth; at least one
    /// @param tagged whether parents are those of a registration
    function root(uint256[] memory some, bytes32[] calldata siblings, uint256 depth, bool tagged)
        internal pure returns (bytes32)
    {
        uint256 end;
        uint256 sibling;
        assembly ("memory-safe") {
            end := add(some, shl(5, add(mload(some), 1)))
            sibling := siblings.offset
        }
        for (uint256 level = 0; level < depth; level++) {
            (end, sibling) = ascend(some, end, sibling, tagged);
        }
        uint256 used;
        assembly ("memory-safe") {
            used := shr(5, sub(sibling, siblings.offset))
        }
        if (used != siblings.length) revert IPhotonNetwork.MalformedProof(used, siblings.length);
        return bytes32(some[WORKBENCH + 1]);
    }

    /// @notice Replaces the nodes, which go up to `end`, by their parents, in place.
    /// In assembly because it is the inner loop of `unlock`: Solidity's checks of array accesses cost more than the
    /// hashes: 30,000 gas more for 10 of 100 locks. Siblings read beyond the end are refused by `root`.
    /// @param sibling where the next sibling is in the call data
    function ascend(uint256[] memory some, uint256 end, uint256 sibling, bool tagged)
        private pure returns (uint256 newEnd, uint256 newSibling)
    {
        assembly ("memory-safe") {
            newEnd := add(some, 0x80)
            newSibling := sibling
            for { let node := newEnd } lt(node, end) { node := add(node, 0x40) } {
                let index := mload(node)
                // Where to put the node on the workbench, and where its sibling: to the left or to the right.
                let side := add(add(some, 0x40), shl(5, and(index, 1)))
                mstore(side, mload(add(node, 0x20)))
                side := sub(add(shl(1, some), 0xa0), side)
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
                if or(mload(add(some, 0x40)), mload(add(some, 0x60))) {
                    mstore(newEnd, keccak256(sub(add(some, 0x40), tagged), add(0x40, tagged)))
                }
                newEnd := add(newEnd, 0x20)
            }
        }
    }
}
