// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PhotonNetwork} from "../src/PhotonNetwork.sol";
import {IPhotonNetwork} from "../src/interfaces/IPhotonNetwork.sol";
import {Claims} from "../src/libraries/Claims.sol";
import {Assertions} from "./support/Assertions.sol";
import {TreeHarness} from "./support/TreeHarness.sol";
import {Trees} from "./support/Trees.sol";
import {vm} from "./support/Vm.sol";

/// @title The vectors that hold the contract and photon-wire to the same bytes.
/// @notice The file must be what the contract's own code says. To write it anew: `npm run vectors`.
contract VectorsTest is Assertions {
    string private constant FILE = "../crates/photon-wire/tests/vectors/claims.json";
    address private constant CONTRACT = 0x00000000000000000000000000000000000fF17e;
    address private constant TOKEN = 0x0000000000000000000000000000000000701CE4;
    uint256 private constant KEY_A = 0x0101010101010101010101010101010101010101010101010101010101010101;
    uint256 private constant KEY_B = 0x0202020202020202020202020202020202020202020202020202020202020202;
    address private constant DELEGATE = 0x00000000000000000000000000000000de1E6A7E;
    uint64 private constant EPOCH = 3;
    uint128 private constant LARGE = 0x0123456789abcdef0123456789abcdef;

    TreeHarness private trees;
    PhotonNetwork private network;

    function setUp() external {
        vm.chainId(1337);
        trees = new TreeHarness();
        network = new PhotonNetwork(60, 3600, 60);
    }

    function test_the_vectors_file_is_what_the_contract_says() external {
        string memory text = string.concat(
            "{\n\"note\": \"Written by the contract's tests (contracts/test/Vectors.t.sol). Integers above 32 bits are decimal strings.\",\n",
            domain(), ",\n", keys(), ",\n", channel(), ",\n", types(), ",\n\"claims\": [\n", claims(), "\n],\n\"lockTrees\": [\n"
        );
        text = string.concat(text, lockTrees(), "\n],\n", registrations(), "\n}\n");
        if (vm.envOr("WRITE_VECTORS", false)) vm.writeFile(FILE, text);
        assertEq(keccak256(bytes(vm.readFile(FILE))), keccak256(bytes(text)), "the vectors file");
    }

    function test_the_contract_uses_the_domain_of_the_vectors() external view {
        assertEq(network.domainSeparator(), Claims.domainSeparator(address(network)), "separator");
    }

    function domain() private view returns (string memory) {
        return string.concat(
            "\"domain\": {\"name\": \"Photon\", \"version\": \"1\", \"chainId\": 1337, \"verifyingContract\": ",
            quoted(CONTRACT), ", \"separator\": ", quoted(Claims.domainSeparator(CONTRACT)), "}"
        );
    }

    function keys() private pure returns (string memory) {
        return string.concat(
            "\"keys\": [{\"privateKey\": ", quoted(bytes32(KEY_A)), ", \"address\": ", quoted(vm.addr(KEY_A)),
            "}, {\"privateKey\": ", quoted(bytes32(KEY_B)), ", \"address\": ", quoted(vm.addr(KEY_B)), "}]"
        );
    }

    function channel() private view returns (string memory) {
        (address low, address high) = (vm.addr(KEY_A), vm.addr(KEY_B));
        if (low > high) (low, high) = (high, low);
        return string.concat(
            "\"channel\": {\"token\": ", quoted(TOKEN), ", \"low\": ", quoted(low), ", \"high\": ", quoted(high),
            ", \"channelId\": ", quoted(channelId()), "}"
        );
    }

    function channelId() private view returns (bytes32) {
        return network.channelId(TOKEN, vm.addr(KEY_A), vm.addr(KEY_B));
    }

    function types() private pure returns (string memory text) {
        text = string.concat(
            "\"typeHashes\": {\"BalanceProof\": ", quoted(Claims.BALANCE_PROOF_TYPE), ",\n\"Delegation\": ",
            quoted(Claims.DELEGATION_TYPE), ",\n\"CooperativeSettle\": ", quoted(Claims.COOPERATIVE_SETTLE_TYPE),
            ",\n\"Withdraw\": ", quoted(Claims.WITHDRAW_TYPE), ",\n"
        );
        return string.concat(
            text, "\"Disposal\": ", quoted(Claims.DISPOSAL_TYPE), ",\n\"OpenAuthorization\": ",
            quoted(Claims.OPEN_AUTHORIZATION_TYPE), ",\n\"DepositAuthorization\": ",
            quoted(Claims.DEPOSIT_AUTHORIZATION_TYPE), "}"
        );
    }

    function claims() private view returns (string memory text) {
        text = string.concat(balanceProof(1, 0, 0), ",\n", balanceProof(281474976710655, LARGE, keccak256("root")), ",\n");
        text = string.concat(text, delegation(), ",\n", cooperativeSettle(), ",\n", withdraw(), ",\n");
        text = string.concat(text, disposal(0), ",\n", disposal(1), ",\n", disposal(3), ",\n");
        return string.concat(text, openAuthorization(), ",\n", depositAuthorization());
    }

    function balanceProof(uint64 nonce, uint128 transferred, bytes32 root) private view returns (string memory) {
        string memory fields = string.concat(
            directed(vm.addr(KEY_A)), ", \"nonce\": ", number(nonce), ", \"transferred\": ", number(transferred),
            ", \"locksroot\": ", quoted(root)
        );
        bytes32 hash = Claims.balanceProof(channelId(), EPOCH, vm.addr(KEY_A), nonce, transferred, root);
        return claim("BalanceProof", fields, hash, KEY_A);
    }

    function delegation() private view returns (string memory) {
        bytes32 root = keccak256("root");
        string memory fields = string.concat(
            directed(vm.addr(KEY_A)), ", \"nonce\": ", number(7), ", \"transferred\": ", number(LARGE),
            ", \"locksroot\": ", quoted(root), ", \"delegate\": ", quoted(DELEGATE)
        );
        bytes32 hash = Claims.delegation(channelId(), EPOCH, vm.addr(KEY_A), 7, LARGE, root, DELEGATE);
        return claim("Delegation", fields, hash, KEY_B);
    }

    function cooperativeSettle() private view returns (string memory) {
        string memory fields = string.concat(
            lived(), ", \"transferredLow\": ", number(1000), ", \"transferredHigh\": ", number(LARGE), ", \"validUntil\": ",
            number(1893456000)
        );
        return claim(
            "CooperativeSettle", fields, Claims.cooperativeSettle(channelId(), EPOCH, 1000, LARGE, 1893456000), KEY_B
        );
    }

    function withdraw() private view returns (string memory) {
        string memory fields = string.concat(
            lived(), ", \"participant\": ", quoted(vm.addr(KEY_B)), ", \"withdrawn\": ", number(LARGE),
            ", \"validUntil\": ", number(type(uint64).max)
        );
        bytes32 hash = Claims.withdraw(channelId(), EPOCH, vm.addr(KEY_B), LARGE, type(uint64).max);
        return claim("Withdraw", fields, hash, KEY_A);
    }

    function disposal(uint256 count) private view returns (string memory) {
        bytes32[] memory locks = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) locks[i] = Trees.leafOf(lock(uint16(i)));
        string memory fields = string.concat(directed(vm.addr(KEY_A)), ", \"locks\": ", list(locks));
        return claim("Disposal", fields, Claims.disposal(channelId(), EPOCH, vm.addr(KEY_A), locks), KEY_B);
    }

    function openAuthorization() private view returns (string memory) {
        string memory fields = string.concat(
            "\"token\": ", quoted(TOKEN), ", \"participant\": ", quoted(vm.addr(KEY_A)), ", \"partner\": ",
            quoted(vm.addr(KEY_B)), ", \"settleTimeout\": ", number(86400), ", \"amount\": ", number(LARGE)
        );
        fields = string.concat(
            fields, ", \"nonce\": ", number(type(uint256).max), ", \"validUntil\": ", number(1893456000)
        );
        bytes32 hash = Claims.openAuthorization(
            TOKEN, vm.addr(KEY_A), vm.addr(KEY_B), 86400, LARGE, type(uint256).max, 1893456000
        );
        return claim("OpenAuthorization", fields, hash, KEY_A);
    }

    function depositAuthorization() private view returns (string memory) {
        string memory fields = string.concat(
            lived(), ", \"participant\": ", quoted(vm.addr(KEY_B)), ", \"amount\": ", number(LARGE), ", \"nonce\": ",
            number(5), ", \"validUntil\": ", number(1893456000)
        );
        bytes32 hash = Claims.depositAuthorization(channelId(), EPOCH, vm.addr(KEY_B), LARGE, 5, 1893456000);
        return claim("DepositAuthorization", fields, hash, KEY_B);
    }

    function lived() private view returns (string memory) {
        return string.concat("\"channelId\": ", quoted(channelId()), ", \"epoch\": ", number(EPOCH));
    }

    function directed(address payer) private view returns (string memory) {
        return string.concat(lived(), ", \"payer\": ", quoted(payer));
    }

    function claim(string memory name, string memory fields, bytes32 structHash, uint256 key)
        private view returns (string memory)
    {
        bytes32 digest = Claims.digest(Claims.domainSeparator(CONTRACT), structHash);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        string memory signed = string.concat(
            ", \"signer\": ", quoted(vm.addr(key)), ", \"signature\": {\"r\": ", quoted(r), ", \"s\": ", quoted(s),
            ", \"v\": ", vm.toString(uint256(v)), "}}"
        );
        return string.concat(
            "{\"type\": \"", name, "\", \"fields\": {", fields, "}, \"structHash\": ", quoted(structHash),
            ", \"digest\": ", quoted(digest), signed
        );
    }

    function lockTrees() private view returns (string memory text) {
        uint16[][5] memory sets = [
            slots(0, 1, 1), slots(4095, 1, 1), slots(0, 1, 5), slots(3, 7, 10), slots(0, 41, 100)
        ];
        for (uint256 i = 0; i < sets.length; i++) {
            text = string.concat(text, i == 0 ? "" : ",\n", lockTree(sets[i]));
        }
        text = string.concat(text, ",\n", lockTree(new uint16[](0)));
    }

    function slots(uint16 first, uint16 step, uint256 count) private pure returns (uint16[] memory chosen) {
        chosen = new uint16[](count);
        for (uint256 i = 0; i < count; i++) chosen[i] = first + uint16(i) * step;
    }

    function lockTree(uint16[] memory chosen) private view returns (string memory text) {
        IPhotonNetwork.Lock[] memory locks = new IPhotonNetwork.Lock[](chosen.length);
        for (uint256 i = 0; i < chosen.length; i++) {
            locks[i] = lock(chosen[i]);
            text = string.concat(text, i == 0 ? "" : ",\n  ", lockText(locks[i]));
        }
        bytes32[][] memory levels = Trees.ofLocks(locks);
        text = string.concat(
            "{\"root\": ", quoted(Trees.rootOf(levels)), ",\n \"locks\": [", text, "],\n \"multiproofs\": ["
        );
        if (locks.length > 0) {
            text = string.concat(text, multiproof(locks, levels, 1, 0), ",\n  ", multiproof(locks, levels, 1, locks.length - 1));
        }
        if (locks.length > 3) {
            text = string.concat(text, ",\n  ", multiproof(locks, levels, 3, 1), ",\n  ", multiproof(locks, levels, locks.length, 0));
        }
        return string.concat(text, "]}");
    }

    /// @notice For `count` of the locks from `first` on, checked by the contract's own code.
    function multiproof(IPhotonNetwork.Lock[] memory locks, bytes32[][] memory levels, uint256 count, uint256 first)
        private view returns (string memory text)
    {
        IPhotonNetwork.Lock[] memory some = new IPhotonNetwork.Lock[](count);
        uint256[] memory indices = new uint256[](count);
        for (uint256 i = 0; i < count; i++) {
            some[i] = locks[first + i];
            indices[i] = some[i].slot;
            text = string.concat(text, i == 0 ? "" : ", ", vm.toString(indices[i]));
        }
        bytes32[] memory siblings = Trees.proof(levels, indices);
        trees.checkLocks(some, siblings, Trees.rootOf(levels));
        return string.concat("{\"slots\": [", text, "], \"siblings\": ", list(siblings), "}");
    }

    function lockText(IPhotonNetwork.Lock memory it) private view returns (string memory) {
        return string.concat(
            "{\"slot\": ", vm.toString(uint256(it.slot)), ", \"number\": ", number(it.number), ", \"amount\": ",
            number(it.amount), ", \"expiration\": ", number(it.expiration), ", \"secretHash\": ", quoted(it.secretHash),
            string.concat(", \"leaf\": ", quoted(trees.lockHash(it)), "}")
        );
    }

    function lock(uint16 slot) private pure returns (IPhotonNetwork.Lock memory) {
        return IPhotonNetwork.Lock(
            slot, 1_000_000 + uint64(slot), LARGE >> (slot % 100), 1893456000 + uint64(slot), sha256(abi.encode(slot))
        );
    }

    function registrations() private returns (string memory text) {
        bytes32[] memory all = secrets(256);
        text = string.concat("\"secrets\": ", list(all), ",\n\"registrations\": [\n");
        uint16[5] memory counts = [uint16(1), 2, 3, 5, 256];
        for (uint256 i = 0; i < counts.length; i++) {
            text = string.concat(text, i == 0 ? "" : ",\n", registration(counts[i]));
        }
        return string.concat(text, "\n]");
    }

    /// @notice The first `count` secrets, and the proof of the last, and of every other one.
    function registration(uint256 count) private returns (string memory) {
        bytes32[] memory some = secrets(count);
        bytes32[][] memory levels = Trees.ofSecrets(some);
        bytes32 root = network.registerSecrets(some);
        assertEq(root, Trees.rootOf(levels), "registration root");
        uint256[] memory last = new uint256[](1);
        last[0] = count - 1;
        uint256[] memory others = new uint256[]((count + 1) / 2);
        for (uint256 i = 0; i < others.length; i++) others[i] = 2 * i;
        return string.concat(
            "{\"count\": ", vm.toString(count), ", \"depth\": ", vm.toString(levels.length - 1), ", \"root\": ",
            quoted(root), ", \"multiproofs\": [", secretsProof(levels, last), ", ", secretsProof(levels, others), "]}"
        );
    }

    function secretsProof(bytes32[][] memory levels, uint256[] memory indices) private view returns (string memory text) {
        bytes32[] memory siblings = Trees.proof(levels, indices);
        bytes32[] memory nodes = new bytes32[](indices.length);
        for (uint256 i = 0; i < indices.length; i++) {
            nodes[i] = levels[0][indices[i]];
            text = string.concat(text, i == 0 ? "" : ", ", vm.toString(indices[i]));
        }
        bytes32 got = trees.root(indices, nodes, siblings, levels.length - 1, true);
        assertEq(got, Trees.rootOf(levels), "registration proof");
        return string.concat("{\"indices\": [", text, "], \"siblings\": ", list(siblings), "}");
    }

    function secrets(uint256 count) private pure returns (bytes32[] memory some) {
        some = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) some[i] = keccak256(abi.encode("secret", i));
    }

    function quoted(bytes32 value) private pure returns (string memory) {
        return string.concat("\"", vm.toString(value), "\"");
    }

    function quoted(address value) private pure returns (string memory) {
        return string.concat("\"", vm.toString(value), "\"");
    }

    function number(uint256 value) private pure returns (string memory) {
        return string.concat("\"", vm.toString(value), "\"");
    }

    function list(bytes32[] memory values) private pure returns (string memory text) {
        for (uint256 i = 0; i < values.length; i++) text = string.concat(text, i == 0 ? "" : ", ", quoted(values[i]));
        return string.concat("[", text, "]");
    }
}
