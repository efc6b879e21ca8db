// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../../src/interfaces/IPhotonNetwork.sol";
import {Locks} from "../../src/libraries/Locks.sol";
import {Merkle} from "../../src/libraries/Merkle.sol";

/// @title The contract's tree code, callable from outside.
contract TreeHarness {
    function lockHash(IPhotonNetwork.Lock calldata lock) external pure returns (bytes32) {
        return Locks.hash(lock);
    }

    function checkLocks(IPhotonNetwork.Lock[] calldata locks, bytes32[] calldata siblings, bytes32 expected) external pure {
        Locks.check(locks, siblings, expected);
    }

    function root(uint256[] memory indices, bytes32[] memory nodes, bytes32[] calldata siblings, uint256 depth, bool tagged)
        external pure returns (bytes32)
    {
        uint256[] memory some = Merkle.nodes(indices.length, depth, tagged);
        for (uint256 i = 0; i < indices.length; i++) Merkle.setNode(some, i, indices[i], nodes[i]);
        return Merkle.root(some, siblings);
    }
}
