/** Everything in one file, for pages without modules: `Overt.open`, `Overt.ask`, `Overt.describe` … */
export * from "../src/index.ts";
export * from "../src/more.ts";
export { ask } from "../src/consent.ts";
