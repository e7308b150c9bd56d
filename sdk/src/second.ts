import { OvertError } from "./errors.ts";

/** The hash of the second file, as `build.mjs` found it. */
declare const MORE_INTEGRITY: string;

const FILE = "overt-more.js";
let loading: Promise<typeof import("./more.ts")> | null = null;

/** Where the third file lies, which runs in frames; `` where a build has none. */
export const frameFile = (): string => new URL("overt-frame.js", import.meta.url).href;

/**
 * The second file, from beside this one, if it is the one that was built with it. A preload is how
 * a module can be held to a hash without inline scripts or a Trusted Types policy; the import then
 * takes what was preloaded.
 */
export function more(): Promise<typeof import("./more.ts")> {
  loading ??= load().catch((error: unknown) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function load(): Promise<typeof import("./more.ts")> {
  const { href } = new URL(FILE, import.meta.url);
  const link = document.createElement("link");
  const arrived = new Promise((resolve, reject) => {
    link.onload = resolve;
    link.onerror = reject;
  });
  Object.assign(link, { rel: "modulepreload", integrity: MORE_INTEGRITY, crossOrigin: "" });
  Object.assign(link, { referrerPolicy: "origin", href });
  document.head.append(link);
  try {
    await arrived;
    return await import(href);
  } catch {
    throw new OvertError("could not be loaded as it was built", FILE, "Look at the connection");
  } finally {
    link.remove();
  }
}
