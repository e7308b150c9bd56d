/** Help with writing as a file of its own, `/static/text-assist.js`: only pages that offer it load it. */

export { assist } from "../../../../sdk/src/text-assist.ts";
