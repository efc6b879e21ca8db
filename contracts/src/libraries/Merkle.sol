// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../interfaces/IPhotonNetwork.sol";

/// @title Roots of index-addressed trees with zero subtrees, from some nodes and the siblings they lack.
/// @notice A parent is `keccak256(left ‖ right)` in the lock tree and `keccak256(uint8(1) ‖ left ‖ right)` in a
/// registration; in both, the parent of two zeros is zero. `IPhotonNetwork.unlock` describes the order of siblings.
library Merkle {
    /// @notice The root. `nodes` and `indices` are used up.
    /// @param indices strictly ascending, below 2^depth; at least one
    /// @param tagged whether parents are those of a registration
    function root(
        uint256[] memory indices, bytes32[] memory nodes, bytes32[] calldata siblings, uint256 depth, bool tagged
    ) internal pure returns (bytes32) {
        uint256 count = nodes.length;
        uint256 used = 0;
        for (uint256 level = 0; level < depth; level++) {
            (count, used) = ascend(indices, nodes, count, siblings, used, tagged);
        }
        if (used != siblings.length) revert IPhotonNetwork.MalformedProof(used, siblings.length);
        return nodes[0];
    }

    /// @notice Replaces the first `count` nodes by their parents, in place.
    /// @return parents how many there are
    /// @return usedSiblings how many siblings are used up now
    function ascend(
        uint256[] memory indices, bytes32[] memory nodes, uint256 count, bytes32[] calldata siblings, uint256 used, bool tagged
    ) private pure returns (uint256 parents, uint256 usedSiblings) {
        usedSiblings = used;
        for (uint256 i = 0; i < count; i++) {
            uint256 index = indices[i];
            bytes32 node = nodes[i];
            bytes32 parent_;
            if (index % 2 == 0 && i + 1 < count && indices[i + 1] == index + 1) {
                i++;
                parent_ = parent(node, nodes[i], tagged);
            } else {
                if (usedSiblings == siblings.length) {
                    revert IPhotonNetwork.MalformedProof(usedSiblings + 1, siblings.length);
                }
                bytes32 sibling = siblings[usedSiblings];
                usedSiblings++;
                parent_ = index % 2 == 0 ? parent(node, sibling, tagged) : parent(sibling, node, tagged);
            }
            indices[parents] = index / 2;
            nodes[parents] = parent_;
            parents++;
        }
    }

    /// @notice In assembly because it hashes in the scratch space: with `abi.encodePacked`, which takes new memory
    /// for each node, registering 256 secrets costs some 60,000 gas more.
    function parent(bytes32 left, bytes32 right, bool tagged) internal pure returns (bytes32 result) {
        if (left == 0 && right == 0) return 0;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, 1)
            mstore(add(free, 0x20), left)
            mstore(add(free, 0x40), right)
            result := keccak256(sub(add(free, 0x20), tagged), add(0x40, tagged))
        }
    }
}
