#!/bin/sh
# cast, as one types it against any Ethereum node.
set -eu

fail() { echo "cast.sh: $1" >&2; exit 1; }
equal() { [ "$1" = "$2" ] || fail "$3: $1 instead of $2"; }
contains() { case "$1" in *"$2"*) ;; *) fail "$3: no '$2' in: $1" ;; esac; }

key=0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80
owner=0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266
friend=0x70997970C51812dc3A010C7d01b50e0d17dc79C8
export ETH_RPC_URL="$CHAIN_URL" FOUNDRY_DISABLE_NIGHTLY_WARNING=1
legacy=""
[ "$CHAIN_LEGACY" = true ] && legacy="--legacy"
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

equal "$(cast chain-id)" "$CHAIN_ID" "chain id"
equal "$(cast balance --ether "$owner" | cut -d. -f1)" 10000 "balance"
contains "$(cast client)" photon-devchain "client"

# Deploy.
code=$(sed -n 's/.*"bytecode": *"\(0x[0-9a-f]*\)".*/\1/p' "$ARTEFACT" | head -n 1)
arguments=$(cast abi-encode "constructor(string,string,uint8)" Tea TEA 18)
token=$(cast send --json $legacy --private-key "$key" --create "$code${arguments#0x}" | field contractAddress)
equal "$(cast call "$token" 'symbol()(string)')" '"TEA"' "symbol"
[ "$(cast codesize "$token")" -gt 100 ] || fail "no code"

# Send, wait, read.
receipt=$(cast send --json $legacy --private-key "$key" "$token" 'mint(address,uint256)' "$owner" 1000)
equal "$(echo "$receipt" | field status)" 0x1 "status of the mint"
[ -n "$legacy" ] && wanted=0x0 || wanted=0x2
equal "$(echo "$receipt" | field type)" "$wanted" "type"
hash=$(cast send --async --legacy --private-key "$key" "$token" 'transfer(address,uint256)' "$friend" 10)
equal "$(cast receipt --json "$hash" | field type)" 0x0 "type of the legacy transaction"
contains "$(cast tx "$hash" from)" "$owner" "sender"
equal "$(cast call "$token" 'balanceOf(address)(uint256)' "$friend")" 10 "balance of the friend"
equal "$(cast nonce "$owner")" 3 "nonce"
gas=$(cast estimate --from "$owner" "$token" 'transfer(address,uint256)' "$friend" 1)
[ "$gas" -gt 21000 ] && [ "$gas" -lt 100000 ] || fail "estimate $gas"

# The node signs for its own accounts.
equal "$(cast send --json $legacy --unlocked --from "$friend" "$token" 'transfer(address,uint256)' "$owner" 4 | field status)" \
  0x1 "status of the unlocked transaction"

# Filter.
logs=$(cast logs --json --from-block 0 --address "$token" 'Transfer(address indexed,address indexed,uint256)')
equal "$(echo "$logs" | tr ',' '\n' | grep -c '"transactionHash"')" 3 "number of logs"

# Subscribe over a WebSocket, until a transfer comes.
out=$(mktemp)
trap 'rm -f "$out"; [ -z "${watcher:-}" ] || kill "$watcher" 2>/dev/null || true' EXIT
cast logs --rpc-url "$CHAIN_WS_URL" --subscribe --address "$token" >"$out" 2>&1 &
watcher=$!
tries=0
while ! grep -q transactionHash "$out"; do
  tries=$((tries + 1))
  [ "$tries" -lt 20 ] || fail "no log over the WebSocket: $(cat "$out")"
  cast send $legacy --private-key "$key" "$token" 'transfer(address,uint256)' "$friend" 1 >/dev/null
done

# Reverts and refusals.
failure=$(cast call --from "$friend" "$token" 'transfer(address,uint256)' "$owner" 99 2>&1 && fail "no revert" || true)
contains "$failure" 'execution reverted' "revert"
contains "$failure" "$(cast sig 'InsufficientBalance(address,uint256,uint256)')" "its data"
failure=$(cast send $legacy --private-key "$key" --value 20000ether "$friend" 2>&1 && fail "taken" || true)
contains "$failure" 'insufficient funds for gas * price + value' "no funds"
failure=$(cast send $legacy --private-key "$key" --nonce 0 --gas-limit 21000 "$friend" 2>&1 && fail "taken" || true)
contains "$failure" 'nonce too low' "stale nonce"

# Proofs, access lists, typed data, the pool, and what only a development chain does.
contains "$(cast proof "$token" 0x0)" storageProof "proof"
[ -n "$legacy" ] ||
  contains "$(cast access-list --from "$owner" "$token" 'balanceOf(address)' "$owner")" 'access list' "access list"
contains "$(cast rpc txpool_status)" pending "pool"
snapshot=$(cast rpc evm_snapshot | tr -d '"')
head=$(cast block-number)
cast rpc anvil_mine 0x3 >/dev/null
equal "$(cast block-number)" $((head + 3)) "mined"
equal "$(cast rpc evm_revert "$snapshot")" true "revert to the snapshot"
equal "$(cast block-number)" "$head" "head after the revert"
contains "$(cast block latest)" "stateRoot" "block"

echo "cast is content"
