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
        uint256[] memory times = new uint256[](locks.length);
        for (uint256 i = 0; i < registrations.length; i++) {
            noteTimes(times, locks, registrations[i], i);
        }
        for (uint256 i = 0; i < locks.length; i++) {
            if (times[i] == 0) revert NotRegistered(i);
            if (times[i] > locks[i].expiration) revert RegisteredTooLate(locks[i].expiration, uint64(times[i]));
        }
    }

    /// @notice Notes the time of a registration for each lock that it shows.
    function noteTimes(uint256[] memory times, Lock[] calldata locks, Registration calldata shown, uint256 which)
        private view
    {
        bytes calldata members = shown.members;
        uint256 count = members.length / 3;
        if (count == 0 || members.length % 3 != 0 || shown.depth > DEEPEST_REGISTRATION) {
            revert MalformedRegistration(which);
        }
        uint256[] memory indices = new uint256[](count);
        bytes32[] memory leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            uint256 index = uint8(members[3 * i]);
            if (i > 0 && index <= indices[i - 1]) revert NotAscending(indices[i - 1], index);
            indices[i] = index;
            leaves[i] = leafOf(locks[lockPlace(members, i, locks.length, which)].secretHash);
        }
        if (indices[count - 1] >> shown.depth != 0) revert MalformedRegistration(which);
        bytes32 root = Merkle.root(indices, leaves, shown.siblings, shown.depth, true);
        uint256 time = registeredAt[root];
        if (time == 0) revert UnknownRegistration(root);
        for (uint256 i = 0; i < count; i++) {
            times[lockPlace(members, i, locks.length, which)] = time;
        }
    }

    function lockPlace(bytes calldata members, uint256 i, uint256 lockCount, uint256 which)
        private pure returns (uint256 place)
    {
        place = uint256(uint8(members[3 * i + 1])) << 8 | uint8(members[3 * i + 2]);
        if (place >= lockCount) revert MalformedRegistration(which);
    }

    function rootOf(bytes32[] calldata secrets) private pure returns (bytes32) {
        uint256 count = secrets.length;
        bytes32[] memory nodes = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            nodes[i] = leafOf(sha256(abi.encodePacked(secrets[i])));
        }
        while (count > 1) {
            uint256 parents = (count + 1) / 2;
            for (uint256 i = 0; i < parents; i++) {
                bytes32 right = 2 * i + 1 < count ? nodes[2 * i + 1] : bytes32(0);
                nodes[i] = Merkle.parent(nodes[2 * i], right, true);
            }
            count = parents;
        }
        return nodes[0];
    }

    function leafOf(bytes32 secretHash) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(0), secretHash));
    }
}
