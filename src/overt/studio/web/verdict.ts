/**
 * Person, program, or cannot tell: `overt.models.programs.fitted.judge` in the page.
 *
 * Nothing of what is judged leaves the page.
 */

import { AXIS_STEPS, WIDTH } from "./motion.ts";

interface Packed {
  shape: number[];
  f32: string;
}

/** The JSON of `overt.models.programs.judged.page`. */
export interface PageModel {
  model: string;
  sha256: string;
  names: string[];
  z_max: number;
  wronged: number;
  missed: number;
  along_an_axis: number;
  shards: Record<"centre" | "scale" | "weights" | "platt" | "people" | "programs" | "strange", Packed>[];
}

export interface Verdict {
  said: "person" | "program" | "cannot-tell";
  /** Log odds of "program": mean over the shards, the lowest and the highest. */
  odds: number;
  low: number;
  high: number;
  /** Share of people's windows that look as much like a program. */
  asPerson: number;
  /** Share of programs' windows that look as much like a person. */
  asProgram: number;
  /** Whether fewer people's windows were learned from than the answer "program" needs. */
  tooFew: boolean;
  /** Whether it is unlike anything that was learned from. */
  strange: boolean;
  /** Whether it goes along the axes alone, as keys move a pointer. */
  byKeys: boolean;
}

function unpacked({ f32 }: Packed): Float32Array {
  const bytes = Uint8Array.from(atob(f32), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

export class Judge {
  private readonly page: PageModel;
  private readonly shards;
  private readonly people: number[];
  private readonly programs: number[];

  constructor(page: PageModel) {
    this.page = page;
    if (page.names.length !== WIDTH) throw new Error("The model is of another version.");
    this.shards = page.shards.map(({ centre, scale, weights, platt, strange }) => ({
      centre: unpacked(centre),
      scale: unpacked(scale),
      weights: unpacked(weights),
      platt: unpacked(platt),
      strange: unpacked(strange)[0]!,
    }));
    const all = (name: "people" | "programs"): number[] =>
      page.shards.flatMap((shard) => [...unpacked(shard[name])]);
    this.people = all("people");
    this.programs = all("programs");
  }

  /** Say what a window is (`windowOf`). */
  of(row: number[]): Verdict {
    const each: number[] = [];
    let strange = true;
    for (const shard of this.shards) {
      const { odds, off } = this.heard(shard, row);
      each.push(shard.platt[0]! * odds + shard.platt[1]!);
      strange = strange && off > shard.strange;
    }
    const odds = each.reduce((sum, one) => sum + one, 0) / each.length;
    const asPerson =
      (this.people.filter((one) => one >= odds).length + 1) / (this.people.length + 1);
    const asProgram =
      (this.programs.filter((one) => one <= odds).length + 1) / (this.programs.length + 1);
    const program = asPerson <= this.page.wronged;
    const person = asProgram <= this.page.missed;
    const unlike = strange || row.every(Number.isNaN);
    const byKeys = row[AXIS_STEPS]! >= this.page.along_an_axis;
    const told = unlike || byKeys || program === person ? "cannot-tell" : program ? "program" : "person";
    return {
      said: told,
      odds,
      low: Math.min(...each),
      high: Math.max(...each),
      asPerson,
      asProgram,
      tooFew: 1 / (this.people.length + 1) > this.page.wronged,
      strange: unlike,
      byKeys,
    };
  }

  private heard(
    { centre, scale, weights }: { centre: Float32Array; scale: Float32Array; weights: Float32Array },
    row: number[],
  ): { odds: number; off: number } {
    const most = this.page.z_max;
    let [odds, off, known] = [0, 0, 0];
    row.forEach((value, i) => {
      if (Number.isNaN(value)) return;
      const z = (value - centre[i]!) / scale[i]!;
      odds += Math.min(Math.max(z, -most), most) * weights[i]!;
      off += Math.min(Math.abs(z), 2 * most);
      known += 1;
    });
    const flags = [Number.isNaN(row[0]!), Number.isNaN(row[(WIDTH >> 1) - 1]!), true];
    flags.forEach((flag, i) => (odds += Number(flag) * weights[WIDTH + i]!));
    return { odds, off: off / Math.max(known, 1) };
  }
}

/** The probability of log odds. */
export const probability = (odds: number): number => 1 / (1 + Math.exp(-odds));
