import assert from "node:assert/strict";
import { test } from "node:test";
import { codeIn } from "../extension/src/pairing.ts";
import { scrypt } from "../extension/src/scrypt.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const hex = (made: Uint8Array) => Buffer.from(made).toString("hex");

test("scrypt gives what RFC 7914 says, and with larger blocks what Python's hashlib says", async () => {
  const first = await scrypt(bytes(""), bytes(""), 16, 1, 64);
  assert.equal(
    hex(first),
    "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442" +
      "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906",
  );
  const other = await scrypt(bytes("7Z3K4QHM0WXB"), bytes("overt pair 1\ndesk"), 64, 8, 48);
  assert.equal(hex(other), "d41e8da108932e41885c9fa9bd80cd9f73e3f18de9d22b08707d7e1f54d22b0f4372a0d11d851515fa7a79a406a36a1c");
});

test("a scanned address holds the code, and others none", () => {
  assert.equal(codeIn("https://example.org/study/desk#pair=7Z3K-4QHM-0WXB"), "7Z3K-4QHM-0WXB");
  assert.equal(codeIn("https://example.org/study/desk"), "");
});
