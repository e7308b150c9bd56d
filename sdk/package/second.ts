/** In place of the SDK's own `second.ts`: here the bundler of the site decides where they lie. */
export const record = (): Promise<typeof import("../src/record.ts")> => import("../src/record.ts");
export const more = (): Promise<typeof import("../src/more.ts")> => import("../src/more.ts");

/** Written so that bundlers who look for it put the file beside what they make of this one. */
export const frameFile = (): string => new URL("./overt-frame.js", import.meta.url).href;
