/** One de-identified event: the columns of `EVENTS` in the schema, all integers. */
export interface OvertEvent {
  /** Number in the session, from 0, over all streams. */
  seq: number;
  /** Microseconds since the session's time origin. */
  t_us: number;
  kind: number;
  key_class: number;
  key_symbol: number;
  slot: number;
  modifiers: number;
  edit: number;
  edit_chars: number;
  role: number;
  element: number;
  button: number;
  pointer: number;
  scroll_x_css_px: number;
  scroll_y_css_px: number;
  value: number;
  x_8th_css_px: number;
  y_8th_css_px: number;
}

/** What capture states of an event; the rest is added by the session. */
export type Facts = Partial<Omit<OvertEvent, "seq" | "t_us" | "kind">>;

/** An event to which nothing applies. Every event is a copy with some columns set. */
export const BLANK: Readonly<OvertEvent> = {
  seq: 0,
  t_us: 0,
  kind: 0,
  key_class: 0,
  key_symbol: 0,
  slot: 0,
  modifiers: 0,
  edit: 0,
  edit_chars: 0,
  role: 0,
  element: 0,
  button: 0,
  pointer: 0,
  scroll_x_css_px: 0,
  scroll_y_css_px: 0,
  value: 0,
  x_8th_css_px: 0,
  y_8th_css_px: 0,
};

export const COLUMNS = Object.keys(BLANK) as (keyof OvertEvent)[];

/**
 * The event as numbers in the order of `COLUMNS`: its form from the moment it is made, in the journal
 * and in the outbox.
 */
export type Row = [
  seq: number,
  t_us: number,
  kind: number,
  key_class: number,
  key_symbol: number,
  slot: number,
  modifiers: number,
  edit: number,
  edit_chars: number,
  role: number,
  element: number,
  button: number,
  pointer: number,
  scroll_x_css_px: number,
  scroll_y_css_px: number,
  value: number,
  x_8th_css_px: number,
  y_8th_css_px: number,
];

/** Where in a row some of its columns are. */
export const SEQ = 0;
export const T_US = 1;
export const KIND = 2;
export const X_8TH_CSS_PX = 16;
export const Y_8TH_CSS_PX = 17;

export const toRow = (event: OvertEvent): Row => COLUMNS.map((name) => event[name]) as Row;

export function fromRow(row: readonly number[]): OvertEvent {
  const event = { ...BLANK };
  COLUMNS.forEach((name, index) => (event[name] = row[index] ?? 0));
  return event;
}
