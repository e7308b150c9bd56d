import * as second from "../src/record.ts";
import * as third from "../src/more.ts";

/** In place of the SDK's own `second.ts`: here everything but what runs in frames is in one file. */
export const record = (): Promise<typeof second> => Promise.resolve(second);
export const more = (): Promise<typeof third> => Promise.resolve(third);

/** Known only while the file runs for the first time. */
const { src = "" } = (document.currentScript ?? {}) as Partial<HTMLScriptElement>;

/** Beside the one file; a page that has taken that into a script of its own has it beside itself. */
export const frameFile = (): string => new URL("overt-frame.js", src || document.baseURI).href;
