/**
 * The second file, `overt-record.js`: all that records, keeps and sends, for pages of people who have
 * joined. The SDK loads it then, and holds it to its hash.
 */

export { Recorder } from "./recorder.ts";
