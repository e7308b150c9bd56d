/** In place of the SDK's own `second.ts`: here the bundler of the site decides where it lies. */
export const more = (): Promise<typeof import("../src/more.ts")> => import("../src/more.ts");

/** The third file is not part of this build: frames are not entered. */
export const frameFile = (): string => "";
