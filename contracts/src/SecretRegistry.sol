// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "./interfaces/IPhotonNetwork.sol";
import {Merkle} from "./libraries/Merkle.sol";

/// @title When which secrets were known to all: one word for each batch.
/// @notice One registration makes a secret claimable in every channel, so one expiration serves a whole path.
abstract contract SecretRegistry is IPhotonNetwork {
    uint256 internal constant MOST_SECRETS = 256;
    uint256 internal constant DEEPEST_REGISTRATION = 8;

    /// @inheritdoc IPhotonNetwork
    mapping(bytes32 root => uint64 timestamp) public registeredAt;

    /// @inheritdoc IPhotonNetwork
    function registerSecrets(bytes32[] calldata secrets) external returns (bytes32 root) {
        uint256 count = secrets.length;
        if (count == 0 || count > MOST_SECRETS) revert WrongNumberOfSecrets(MOST_SECRETS, count);
        root = rootOf(secrets);
        if (registeredAt[root] == 0) {
            registeredAt[root] = uint64(block.timestamp);
            emit SecretsRegistered(root, secrets);
        }
    }

    /// @notice Refuses unless each lock's secret is shown to be registered at or before the lock's expiration.
    function checkRegistered(Lock[] calldata locks, Registration[] calldata registrations) internal view {
        bool[] memory covered = new bool[](locks.length);
        uint256 count = 0;
        for (uint256 i = 0; i < registrations.length; i++) {
            count += cover(covered, locks, registrations[i], i);
        }
        if (count == locks.length) return;
        for (uint256 i = 0; i < locks.length; i++) {
            if (!covered[i]) revert NotRegistered(i);
        }
    }

    /// @notice Marks the locks that a registration shows; it must have come in time for each.
    /// @return newly how many of them were not marked before
    function cover(bool[] memory covered, Lock[] calldata locks, Registration calldata shown, uint256 which)
        private view returns (uint256 newly)
    {
        bytes calldata members = shown.members;
        uint256 depth = shown.depth;
        uint256 count = members.length / 3;
        if (count == 0 || count * 3 != members.length || depth > DEEPEST_REGISTRATION) {
            revert MalformedRegistration(which);
        }
        uint256[] memory leaves = Merkle.nodes(count, depth, true);
        uint256 index = 0;
        uint256 earliest = type(uint64).max;
        for (uint256 i = 0; i < count; i++) {
            uint256 previous = index;
            uint256 place;
            (index, place) = memberAt(members, i);
            if (index <= previous && i > 0) revert NotAscending(previous, index);
            if (place >= locks.length) revert MalformedRegistration(which);
            Lock calldata lock = locks[place];
            if (lock.expiration < earliest) earliest = lock.expiration;
            Merkle.setNode(leaves, i, index, leafOf(lock.secretHash));
            if (!covered[place]) {
                unchecked { newly++; }
                covered[place] = true;
            }
        }
        if (index >> depth != 0) revert MalformedRegistration(which);
        bytes32 root = Merkle.root(leaves, shown.siblings);
        uint256 time = registeredAt[root];
        if (time == 0) revert UnknownRegistration(root);
        if (time > earliest) revert RegisteredTooLate(uint64(earliest), uint64(time));
    }

    /// @notice The index in the registration, and the lock's place in the call, that the `i`-th member tells.
    /// In assembly because three checked bytes cost 250 gas more for each lock.
    function memberAt(bytes calldata members, uint256 i) private pure returns (uint256 index, uint256 place) {
        assembly ("memory-safe") {
            let triple := shr(232, calldataload(add(members.offset, mul(3, i))))
            index := shr(16, triple)
            place := and(triple, 0xffff)
        }
    }

    /// @notice In assembly because it hashes in place: with Solidity's checked arrays, and `abi.encodePacked`, which
    /// takes new memory for each node, registering 256 secrets costs 270,000 gas more.
    function rootOf(bytes32[] calldata secrets) private view returns (bytes32) {
        // One more than there are secrets: room for the missing right node.
        bytes32[] memory nodes = new bytes32[](secrets.length + 1);
        assembly ("memory-safe") {
            let first := add(nodes, 0x20)
            let parent := first
            for { let end := add(first, shl(5, secrets.length)) } lt(parent, end) { parent := add(parent, 0x20) } {
                mstore(0, calldataload(add(secrets.offset, sub(parent, first))))
                // The contract at 2 is SHA-256; it fails for want of gas only.
                if iszero(staticcall(gas(), 2, 0, 0x20, 1, 0x20)) { revert(0, 0) }
                mstore8(0, 0)
                mstore(parent, keccak256(0, 0x21))
            }
            // Behind the free memory: the tag, left, right.
            let tag := mload(0x40)
            mstore(tag, 1)
            for { let count := secrets.length } gt(count, 1) {} {
                mstore(add(first, shl(5, count)), 0)
                count := shr(1, add(count, 1))
                let child := first
                parent := first
                for { let end := add(first, shl(5, count)) } lt(parent, end) { parent := add(parent, 0x20) } {
                    mstore(add(tag, 0x20), mload(child))
                    mstore(add(tag, 0x40), mload(add(child, 0x20)))
                    mstore(parent, keccak256(add(tag, 0x1f), 0x41))
                    child := add(child, 0x40)
                }
            }
        }
        return nodes[0];
    }

    function leafOf(bytes32 secretHash) private pure returns (bytes32 leaf) {
        assembly ("memory-safe") {
            mstore8(0, 0)
            mstore(1, secretHash)
            leaf := keccak256(0, 0x21)
        }
    }
}
