// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPhotonNetwork} from "../interfaces/IPhotonNetwork.sol";

/// @title Which locks of a stored proof are claimed, and their sum.
/// @notice Word 0: the sum (the low 128 bits) and the bits of slots 0 to 127; each further word the bits of 256 slots.
/// So the first claim writes one new word.
library ClaimedLocks {
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

    function set(Bits storage self, uint16 slot) internal {
        (uint256 word, uint256 bit) = placeOf(slot);
        self.words[word] |= bit;
    }

    /// @notice Adds to the sum. An honest payee never accepted locks beyond what is in the channel.
    function add(Bits storage self, uint256 amount) internal returns (uint128) {
        if (amount == 0) return 0;
        uint256 head = self.words[0];
        uint256 room = SUM_MASK - (head & SUM_MASK);
        if (amount > room) revert IPhotonNetwork.AmountTooLarge(room, amount);
        self.words[0] = head + amount;
        return uint128(amount);
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

    function placeOf(uint16 slot) private pure returns (uint256 word, uint256 bit) {
        uint256 place = uint256(slot) + 128;
        return (place >> 8, 1 << (place & 255));
    }
}
