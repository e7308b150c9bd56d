/**
 * Person or program, for a site's own page: what the pointer did, judged here by the study's model.
 *
 * ```ts
 * import { judging } from "/static/person-or-program.js";
 * const judge = await judging(overt); // after `join`, for those who chose this purpose
 * judge.said();                       // "person", "program" or "cannot-tell", of now
 * ```
 *
 * The model comes to the page, as far as no other living person taught it; what it judges stays
 * here. What it says is this browser's word: whoever runs another program can say the same.
 */

import type { Overt } from "../../../../sdk/src/index.ts";
import { answer } from "./api.ts";
import { Movement, PURPOSE, verdictOn } from "./movement.ts";
import { Judge, type PageModel, type Verdict } from "./verdict.ts";

export interface Judging {
  /** Of the last seconds of movement; "cannot-tell" where there are too few of them, or no model. */
  said(): Verdict["said"];
  /** Whether there is a model. */
  hasModel: boolean;
  /** Stop looking, and forget. */
  end(): void;
}

/** Begin to look; whatever goes wrong in getting the model means "cannot-tell". */
export async function judging(overt: Overt): Promise<Judging> {
  const movement = new Movement();
  const end = overt.watch((watched) => void movement.note(watched));
  const judge = await load(overt).catch(() => null);
  return {
    said: () => verdictOn(movement.all(), judge)?.said ?? "cannot-tell",
    hasModel: judge !== null,
    end() {
      end();
      movement.forget();
    },
  };
}

async function load(overt: Overt): Promise<Judge | null> {
  const response = await overt.fetch(`/v1/me/model?purpose=${PURPOSE}`);
  const { model } = await answer<{ model: PageModel | null }>(response);
  return model && new Judge(model);
}
