import * as whole from "../../src/more.ts";

/** In place of the SDK's own `second.ts`: here everything is in one file. */
export const more = (): Promise<typeof whole> => Promise.resolve(whole);
