// Builds the browser extension for Chromium and Firefox: node sdk/extension/build.mjs [folder]
// The same sources give the same bytes, in the folders and in the archives beside them.

import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32, deflateRawSync } from "node:zlib";
import { build } from "esbuild";
import { manifest } from "./manifest.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const outdir = resolve(process.argv[2] ?? join(here, "../../build"));

const of = (owner, names) => Object.fromEntries(names.map((name) => [name, `${owner}.${name}`]));

for (const browser of ["chromium", "firefox"]) {
  const folder = join(outdir, `extension-${browser}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(join(here, "static"), folder, { recursive: true });
  await build({
    absWorkingDir: resolve(here, "../.."),
    bundle: true,
    charset: "utf8",
    define: {
      CHROMIUM: String(browser === "chromium"),
      // What a page may define, it could take over: the indicator is a plain element here.
      customElements: "null",
      // In Firefox's content scripts these names alone are not those of the page's elements.
      ...(browser === "firefox" ? of("window", ["Element", "HTMLElement", "Node"]) : {}),
    },
    entryPoints: ["content", "panel", "worker"].map((name) => join(here, "src", `${name}.ts`)),
    format: "iife",
    legalComments: "none",
    logLevel: "warning",
    // Readable, so that a reviewer of a store, or anybody, can read what runs.
    minify: false,
    outdir: folder,
    target: "es2022",
  });
  const text = `${JSON.stringify(manifest(browser), null, 2)}\n`;
  writeFileSync(join(folder, "manifest.json"), text);
  if (browser === "firefox") rmSync(join(folder, "policy.json"));
  writeFileSync(join(outdir, `overt-${browser}.zip`), zipped(folder));
  console.log(`${relative(process.cwd(), folder)}: ${files(folder).length} files`);
}

function files(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort();
}

/** A ZIP archive in which nothing depends on when or where it was made. */
function zipped(folder) {
  const bodies = [];
  const directory = [];
  let at = 0;
  for (const name of files(folder)) {
    const plain = readFileSync(join(folder, name));
    const packed = deflateRawSync(plain, { level: 9 });
    const title = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0); // version needed
    common.writeUInt16LE(0x0800, 2); // names in UTF-8
    common.writeUInt16LE(8, 4); // deflate
    common.writeUInt16LE(0x0021, 8); // 1 January 1980
    common.writeUInt32LE(crc32(plain), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(plain.length, 18);
    common.writeUInt16LE(title.length, 22);
    bodies.push(Buffer.from("PK\x03\x04"), common, title, packed);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    directory.push(Buffer.from("PK\x01\x02\x14\x00", "latin1"), common, rest, title);
    at += 30 + title.length + packed.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  const count = files(folder).length;
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...bodies, ...directory, end]);
}
