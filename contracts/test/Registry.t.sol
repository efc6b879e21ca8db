// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../src/interfaces/IPhotonNetwork.sol";
import {Story} from "./support/Story.sol";
import {TreeHarness} from "./support/TreeHarness.sol";
import {Trees} from "./support/Trees.sol";
import {vm} from "./support/Vm.sol";

contract RegistryTest is Story {
    TreeHarness private trees;

    function setUp() public override {
        super.setUp();
        trees = new TreeHarness();
    }

    function test_a_batch_of_secrets_is_one_word_and_tells_them_all() external {
        bytes32[] memory secrets = secretsOf(locksAt(0, 1, 5));
        bytes32 root = Trees.rootOf(Trees.ofSecrets(secrets));
        vm.record();
        vm.expectEmit(address(network));
        emit IPhotonNetwork.SecretsRegistered(root, secrets);
        network.registerSecrets(secrets);
        (, bytes32[] memory writes) = vm.accesses(address(network));
        assertEq(writes.length, 1, "words written");
        assertEq(network.registeredAt(root), START, "registered at");
    }

    function test_one_secret_is_its_own_root() external {
        bytes32[] memory secrets = secretsOf(locksAt(0, 1, 1));
        bytes32 root = network.registerSecrets(secrets);
        assertEq(root, keccak256(abi.encodePacked(uint8(0), sha256(abi.encodePacked(secrets[0])))), "root");
    }

    function test_no_secrets_and_too_many_are_refused() external {
        refuses(abi.encodeWithSelector(IPhotonNetwork.WrongNumberOfSecrets.selector, 256, 0));
        act(low, abi.encodeCall(network.registerSecrets, (new bytes32[](0))));
        refuses(abi.encodeWithSelector(IPhotonNetwork.WrongNumberOfSecrets.selector, 256, 257));
        act(low, abi.encodeCall(network.registerSecrets, (new bytes32[](257))));
        act(low, abi.encodeCall(network.registerSecrets, (new bytes32[](256))));
    }

    function testFuzz_registrations_of_any_size_have_the_root_of_the_naive_tree(uint256 size, bytes32 seed) external {
        bytes32[] memory secrets = new bytes32[](within(size, 1, 256));
        for (uint256 i = 0; i < secrets.length; i++) secrets[i] = keccak256(abi.encode(seed, i));
        assertEq(network.registerSecrets(secrets), Trees.rootOf(Trees.ofSecrets(secrets)), "root");
    }

    function testFuzz_multiproofs_give_the_root_of_the_naive_tree(uint256 present, uint256 proven, bytes32 seed) external view {
        bytes32[][] memory levels = new bytes32[][](0);
        bytes32[] memory leaves = new bytes32[](64);
        uint256 count = 0;
        for (uint256 i = 0; i < 64; i++) {
            if (present >> i & 1 == 1) leaves[i] = keccak256(abi.encode(seed, i));
            if (proven >> i & 1 == 1) count++;
        }
        if (count == 0) return;
        (uint256[] memory indices, bytes32[] memory nodes) = (new uint256[](count), new bytes32[](count));
        for ((uint256 i, uint256 next) = (0, 0); i < 64; i++) {
            if (proven >> i & 1 == 0) continue;
            (indices[next], nodes[next]) = (i, leaves[i]);
            next++;
        }
        for (uint256 tagged = 0; tagged < 2; tagged++) {
            levels = Trees.fromLeaves(leaves, 6, tagged == 1 ? bytes(hex"01") : bytes(""));
            bytes32 got = trees.root(indices, nodes, Trees.proof(levels, indices), 6, tagged == 1);
            assertEq(got, Trees.rootOf(levels), "root");
        }
    }
}
