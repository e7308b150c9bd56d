// Builds the SDK and the page scripts of the studio: node sdk/build.mjs [folder]
// The same sources give the same bytes; `make check` compares them with what is committed.

import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { common, files, integrityOf, numbers, shipped, src } from "./bundling.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const studio = resolve(here, "../src/overt/studio");
const outdir = resolve(process.argv[2] ?? join(studio, "static"));

/** Page scripts share one copy of the SDK: what the page loads from /static. */
const external = {
  name: "sdk",
  setup({ onResolve }) {
    onResolve({ filter: /(^\/static\/overt\.js$)|(sdk\/src\/(index|more)(\.ts)?$)/ }, ({ kind, path }) => {
      const [, name = "index"] = /sdk\/src\/(index|more)/.exec(path) ?? [];
      return kind === "entry-point" ? null : { path: `/static/${files[name]}`, external: true };
    });
  },
};

/** Build one of the files. All know the SDK's own members by the same short names. */
const sdkFile = (name, mangleCache, define) =>
  shipped({
    define,
    entryPoints: [join(src, `${name}.ts`)],
    mangleCache,
    outfile: join(outdir, files[name]),
  });
const bundle = (name) => readFileSync(join(outdir, files[name]));
const hash = (name) => integrityOf(bundle(name));

// The first file loads the others only if they have these hashes, and `more` what runs in frames.
await sdkFile("frame", {}, {});
const more = await sdkFile("more", {}, { FRAME_INTEGRITY: JSON.stringify(hash("frame")) });
const { mangleCache } = await sdkFile("record", more.mangleCache, {});
await sdkFile("index", mangleCache, {
  MORE_INTEGRITY: JSON.stringify(hash("more")),
  RECORD_INTEGRITY: JSON.stringify(hash("record")),
});

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
    plugins: [external, numbers],
  });

/** What a page elsewhere states of the SDK when it loads it (Subresource Integrity). */
const stated = [...Object.values(files), "consent.js", "person-or-program.js", "text-assist.js"];
const integrity = Object.fromEntries(
  stated.map((name) => [name, integrityOf(readFileSync(join(outdir, name)))]),
);
writeFileSync(join(outdir, "integrity.json"), `${JSON.stringify(integrity, null, 2)}\n`);
