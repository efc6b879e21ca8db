// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../../src/interfaces/IPhotonNetwork.sol";

/// @title The lock tree and the registration tree as whole levels in memory: a second, naive way to roots and multiproofs.
library Trees {
    uint256 internal constant DEPTH = 12;

    function leafOf(IPhotonNetwork.Lock memory lock) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(0), lock.number, lock.secretHash, lock.amount, lock.expiration));
    }

    /// @notice All levels of the lock tree, from the 4096 leaves to the root.
    function ofLocks(IPhotonNetwork.Lock[] memory locks) internal pure returns (bytes32[][] memory levels) {
        bytes32[] memory leaves = new bytes32[](1 << DEPTH);
        for (uint256 i = 0; i < locks.length; i++) leaves[locks[i].slot] = leafOf(locks[i]);
        return fromLeaves(leaves, DEPTH, "");
    }

    /// @notice All levels of a registration's tree, padded with zeros to a power of two.
    function ofSecrets(bytes32[] memory secrets) internal pure returns (bytes32[][] memory levels) {
        uint256 depth = 0;
        while (1 << depth < secrets.length) depth++;
        bytes32[] memory leaves = new bytes32[](1 << depth);
        for (uint256 i = 0; i < secrets.length; i++) {
            leaves[i] = keccak256(abi.encodePacked(uint8(0), sha256(abi.encodePacked(secrets[i]))));
        }
        return fromLeaves(leaves, depth, hex"01");
    }

    function rootOf(bytes32[][] memory levels) internal pure returns (bytes32) {
        return levels[levels.length - 1][0];
    }

    /// @notice The siblings for the leaves at `indices` (strictly ascending), bottom level first, left to right in each.
    function proof(bytes32[][] memory levels, uint256[] memory indices) internal pure returns (bytes32[] memory siblings) {
        bytes32[] memory found = new bytes32[](indices.length * levels.length);
        uint256 count = 0;
        bool[] memory present = new bool[](levels[0].length);
        for (uint256 i = 0; i < indices.length; i++) present[indices[i]] = true;
        for (uint256 level = 0; level + 1 < levels.length; level++) {
            bool[] memory above = new bool[](present.length / 2);
            for (uint256 index = 0; index < present.length; index++) {
                if (!present[index]) continue;
                above[index / 2] = true;
                if (!present[index ^ 1]) found[count++] = levels[level][index ^ 1];
            }
            present = above;
        }
        siblings = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) siblings[i] = found[i];
    }

    function fromLeaves(bytes32[] memory leaves, uint256 depth, bytes memory tag)
        internal pure returns (bytes32[][] memory levels)
    {
        levels = new bytes32[][](depth + 1);
        levels[0] = leaves;
        for (uint256 level = 1; level <= depth; level++) {
            bytes32[] memory below = levels[level - 1];
            levels[level] = new bytes32[](below.length / 2);
            for (uint256 i = 0; i < below.length / 2; i++) {
                (bytes32 left, bytes32 right) = (below[2 * i], below[2 * i + 1]);
                if (left != 0 || right != 0) levels[level][i] = keccak256(bytes.concat(tag, left, right));
            }
        }
    }
}
