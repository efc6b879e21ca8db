// Compiles mutants: keeps the compiler warm, and puts what a mutant compiles to in the place of what forge compiled.
// Forge (with dynamic test linking) then deploys the mutant, and no test has to be compiled again.
//
// Arguments: the folder of the contract, the folder of forge's artefacts.
// A request is a line of JSON: { file, text } replaces one source file; { } replaces none.
// The answer is a line of JSON: { }, { same: true } where the code is that of the contract, or { error }, the compiler's
// first complaint.
'use strict';
const fs = require('fs');
const path = require('path');
const readline = require('readline');
const [, , root, out] = process.argv;
const solc = require(require.resolve('solc', { paths: [root] }));

// Without the optimizer: half the time for each mutant, and what a call does is the same.
const SETTINGS = {
  evmVersion: 'paris',
  viaIR: true,
  // A hash of the sources would make every mutant's code different.
  metadata: { bytecodeHash: 'none', appendCBOR: false },
  outputSelection: { '*': { '*': ['evm.bytecode.object', 'evm.deployedBytecode.object'] } },
};

function sourcesBelow(folder) {
  return fs.readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return sourcesBelow(name);
    return name.endsWith('.sol') ? [name] : [];
  });
}

const original = {};
for (const name of sourcesBelow('src')) original[name] = { content: fs.readFileSync(path.join(root, name), 'utf8') };

// What the contract itself compiles to; it is asked for first.
let unmutated;

function compile({ file, text }) {
  const sources = file === undefined ? original : { ...original, [file]: { content: text } };
  const input = { language: 'Solidity', sources, settings: SETTINGS };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const error = (output.errors ?? []).find(({ severity }) => severity === 'error');
  if (error !== undefined) return { error: error.message };
  const code = JSON.stringify(output.contracts);
  unmutated ??= code;
  if (file !== undefined && code === unmutated) return { same: true };
  for (const [name, contracts] of Object.entries(output.contracts)) {
    for (const [contract, { evm }] of Object.entries(contracts)) replace(name, contract, evm);
  }
  return {};
}

function replace(name, contract, evm) {
  const file = path.join(out, path.basename(name), `${contract}.json`);
  if (!fs.existsSync(file)) return;
  const artefact = JSON.parse(fs.readFileSync(file, 'utf8'));
  artefact.bytecode.object = `0x${evm.bytecode.object}`;
  artefact.deployedBytecode.object = `0x${evm.deployedBytecode.object}`;
  fs.writeFileSync(file, JSON.stringify(artefact));
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  console.log(JSON.stringify(compile(JSON.parse(line))));
});
