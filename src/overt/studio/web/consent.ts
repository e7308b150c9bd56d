/** The SDK's question as a file of its own, `/static/consent.js`: only pages that ask load it. */

export { ask } from "../../../../sdk/src/consent.ts";
