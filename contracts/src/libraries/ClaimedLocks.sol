// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../interfaces/IPhotonNetwork.sol";
import {Locks} from "./Locks.sol";

/// @title Which locks of a stored proof are claimed, and their sum.
/// @notice Word 0: the sum (the low 128 bits) and the bits of slots 0 to 127; each further word the bits of 256 slots.
/// So the first claim writes one new word.
library ClaimedLocks {
    using Locks for IPhotonNetwork.Lock;

    uint256 internal constant WORDS = 17;
    uint256 private constant SUM_MASK = type(uint128).max;

    struct Bits {
        uint256[WORDS] words;
    }

    function sum(Bits storage self) internal view returns (uint128) {
        return uint128(self.words[0]);
    }

    function isSet(Bits storage self, uint16 slot) internal view returns (bool) {
        (uint256 word, uint256 bit) = placeOf(slot);
        return self.words[word] & bit != 0;
    }

    /// @notice Claims those locks (strictly ascending by slot) that are neither claimed yet nor banned.
    /// @param anyBanned whether to look for banned ones
    /// @return slots of the locks newly claimed
    /// @return added the sum of their amounts
    function claim(
        Bits storage self, IPhotonNetwork.Lock[] calldata locks, bool anyBanned, mapping(bytes32 lock => bool) storage banned
    ) internal returns (uint16[] memory slots, uint128 added) {
        slots = new uint16[](locks.length);
        // Each word is read and written once; word 0 is written last, with the sum.
        uint256 head = self.words[0];
        (uint256 count, uint256 current, uint256 bits, uint256 total) = (0, 0, head, 0);
        for (uint256 i = 0; i < locks.length; i++) {
            IPhotonNetwork.Lock calldata lock = locks[i];
            uint16 slot = lock.slot;
            (uint256 word, uint256 bit) = placeOf(slot);
            if (word != current) {
                if (current == 0) head = bits;
                else self.words[current] = bits;
                (current, bits) = (word, self.words[word]);
            }
            if (bits & bit != 0 || (anyBanned && banned[lock.hash()])) continue;
            bits |= bit;
            // Neither can overflow: at most 4,096 amounts below 2^128, and no more slots than locks.
            unchecked { total += lock.amount; }
            putSlot(slots, count, slot);
            unchecked { count++; }
        }
        // In assembly because Solidity can not shorten an array in memory.
        assembly ("memory-safe") { mstore(slots, count) }
        if (count == 0) return (slots, 0);
        if (current == 0) head = bits;
        else self.words[current] = bits;
        // An honest payee never accepted locks beyond what is in the channel.
        uint256 room = SUM_MASK - (head & SUM_MASK);
        if (total > room) revert IPhotonNetwork.AmountTooLarge(room, total);
        self.words[0] = head + total;
        added = uint128(total);
    }

    /// @notice Takes the claim of a lock back.
    function clear(Bits storage self, uint16 slot, uint128 amount) internal {
        (uint256 word, uint256 bit) = placeOf(slot);
        self.words[word] &= ~bit;
        self.words[0] -= amount;
    }

    /// @notice The sum, which is then forgotten with the bits beside it; nothing asks for the others any more.
    function takeSum(Bits storage self) internal returns (uint128 taken) {
        taken = sum(self);
        if (taken != 0) self.words[0] = 0;
    }

    /// @notice In assembly because a checked array access costs 70 gas more for each lock.
    function putSlot(uint16[] memory slots, uint256 i, uint16 slot) private pure {
        assembly ("memory-safe") { mstore(add(add(slots, 0x20), shl(5, i)), slot) }
    }

    function placeOf(uint16 slot) private pure returns (uint256 word, uint256 bit) {
        uint256 place = uint256(slot) + 128;
        return (place >> 8, 1 << (place & 255));
    }
}
