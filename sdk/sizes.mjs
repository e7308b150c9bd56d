// How many bytes a page loads, gzipped, as JSON: node sdk/sizes.mjs [folder of the built files]

import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { files, shipped, src } from "./bundling.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const built = resolve(process.argv[2] ?? join(here, "../src/overt/studio/static"));
const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;

/** What a page that records must have before anything is kept, sent or shown. */
const core = await shipped({
  stdin: {
    contents: `
      export { Capture } from "./capture.ts";
      export { Gate } from "./gate.ts";
      export { Secrets } from "./secrets.ts";
      export { cut } from "./batch.ts";
      export { folded } from "./fold.ts";`,
    loader: "ts",
    resolveDir: src,
  },
});

const sizes = Object.fromEntries(
  Object.values(files).map((name) => [name, gzipped(readFileSync(join(built, name)))]),
);
console.log(JSON.stringify({ ...sizes, core: gzipped(core.text) }));
