// What every build of the SDK has in common.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { minify } from "terser";
import * as generated from "./src/generated.ts";

const here = dirname(fileURLToPath(import.meta.url));

/**
 * Members of closed sets become their numbers: a bundler inlines enums, and enums are no TypeScript
 * that Node can run, so the sources hold objects. The objects stay where they are read by name.
 */
export const numbers = {
  name: "numbers",
  setup({ onLoad }) {
    const sets = Object.keys(generated).filter((name) => /^[A-Z][a-z]|^MESSAGE_AT$/.test(name));
    const member = new RegExp(`\\b(${sets.join("|")})\\.(\\w+)`, "g");
    onLoad({ filter: /\/(sdk\/src|studio\/web)\/[a-z-]+\.ts$/ }, ({ path }) => ({
      loader: "ts",
      contents: readFileSync(path, "utf8").replace(member, (text, set, name) => {
        const number = generated[set][name];
        if (typeof number !== "number") throw new Error(`${path}: there is no ${text}`);
        return String(number);
      }),
    }));
  },
};

/**
 * Members of the SDK's own classes that get short names. None is stored, sent or public: what is,
 * an interface of the sources declares.
 */
const internal = (
  "account alone attach beat begin catchUp change changes closing destroy drop empty endSession enough " +
  "fact farewell finish fit flush fold forget found grant held hush ignored isEmpty isIn isLong " +
  "isVisible journal keep last_us leave leaving ledger listeners lockOf look looked lose narrow number " +
  "onGone opened pass places press proofs purge putLast ready recorder recover reset rounds say secrets " +
  "sender settle silence standing started tell tells turnOff vault verdict waitUntil_ms watchers"
).split(" ");
export const shortened = new RegExp(`^(${internal.join("|")})$`);

export const src = join(here, "src");
const sdk = readdirSync(src).map((name) => readFileSync(join(src, name), "utf8"));
for (const [declared] of sdk.join("\n").matchAll(/\binterface \w+[^{]*\{[^}]*\}/g))
  for (const name of internal)
    if (new RegExp(`\\b${name}\\??[:(<]`).test(declared))
      throw new Error(`bundling.mjs would shorten ${name}, which an interface declares`);

/** The SDK's files: what every page needs, what records, what somebody looks with, what frames get. */
export const files = {
  index: "overt.js",
  record: "overt-record.js",
  more: "overt-more.js",
  frame: "overt-frame.js",
};

export const common = {
  absWorkingDir: resolve(here, ".."),
  bundle: true,
  charset: "utf8",
  format: "esm",
  legalComments: "none",
  logLevel: "warning",
  minify: true,
  plugins: [numbers],
  target: "es2022",
};

/**
 * Chromium compiles what begins like this while it loads, beside the page's own thread; else each
 * function is compiled on that thread when it is first called, which is as a person begins to point
 * and to write.
 */
const COMPILED = "//# allFunctionsCalledOnLoad\n";

/**
 * The SDK as a page loads it: what `esbuild` bundles and makes small, `terser` makes 4 % smaller.
 * Returns the text, and what the SDK's own members are called in it.
 */
export async function shipped(options) {
  const how = { ...common, mangleCache: {}, mangleProps: shortened, write: false, ...options };
  const { outputFiles, mangleCache } = await build(how);
  const module = how.format === "esm";
  const { code } = await minify(outputFiles[0].text, {
    compress: { hoist_funs: true },
    ecma: 2022,
    format: { ascii_only: how.charset === "ascii" },
    module,
    // The one name that a script leaves to its page.
    mangle: module ? true : { reserved: [how.globalName] },
  });
  const text = `${COMPILED}${code}\n`;
  if (how.outfile) writeFileSync(how.outfile, text);
  return { text, mangleCache };
}

/** What a page states of a file when it loads it (Subresource Integrity). */
export const integrityOf = (bytes) =>
  `sha384-${createHash("sha384").update(bytes).digest("base64")}`;
