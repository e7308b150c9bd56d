/** Everything in one file, for pages without modules: `Overt.open`, `Overt.describe` … */
export * from "../src/index.ts";
export * from "../src/more.ts";
