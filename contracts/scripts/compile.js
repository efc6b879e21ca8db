// Compiles the contract and the test tokens into artefacts/, or with --check compares what is there.
// Deterministic: the pinned compiler, sorted sources, no metadata in the bytecode.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');
const solc = require('solc');

const ROOT = path.join(__dirname, '..');
const COMPILER = '0.8.37';
const ARTEFACTS = [
  { contract: 'PhotonNetwork', folder: 'src' },
  { contract: 'DepositReceiver', folder: 'src' },
  ...Object.entries({
    TestToken: ['TestToken'],
    OddTokens: ['SilentToken', 'DenyingToken', 'FeeToken', 'BlockingToken', 'GreedyToken', 'HookToken', 'HugeToken'],
    CallingTokens: ['Erc223Token', 'FallbackToken', 'ApproveAndCallToken', 'Erc1363Token', 'Erc677Token'],
    SignedTokens: ['PermitToken', 'AuthorizationToken'],
    WrappedNative: ['WrappedNative'],
    Permit2Double: ['Permit2Double'],
  }).flatMap(([file, contracts]) => contracts.map((contract) => ({ contract, folder: 'test-tokens', file }))),
];
const SETTINGS = {
  evmVersion: 'paris',
  viaIR: true,
  optimizer: { enabled: true, runs: 2000 },
  metadata: { bytecodeHash: 'none', appendCBOR: false },
};

function sourcesBelow(folder) {
  return fs
    .readdirSync(path.join(ROOT, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const name = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return sourcesBelow(name);
      return name.endsWith('.sol') ? [name] : [];
    })
    .sort();
}

function readSources(folder) {
  const sources = {};
  for (const name of sourcesBelow(folder)) {
    sources[name] = { content: fs.readFileSync(path.join(ROOT, name), 'utf8') };
  }
  return sources;
}

function compile(sources) {
  const input = {
    language: 'Solidity',
    sources,
    settings: { ...SETTINGS, outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } } },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const complaints = output.errors ?? [];
  for (const complaint of complaints) console.error(complaint.formattedMessage);
  if (complaints.length > 0) throw new Error('the compiler complained');
  return output;
}

const compiledFolders = new Map();

function compiledFolder(folder) {
  if (!compiledFolders.has(folder)) {
    const sources = readSources(folder);
    const sourceHash = crypto.createHash('sha256').update(JSON.stringify(sources)).digest('hex');
    compiledFolders.set(folder, { output: compile(sources), sourceHash });
  }
  return compiledFolders.get(folder);
}

function artefactOf({ contract, folder, file = contract }) {
  const { output, sourceHash } = compiledFolder(folder);
  const compiled = output.contracts[`${folder}/${file}.sol`][contract];
  const artefact = {
    contract,
    compiler: COMPILER,
    settings: SETTINGS,
    sourceHash,
    abi: compiled.abi,
    bytecode: `0x${compiled.evm.bytecode.object}`,
    deployedBytecode: `0x${compiled.evm.deployedBytecode.object}`,
  };
  return `${JSON.stringify(artefact, null, 1)}\n`;
}

function main() {
  if (!solc.version().startsWith(`${COMPILER}+`)) {
    throw new Error(`the compiler is ${solc.version()}, expected ${COMPILER}`);
  }
  const check = process.argv.includes('--check');
  for (const entry of ARTEFACTS) {
    const file = path.join(ROOT, 'artefacts', `${entry.contract}.json`);
    const text = artefactOf(entry);
    if (!check) {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, text);
    } else if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text) {
      throw new Error(`artefacts/${entry.contract}.json is out of date: run npm run compile`);
    }
    const size = (JSON.parse(text).deployedBytecode.length - 2) / 2;
    console.log(`${entry.contract}: ${size} bytes deployed`);
  }
}

main();
