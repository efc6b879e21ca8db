// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IERC1271} from "../interfaces/IERC1271.sol";
import {IPhotonNetwork} from "../interfaces/IPhotonNetwork.sol";

/// @title Who signed what.
library Signatures {
    /// @notice Half the order of secp256k1: a signature with a higher `s` is the mirror of one with a lower. Source: EIP-2.
    uint256 private constant GREATEST_S = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @notice Refuses unless `signer` signed the digest. The zero address signs nothing.
    function check(address signer, bytes32 digest, bytes calldata signature) internal view {
        // Recovery first: an account may have code and a key as well (EIP-7702).
        if (signer != address(0) && (recover(digest, signature) == signer || isByContract(signer, digest, signature))) {
            return;
        }
        revert IPhotonNetwork.InvalidSignature(signer);
    }

    /// @return the key's address, or zero
    function recover(bytes32 digest, bytes calldata signature) private pure returns (address) {
        if (signature.length != 65) return address(0);
        (bytes32 r, bytes32 s, uint8 v) = parts(signature);
        if (uint256(s) > GREATEST_S || (v != 27 && v != 28)) return address(0);
        return ecrecover(digest, v, r, s);
    }

    /// @notice `r ‖ s ‖ v` of a signature of 65 bytes.
    /// In assembly because checked slices of it cost 55 gas more for each signature.
    function parts(bytes calldata signature) private pure returns (bytes32 r, bytes32 s, uint8 v) {
        assembly ("memory-safe") {
            r := calldataload(signature.offset)
            s := calldataload(add(signature.offset, 0x20))
            v := byte(0, calldataload(add(signature.offset, 0x40)))
        }
    }

    /// @notice Asks the signer, if it is a contract. Source: ERC-1271.
    function isByContract(address signer, bytes32 digest, bytes calldata signature) private view returns (bool) {
        if (signer.code.length == 0) return false;
        (bool success, bytes memory answer) =
            signer.staticcall(abi.encodeCall(IERC1271.isValidSignature, (digest, signature)));
        return success && answer.length >= 32
            && abi.decode(answer, (bytes32)) == bytes32(IERC1271.isValidSignature.selector);
    }
}
