// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../../src/interfaces/IPhotonNetwork.sol";
import {Fixture} from "./Fixture.sol";
import {vm} from "./Vm.sol";

/// @title Calls in somebody's name, each either done, or refused with exactly the error that was announced.
abstract contract Story is Fixture {
    bytes private awaited;
    bool private refusing;

    error NotRefused(bytes expected);
    error RefusedOtherwise(bytes got, bytes expected);

    /// @notice The next call must be refused with this error.
    function refuses(bytes memory expected) internal {
        (refusing, awaited) = (true, expected);
    }

    /// @notice The next call must be refused; by what error is not ours to say.
    function refusesSomehow() internal {
        refuses("");
    }

    function act(address who, bytes memory call) internal {
        actOn(address(network), who, 0, call);
    }

    /// @notice Any contract is called, with coins.
    function actOn(address target, address who, uint256 coins, bytes memory call) internal {
        vm.prank(who);
        (bool success, bytes memory result) = target.call{value: coins}(call);
        if (!refusing) {
            if (!success) assembly ("memory-safe") { revert(add(result, 0x20), mload(result)) }
            return;
        }
        if (success) revert NotRefused(awaited);
        if (awaited.length != 0 && keccak256(result) != keccak256(awaited)) revert RefusedOtherwise(result, awaited);
        refusing = false;
    }

    function opens(address who, uint64 timeout, uint128 amount) internal {
        act(who, abi.encodeCall(network.open, (address(token), partnerOf(who), timeout, amount)));
    }

    function deposits(address who, address participant, uint64 epoch, uint128 amount) internal {
        act(who, abi.encodeCall(
            network.deposit, (address(token), participant, partnerOf(participant), epoch, amount)
        ));
    }

    function withdraws(
        address who, address participant, uint128 total, uint64 until, bytes memory own, bytes memory partners
    ) internal {
        act(who, abi.encodeCall(
            network.withdraw, (address(token), participant, partnerOf(participant), total, until, own, partners)
        ));
    }

    /// @notice With the signatures of both.
    function withdrawsAgreed(address participant, uint128 total) internal {
        bytes32 hash = withdrawalHash(participant, total, LATER);
        withdraws(
            stranger, participant, total, LATER, signedBy(keyFor(participant), hash),
            signedBy(keyFor(partnerOf(participant)), hash)
        );
    }

    function cooperates(
        address who, uint128 transferredLow, uint128 transferredHigh, uint64 until, bytes memory byLow, bytes memory byHigh
    ) internal {
        act(who, abi.encodeCall(
            network.cooperativeSettle, (address(token), low, high, transferredLow, transferredHigh, until, byLow, byHigh)
        ));
    }

    /// @notice With the signatures of both, so that low and high get this.
    function cooperatesAgreed(uint128 balanceLow, uint128 balanceHigh) internal {
        (uint128 transferredLow, uint128 transferredHigh) = transfersFor(balanceLow);
        bytes32 hash = settlementHash(transferredLow, transferredHigh, LATER);
        bytes32 channelId = id();
        vm.expectEmit(address(network));
        emit IPhotonNetwork.ChannelSettled(channelId, address(token), epochNow(), balanceLow, balanceHigh);
        cooperates(stranger, transferredLow, transferredHigh, LATER, signedBy(keyLow, hash), signedBy(keyHigh, hash));
    }

    function closes(address who, IPhotonNetwork.BalanceProof memory proof, uint128 declared) internal {
        act(who, abi.encodeCall(network.close, (address(token), partnerOf(who), proof, declared)));
    }

    function updates(address who, address payer, IPhotonNetwork.BalanceProof memory proof, bytes memory delegation) internal {
        act(who, abi.encodeCall(network.update, (address(token), payer, partnerOf(payer), proof, delegation)));
    }

    /// @notice The payee updates.
    function updates(address payer, IPhotonNetwork.BalanceProof memory proof) internal {
        updates(partnerOf(payer), payer, proof, "");
    }

    function unlocks(
        address who, address payer, IPhotonNetwork.Balance memory standing, IPhotonNetwork.Lock[] memory locks,
        bytes32[] memory siblings, IPhotonNetwork.Registration[] memory shown, bytes memory delegation
    ) internal {
        act(who, abi.encodeCall(
            network.unlock,
            (address(token), payer, partnerOf(payer), standing, locks, siblings, shown, delegation)
        ));
    }

    function punishes(
        address who, address payer, IPhotonNetwork.Balance memory standing, IPhotonNetwork.Lock memory lock,
        bytes32[] memory siblings, IPhotonNetwork.Disposal memory disposal
    ) internal {
        act(who, abi.encodeCall(
            network.punish, (address(token), payer, partnerOf(payer), standing, lock, siblings, disposal)
        ));
    }

    function settles(IPhotonNetwork.Balance memory ofLow, IPhotonNetwork.Balance memory ofHigh) internal {
        act(stranger, abi.encodeCall(network.settle, (address(token), low, high, ofLow, ofHigh)));
    }

    function assertPaid(uint256 lowHas, uint256 highHas) internal view {
        assertEq(token.balanceOf(low), lowHas, "low has");
        assertEq(token.balanceOf(high), highHas, "high has");
    }

    function assertPhase(IPhotonNetwork.Phase expected) internal view {
        assertEq(uint256(network.channel(address(token), low, high).phase), uint256(expected), "phase");
    }

    function wrongPhase(IPhotonNetwork.Phase expected, IPhotonNetwork.Phase got) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IPhotonNetwork.WrongPhase.selector, expected, got);
    }

    function invalidSignature(address signer) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IPhotonNetwork.InvalidSignature.selector, signer);
    }
}
