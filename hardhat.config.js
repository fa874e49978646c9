// Compile and test the contracts with one pinned compiler, offline. One bytecode must run on every engine, hence
// `evmVersion: "london"` and no metadata hash.
import { defineConfig } from "hardhat/config";
import { fileURLToPath } from "node:url";

const compiler = fileURLToPath(new URL("node_modules/solc/soljson.js", import.meta.url));

export default defineConfig({
  solidity: {
    version: "0.8.30",
    path: compiler,
    settings: {
      evmVersion: "london",
      optimizer: { enabled: true, runs: 1000 },
      metadata: { bytecodeHash: "none" },
    },
  },
  paths: {
    sources: "./contracts",
    tests: { solidity: "./contracts" },
    cache: "./build/hardhat/cache",
    artifacts: "./build/hardhat/artifacts",
  },
});
