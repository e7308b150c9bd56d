/** The one error of the SDK: what happened, where, and what to do. Never repeats captured data. */
export class OvertError extends Error {
  readonly what: string;
  readonly where: string;
  readonly do: string;
  /** HTTP status that led to it, or 0. */
  readonly status: number;

  constructor(what: string, where = "", todo = "", status = 0) {
    super((where ? `${where}: ` : "") + what + (todo ? `. ${todo}` : ""));
    this.name = "OvertError";
    this.what = what;
    this.where = where;
    this.do = todo;
    this.status = status;
  }
}
