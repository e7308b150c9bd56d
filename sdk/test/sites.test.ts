import assert from "node:assert/strict";
import { test } from "node:test";
import {
  allowed,
  allowsServer,
  covers,
  patternOf,
  placeIn,
  readPolicy,
} from "../extension/src/sites.ts";

const SITES = ["https://a.example", "https://b.example"].map((origin) => ({
  origin,
  paths: [],
  fields: ["#essay"],
}));
const origins = (policy: Record<string, unknown>): string[] =>
  allowed(SITES, readPolicy(policy)).map(({ origin }) => origin);

test("a path is covered by one of the patterns, whole", () => {
  assert.ok(covers([], "/anything"));
  assert.ok(covers(["/write/*"], "/write/"));
  assert.ok(covers(["/", "/write/*/edit"], "/write/3/edit"));
  assert.ok(covers(["/a*b*c"], "/aXbYc"));
  for (const path of ["/", "/writer", "/write", "/a/write/", "/write/3/edit/more"])
    assert.ok(!covers(["/write/*/edit", "/b"], path), path);
  // A part is not used twice, and stars do not reach into what stands at the end.
  assert.ok(!covers(["/ab*ba"], "/aba"));
  assert.ok(!covers(["/a*x*bx"], "/abx"));
});

test("a policy only narrows, and what it does not understand narrows to nothing", () => {
  assert.deepEqual(origins({}), ["https://a.example", "https://b.example"]);
  assert.deepEqual(origins({ sites: ["https://a.example", "https://c.example"] }), ["https://a.example"]);
  assert.deepEqual(origins({ stopped: false }), ["https://a.example", "https://b.example"]);
  for (const policy of [{ sites: [] }, { sites: "all" }, { stopped: true }, { stopped: 0 }, { more: 1 }])
    assert.deepEqual(origins(policy), [], JSON.stringify(policy));
  assert.ok(allowsServer("https://s.example", readPolicy({ servers: ["https://s.example"] })));
  for (const policy of [{ servers: ["https://t.example"] }, { servers: null }, { stopped: true }])
    assert.ok(!allowsServer("https://s.example", readPolicy(policy)));
});

test("an address names a server and a study, over TLS or on this machine", () => {
  assert.deepEqual(placeIn(" https://s.example/study/writing?x#y "), {
    base: "https://s.example",
    study: "writing",
  });
  assert.deepEqual(placeIn("http://localhost:8765/study/a/"), {
    base: "http://localhost:8765",
    study: "a",
  });
  for (const address of ["", "writing", "http://s.example/study/a", "https://s.example/", "javascript:1"])
    assert.equal(placeIn(address), null, address);
});

test("a site is asked for by its origin alone", () => {
  assert.equal(patternOf("https://a.example", true), "https://a.example/*");
  assert.equal(patternOf("http://127.0.0.1:81", true), "http://127.0.0.1:81/*");
  assert.equal(patternOf("http://127.0.0.1:81", false), "http://127.0.0.1/*");
});
