// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../src/interfaces/IPhotonNetwork.sol";
import {Channel} from "../src/libraries/Channel.sol";
import {ClaimedLocks} from "../src/libraries/ClaimedLocks.sol";
import {Direction, directionOf} from "../src/libraries/Direction.sol";
import {Symbolic} from "./support/Symbolic.sol";

/// @title The channel's word: every setter changes only its field, and nothing gets lost between fields.
contract ChannelProofs is Symbolic {
    struct Fields {
        IPhotonNetwork.Phase phase;
        uint256 epoch;
        uint256 clock;
        uint256 depositLow;
        uint256 depositHigh;
        bool hasWithdrawn;
        bool hasPenaltyLow;
        bool hasPenaltyHigh;
    }

    function check_the_fields_are_the_whole_word(uint256 word) external pure {
        Fields memory got = fieldsOf(word);
        uint256 again = uint256(got.phase) << 254 | got.clock << 216 | got.epoch << 192 | got.depositHigh << 96
            | got.depositLow | (got.hasWithdrawn ? 1 << 251 : 0) | (got.hasPenaltyLow ? 1 << 252 : 0)
            | (got.hasPenaltyHigh ? 1 << 253 : 0);
        assert(again == word);
        assertFields(Channel.wrap(word), got);
        assert(Channel.wrap(word).total() == got.depositLow + got.depositHigh);
    }

    function check_opening_starts_the_next_epoch_with_nothing_in_it(uint256 word, uint64 settleTimeout) external pure {
        vm.assume(settleTimeout < 1 << 35);
        Fields memory before = fieldsOf(word);
        Fields memory wanted;
        wanted.phase = IPhotonNetwork.Phase.Open;
        wanted.epoch = before.epoch + 1;
        wanted.clock = settleTimeout;
        assertFields(Channel.wrap(word).opened(settleTimeout), wanted);
        assert(before.epoch < (1 << 24) - 1);
    }

    function check_a_deposit_raises_one_deposit_by_its_amount(uint256 word, bool high, uint256 amount) external pure {
        Fields memory wanted = fieldsOf(word);
        Channel credited = Channel.wrap(word).credited(high, amount);
        if (high) wanted.depositHigh += amount;
        else wanted.depositLow += amount;
        assertFields(credited, wanted);
    }

    /// @notice And `credited` refuses only what does not fit.
    function check_a_deposit_that_fits_is_not_refused(uint256 word, bool high, uint96 amount) external view {
        Fields memory before = fieldsOf(word);
        vm.assume((high ? before.depositHigh : before.depositLow) + amount < 1 << 96);
        try this.withDeposit(word, high, amount) {} catch { assert(false); }
    }

    function check_the_first_withdrawal_sets_its_flag_alone(uint256 word) external pure {
        Fields memory wanted = fieldsOf(word);
        wanted.hasWithdrawn = true;
        assertFields(Channel.wrap(word).withdrawnFrom(), wanted);
    }

    function check_closing_changes_phase_and_clock_alone(uint256 word, uint64 updateUntil) external pure {
        vm.assume(updateUntil < 1 << 35);
        Fields memory wanted = fieldsOf(word);
        wanted.phase = IPhotonNetwork.Phase.Closed;
        wanted.clock = updateUntil;
        assertFields(Channel.wrap(word).closed(updateUntil), wanted);
    }

    function check_a_punishment_sets_the_payers_flag_alone(uint256 word, bool high) external pure {
        Fields memory wanted = fieldsOf(word);
        if (high) wanted.hasPenaltyHigh = true;
        else wanted.hasPenaltyLow = true;
        Channel punished = Channel.wrap(word).punishedFor(high);
        assertFields(punished, wanted);
        assert(punished.hasPenalty(high));
    }

    function check_settling_keeps_the_epoch_alone(uint256 word) external pure {
        Fields memory wanted;
        wanted.epoch = fieldsOf(word).epoch;
        assertFields(Channel.wrap(word).settled(), wanted);
    }

    function withDeposit(uint256 word, bool high, uint256 amount) external pure returns (Channel) {
        return Channel.wrap(word).credited(high, amount);
    }

    /// @notice The fields by their documented places, without the code that is proved. Phase 3 is never stored.
    function fieldsOf(uint256 word) private pure returns (Fields memory fields) {
        vm.assume(word >> 254 != 3);
        fields.phase = IPhotonNetwork.Phase(word >> 254);
        fields.hasPenaltyHigh = word >> 253 & 1 == 1;
        fields.hasPenaltyLow = word >> 252 & 1 == 1;
        fields.hasWithdrawn = word >> 251 & 1 == 1;
        fields.clock = (word >> 216) % (1 << 35);
        fields.epoch = (word >> 192) % (1 << 24);
        fields.depositHigh = (word >> 96) % (1 << 96);
        fields.depositLow = word % (1 << 96);
    }

    function assertFields(Channel got, Fields memory wanted) private pure {
        assert(got.phase() == wanted.phase);
        assert(got.epoch() == wanted.epoch);
        assert(got.clock() == wanted.clock);
        assert(got.depositOf(false) == wanted.depositLow);
        assert(got.depositOf(true) == wanted.depositHigh);
        assert(got.hasWithdrawn() == wanted.hasWithdrawn);
        assert(got.hasPenalty(false) == wanted.hasPenaltyLow);
        assert(got.hasPenalty(true) == wanted.hasPenaltyHigh);
    }
}

