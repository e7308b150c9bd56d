import { PATIENCE_MS } from "./account.ts";
import { OvertError } from "./errors.ts";

/** The hashes of the other files, as `build.mjs` found them. */
declare const RECORD_INTEGRITY: string;
declare const MORE_INTEGRITY: string;

/** Where the file lies that runs in frames; `` where a build has none. */
export const frameFile = (): string => new URL("overt-frame.js", import.meta.url).href;

/** What is loaded, or on its way, by file. */
const loaded = new Map<string, Promise<unknown>>();

/**
 * A file from beside this one, if it is the one that was built with it. A preload is how a module can
 * be held to a hash without inline scripts or a Trusted Types policy; the import then takes what was
 * preloaded. What could not be loaded is tried again when it is next asked for.
 */
function beside(file: string, integrity: string): Promise<unknown> {
  const before = loaded.get(file);
  if (before) return before;
  const { href } = new URL(file, import.meta.url);
  const link = document.createElement("link");
  const loading = (async () => {
    const arrived = new Promise((resolve, reject) => {
      link.onload = resolve;
      link.onerror = reject;
      setTimeout(reject, PATIENCE_MS);
    });
    Object.assign(link, { rel: "modulepreload", integrity, crossOrigin: "", referrerPolicy: "origin", href });
    try {
      // Where a browser knows no preload of modules, nothing would ever arrive.
      if (!link.relList.supports("modulepreload")) throw new TypeError();
      document.head.append(link);
      await arrived;
      return await import(href);
    } catch {
      link.remove();
      throw new OvertError("could not be loaded as it was built", file, "Look at the connection");
    }
  })();
  loaded.set(file, loading);
  loading.catch(() => loaded.delete(file));
  return loading;
}

/** The second file: what records, for pages of people who have joined. */
export const record = () =>
  beside("overt-record.js", RECORD_INTEGRITY) as Promise<typeof import("./record.ts")>;

/** The third: what a page needs only when somebody looks. */
export const more = () =>
  beside("overt-more.js", MORE_INTEGRITY) as Promise<typeof import("./more.ts")>;
