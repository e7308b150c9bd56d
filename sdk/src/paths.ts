/** `/message/:id` as a pattern for all of a path. */
const pattern = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(".", "\\.").replace(/:\w+/g, "[^/]+")}/?$`);

/** Which of the study's pages a path is, from 1; 0: none of them. */
export const pageOf = (paths: readonly string[], path: string): number =>
  paths.findIndex((one) => pattern(one).test(path)) + 1;

/** Whether a study that lists these pages may record there; one that lists none leaves it open. */
export const allows = (paths: readonly string[], path: string): boolean =>
  paths.length === 0 || pageOf(paths, path) > 0;

interface Navigation extends EventTarget {
  currentEntry?: unknown;
}

/**
 * Have `moved` called when the page's path may have changed, where the browser tells: then nobody has
 * to ask before each event, which costs 40 µs. False: it does not tell. An element that the page
 * calls `navigation` would stand in the place of what an older browser lacks, and has no entry.
 */
export function follows(moved: () => void): boolean {
  const { navigation } = window as { navigation?: Navigation };
  if (!navigation?.currentEntry) return false;
  navigation.addEventListener("currententrychange", moved);
  return true;
}
