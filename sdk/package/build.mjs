// Builds the npm package @overt/sdk: node sdk/package/build.mjs [folder]
// The same sources give the same bytes. `npm pack` in the folder makes the archive.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { common, integrityOf, numbers, shipped, src } from "../bundling.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const outdir = resolve(process.argv[2] ?? join(here, "../../build/sdk"));
const dist = join(outdir, "dist");
rmSync(outdir, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });

/** Another way to the second file than from the Overt server. */
const second = (file) => ({
  name: "second",
  setup({ onResolve }) {
    onResolve({ filter: /\/second\.ts$/ }, () => ({ path: file }));
  },
});

// What runs in frames, the same bytes as the Overt server has; the one file loads it only if it is these.
const frame = "overt-frame.js";
await shipped({
  entryPoints: [join(src, "frame.ts")],
  outfile: join(dist, frame),
});
const hash = (name) => integrityOf(readFileSync(join(dist, name)));
const define = { FRAME_INTEGRITY: JSON.stringify(hash(frame)) };

const entries = ["index", "more", "consent", "text-assist"];
// Modules for a bundler: readable, the bundler makes them small. Some make the frames' file small too,
// so they state no hash of it: it comes from where the bundle comes from, by its bundler's hand.
await build({
  ...common,
  chunkNames: "shared-[hash]",
  define: { FRAME_INTEGRITY: '""' },
  entryPoints: entries.map((name) => join(src, `${name}.ts`)),
  minify: false,
  outdir: dist,
  plugins: [second(join(here, "second.ts")), numbers],
  splitting: true,
});

// One file for a script element, and one more for pages that help with writing.
const file = "overt.iife.js";
const assist = "text-assist.iife.js";
const script = (entry, outfile, globalName) =>
  shipped({
    define,
    charset: "ascii", // a page that does not say how it is written shows the words all the same
    entryPoints: [entry],
    format: "iife",
    globalName,
    outfile: join(dist, outfile),
    plugins: [second(join(here, "beside.ts")), numbers],
  });
await script(join(here, "whole.ts"), file, "Overt");
await script(join(src, "text-assist.ts"), assist, "OvertAssist");
const integrity = Object.fromEntries([file, assist, frame].map((name) => [name, hash(name)]));
writeFileSync(join(dist, "integrity.json"), `${JSON.stringify(integrity, null, 2)}\n`);

/** Copy the declarations that a reader of these needs, with the names that stand in the package. */
function declare(from, names) {
  mkdirSync(join(outdir, "types"));
  const wanted = [...names];
  for (const name of wanted) {
    const text = readFileSync(join(from, `${name}.d.ts`), "utf8");
    const told = text.replace(/(from |import\()"\.\/([a-z]+)\.ts"/g, (_, how, next) => {
      if (!wanted.includes(next)) wanted.push(next);
      return `${how}"./${next}.js"`;
    });
    writeFileSync(join(outdir, "types", `${name}.d.ts`), told);
  }
}

const declarations = mkdtempSync(join(tmpdir(), "overt-types-"));
try {
  const tsc = join(here, "../node_modules/typescript/bin/tsc");
  const how = ["-p", here, "--outDir", declarations];
  execFileSync(process.execPath, [tsc, ...how], { stdio: "inherit" });
  declare(declarations, entries);
} finally {
  rmSync(declarations, { recursive: true });
}

for (const name of ["package.json", "README.md"]) cpSync(join(here, name), join(outdir, name));
cpSync(join(here, "../../LICENSE"), join(outdir, "LICENSE"));
const kB = (gzipSync(readFileSync(join(dist, file)), { level: 9 }).length / 1000).toFixed(1);
console.log(`${relative(process.cwd(), outdir)}: ${file} ${kB} kB gzipped`);
