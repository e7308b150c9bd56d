/** What the panel sees of one study. */

import type { BatchHeader } from "../../src/batch.ts";
import { list } from "../../src/entries.ts";
import { toRow } from "../../src/event.ts";
import { folded } from "../../src/fold.ts";
import { describe } from "../../src/words.ts";
import type { Keeper } from "./keeper.ts";
import type { Joined, OutboxView, SiteView } from "./protocol.ts";
import { type Site, type Policy, allowed, allowsServer } from "./sites.ts";

/** The study's sites that the policy leaves. */
export function sitesOf({ place }: Keeper, policy: Policy): Site[] {
  return place && allowsServer(place.base, policy) ? allowed(place.sites, policy) : [];
}

export async function joinedView(keeper: Keeper, policy: Policy): Promise<Joined[]> {
  const { grant, place, waiting, account } = keeper;
  if (!grant || !place || !waiting || !account) return [];
  const { outbox, desk } = waiting;
  const counts = await outbox.ledger.counts();
  const { acknowledged, removed, lost, quarantined } = counts;
  const left = sitesOf(keeper, policy);
  const stateOf = ({ origin }: Site): SiteView["state"] =>
    keeper.enabled.has(origin) ? "on" : left.some((site) => site.origin === origin) ? "off" : "policy";
  const { day: _day, ...today } = await account.today();
  return [
    {
      at: keeper.at,
      title: place.title,
      purposes: place.purposes.filter(({ id }) => grant.purposes.includes(id)),
      level: place.detail || grant.transform,
      outbox_delay_s: grant.outbox_delay_s,
      sites: place.sites.map((site) => ({ ...site, state: stateOf(site) })),
      paused: keeper.paused,
      stale: keeper.stale,
      leaving: keeper.leaving,
      offline: keeper.offline,
      today,
      waiting: counts.produced - acknowledged - removed - lost - quarantined + (await desk.open()),
      lost,
    },
  ];
}

export async function outboxView({ waiting, place }: Keeper): Promise<OutboxView> {
  const found: OutboxView = [];
  const titleOf = (id: string) => place?.purposes.find((one) => one.id === id)?.title ?? id;
  for (const entry of waiting ? await list(waiting.outbox) : []) {
    const { id, rows, closed_ms, due_ms, sent } = entry;
    const words = (one: (typeof entry.events)[number]) => describe(one, place?.events);
    const events = entry.events.map((one) => ({ t_us: one.t_us, text: words(one) }));
    // As it goes over the wire.
    const bytes = folded(entry.header as unknown as BatchHeader, entry.events.map(toRow)).length;
    const told = { id, rows, closed_ms, due_ms, sent, events, bytes };
    found.push({ ...told, purposes: entry.purposes.map(titleOf) });
  }
  return found.sort((a, b) => b.closed_ms - a.closed_ms);
}