/// @title A direction's word.
contract DirectionProofs is Symbolic {
    function check_a_directions_word_keeps_nonce_and_seal(
        uint64 nonce, uint128 transferred, bytes32 locksroot, uint128 declared
    ) external pure {
        Direction word = directionOf(nonce, transferred, locksroot, declared);
        assert(word.nonce() == nonce && nonce < 1 << 48);
        assert(word.isSealed() == (declared != 0));
        assert(word.commitment() == uint256(keccak256(abi.encode(transferred, locksroot, declared))) >> 49);
    }

    function check_what_was_stored_is_what_stands(IPhotonNetwork.Balance calldata balance, uint64 nonce) external pure {
        vm.assume(nonce != 0);
        assert(directionOf(nonce, balance.transferred, balance.locksroot, balance.declared).matches(balance));
    }

    function check_a_blank_direction_stands_for_nothing(IPhotonNetwork.Balance calldata balance) external pure {
        bool empty = balance.transferred == 0 && balance.locksroot == 0 && balance.declared == 0;
        assert(Direction.wrap(0).matches(balance) == empty);
    }
}

/// @title The words of claimed locks: the sum is always that of the set bits.
/// @notice Bounds: two locks in two slots of eight that lie at the words' borders, claimed again, one taken back.
contract ClaimedLocksProofs is Symbolic {
    using ClaimedLocks for ClaimedLocks.Bits;

    ClaimedLocks.Bits private bits;
    mapping(bytes32 lock => bool) private banned;

    function check_the_sum_is_that_of_the_claimed_locks(
        uint8 first, uint8 second, uint128 amountFirst, uint128 amountSecond
    ) external {
        (uint16 one, uint16 other) = (slotAt(first), slotAt(second));
        vm.assume(one < other && uint256(amountFirst) + amountSecond <= type(uint128).max);
        IPhotonNetwork.Lock[] memory locks = new IPhotonNetwork.Lock[](2);
        locks[0] = IPhotonNetwork.Lock(one, 1, amountFirst, 0, 0);
        locks[1] = IPhotonNetwork.Lock(other, 2, amountSecond, 0, 0);
        IPhotonNetwork.Lock[] memory alone = new IPhotonNetwork.Lock[](1);
        alone[0] = locks[1];

        assert(this.claim(alone) == amountSecond);
        assert(bits.sum() == amountSecond && bits.isSet(other) && !bits.isSet(one));
        assert(this.claim(locks) == amountFirst);
        assert(this.claim(locks) == 0);
        assert(bits.sum() == uint256(amountFirst) + amountSecond && bits.isSet(one) && bits.isSet(other));

        bits.clear(one, amountFirst);
        assert(bits.sum() == amountSecond && !bits.isSet(one) && bits.isSet(other));
        assert(bits.takeSum() == amountSecond && bits.sum() == 0);
    }

    function claim(IPhotonNetwork.Lock[] calldata locks) external returns (uint128 added) {
        (, added) = bits.claim(locks, false, banned);
    }

    /// @notice The slots on both sides of borders between words, and the last ones.
    function slotAt(uint8 which) private pure returns (uint16) {
        uint16[8] memory slots = [uint16(0), 1, 127, 128, 383, 384, 4094, 4095];
        for (uint256 i = 0; i < 8; i++) if (which == i) return slots[i];
        vm.assume(false);
        return 0;
    }
}
