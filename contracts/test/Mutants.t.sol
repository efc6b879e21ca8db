// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../src/interfaces/IPhotonNetwork.sol";
import {Story} from "./support/Story.sol";
import {Vm, vm} from "./support/Vm.sol";

/// @title What mutation testing found that no other test asked for.
contract MutantsTest is Story {
    function test_an_update_tells_channel_payer_token_and_proof() external {
        openWith(100, 100);
        closes(low, noProof(), 0);
        IPhotonNetwork.BalanceProof memory proof = proofBy(low, 7, 30, 0);
        vm.expectEmit(address(network));
        emit IPhotonNetwork.BalanceUpdated(id(), low, address(token), 1, 7, 30, 0);
        updates(low, proof);
    }

    function test_a_declaration_of_one_unit_counts_and_is_told() external {
        openWith(100, 100);
        vm.recordLogs();
        closes(low, noProof(), 1);
        assertEq(vm.getRecordedLogs().length, 2, "closed, and declared");
        skipDispute();
        settles(nothing(), IPhotonNetwork.Balance(0, 0, 1));
        assertPaid(WEALTH - 1, WEALTH + 1);
    }

    function test_who_declares_nothing_tells_nothing_and_stores_nothing() external {
        openWith(100, 100);
        vm.recordLogs();
        closes(low, noProof(), 0);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1, "closed");
        assertEq(network.direction(address(token), high, low).commitment, 0, "commitment");
    }
}
