import * as whole from "../../src/more.ts";

/** In place of the SDK's own `second.ts`: here everything is in one file. */
export const more = (): Promise<typeof whole> => Promise.resolve(whole);

/** The third file is not part of this build: frames are not entered. */
export const frameFile = (): string => "";
