// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IDepositReceiver} from "../../src/interfaces/IDepositReceiver.sol";
import {IPhotonNetwork} from "../../src/interfaces/IPhotonNetwork.sol";
import {Claims} from "../../src/libraries/Claims.sol";
import {Erc1363Token} from "../../test-tokens/CallingTokens.sol";
import {HookToken} from "../../test-tokens/OddTokens.sol";
import {Fixture} from "../support/Fixture.sol";
import {Trees} from "../support/Trees.sol";
import {vm} from "../support/Vm.sol";
import {Tokens} from "./Tokens.sol";

/// @title Two participants and strangers who do anything at all in one channel for each kind of token.
/// @notice Beside the contract runs a model without words, bits and hashes. Of each call the model says whether it must
/// succeed, so what an honest party may do can not be refused, whatever was called before; and who has how much after it.
contract World is Fixture, Tokens {
    struct Way {
        uint64 nonce;
        uint128 transferred;
        uint128 declared;
        bool locked;
        uint8 claimed;
        uint8 punished;
        uint256 penalty;
    }

    struct Model {
        IPhotonNetwork.Phase phase;
        uint64 epoch;
        uint256 updateUntil;
        uint256[2] deposit;
        uint256[2] withdrawn;
        Way[2] way;
        uint256[2] wealth;
        uint256[2] credit;
    }

    uint256 internal constant LOCKS = 3;
    uint256 internal constant FORTUNE = 1 << 120;
    uint256 internal constant LIMIT = (1 << 96) - 1;
    /// @notice Until when the last lock's secret must be registered.
    uint64 internal constant SOON = START + 5000;

    Model[KINDS] internal models;
    uint256 private last;
    uint256 private registeredAt;
    mapping(uint256 who => mapping(uint256 nonce => bool)) private spent;
    IPhotonNetwork.Lock[] internal locks;
    bytes32 internal root;
    bytes32[] internal siblingsOfAll;
    bytes32[][LOCKS] internal siblingsOfOne;
    IPhotonNetwork.Registration[] internal shown;
    IPhotonNetwork.Registration[][LOCKS] internal shownOne;
    mapping(string what => uint256) public succeeded;
    mapping(string what => uint256) public refused;

    constructor() {
        setUp();
        makeTokens();
        for (uint256 kind = 0; kind < KINDS; kind++) {
            for (uint256 i = 0; i < 2; i++) {
                tokens[kind].mint(party(i), FORTUNE);
                vm.prank(party(i));
                tokens[kind].approve(address(network), type(uint256).max);
                models[kind].wealth[i] = FORTUNE;
            }
        }
        for (uint256 i = 0; i < 2; i++) {
            vm.prank(party(i));
            HookToken(address(tokens[uint256(Kind.Hook)])).setHook(address(mischief));
        }
        growTree();
    }

    /// @notice Locks in three different words of claimed bits. The last one's secret is not registered yet, so neither
    /// are all three together.
    function growTree() private {
        IPhotonNetwork.Lock[] memory all = new IPhotonNetwork.Lock[](LOCKS);
        all[0] = lockAt(0, 100);
        all[1] = lockAt(127, 30);
        all[2] = lockAt(4095, 7);
        all[2].expiration = SOON;
        for (uint256 i = 0; i < LOCKS; i++) locks.push(all[i]);
        root = rootOf(all);
        siblingsOfAll = siblingsOf(all, all);
        shown.push(registrationOf(all)[0]);
        for (uint256 i = 0; i < LOCKS; i++) {
            IPhotonNetwork.Lock[] memory one = part(all, i, 1);
            siblingsOfOne[i] = siblingsOf(all, one);
            shownOne[i].push(registrationOf(one)[0]);
            if (i < LOCKS - 1) register(one);
        }
    }

    /// @notice Registers what is not registered yet, by anyone and perhaps too late. Again changes nothing.
    function registerRest() external {
        register(locks);
        register(part(locks, LOCKS - 1, 1));
        if (registeredAt == 0) registeredAt = block.timestamp;
    }

    function open(uint256 kind, uint256 who, uint256 amount) external {
        (kind, who, amount) = (kind % KINDS, who % 2, sized(kind % KINDS, amount, 0));
        Model storage model = models[kind];
        uint256 received = arriving(kind, amount);
        bool expected = model.phase == IPhotonNetwork.Phase.None && (amount == 0 || received != 0) && received <= LIMIT;
        bytes memory call;
        if (callsReceiver(kind) && amount != 0) {
            call = abi.encodeCall(
                Erc1363Token.transferAndCall,
                (network.receiver(), amount, abi.encode(party(1 - who), TIMEOUT))
            );
            attempt(kind, "open by hook", address(tokens[kind]), party(who), call, expected);
        } else {
            call = abi.encodeCall(network.open, (address(tokens[kind]), party(1 - who), TIMEOUT, uint128(amount)));
            attempt(kind, "open", address(network), party(who), call, expected);
        }
        if (!expected) return;
        model.phase = IPhotonNetwork.Phase.Open;
        model.epoch++;
        model.deposit[who] = received;
        model.wealth[who] -= amount;
    }

    function deposit(uint256 kind, uint256 from, uint256 who, uint256 amount, bool stale) external {
        inLife(kind);
        (kind, from, who, amount) = (kind % KINDS, from % 2, who % 2, sized(kind % KINDS, amount, 1));
        Model storage model = models[kind];
        uint256 received = arriving(kind, amount);
        bool expected = model.phase == IPhotonNetwork.Phase.Open && !stale && received != 0
            && model.deposit[who] + received <= LIMIT;
        uint64 epoch = epochFor(kind, stale);
        bytes memory call;
        if (callsReceiver(kind)) {
            call = abi.encodeCall(
                Erc1363Token.transferAndCall,
                (network.receiver(), amount, abi.encode(party(who), party(1 - who), epoch))
            );
            attempt(kind, "deposit by hook", address(tokens[kind]), party(from), call, expected);
        } else {
            call = abi.encodeCall(
                network.deposit, (address(tokens[kind]), party(who), party(1 - who), epoch, uint128(amount))
            );
            attempt(kind, "deposit", address(network), party(from), call, expected);
        }
        if (!expected) return;
        model.deposit[who] += received;
        model.wealth[from] -= amount;
    }

    /// @notice A stranger brings the opening.
    /// @param forged signed by the partner, who can not spend the other's tokens
    function openRelayed(uint256 kind, uint256 who, uint256 amount, uint256 nonce, bool forged) external {
        atEnd(kind);
        (kind, who, amount, nonce) = (kind % KINDS, who % 2, sized(kind % KINDS, amount, 0), nonce % 300);
        Model storage model = models[kind];
        uint256 received = arriving(kind, amount);
        bool expected = model.phase == IPhotonNetwork.Phase.None && !forged && !spent[who][nonce]
            && (amount == 0 || received != 0) && received <= LIMIT;
        IPhotonNetwork.OpenAuthorization memory it = IPhotonNetwork.OpenAuthorization(
            address(tokens[kind]), party(who), party(1 - who), TIMEOUT, uint128(amount), nonce, LATER * 2
        );
        bytes memory signature = signedBy(keyFor(party(forged ? 1 - who : who)), claimOf(it));
        bytes memory call =
            abi.encodeCall(network.openAuthorized, (it, IPhotonNetwork.Means.Allowance, signature));
        attempt(kind, "open by relay", address(network), stranger, call, expected);
        if (!expected) return;
        spent[who][nonce] = true;
        model.phase = IPhotonNetwork.Phase.Open;
        model.epoch++;
        model.deposit[who] = received;
        model.wealth[who] -= amount;
    }

    /// @notice A stranger brings the deposit.
    function depositRelayed(uint256 kind, uint256 who, uint256 amount, uint256 nonce, bool stale, bool forged) external {
        inLife(kind);
        (kind, who, amount, nonce) = (kind % KINDS, who % 2, sized(kind % KINDS, amount, 1), nonce % 300);
        Model storage model = models[kind];
        uint256 received = arriving(kind, amount);
        bool expected = model.phase == IPhotonNetwork.Phase.Open && !stale && !forged && !spent[who][nonce]
            && received != 0 && model.deposit[who] + received <= LIMIT;
        IPhotonNetwork.DepositAuthorization memory it = IPhotonNetwork.DepositAuthorization(
            address(tokens[kind]), party(who), party(1 - who), epochFor(kind, stale), uint128(amount), nonce, LATER * 2
        );
        bytes memory signature = signedBy(keyFor(party(forged ? 1 - who : who)), claimOf(it));
        bytes memory call =
            abi.encodeCall(network.depositAuthorized, (it, IPhotonNetwork.Means.Allowance, signature));
        attempt(kind, "deposit by relay", address(network), stranger, call, expected);
        if (!expected) return;
        spent[who][nonce] = true;
        model.deposit[who] += received;
        model.wealth[who] -= amount;
    }

    function withdraw(uint256 kind, uint256 who, uint128 total, bool stale, bool alone) external {
        inLife(kind);
        (kind, who) = (kind % KINDS, who % 2);
        Model storage model = models[kind];
        total = uint128(within(total, 0, model.deposit[0] + model.deposit[1] + 1));
        uint256 both = uint256(total) + model.withdrawn[1 - who];
        bool expected = model.phase == IPhotonNetwork.Phase.Open && !stale && !alone && total > model.withdrawn[who]
            && both <= model.deposit[0] + model.deposit[1];
        bytes32 hash = Claims.withdraw(idOf(kind), epochFor(kind, stale), party(who), total, LATER * 2);
        // A party that calls needs no signature of its own, but mischief does; none can do without the other's.
        bytes memory call = abi.encodeCall(
            network.withdraw,
            (
                address(tokens[kind]), party(who), party(1 - who), total, LATER * 2,
                kind == uint256(Kind.Hook) ? signedBy(keyFor(party(who)), hash) : bytes(""),
                alone ? signedBy(keyFor(party(who)), hash) : signedBy(keyFor(party(1 - who)), hash)
            )
        );
        attempt(kind, "withdraw", address(network), party(who), call, expected);
        if (!expected) return;
        uint256 amount = total - model.withdrawn[who];
        model.withdrawn[who] = total;
        pays(kind, who, amount);
    }

    function cooperate(uint256 kind, uint128 given, bool highGives, bool stale, bool alone) external {
        inLife(kind);
        kind = kind % KINDS;
        Model storage model = models[kind];
        uint256 held = heldIn(kind);
        given = uint128(within(given, 0, held + 1));
        (uint128 byLow, uint128 byHigh) = highGives ? (uint128(0), given) : (given, uint128(0));
        int256 forLow = int256(model.deposit[0] + byHigh) - int256(model.withdrawn[0] + byLow);
        bool expected = model.phase == IPhotonNetwork.Phase.Open && !stale && !alone && forLow >= 0
            && uint256(forLow) <= held;
        bytes32 hash = Claims.cooperativeSettle(idOf(kind), epochFor(kind, stale), byLow, byHigh, LATER * 2);
        bytes memory call = abi.encodeCall(
            network.cooperativeSettle,
            (
                address(tokens[kind]), low, high, byLow, byHigh, LATER * 2, signedBy(keyLow, hash),
                signedBy(alone ? keyLow : keyHigh, hash)
            )
        );
        attempt(kind, "cooperativeSettle", address(network), stranger, call, expected);
        if (expected) ends(kind, uint256(forLow), held - uint256(forLow));
    }

    function close(uint256 kind, uint256 who, uint64 nonce, uint128 transferred, uint8 how, bool stale) external {
        (kind, who, nonce) = (kind % KINDS, who % 2, nonce % 3);
        if (models[kind].phase == IPhotonNetwork.Phase.None) return this.open(kind, who, transferred);
        Model storage model = models[kind];
        transferred = uint128(within(transferred, 0, 3000));
        uint128 declared = how & 3 == 0 ? uint128(how) + 1 : 0;
        bool locked = how & 4 == 0;
        bool expected = model.phase == IPhotonNetwork.Phase.Open && (nonce == 0 || !stale);
        bytes memory call = abi.encodeCall(
            network.close,
            (address(tokens[kind]), party(1 - who), proven(kind, 1 - who, nonce, transferred, locked, stale), declared)
        );
        attempt(kind, "close", address(network), party(who), call, expected);
        if (!expected) return;
        model.phase = IPhotonNetwork.Phase.Closed;
        model.updateUntil = block.timestamp + TIMEOUT;
        Way storage way = model.way[1 - who];
        way.declared = declared;
        if (nonce == 0) return;
        (way.nonce, way.transferred, way.locked) = (nonce, transferred, locked);
    }

    /// @param how whether by the payee, by his delegate, or by one who is neither
    function update(uint256 kind, uint256 payer, uint64 nonce, uint128 transferred, uint8 how, bool stale) external {
        (kind, payer, nonce) = (kind % KINDS, payer % 2, nonce % 6);
        if (!inDispute(kind, payer)) return;
        Model storage model = models[kind];
        Way storage way = model.way[payer];
        transferred = uint128(within(transferred, 0, 3000));
        bool locked = how & 12 != 0;
        bool expected = block.timestamp <= model.updateUntil && nonce > way.nonce && way.declared == 0 && !stale
            && how & 3 != 3;
        attempt(
            kind, how & 3 == 2 ? "update by delegate" : "update", address(network), how & 3 < 2 ? party(1 - payer) : stranger,
            abi.encodeCall(
                network.update,
                (
                    address(tokens[kind]), party(payer), party(1 - payer),
                    proven(kind, payer, nonce, transferred, locked, stale),
                    how & 3 < 2 ? bytes("") : delegated(kind, payer, nonce, transferred, locked, how & 3 == 3)
                )
            ),
            expected
        );
        if (!expected) return;
        (way.nonce, way.transferred, way.locked, way.claimed) = (nonce, transferred, locked, 0);
    }

    /// @param which one lock, or all with one proof
    function unlock(uint256 kind, uint256 payer, uint8 which, bool byStranger) external {
        (kind, payer, which) = (kind % KINDS, payer % 2, which % 8);
        if (!inDispute(kind, payer)) return;
        Model storage model = models[kind];
        Way storage way = model.way[payer];
        uint8 mask = which < LOCKS ? uint8(1 << which) : 7;
        bool inTime = registeredAt != 0 && registeredAt <= SOON;
        bool expected = block.timestamp <= model.updateUntil && way.locked && !byStranger
            && (inTime || mask >> (LOCKS - 1) == 0);
        bytes memory call = abi.encodeCall(
            network.unlock,
            (
                address(tokens[kind]), party(payer), party(1 - payer), standing(kind, payer), locksIn(mask),
                which < LOCKS ? siblingsOfOne[which] : siblingsOfAll, which < LOCKS ? shownOne[which] : shown,
                byStranger ? delegated(kind, payer, way.nonce, way.transferred, way.locked, true) : bytes("")
            )
        );
        attempt(
            kind, mask >> (LOCKS - 1) == 0 ? "unlock" : "unlock of the last", address(network),
            byStranger ? stranger : party(1 - payer), call, expected
        );
        if (expected) way.claimed |= mask & ~way.punished;
    }

    function punish(uint256 kind, uint256 payer, uint256 which, bool byPayer) external {
        (kind, payer, which) = (kind % KINDS, payer % 2, which % LOCKS);
        if (!inDispute(kind, payer)) return;
        Model storage model = models[kind];
        Way storage way = model.way[payer];
        uint8 bit = uint8(1 << which);
        bool expected = block.timestamp <= model.updateUntil + CHALLENGE && way.locked && way.claimed & bit != 0 && !byPayer;
        bytes32[] memory disposed = new bytes32[](1);
        disposed[0] = Trees.leafOf(locks[which]);
        bytes32 hash = Claims.disposal(idOf(kind), model.epoch, party(payer), disposed);
        // The payer can not dispose in the payee's name.
        bytes memory signature = signedBy(keyFor(party(byPayer ? payer : 1 - payer)), hash);
        attempt(
            kind, "punish", address(network), stranger,
            abi.encodeCall(
                network.punish,
                (
                    address(tokens[kind]), party(payer), party(1 - payer), standing(kind, payer), locks[which],
                    siblingsOfOne[which], IPhotonNetwork.Disposal(disposed, 0, signature)
                )
            ),
            expected
        );
        if (!expected) return;
        way.claimed &= ~bit;
        way.punished |= bit;
        way.penalty += locks[which].amount;
    }

    function settle(uint256 kind, bool many, uint256 by) external {
        (kind, by) = (kind % KINDS, by % 2);
        Model storage model = models[kind];
        bool expected =
            model.phase == IPhotonNetwork.Phase.Closed && block.timestamp > model.updateUntil + CHALLENGE;
        if (many && kind != uint256(Kind.Hook)) {
            IPhotonNetwork.Settlement[] memory all = new IPhotonNetwork.Settlement[](1);
            all[0] = IPhotonNetwork.Settlement(party(1 - by), standing(kind, by), standing(kind, 1 - by));
            bytes memory call = abi.encodeCall(network.settleMany, (address(tokens[kind]), party(by), all));
            // It passes over what can not be settled yet.
            attempt(kind, "settleMany", address(network), stranger, call, true);
        } else {
            bytes memory call = abi.encodeCall(
                network.settle, (address(tokens[kind]), low, high, standing(kind, 0), standing(kind, 1))
            );
            attempt(kind, "settle", address(network), stranger, call, expected);
        }
        if (!expected) return;
        uint256 held = heldIn(kind);
        int256 forLow = int256(model.deposit[0] + gave(kind, 1) + model.way[0].penalty)
            - int256(model.withdrawn[0] + gave(kind, 0) + model.way[1].penalty);
        uint256 payLow = forLow < 0 ? 0 : uint256(forLow) > held ? held : uint256(forLow);
        ends(kind, payLow, held - payLow);
    }

    function claimCredit(uint256 kind, uint256 who) external {
        (kind, who) = (kind % KINDS, who % 2);
        Model storage model = models[kind];
        bool expected = model.credit[who] != 0 && !refuses(kind, party(who));
        bytes memory call = abi.encodeCall(network.claimCredit, (address(tokens[kind]), party(who)));
        attempt(kind, "claimCredit", address(network), party(who), call, expected);
        if (expected) model.credit[who] = 0;
    }

    function turnToken(uint256 kind, uint256 who, bool how) external {
        turn(kind % KINDS, party(who % 2), how);
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + within(time, 0, TIMEOUT / 2));
    }

    /// @notice Waits until the dispute is over.
    function waitLong(uint256 kind) external {
        Model storage model = models[kind % KINDS];
        uint256 over = model.updateUntil + CHALLENGE + (kind >> 128) % 2;
        if (model.phase == IPhotonNetwork.Phase.Closed && over > block.timestamp) vm.warp(over);
    }

    /// @notice All that must hold after every call, where the last one was made.
    function checkLast() external view {
        checkKind(last);
    }

    /// @notice All that must hold at any time.
    function check() external view {
        for (uint256 kind = 0; kind < KINDS; kind++) checkKind(kind);
    }

    function checkKind(uint256 kind) private view {
        checkChannel(kind);
        checkMoney(kind);
        for (uint256 payer = 0; payer < 2; payer++) checkWay(kind, payer);
        assertEq(mischief.succeeded(), 0, "calls that succeeded twice at once");
    }

    function checkChannel(uint256 kind) private view {
        Model storage model = models[kind];
        IPhotonNetwork.ChannelState memory state = network.channel(address(tokens[kind]), low, high);
        assertEq(uint256(state.phase), uint256(model.phase), "phase");
        assertEq(state.epoch, model.epoch, "epoch");
        assertEq(state.depositLow, model.deposit[0], "deposit of low");
        assertEq(state.depositHigh, model.deposit[1], "deposit of high");
        assertEq(state.withdrawnLow, model.withdrawn[0], "withdrawn by low");
        assertEq(state.withdrawnHigh, model.withdrawn[1], "withdrawn by high");
    }

    /// @notice To the last unit: the contract has what it owes, and each party what it must.
    function checkMoney(uint256 kind) private view {
        Model storage model = models[kind];
        uint256 owed = heldIn(kind);
        for (uint256 i = 0; i < 2; i++) {
            uint256 credit = network.credit(address(tokens[kind]), party(i));
            assertEq(credit, model.credit[i], "credit");
            assertEq(tokens[kind].balanceOf(party(i)) + credit, model.wealth[i], "wealth");
            owed += credit;
        }
        assertEq(tokens[kind].balanceOf(address(network)), owed, "the contract has");
        assertEq(tokens[kind].balanceOf(network.receiver()), 0, "the receiver has");
    }

    function checkWay(uint256 kind, uint256 payer) private view {
        Way storage way = models[kind].way[payer];
        IPhotonNetwork.DirectionState memory state =
            network.direction(address(tokens[kind]), party(payer), party(1 - payer));
        assertEq(state.nonce, way.nonce, "nonce");
        assertTrue(state.sealedByDeclaration == (way.declared != 0), "sealed");
        assertEq(state.penalty, way.penalty, "penalty");
        uint256 sum = 0;
        for (uint256 i = 0; i < LOCKS; i++) {
            bool claimed = network.isClaimed(address(tokens[kind]), party(payer), party(1 - payer), locks[i].slot);
            assertTrue(claimed == (way.claimed >> i & 1 == 1), "claimed");
            if (claimed) sum += locks[i].amount;
        }
        assertEq(state.unlocked, sum, "unlocked");
    }

    /// @notice Brings the channel to where it is open, half of the time.
    function inLife(uint256 kind) private {
        if (kind >> 200 & 1 == 0) return;
        kind = kind % KINDS;
        Model storage model = models[kind];
        if (model.phase == IPhotonNetwork.Phase.Closed) {
            uint256 over = model.updateUntil + CHALLENGE + 1;
            if (over > block.timestamp) vm.warp(over);
            this.settle(kind, false, 0);
        }
        if (model.phase == IPhotonNetwork.Phase.None) this.open(kind, 0, 500 << 8);
    }

    /// @notice Brings the channel to where it can be opened, half of the time.
    function atEnd(uint256 kind) private {
        if (kind >> 200 & 1 == 0) return;
        kind = kind % KINDS;
        Model storage model = models[kind];
        if (model.phase == IPhotonNetwork.Phase.Open) this.cooperate(kind, 0, false, false, false);
        uint256 over = model.updateUntil + CHALLENGE + 1;
        if (over > block.timestamp) vm.warp(over);
        if (model.phase == IPhotonNetwork.Phase.Closed) this.settle(kind, false, 0);
    }

    /// @notice Brings the channel to where disputing it is possible, most of the time.
    function inDispute(uint256 kind, uint256 payer) private returns (bool) {
        Model storage model = models[kind];
        bool over = model.phase == IPhotonNetwork.Phase.Closed && block.timestamp > model.updateUntil + CHALLENGE;
        if (over) this.settle(kind, false, payer);
        if (model.phase == IPhotonNetwork.Phase.None) this.open(kind, payer, 500 << 8);
        if (model.phase == IPhotonNetwork.Phase.Open) this.close(kind, 1 - payer, 1, 50, 1, false);
        return model.phase == IPhotonNetwork.Phase.Closed;
    }

    function attempt(uint256 kind, string memory what, address target, address who, bytes memory call, bool expected) private {
        bool inMany = target == address(network) && uint256(keccak256(call)) % 4 == 0;
        if (inMany) call = inMulticall(call);
        mischief.plan(target, call);
        vm.prank(who);
        last = kind;
        // Enough for every call, and an end for tokens that burn all they get.
        (bool success,) = target.call{gas: 5_000_000}(call);
        if (success) succeeded[what]++;
        else refused[what]++;
        if (inMany && success) succeeded["multicall"]++;
        if (inMany && !success) refused["multicall"]++;
        assertTrue(success == expected, string.concat(what, expected ? " must succeed" : " must be refused"));
    }

    /// @notice The call behind another one that anyone may make, in one.
    function inMulticall(bytes memory call) private view returns (bytes memory) {
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(network.registerSecrets, (secretsOf(part(locks, 0, 1))));
        calls[1] = call;
        return abi.encodeCall(network.multicall, (calls));
    }

    function pays(uint256 kind, uint256 who, uint256 amount) private {
        models[kind].wealth[who] += amount;
        if (refuses(kind, party(who))) models[kind].credit[who] += amount;
    }

    function ends(uint256 kind, uint256 payLow, uint256 payHigh) private {
        Model storage model = models[kind];
        model.phase = IPhotonNetwork.Phase.None;
        for (uint256 i = 0; i < 2; i++) {
            (model.deposit[i], model.withdrawn[i]) = (0, 0);
            delete model.way[i];
        }
        pays(kind, 0, payLow);
        pays(kind, 1, payHigh);
    }

    function gave(uint256 kind, uint256 payer) private view returns (uint256 sum) {
        Way storage way = models[kind].way[payer];
        if (way.nonce == 0) return models[kind].way[1 - payer].declared;
        sum = way.transferred;
        for (uint256 i = 0; i < LOCKS; i++) if (way.claimed >> i & 1 == 1) sum += locks[i].amount;
    }

    function heldIn(uint256 kind) private view returns (uint256) {
        Model storage model = models[kind];
        return model.deposit[0] + model.deposit[1] - model.withdrawn[0] - model.withdrawn[1];
    }

    function standing(uint256 kind, uint256 payer) private view returns (IPhotonNetwork.Balance memory) {
        Way storage way = models[kind].way[payer];
        return IPhotonNetwork.Balance(way.transferred, way.locked ? root : bytes32(0), way.declared);
    }

    function proven(uint256 kind, uint256 payer, uint64 nonce, uint128 transferred, bool locked, bool stale)
        private view returns (IPhotonNetwork.BalanceProof memory)
    {
        bytes32 locksroot = locked ? root : bytes32(0);
        bytes32 hash =
            Claims.balanceProof(idOf(kind), epochFor(kind, stale), party(payer), nonce, transferred, locksroot);
        return IPhotonNetwork.BalanceProof(nonce, transferred, locksroot, signedBy(keyFor(party(payer)), hash));
    }

    /// @param forged by the payer, who can name no delegate
    function delegated(uint256 kind, uint256 payer, uint64 nonce, uint128 transferred, bool locked, bool forged)
        private view returns (bytes memory)
    {
        bytes32 hash = Claims.delegation(
            idOf(kind), models[kind].epoch, party(payer), nonce, transferred, locked ? root : bytes32(0), stranger
        );
        return signedBy(keyFor(party(forged ? payer : 1 - payer)), hash);
    }

    function locksIn(uint8 mask) private view returns (IPhotonNetwork.Lock[] memory some) {
        if (mask == 7) return locks;
        some = new IPhotonNetwork.Lock[](1);
        for (uint256 i = 0; i < LOCKS; i++) if (mask == 1 << i) some[0] = locks[i];
    }

    function idOf(uint256 kind) private view returns (bytes32) {
        return network.channelId(address(tokens[kind]), low, high);
    }

    /// @notice The present life, or the last one.
    function epochFor(uint256 kind, bool stale) private view returns (uint64) {
        return stale && models[kind].epoch != 0 ? models[kind].epoch - 1 : models[kind].epoch + (stale ? 1 : 0);
    }

    function party(uint256 which) private view returns (address) {
        return which == 0 ? low : high;
    }

    /// @notice Small amounts, now and then one at the limit of what a channel can hold; of one token mostly such that do
    /// not fit, or not twice.
    function sized(uint256 kind, uint256 amount, uint256 least) private pure returns (uint256) {
        if (kind == uint256(Kind.Huge) && amount % 4 != 0) return within(amount >> 8, LIMIT / 4, LIMIT + LIMIT / 8);
        return amount % 16 == 3 ? LIMIT - 2 + (amount >> 8) % 5 : within(amount >> 8, least, 1000);
    }
}
