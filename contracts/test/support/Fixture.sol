// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PhotonNetwork} from "../../src/PhotonNetwork.sol";
import {IPhotonNetwork} from "../../src/interfaces/IPhotonNetwork.sol";
import {Claims} from "../../src/libraries/Claims.sol";
import {TestToken} from "../../test-tokens/TestToken.sol";
import {Assertions} from "./Assertions.sol";
import {Trees} from "./Trees.sol";
import {vm} from "./Vm.sol";

/// @title Two participants with keys, a token that both hold, and what they can sign.
abstract contract Fixture is Assertions {
    uint64 internal constant TIMEOUT = 1000;
    uint64 internal constant CHALLENGE = 500;
    uint64 internal constant START = 1_700_000_000;
    uint64 internal constant LATER = START + 1_000_000;
    uint128 internal constant WEALTH = 1_000_000;

    PhotonNetwork internal network;
    TestToken internal token;
    uint256 internal keyLow;
    uint256 internal keyHigh;
    address internal low;
    address internal high;
    address internal stranger = address(0x5742A96E2);

    function setUp() public virtual {
        vm.warp(START);
        network = new PhotonNetwork(100, 100_000, CHALLENGE);
        token = new TestToken("Test", "TST", 18);
        (keyLow, keyHigh) = (uint256(keccak256("one")), uint256(keccak256("two")));
        if (vm.addr(keyLow) > vm.addr(keyHigh)) (keyLow, keyHigh) = (keyHigh, keyLow);
        (low, high) = (vm.addr(keyLow), vm.addr(keyHigh));
        enrich(token, low);
        enrich(token, high);
        enrich(token, stranger);
    }

    function enrich(TestToken which, address who) internal {
        which.mint(who, WEALTH);
        vm.prank(who);
        which.approve(address(network), type(uint256).max);
    }

    /// @notice An open channel of the test token with both deposits.
    function openWith(uint128 depositLow, uint128 depositHigh) internal {
        openIn(token, depositLow, depositHigh);
    }

    function openIn(TestToken which, uint128 depositLow, uint128 depositHigh) internal {
        vm.prank(low);
        uint64 epoch = network.open(address(which), high, TIMEOUT, depositLow);
        if (depositHigh == 0) return;
        vm.prank(high);
        network.deposit(address(which), high, low, epoch, depositHigh);
    }

    function id() internal view returns (bytes32) {
        return network.channelId(address(token), low, high);
    }

    function epochNow() internal view returns (uint64) {
        return network.channel(address(token), low, high).epoch;
    }

    function partnerOf(address participant) internal view returns (address) {
        return participant == low ? high : low;
    }

    function keyFor(address participant) internal view returns (uint256) {
        return participant == low ? keyLow : keyHigh;
    }

    function signedBy(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, Claims.digest(network.domainSeparator(), structHash));
        return abi.encodePacked(r, s, v);
    }

    function proofHash(address payer, uint64 nonce, uint128 transferred, bytes32 locksroot) internal view returns (bytes32) {
        return Claims.balanceProof(id(), epochNow(), payer, nonce, transferred, locksroot);
    }

    function proofBy(address payer, uint64 nonce, uint128 transferred, bytes32 locksroot)
        internal view returns (IPhotonNetwork.BalanceProof memory)
    {
        bytes memory signature = signedBy(keyFor(payer), proofHash(payer, nonce, transferred, locksroot));
        return IPhotonNetwork.BalanceProof(nonce, transferred, locksroot, signature);
    }

    function noProof() internal pure returns (IPhotonNetwork.BalanceProof memory) {
        return IPhotonNetwork.BalanceProof(0, 0, 0, "");
    }

    function delegationTo(address delegate, address payer, uint64 nonce, uint128 transferred, bytes32 locksroot)
        internal view returns (bytes memory)
    {
        return signedBy(
            keyFor(partnerOf(payer)), Claims.delegation(id(), epochNow(), payer, nonce, transferred, locksroot, delegate)
        );
    }

    function settlementHash(uint128 transferredLow, uint128 transferredHigh, uint64 validUntil)
        internal view returns (bytes32)
    {
        return Claims.cooperativeSettle(id(), epochNow(), transferredLow, transferredHigh, validUntil);
    }

    /// @notice What the two transferred, net, if low shall get this in the end.
    function transfersFor(uint128 balanceLow) internal view returns (uint128 transferredLow, uint128 transferredHigh) {
        IPhotonNetwork.ChannelState memory state = network.channel(address(token), low, high);
        (uint128 plus, uint128 minus) = (balanceLow + state.withdrawnLow, state.depositLow);
        return plus > minus ? (uint128(0), plus - minus) : (minus - plus, uint128(0));
    }

    /// @notice What low, by default, authorizes whoever brings it to open with high.
    function opening(uint128 amount, uint256 nonce) internal view returns (IPhotonNetwork.OpenAuthorization memory) {
        return IPhotonNetwork.OpenAuthorization(address(token), low, high, TIMEOUT, amount, nonce, LATER);
    }

    /// @notice What low, by default, authorizes whoever brings it to deposit.
    function depositing(uint128 amount, uint256 nonce) internal view returns (IPhotonNetwork.DepositAuthorization memory) {
        return IPhotonNetwork.DepositAuthorization(address(token), low, high, epochNow(), amount, nonce, LATER);
    }

    function claimOf(IPhotonNetwork.OpenAuthorization memory it) internal pure returns (bytes32) {
        return Claims.openAuthorization(
            it.token, it.participant, it.partner, it.settleTimeout, it.amount, it.nonce, it.validUntil
        );
    }

    function claimOf(IPhotonNetwork.DepositAuthorization memory it) internal view returns (bytes32) {
        bytes32 channelId = network.channelId(it.token, it.participant, it.partner);
        return Claims.depositAuthorization(channelId, it.epoch, it.participant, it.amount, it.nonce, it.validUntil);
    }

    function withdrawalHash(address participant, uint128 total, uint64 validUntil) internal view returns (bytes32) {
        return Claims.withdraw(id(), epochNow(), participant, total, validUntil);
    }

    function balance(uint128 transferred, bytes32 locksroot) internal pure returns (IPhotonNetwork.Balance memory) {
        return IPhotonNetwork.Balance(transferred, locksroot, 0);
    }

    function nothing() internal pure returns (IPhotonNetwork.Balance memory) {
        return IPhotonNetwork.Balance(0, 0, 0);
    }

    function secretOf(uint256 slot) internal pure returns (bytes32) {
        return keccak256(abi.encode("secret of slot", slot));
    }

    function lockAt(uint16 slot, uint128 amount) internal pure returns (IPhotonNetwork.Lock memory) {
        bytes32 secretHash = sha256(abi.encodePacked(secretOf(slot)));
        return IPhotonNetwork.Lock(slot, uint64(slot) + 1, amount, LATER, secretHash);
    }

    /// @notice Locks of 10 each, in slots `first`, `first + step`, …
    function locksAt(uint16 first, uint16 step, uint256 count) internal pure returns (IPhotonNetwork.Lock[] memory locks) {
        locks = new IPhotonNetwork.Lock[](count);
        for (uint256 i = 0; i < count; i++) locks[i] = lockAt(first + uint16(i) * step, 10);
    }

    function rootOf(IPhotonNetwork.Lock[] memory locks) internal pure returns (bytes32) {
        return Trees.rootOf(Trees.ofLocks(locks));
    }

    function siblingsOf(IPhotonNetwork.Lock[] memory all, IPhotonNetwork.Lock[] memory some)
        internal pure returns (bytes32[] memory)
    {
        uint256[] memory slots = new uint256[](some.length);
        for (uint256 i = 0; i < some.length; i++) slots[i] = some[i].slot;
        return Trees.proof(Trees.ofLocks(all), slots);
    }

    function part(IPhotonNetwork.Lock[] memory locks, uint256 first, uint256 count)
        internal pure returns (IPhotonNetwork.Lock[] memory some)
    {
        some = new IPhotonNetwork.Lock[](count);
        for (uint256 i = 0; i < count; i++) some[i] = locks[first + i];
    }

    function secretsOf(IPhotonNetwork.Lock[] memory locks) internal pure returns (bytes32[] memory secrets) {
        secrets = new bytes32[](locks.length);
        for (uint256 i = 0; i < locks.length; i++) secrets[i] = secretOf(locks[i].slot);
    }

    /// @notice Registers the locks' secrets in one batch.
    /// @return shown the evidence for all of them
    function register(IPhotonNetwork.Lock[] memory locks) internal returns (IPhotonNetwork.Registration[] memory shown) {
        network.registerSecrets(secretsOf(locks));
        return registrationOf(locks);
    }

    function registrationOf(IPhotonNetwork.Lock[] memory locks)
        internal pure returns (IPhotonNetwork.Registration[] memory shown)
    {
        bytes32[][] memory levels = Trees.ofSecrets(secretsOf(locks));
        uint256[] memory indices = new uint256[](locks.length);
        bytes memory members;
        for (uint256 i = 0; i < locks.length; i++) {
            indices[i] = i;
            members = abi.encodePacked(members, uint8(i), uint16(i));
        }
        shown = new IPhotonNetwork.Registration[](1);
        shown[0] = IPhotonNetwork.Registration(uint8(levels.length - 1), members, Trees.proof(levels, indices));
    }

    function disposalOf(address payer, IPhotonNetwork.Lock memory lock) internal view returns (IPhotonNetwork.Disposal memory) {
        bytes32[] memory locks = new bytes32[](2);
        locks[0] = keccak256("another lock");
        locks[1] = Trees.leafOf(lock);
        bytes memory signature =
            signedBy(keyFor(partnerOf(payer)), Claims.disposal(id(), epochNow(), payer, locks));
        return IPhotonNetwork.Disposal(locks, 1, signature);
    }

    function skipUpdates() internal {
        vm.warp(block.timestamp + TIMEOUT + 1);
    }

    function skipDispute() internal {
        vm.warp(block.timestamp + TIMEOUT + CHALLENGE + 1);
    }
}
