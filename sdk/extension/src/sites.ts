/** Which pages a study may record: pure, without a browser, so that it can be tested by itself. */

/** A site of the study, as its notice states it. */
export interface Site {
  /** Exact web origin. */
  origin: string;
  /** Paths that may be recorded, `*` standing for anything; all where empty. */
  paths: readonly string[];
  /** CSS selectors of the fields that may be recorded there. */
  fields: readonly string[];
}

/** What the keeper of the machine allows at most. What it does not name, it leaves to the person. */
export interface Policy {
  /** Origins of sites that may be switched on. */
  sites?: readonly string[];
  /** Origins of Overt servers whose studies may be joined. */
  servers?: readonly string[];
  /** Nothing is recorded. */
  stopped?: boolean;
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");

/**
 * A managed policy as it is enforced. It can only narrow, so what is not understood narrows to
 * nothing: a list that is no list allows no site, an unknown key stops.
 */
export function readPolicy(raw: Readonly<Record<string, unknown>>): Policy {
  const made: Policy = {};
  for (const [name, value] of Object.entries(raw)) {
    if (name === "sites" || name === "servers") made[name] = isTexts(value) ? value : [];
    else if (name !== "stopped" || value !== false) made.stopped = true;
  }
  return made;
}

/** The study's sites that the policy leaves. */
export function allowed(sites: readonly Site[], policy: Policy): Site[] {
  if (policy.stopped) return [];
  return sites.filter(({ origin }) => policy.sites?.includes(origin) ?? true);
}

/** Whether studies of this server may be joined. */
export const allowsServer = (server: string, policy: Policy): boolean =>
  !policy.stopped && (policy.servers?.includes(server) ?? true);

/** Whether a path (no query, no fragment) is one that may be recorded. */
export function covers(paths: readonly string[], pathname: string): boolean {
  return paths.length === 0 || paths.some((pattern) => matches(pattern, pathname));
}

function matches(pattern: string, path: string): boolean {
  const parts = pattern.split("*");
  const first = parts.shift() ?? "";
  const last = parts.pop();
  if (last === undefined) return path === first;
  if (!path.startsWith(first) || path.length < first.length + last.length || !path.endsWith(last))
    return false;
  let at = first.length;
  const end = path.length - last.length;
  for (const part of parts) {
    const found = path.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** The pattern by which the browser grants a site. Firefox knows no ports in patterns. */
export function patternOf(origin: string, ports: boolean): string {
  const { protocol, hostname, host } = new URL(origin);
  return `${protocol}//${ports ? host : hostname}/*`;
}

/** Server and study in an address such as `https://overt.example.org/study/writing`; null if none. */
export function placeIn(address: string): { base: string; study: string } | null {
  const text = address.trim();
  if (!URL.canParse(text)) return null;
  const { protocol, hostname, origin, pathname } = new URL(text);
  const here = hostname === "127.0.0.1" || hostname === "localhost";
  if (protocol !== "https:" && !(protocol === "http:" && here)) return null;
  const found = /^\/study\/([a-z0-9-]{1,64})\/?$/.exec(pathname);
  return found?.[1] ? { base: origin, study: found[1] } : null;
}
