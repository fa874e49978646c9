// Compile and test the contracts with one pinned compiler, offline. One bytecode must run on every engine, hence
// `evmVersion: "london"` and no metadata hash. Solidity tests (*.t.sol) stand beside the contracts.
import { defineConfig } from "hardhat/config";
import { fileURLToPath } from "node:url";

// A build for comparison has a folder of its own, so that it neither disturbs nor trusts another one's.
const output = process.env.HARDHAT_OUTPUT ?? "./build/hardhat";
const compiler = fileURLToPath(new URL("node_modules/solc/soljson.js", import.meta.url));

export default defineConfig({
  solidity: {
    version: "0.8.30",
    path: compiler,
    settings: {
      evmVersion: "london",
      optimizer: { enabled: true, runs: 200 },
      metadata: { bytecodeHash: "none" },
      outputSelection: { "*": { "*": ["storageLayout"] } },
    },
    // Deployed as it is, so compiled and committed with ours.
    npmFilesToBuild: ["@openzeppelin/contracts/access/manager/AccessManager.sol"],
    splitTestsCompilation: true,
  },
  paths: {
    sources: "./contracts",
    cache: `${output}/cache`,
    artifacts: `${output}/artifacts`,
  },
  test: {
    solidity: {
      // A fixed seed: a failure that one person sees, another can see again.
      fuzz: { runs: 256, seed: "0x7175616e7a65" },
      invariant: { runs: 32, depth: 32, failOnRevert: false },
    },
  },
});
