// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../../src/interfaces/IPhotonNetwork.sol";
import {BlockingToken} from "../../test-tokens/OddTokens.sol";
import {Claims} from "../../src/libraries/Claims.sol";
import {Fixture} from "./Fixture.sol";
import {Trees} from "./Trees.sol";
import {vm} from "./Vm.sol";

/// @title Three participants who do anything at all, with a token that blocks some of them now and then.
/// @notice Calls may be refused; what must not be refused is demanded here, what must hold is asked by the test.
contract Actors is Fixture {
    struct Known {
        IPhotonNetwork.Balance balance;
        uint64 nonce;
    }

    uint256[3] private keys;
    address[3] public actors;
    IPhotonNetwork.Lock[] private locks;
    bytes32 private root;
    IPhotonNetwork.Registration[] private shown;
    bytes32[] private siblings;
    /// @dev What stands for payer -> payee, as an observer knows it from events.
    mapping(address payer => mapping(address payee => Known)) private known;
    mapping(string what => uint256) public done;

    constructor() {
        setUp();
        token = new BlockingToken();
        for (uint256 i = 0; i < 3; i++) {
            keys[i] = uint256(keccak256(abi.encode("actor", i)));
            actors[i] = vm.addr(keys[i]);
            enrich(token, actors[i]);
        }
        IPhotonNetwork.Lock[] memory all = locksAt(120, 100, 3);
        for (uint256 i = 0; i < 3; i++) locks.push(all[i]);
        root = rootOf(all);
        siblings = siblingsOf(all, all);
        shown.push(register(all)[0]);
    }

    function photon() external view returns (IPhotonNetwork, BlockingToken) {
        return (network, BlockingToken(address(token)));
    }

    function slotsAndAmounts() external view returns (IPhotonNetwork.Lock[] memory) {
        return locks;
    }

    function open(uint256 who, uint128 amount) external {
        (address one, address other,,) = pair(who);
        attempt("open", one, abi.encodeCall(
            network.open, (address(token), other, TIMEOUT, uint128(within(amount, 0, 1000)))
        ));
    }

    function deposit(uint256 who, uint128 amount) external {
        (address one, address other,,) = pair(who);
        uint64 epoch = network.channel(address(token), one, other).epoch;
        attempt("deposit", actors[who % 3], abi.encodeCall(
            network.deposit, (address(token), one, other, epoch, uint128(within(amount, 1, 1000)))
        ));
    }

    function withdraw(uint256 who, uint128 total) external {
        (address one, address other, uint256 keyOne, uint256 keyOther) = pair(who);
        total = uint128(within(total, 1, 1500));
        IPhotonNetwork.ChannelState memory state = network.channel(address(token), one, other);
        bytes32 hash = Claims.withdraw(state.channelId, state.epoch, one, total, LATER * 2);
        attempt("withdraw", stranger, abi.encodeCall(
            network.withdraw,
            (address(token), one, other, total, LATER * 2, signedBy(keyOne, hash), signedBy(keyOther, hash))
        ));
    }

    function cooperate(uint256 who, uint128 balanceLow) external {
        (address one, address other, uint256 keyOne, uint256 keyOther) = pair(who);
        if (one > other) (one, other, keyOne, keyOther) = (other, one, keyOther, keyOne);
        IPhotonNetwork.ChannelState memory state = network.channel(address(token), one, other);
        uint128 held = state.depositLow + state.depositHigh - state.withdrawnLow - state.withdrawnHigh;
        uint128 plus = uint128(within(balanceLow, 0, held)) + state.withdrawnLow;
        uint128 given = plus > state.depositLow ? 0 : state.depositLow - plus;
        uint128 got = plus + given - state.depositLow;
        bytes32 hash = Claims.cooperativeSettle(state.channelId, state.epoch, given, got, LATER * 2);
        attempt("cooperativeSettle", stranger, abi.encodeCall(
            network.cooperativeSettle,
            (address(token), one, other, given, got, LATER * 2, signedBy(keyOne, hash), signedBy(keyOther, hash))
        ));
    }

    function close(uint256 who, uint64 nonce, uint128 transferred, uint128 declared) external {
        (address one, address other,, uint256 keyOther) = pair(who);
        (nonce, transferred, declared) = (nonce % 3, uint128(within(transferred, 0, 3000)), declared % 3 == 0 ? 0 : declared % 3000);
        IPhotonNetwork.BalanceProof memory proof = proven(other, one, keyOther, nonce, transferred);
        if (attempt("close", one, abi.encodeCall(network.close, (address(token), other, proof, declared)))) {
            known[other][one] = Known(IPhotonNetwork.Balance(0, 0, declared), nonce);
            if (nonce != 0) known[other][one].balance = IPhotonNetwork.Balance(transferred, root, declared);
            delete known[one][other];
        }
    }

    function update(uint256 who, uint64 nonce, uint128 transferred) external {
        (address payer, address payee, uint256 keyPayer,) = pair(who);
        (nonce, transferred) = (nonce % 5, uint128(within(transferred, 0, 3000)));
        IPhotonNetwork.BalanceProof memory proof = proven(payer, payee, keyPayer, nonce, transferred);
        if (attempt("update", payee, abi.encodeCall(network.update, (address(token), payer, payee, proof, "")))) {
            known[payer][payee] = Known(balance(transferred, root), nonce);
        }
    }

    function unlock(uint256 who) external {
        (address payer, address payee,,) = pair(who);
        attempt("unlock", payee, abi.encodeCall(
            network.unlock,
            (address(token), payer, payee, known[payer][payee].balance, locks, siblings, shown, "")
        ));
    }

    function punish(uint256 who, uint256 which) external {
        (address payer, address payee,, uint256 keyPayee) = pair(who);
        IPhotonNetwork.Lock[] memory all = locks;
        IPhotonNetwork.Lock memory lock = all[which % 3];
        bytes32[] memory disposed = new bytes32[](1);
        disposed[0] = Trees.leafOf(lock);
        IPhotonNetwork.ChannelState memory state = network.channel(address(token), payer, payee);
        bytes memory signature =
            signedBy(keyPayee, Claims.disposal(state.channelId, state.epoch, payer, disposed));
        bytes memory call = abi.encodeCall(
            network.punish,
            (address(token), payer, payee, known[payer][payee].balance, lock, siblingsOf(all, part(all, which % 3, 1)), IPhotonNetwork.Disposal(disposed, 0, signature))
        );
        attempt("punish", stranger, call);
    }

    function settle(uint256 who) external {
        (address one, address other,,) = pair(who);
        if (one > other) (one, other) = (other, one);
        IPhotonNetwork.ChannelState memory state = network.channel(address(token), one, other);
        bool mustSucceed =
            state.phase == IPhotonNetwork.Phase.Closed && block.timestamp > state.updateUntil + CHALLENGE;
        bool success = attempt("settle", stranger, abi.encodeCall(
            network.settle, (address(token), one, other, known[one][other].balance, known[other][one].balance)
        ));
        assertTrue(success == mustSucceed, "settling succeeds exactly after its time");
    }

    function block_(uint256 who, bool on) external {
        BlockingToken(address(token)).setBlocked(actors[who % 3], on);
    }

    function claimCredit(uint256 who) external {
        attempt("claimCredit", actors[who % 3], abi.encodeCall(network.claimCredit, (address(token), address(0xF00D))));
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + within(time, 0, TIMEOUT + CHALLENGE));
    }

    function proven(address payer, address payee, uint256 key, uint64 nonce, uint128 transferred)
        private view returns (IPhotonNetwork.BalanceProof memory)
    {
        IPhotonNetwork.ChannelState memory state = network.channel(address(token), payer, payee);
        bytes32 hash = Claims.balanceProof(state.channelId, state.epoch, payer, nonce, transferred, root);
        return IPhotonNetwork.BalanceProof(nonce, transferred, root, signedBy(key, hash));
    }

    /// @notice One of the six ordered pairs, the first and its reverse as often as the others together.
    function pair(uint256 who) private view returns (address one, address other, uint256 keyOne, uint256 keyOther) {
        uint256 dice = who % 12;
        uint256 first = dice < 6 ? dice % 2 : dice % 3;
        uint256 second = dice < 6 ? 1 - first : (first + 1 + (dice / 3) % 2) % 3;
        return (actors[first], actors[second], keys[first], keys[second]);
    }

    function attempt(string memory what, address who, bytes memory call) private returns (bool success) {
        vm.prank(who);
        (success,) = address(network).call(call);
        if (success) done[what]++;
    }
}
