import { follows } from "../../src/paths.ts";
import { Secrets } from "../../src/secrets.ts";
import type { Permit } from "./protocol.ts";
import { type Hearer, Relay } from "./relay.ts";
import { type Around, Track } from "./track.ts";

const JOURNAL_MS = 250;
/** Events that may wait in a page for a worker that does not answer; beyond, recording stops. */
const UNWRITTEN_MAX = 20_000;

const isSame = (one: Permit, other: Permit): boolean =>
  one.receipt === other.receipt && one.purposes.join() === other.purposes.join();

/** One document and the studies that record there: each has its track, all have one way to the worker. */
export abstract class Scene implements Around, Hearer {
  protected relay = new Relay(this);
  /** By the address of the study. */
  protected tracks = new Map<string, Track>();
  /** The document was closed or put aside; it may come back. */
  protected left = false;
  readonly isTold = follows(() => this.tracks.size > 0 && this.look());
  #secrets = new Secrets();
  #timer = 0;

  abstract isSeen(at: string): boolean;
  abstract isSigned(at: string): boolean;
  abstract look(): void;

  start(): void {
    window.addEventListener("pagehide", () => this.hide());
    window.addEventListener("pageshow", () => {
      this.left = false;
      this.relay.connect();
    });
    document.addEventListener("visibilitychange", () => {
      this.tick();
      if (document.visibilityState === "visible") this.relay.connect();
    });
    this.relay.connect();
  }

  get isFull(): boolean {
    return this.relay.unwritten > UNWRITTEN_MAX;
  }

  get sessions(): string[] {
    return [...this.tracks.values()].map(({ session }) => session).filter((session) => session);
  }

  stands(permits: Permit[], _channel: string): void {
    for (const [at, track] of this.tracks) {
      const permit = permits.find((one) => one.at === at);
      if (permit && isSame(permit, track.permit)) {
        track.permit = permit;
        continue;
      }
      // What was recorded under a receipt that holds no longer: its session takes nothing more.
      track.drop(permit !== undefined);
      this.tracks.delete(at);
    }
    for (const permit of permits)
      if (!this.tracks.has(permit.at))
        this.tracks.set(permit.at, new Track(permit, this, this.#secrets, this.relay));
    if (permits.length > 0) this.#timer ||= window.setInterval(() => this.tick(), JOURNAL_MS);
    else this.#rest();
  }

  flush(): void {
    const all = [...this.tracks.values()].map((track) => track.flush());
    void Promise.allSettled(all).then(() => this.relay.post({ flushed: true }));
  }

  orphaned(): void {
    for (const track of this.tracks.values()) track.drop(false);
    this.tracks.clear();
    this.#rest();
    this.look();
  }

  #rest(): void {
    window.clearInterval(this.#timer);
    this.#timer = 0;
  }

  protected tick(): void {
    this.look();
    for (const track of this.tracks.values()) track.tick();
  }

  protected hide(): void {
    this.left = true;
    for (const track of this.tracks.values()) track.leave();
  }
}
