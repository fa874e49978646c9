// Recomputes an entry's inclusion proof with WebCrypto, from bytes and path as the server sends them, and compares
// the result with the root in the form. RFC 6962 hashing, RFC 9162 section 2.1.3.2.
"use strict";

function hashFromHex(hex) {
  if (typeof hex !== "string" || !/^([0-9a-f]{2}){32}$/.test(hex)) throw new Error("not a hash in hex");
  return Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
}

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

// Returns the value after each step, the leaf's hash first; refuses a path of any other length than demanded.
async function valuesOf(leaf, index, size, path) {
  if (index < 0n || index >= size) throw new Error("the index is outside the tree");
  const values = [await sha256(Uint8Array.of(0), leaf)];
  let node = index;
  let last = size - 1n;
  for (const sibling of path) {
    const value = values[values.length - 1];
    if (last === 0n) throw new Error("the path is too long");
    if ((node & 1n) === 1n || node === last) {
      values.push(await sha256(Uint8Array.of(1), sibling, value));
      while ((node & 1n) === 0n && node !== 0n) {
        node >>= 1n;
        last >>= 1n;
      }
    } else {
      values.push(await sha256(Uint8Array.of(1), value, sibling));
    }
    node >>= 1n;
    last >>= 1n;
  }
  if (last !== 0n) throw new Error("the path is too short");
  return values.map(toHex);
}

function mark(values) {
  document.querySelectorAll("#path [data-value]").forEach((cell, step) => {
    cell.classList.remove("agrees", "differs");
    if (values.length > 0) cell.classList.add(values[step] === cell.textContent ? "agrees" : "differs");
  });
}

async function verify(form) {
  const { index, size } = form.dataset;
  const answer = await fetch(`/v1/log/proofs/inclusion?index=${index}&size=${size}`, { cache: "no-store" });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  const proof = await answer.json();
  const leaf = new TextEncoder().encode(proof.leaf);
  let values = [];
  try {
    // Index and size are the page's: the server cannot answer for another entry or another tree.
    values = await valuesOf(leaf, BigInt(index), BigInt(size), proof.path.map(hashFromHex));
  } catch (error) {
    console.warn(error);
    return false;
  }
  mark(values);
  const held = form.elements["held-root"].value.trim().toLowerCase().replace(/^0x/, "");
  return values[values.length - 1] === held;
}

const form = document.getElementById("verify-form");
if (form !== null) {
  const result = document.getElementById("verify-result");
  const tell = (text, tone) => {
    result.textContent = text;
    result.className = `result ${tone}`;
  };
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    mark([]);
    if (!window.crypto?.subtle) return tell(form.dataset.unsupported, "bad");
    tell(form.dataset.running, "");
    try {
      const ok = await verify(form);
      return tell(ok ? form.dataset.ok : form.dataset.bad, ok ? "good" : "bad");
    } catch (error) {
      console.warn(error);
      return tell(form.dataset.failed, "bad");
    }
  });
}
