// ethers, as one writes it against any Ethereum node.

import assert from 'node:assert/strict'
import {
  Contract, ContractFactory, JsonRpcProvider, Wallet, WebSocketProvider, isError, parseEther,
  verifyTypedData,
} from 'ethers'
import { abi, bytecode, chainId, keys, legacy, soon, typed, url, wsUrl } from './common.mjs'

const provider = new JsonRpcProvider(url, undefined, { polling: true, pollingInterval: 50, cacheTimeout: -1 })
const [owner, friend] = keys.map((key) => new Wallet(key, provider))

// Where the chain is.
assert.equal((await provider.getNetwork()).chainId, BigInt(chainId))
assert.equal(await provider.getBalance(owner.address), parseEther('10000'))
assert.ok((await provider.send('eth_accounts', [])).length >= 10)
const fees = await provider.getFeeData()
assert.ok(fees.gasPrice > 0n)
assert.equal(fees.maxFeePerGas === null, legacy)

// Deploy and call.
const factory = new ContractFactory(abi, bytecode, owner)
const token = await (await factory.deploy('Tea', 'TEA', 18)).waitForDeployment()
const address = await token.getAddress()
assert.deepEqual(
  await Promise.all([token.name(), token.symbol(), token.decimals()]), ['Tea', 'TEA', 18n])

// Subscribe over a WebSocket before anything happens.
const socket = new WebSocketProvider(wsUrl)
const live = new Contract(address, abi, socket)
const heads = []
const amounts = []
const came = Promise.all([
  new Promise((done) => socket.on('block', (number) => { heads.push(number); if (heads.length === 3) done() })),
  new Promise((done) => live.on('Transfer', (from, to, amount) => { amounts.push(amount); if (amounts.length === 2) done() })),
])
// The subscriptions are on their way: this answer comes after theirs.
await new Promise((done) => setTimeout(done, 200))
await socket.getBlockNumber()

// Send and wait: with the fees of the chain's kind, and a legacy transaction on every chain.
const minted = await (await token.mint(owner.address, 1_000n)).wait()
assert.equal(minted.type, legacy ? 0 : 2)
assert.equal(minted.logs[0].fragment.name, 'Transfer')
const gas = await token.transfer.estimateGas(friend.address, 10n)
assert.ok(gas > 21_000n && gas < 100_000n)
const old = await (await token.transfer(friend.address, 10n, { type: 0, gasPrice: fees.gasPrice })).wait()
assert.deepEqual([old.status, old.type], [1, 0])
assert.equal(await token.balanceOf(friend.address), 10n)
const stranger = '0x00000000000000000000000000000000000A11cE'
const coins = await (await owner.sendTransaction({ to: stranger, value: 7n })).wait()
assert.equal(coins.gasUsed, 21_000n)
if (!legacy) {
  const dynamic = await owner.sendTransaction({
    to: stranger, value: 1n, type: 2, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n,
  })
  assert.equal((await dynamic.wait()).type, 2)
}

// The node signs for its own accounts.
const ofNode = await provider.getSigner(owner.address)
assert.equal((await (await ofNode.sendTransaction({ to: stranger, value: 1n })).wait()).status, 1)

// Filter.
const found = await token.queryFilter(token.filters.Transfer(null, friend.address), 0)
assert.deepEqual(found.map(({ args }) => args.amount), [10n])
const ofBlock = await provider.getLogs({ address, blockHash: old.blockHash })
assert.deepEqual(ofBlock.map((log) => log.transactionHash), [old.hash])

// What was subscribed to has come.
await soon('heads and logs', came)
assert.deepEqual(amounts, [1_000n, 10n])
assert.ok(heads.every((number, at) => at === 0 || number > heads[at - 1]))

// Reverts, decoded; refusals, recognised.
const theirs = token.connect(friend)
for (const attempt of [theirs.transfer.staticCall, theirs.transfer.estimateGas]) {
  const failure = await attempt(owner.address, 99n).then(() => assert.fail('no revert'), (error) => error)
  assert.ok(isError(failure, 'CALL_EXCEPTION'))
  const revert = failure.revert ?? token.interface.parseError(failure.data)
  assert.equal(revert.name, 'InsufficientBalance')
  assert.deepEqual([...revert.args], [friend.address, 10n, 99n])
}
const failed = await theirs.transfer(owner.address, 99n, { gasLimit: 100_000n })
await assert.rejects(failed.wait(), (error) => isError(error, 'CALL_EXCEPTION') && error.receipt.status === 0)
const refusal = (request) => owner.sendTransaction({ to: stranger, ...request }).then(
  () => assert.fail('taken'), (error) => error)
assert.ok(isError(await refusal({ value: parseEther('20000'), gasLimit: 21_000n }), 'INSUFFICIENT_FUNDS'))
assert.ok(isError(await refusal({ nonce: 0, gasLimit: 21_000n }), 'NONCE_EXPIRED'))
if (legacy) {
  const refused = await refusal({ type: 2, gasLimit: 21_000n, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n })
  assert.match(refused.message, /transaction type not supported/)
}

// Typed data, signed here and by the node.
const { domain, types, message } = typed
const mine = await owner.signTypedData(domain, types, message)
assert.equal(verifyTypedData(domain, types, message, mine), owner.address)
assert.equal(await ofNode.signTypedData(domain, types, message), mine)
assert.equal(await ofNode.signMessage('tea'), await owner.signMessage('tea'))

console.log('ethers is content')
process.exit(0)
