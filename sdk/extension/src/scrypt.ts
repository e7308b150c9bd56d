/** scrypt (RFC 7914), for one block: what makes a short code costly to guess. Browsers have none. */

/** `n`: a power of two; `r`: 128 bytes each. Takes 128·n·r bytes of memory. */
export async function scrypt(
  secret: Uint8Array<ArrayBuffer>,
  salt: Uint8Array<ArrayBuffer>,
  n: number,
  r: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const key = await crypto.subtle.importKey("raw", secret, "PBKDF2", false, ["deriveBits"]);
  const derive = async (salt: Uint8Array<ArrayBuffer>, bytes: number) => {
    const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations: 1 };
    return new Uint8Array(await crypto.subtle.deriveBits(how, key, 8 * bytes));
  };
  const block = await derive(salt, 128 * r);
  mix(new Uint32Array(block.buffer), n, r);
  return derive(block, length);
}

/** ROMix, in place; words are little-endian, as on every machine that runs a browser. */
function mix(block: Uint32Array, n: number, r: number): void {
  const words = 32 * r;
  const kept = new Uint32Array(n * words);
  const spare = new Uint32Array(words);
  for (let k = 0; k < n; k += 1) {
    kept.set(block, k * words);
    mixBlock(block, spare, r);
  }
  for (let k = 0; k < n; k += 1) {
    const at = ((block[words - 16] ?? 0) & (n - 1)) * words;
    for (let i = 0; i < words; i += 1) block[i] = (block[i] ?? 0) ^ (kept[at + i] ?? 0);
    mixBlock(block, spare, r);
  }
}

/** BlockMix, in place: what comes of even parts goes to the first half, of odd ones to the second. */
function mixBlock(block: Uint32Array, spare: Uint32Array, r: number): void {
  const part = block.slice(-16);
  for (let k = 0; k < 2 * r; k += 1) {
    for (let i = 0; i < 16; i += 1) part[i] = (part[i] ?? 0) ^ (block[16 * k + i] ?? 0);
    salsa(part);
    spare.set(part, 16 * (k % 2 === 0 ? k / 2 : r + (k - 1) / 2));
  }
  block.set(spare);
}

/** Quarter rounds of columns, then of rows: to, by, with, and how far the sum is turned. */
const STEPS = [
  [4, 0, 12, 7], [8, 4, 0, 9], [12, 8, 4, 13], [0, 12, 8, 18],
  [9, 5, 1, 7], [13, 9, 5, 9], [1, 13, 9, 13], [5, 1, 13, 18],
  [14, 10, 6, 7], [2, 14, 10, 9], [6, 2, 14, 13], [10, 6, 2, 18],
  [3, 15, 11, 7], [7, 3, 15, 9], [11, 7, 3, 13], [15, 11, 7, 18],
  [1, 0, 3, 7], [2, 1, 0, 9], [3, 2, 1, 13], [0, 3, 2, 18],
  [6, 5, 4, 7], [7, 6, 5, 9], [4, 7, 6, 13], [5, 4, 7, 18],
  [11, 10, 9, 7], [8, 11, 10, 9], [9, 8, 11, 13], [10, 9, 8, 18],
  [12, 15, 14, 7], [13, 12, 15, 9], [14, 13, 12, 13], [15, 14, 13, 18],
].flat();
const FLAT = Uint8Array.from(STEPS);

/** Salsa20/8 of sixteen words, in place. */
function salsa(words: Uint32Array): void {
  const x = Int32Array.from(words);
  for (let round = 0; round < 4; round += 1)
    for (let k = 0; k < FLAT.length; k += 4) {
      const sum = ((x[FLAT[k + 1] ?? 0] ?? 0) + (x[FLAT[k + 2] ?? 0] ?? 0)) | 0;
      const turn = FLAT[k + 3] ?? 0;
      const to = FLAT[k] ?? 0;
      x[to] = (x[to] ?? 0) ^ ((sum << turn) | (sum >>> (32 - turn)));
    }
  for (let i = 0; i < 16; i += 1) words[i] = (words[i] ?? 0) + (x[i] ?? 0);
}
