// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice The part of halmos' cheat codes that the proofs use.
interface Cheats {
    function assume(bool condition) external pure;
    function prank(address sender) external;
    function warp(uint256 timestamp) external;
    function load(address target, bytes32 slot) external view returns (bytes32);
}

/// @title A contract whose functions `check_…` halmos runs for all arguments at once.
/// @notice A failed `assert`, and any other panic (overflow, array bounds, enum), is a counterexample.
abstract contract Symbolic {
    Cheats internal constant vm = Cheats(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
}
