import { Role } from "./generated.ts";

/** Tags and ARIA roles that say what an element is for. Everything else is OTHER. */
const TAGS: Readonly<Record<string, number>> = {
  BUTTON: Role.BUTTON,
  SUMMARY: Role.BUTTON,
  A: Role.LINK,
  AREA: Role.LINK,
  TEXTAREA: Role.TEXT_AREA,
  SELECT: Role.SELECT,
  OPTION: Role.OPTION,
  IMG: Role.IMAGE,
  SVG: Role.IMAGE,
  CANVAS: Role.IMAGE,
  H1: Role.HEADING,
  H2: Role.HEADING,
  H3: Role.HEADING,
  H4: Role.HEADING,
  H5: Role.HEADING,
  H6: Role.HEADING,
  P: Role.TEXT,
  SPAN: Role.TEXT,
  LI: Role.TEXT,
  TD: Role.TEXT,
  LABEL: Role.TEXT,
  "OVERT-TARGET": Role.TARGET,
  HTML: Role.PAGE,
  BODY: Role.PAGE,
};

const ROLES: Readonly<Record<string, number>> = {
  button: Role.BUTTON,
  switch: Role.CHECKBOX,
  link: Role.LINK,
  textbox: Role.TEXT_FIELD,
  searchbox: Role.TEXT_FIELD,
  combobox: Role.SELECT,
  listbox: Role.SELECT,
  checkbox: Role.CHECKBOX,
  radio: Role.RADIO,
  option: Role.OPTION,
  menuitem: Role.MENU_ITEM,
  menuitemcheckbox: Role.MENU_ITEM,
  menuitemradio: Role.MENU_ITEM,
  slider: Role.SLIDER,
  tab: Role.TAB,
  img: Role.IMAGE,
  heading: Role.HEADING,
};

const TYPES: Readonly<Record<string, number>> = {
  button: Role.BUTTON,
  submit: Role.BUTTON,
  reset: Role.BUTTON,
  image: Role.BUTTON,
  checkbox: Role.CHECKBOX,
  radio: Role.RADIO,
  range: Role.SLIDER,
};

/** Role from tag, `role` and `type` alone. `editable`: the browser lets people edit its content. */
export function roleOf(tag: string, role: string, type: string, editable: boolean): number {
  const name = tag.toUpperCase();
  if (name === "INPUT") return TYPES[type.toLowerCase()] ?? Role.TEXT_FIELD;
  return ROLES[role] ?? (editable ? Role.EDITABLE : (TAGS[name] ?? Role.OTHER));
}

/** Roles that stand for their content too: a press on the word in a button is one on the button. */
export const WHOLE: readonly number[] = [
  Role.BUTTON,
  Role.LINK,
  Role.EDITABLE,
  Role.OPTION,
  Role.MENU_ITEM,
  Role.TAB,
  Role.SLIDER,
  Role.TARGET,
];
