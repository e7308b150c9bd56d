import type { Facts } from "./event.ts";
import type { Membership } from "./membership.ts";

/** The hash of the fourth file, as the build found it; an extension has none. */
declare const FRAME_INTEGRITY: string;

/** Numbers of elements that each frame has for its own; those of the page come before. */
const ELEMENTS = 1024;
const FRAMES_MAX = 31;

/** What a page lends to a frame in it. Nothing of it outlives the page. */
export interface Host {
  fields: readonly string[];
  paths: readonly string[];
  keys: boolean;
  wants(kind: number): boolean;
  isOpen(): boolean;
  add(kind: number, t_us: number, facts: Facts, source: Event | null): void;
}

/** Have frames of the page's own origin recorded with it, those that come later too. */
export function frames(member: Membership, file: string): void {
  if (!file) return;
  const met = new WeakSet<Document>();
  let count = 0;
  let isSaid = false;

  const leftOut = () => {
    if (!isSaid) console.warn("Overt leaves frames out that let overt-frame.js not load as it was built.");
    isSaid = true;
  };

  const enter = (frame: unknown) => {
    const { recorder, account } = member;
    const { grant } = account;
    if (!(frame instanceof HTMLIFrameElement) || !grant || !recorder) return;
    // Of another origin it has none; at no address of its own it is of none.
    const { contentDocument: inside, contentWindow: view } = frame;
    if (!inside?.head || !view || met.has(inside) || view.location.origin !== location.origin) return;
    if (count === FRAMES_MAX) return;
    met.add(inside);
    count += 1;
    const first = count * ELEMENTS;
    const excluded = grant.fields.filter((one) => one.startsWith("!")).map((one) => one.slice(1));
    const later_us = (view.performance.timeOrigin - performance.timeOrigin) * 1000;
    const host: Host = {
      fields: grant.fields,
      paths: grant.paths ?? [],
      keys: grant.level === "keys",
      wants: (kind) => recorder.wants(kind),
      isOpen: () =>
        frame.contentDocument === inside &&
        !(excluded.length && frame.closest(excluded.join())) &&
        recorder.isOpen(),
      add(kind, t_us, { ...facts }, source) {
        // As if the frame were a part of the page: when, where, and which element.
        if (facts.element) facts.element = first + Math.min(facts.element, ELEMENTS) - 1;
        if (facts.x_8th_css_px !== undefined && facts.y_8th_css_px !== undefined) {
          const { left, top } = frame.getBoundingClientRect();
          facts.x_8th_css_px += Math.round((left + frame.clientLeft) * 8);
          facts.y_8th_css_px += Math.round((top + frame.clientTop) * 8);
        }
        recorder.add(kind, Math.round(t_us + later_us), facts, source);
      },
    };
    const lend = (event: Event) => (event as CustomEvent<(host: Host) => void>).detail(host);
    view.addEventListener("overt-frame", lend, { once: true });
    const script = inside.createElement("script");
    Object.assign(script, { type: "module", integrity: FRAME_INTEGRITY, crossOrigin: "", src: file });
    script.onerror = leftOut;
    inside.head.append(script);
  };
  const look = () => {
    if (member.state().phase === "recording")
      for (const frame of document.querySelectorAll("iframe"))
        try {
          enter(frame);
        } catch {
          leftOut(); // such as where Trusted Types take no address
        }
  };
  document.addEventListener("load", look, true);
  member.listeners.join(look);
  look();
}
