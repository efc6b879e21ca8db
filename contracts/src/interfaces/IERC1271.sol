// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title How a contract says whether a signature is its own. Source: ERC-1271.
interface IERC1271 {
    /// @return `0x1626ba7e` when it is
    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4);
}
