// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Merkle} from "../src/libraries/Merkle.sol";
import {Symbolic} from "./support/Symbolic.sol";

/// @title The multiproof: it shows what is in the tree, and nothing else.
/// @notice Bounds: trees of depth 2, every set of leaves, every content, also empty leaves and zero siblings; both kinds
/// of trees. Every level of a deeper tree is made of these steps. Assumed of keccak256: no two inputs have one hash, and
/// none the hash zero.
contract MultiproofProofs is Symbolic {
    uint256 private constant DEPTH = 2;
    uint256 private constant LEAVES = 4;

    /// @param set which leaves are shown, a bit for each
    function check_no_leaf_is_shown_that_is_not_in_the_tree(
        uint8 set, bytes32[4] calldata leaves, bytes32[4] calldata shown, bytes32[2] calldata siblings, bool tagged
    ) external view {
        bytes32 root = rootOf(leaves, tagged);
        for (uint8 some = 1; some < 1 << LEAVES; some++) {
            if (set != some) continue;
            bytes32[] memory given = new bytes32[](lacking(some));
            for (uint256 i = 0; i < given.length; i++) given[i] = siblings[i];
            bytes32 got = this.rootBy(some, shown, given, tagged);
            assert(got == fold(some, shown, siblings, tagged));
            if (got != root) return;
            for (uint256 i = 0; i < LEAVES; i++) if (some >> i & 1 == 1) assert(shown[i] == leaves[i]);
            return;
        }
    }

    function check_every_leaf_of_the_tree_can_be_shown(uint8 set, bytes32[4] calldata leaves, bool tagged) external view {
        bytes32 root = rootOf(leaves, tagged);
        for (uint8 some = 1; some < 1 << LEAVES; some++) {
            if (set != some) continue;
            try this.rootBy(some, leaves, siblingsOf(some, leaves, tagged), tagged) returns (bytes32 got) {
                assert(got == root);
            } catch {
                assert(false);
            }
            return;
        }
    }

    /// @notice Neither fewer siblings than it takes nor more.
    function check_a_proof_of_another_length_is_refused(
        uint8 set, bytes32[4] calldata leaves, bytes32[2] calldata siblings, uint8 length, bool tagged
    ) external view {
        for (uint8 some = 1; some < 1 << LEAVES; some++) {
            if (set != some) continue;
            for (uint256 count = 0; count < 3; count++) {
                if (length != count || count == lacking(some)) continue;
                bytes32[] memory given = new bytes32[](count);
                for (uint256 i = 0; i < count; i++) given[i] = siblings[i];
                try this.rootBy(some, leaves, given, tagged) { assert(false); } catch {}
            }
            return;
        }
    }

    function rootBy(uint8 set, bytes32[4] calldata leaves, bytes32[] calldata siblings, bool tagged)
        external pure returns (bytes32)
    {
        uint256 count = 0;
        for (uint256 i = 0; i < LEAVES; i++) count += set >> i & 1;
        uint256[] memory some = Merkle.nodes(count, DEPTH, tagged);
        uint256 place = 0;
        for (uint256 i = 0; i < LEAVES; i++) if (set >> i & 1 == 1) Merkle.setNode(some, place++, i, leaves[i]);
        return Merkle.root(some, siblings);
    }

    /// @notice The root that a proof tells, by hand.
    function fold(uint8 set, bytes32[4] calldata shown, bytes32[2] calldata siblings, bool tagged)
        private pure returns (bytes32)
    {
        uint256 used = 0;
        bytes32[2] memory halves;
        bool[2] memory there;
        for (uint256 half = 0; half < 2; half++) {
            (bool left, bool right) = (set >> (2 * half) & 1 == 1, set >> (2 * half + 1) & 1 == 1);
            there[half] = left || right;
            if (!there[half]) continue;
            bytes32 first = left ? shown[2 * half] : siblings[used++];
            bytes32 second = right ? shown[2 * half + 1] : siblings[used++];
            halves[half] = parent(first, second, tagged);
        }
        for (uint256 half = 0; half < 2; half++) if (!there[half]) halves[half] = siblings[used++];
        return parent(halves[0], halves[1], tagged);
    }

    function siblingsOf(uint8 set, bytes32[4] calldata leaves, bool tagged) private pure returns (bytes32[] memory all) {
        all = new bytes32[](lacking(set));
        uint256 place = 0;
        for (uint256 i = 0; i < LEAVES; i++) {
            if (set >> i & 1 == 0 && set >> (i ^ 1) & 1 == 1) all[place++] = leaves[i];
        }
        if (set & 3 == 0) all[place] = parent(leaves[0], leaves[1], tagged);
        if (set & 12 == 0) all[place] = parent(leaves[2], leaves[3], tagged);
    }

    /// @notice How many siblings a set of leaves takes.
    function lacking(uint8 set) private pure returns (uint256 count) {
        if (set & 3 == 1 || set & 3 == 2) count++;
        if (set & 12 == 4 || set & 12 == 8) count++;
        if (set & 3 == 0 || set & 12 == 0) count++;
    }

    function rootOf(bytes32[4] calldata leaves, bool tagged) private pure returns (bytes32) {
        return parent(parent(leaves[0], leaves[1], tagged), parent(leaves[2], leaves[3], tagged), tagged);
    }

    /// @notice Without a branch: halmos would follow each way alone.
    function parent(bytes32 left, bytes32 right, bool tagged) private pure returns (bytes32 hash) {
        hash = tagged ? keccak256(abi.encodePacked(uint8(1), left, right)) : keccak256(abi.encodePacked(left, right));
        vm.assume(hash != 0);
        assembly ("memory-safe") {
            hash := and(hash, sub(0, iszero(iszero(or(left, right)))))
        }
    }
}
