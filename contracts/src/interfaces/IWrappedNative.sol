// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title How a chain's native coin becomes a token. Source: WETH9.
interface IWrappedNative {
    /// @notice The caller gets as many tokens as coins came.
    function deposit() external payable;
}
