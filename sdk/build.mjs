// Builds the SDK and the page scripts of the studio: node sdk/build.mjs [folder]
// The same sources give the same bytes; `make check` compares them with what is committed.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const studio = resolve(here, "../src/overt/studio");
const outdir = resolve(process.argv[2] ?? join(studio, "static"));
const entry = join(here, "src/index.ts");

/** Page scripts share one copy of the SDK: what the page loads from /static/overt.js. */
const external = {
  name: "sdk",
  setup({ onResolve }) {
    onResolve({ filter: /(^\/static\/overt\.js$)|(sdk\/src\/index(\.ts)?$)/ }, ({ kind }) =>
      kind === "entry-point" ? null : { path: "/static/overt.js", external: true },
    );
  },
};

const common = {
  absWorkingDir: resolve(here, ".."),
  bundle: true,
  charset: "utf8",
  format: "esm",
  legalComments: "none",
  logLevel: "warning",
  minify: true,
  target: "es2022",
};

await build({ ...common, entryPoints: [entry], outfile: join(outdir, "overt.js") });

const web = join(studio, "web");
const scripts = existsSync(web) ? readdirSync(web).filter((name) => name.endsWith(".ts")) : [];
const sources = scripts.map((name) => readFileSync(join(web, name), "utf8")).join("\n");
/** A page's script is one that no other script imports. */
const pages = scripts.filter((name) => !sources.includes(`"./${name}"`));
if (pages.length > 0)
  await build({
    ...common,
    entryPoints: pages.sort().map((name) => join(web, name)),
    outdir,
    plugins: [external],
  });
