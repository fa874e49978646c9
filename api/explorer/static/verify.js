// Recomputes an RFC 6962 inclusion proof with WebCrypto, from values that the page shows.
"use strict";

const fromHex = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

async function sha256(...parts) {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined));
}

// RFC 9162 section 2.1.3.2.
async function rootOf(leaf, index, size, path) {
  if (index < 0n || index >= size) throw new Error("index outside the tree");
  let node = index;
  let last = size - 1n;
  let hash = await sha256(Uint8Array.of(0), leaf);
  for (const sibling of path) {
    if (last === 0n) throw new Error("proof too long");
    if ((node & 1n) === 1n || node === last) {
      hash = await sha256(Uint8Array.of(1), sibling, hash);
      while ((node & 1n) === 0n && node !== 0n) {
        node >>= 1n;
        last >>= 1n;
      }
    } else {
      hash = await sha256(Uint8Array.of(1), hash, sibling);
    }
    node >>= 1n;
    last >>= 1n;
  }
  if (last !== 0n) throw new Error("proof too short");
  return toHex(hash);
}

document.querySelectorAll("[data-verify]").forEach((button) => {
  button.addEventListener("click", async () => {
    const output = document.getElementById(button.dataset.result);
    output.className = "result";
    output.textContent = button.dataset.running;
    let ok = false;
    try {
      const answer = await fetch(button.dataset.verify, { headers: { Accept: "application/json" } });
      const proof = await answer.json();
      const path = proof.path.map(fromHex);
      const root = await rootOf(fromHex(proof.leaf), BigInt(proof.index), BigInt(proof.size), path);
      ok = answer.ok && root === proof.root && root === button.dataset.root;
    } catch (error) {
      console.warn(error);
    }
    output.textContent = ok ? button.dataset.ok : button.dataset.bad;
    output.classList.add(ok ? "good" : "bad");
  });
});
