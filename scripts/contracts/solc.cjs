// The pinned compiler as a command: `--version` and `--standard-json`. npm's own `solcjs` cannot be driven through
// pipes (EAGAIN on long input, output cut at 64 KiB), so this reads and writes them whole.
const fs = require("node:fs");
const path = require("node:path");
const solc = require(path.resolve(__dirname, "../../node_modules/solc"));

function write(text) {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += fs.writeSync(1, bytes, written);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

if (process.argv.includes("--version")) {
  write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else if (process.argv.includes("--standard-json")) {
  write(solc.compile(fs.readFileSync(0, "utf8")));
} else {
  process.stderr.write("usage: solc.cjs --version | --standard-json\n");
  process.exit(2);
}
