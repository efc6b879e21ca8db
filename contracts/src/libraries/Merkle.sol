// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../interfaces/IPhotonNetwork.sol";

/// @title Roots of index-addressed trees with zero subtrees, from some nodes and the siblings they lack.
/// @notice A parent is `keccak256(left ‖ right)` in the lock tree and `keccak256(uint8(1) ‖ left ‖ right)` in a
/// registration; in both, the parent of two zeros is zero. `IPhotonNetwork.unlock` describes the order of siblings.
library Merkle {
    /// @dev The first words of some nodes: the depth of their tree; whether it is a registration's, which is the tag of
    /// its parents as well; and where two children are hashed, behind the tag.
    uint256 private constant WORKBENCH = 4;
    /// @dev Where an index is expected: there are no more nodes.
    uint256 private constant NO_NODE = type(uint256).max;

    /// @notice Room for nodes of one tree: behind the workbench, index and hash of each, in turn.
    /// @param tagged whether parents are those of a registration
    function nodes(uint256 count, uint256 depth, bool tagged) internal pure returns (uint256[] memory some) {
        some = new uint256[](WORKBENCH + 2 * count + 1);
        some[0] = depth;
        some[1] = tagged ? 1 : 0;
        some[WORKBENCH + 2 * count] = NO_NODE;
    }

    /// @notice Puts the `i`-th of the nodes there is room for.
    /// In assembly because two checked array accesses cost 300 gas more for each node; callers count up to `count`.
    function setNode(uint256[] memory some, uint256 i, uint256 index, bytes32 hash) internal pure {
        assembly ("memory-safe") {
            let node := add(add(some, 0xa0), shl(6, i))
            mstore(node, index)
            mstore(add(node, 0x20), hash)
        }
    }

    /// @notice The root. `some` is used up.
    /// @param some nodes by `setNode`, with indices strictly ascending, below 2^depth; at least one
    function root(uint256[] memory some, bytes32[] calldata siblings) internal pure returns (bytes32) {
        uint256 used = ascend(some, siblings);
        if (used != siblings.length) revert IPhotonNetwork.MalformedProof(used, siblings.length);
        return bytes32(some[WORKBENCH + 1]);
    }

    /// @notice Replaces the nodes, in place, by their parents, level by level up to the root.
    /// In assembly because it is the inner loop of `unlock`: Solidity's checks of array accesses cost more than the
    /// hashes: 30,000 gas more for 10 of 100 locks. Siblings read beyond the end are refused by `root`.
    /// @return used how many siblings it took
    function ascend(uint256[] memory some, bytes32[] calldata siblings) private pure returns (uint256 used) {
        uint256 noNode = NO_NODE;
        assembly ("memory-safe") {
            let sibling := siblings.offset
            let tagged := mload(add(some, 0x40))
            let left := add(some, 0x60)
            for { let levels := mload(add(some, 0x20)) } levels { levels := sub(levels, 1) } {
                let parent := add(some, 0xa0)
                for { let node := parent } lt(mload(node), noNode) { node := add(node, 0x40) } {
                    let index := mload(node)
                    // Where to put the node on the workbench; its sibling goes to the other side.
                    let side := shl(5, and(index, 1))
                    mstore(add(left, side), mload(add(node, 0x20)))
                    side := add(left, xor(side, 0x20))
                    switch eq(mload(add(node, 0x40)), or(index, 1))
                    case 1 {
                        node := add(node, 0x40)
                        mstore(side, mload(add(node, 0x20)))
                    }
                    default {
                        mstore(side, calldataload(sibling))
                        sibling := add(sibling, 0x20)
                    }
                    mstore(parent, shr(1, index))
                    let hash := 0
                    if or(mload(left), mload(add(left, 0x20))) {
                        hash := keccak256(sub(left, tagged), add(0x40, tagged))
                    }
                    mstore(add(parent, 0x20), hash)
                    parent := add(parent, 0x40)
                }
                mstore(parent, noNode)
            }
            used := shr(5, sub(sibling, siblings.offset))
        }
    }
}
