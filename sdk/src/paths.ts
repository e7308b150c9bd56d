/** `/message/:id` as a pattern for all of a path. */
const pattern = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(".", "\\.").replace(/:\w+/g, "[^/]+")}/?$`);

/** Which of the study's pages a path is, from 1; 0: none of them. */
export const pageOf = (paths: readonly string[], path: string): number =>
  paths.findIndex((one) => pattern(one).test(path)) + 1;

/** Whether a study that lists these pages may record there; one that lists none leaves it open. */
export const allows = (paths: readonly string[], path: string): boolean =>
  paths.length === 0 || pageOf(paths, path) > 0;
