// The state and its address: there and back, and whatever a person writes into an address.
import assert from "node:assert/strict";
import { test } from "node:test";
import { drawingFromText, drawingToText, drawnPicture, padSize } from "../laboratory/drawing.js";
import { STATE_MEMBERS, Store, addressOfState, freshState, stateFromAddress } from "../laboratory/state.js";

test("an address says what was chosen, in a fixed order, and nothing else", () => {
  const state = { ...freshState(), ch: 5, layer: "trunk.2", net: "414b7866f174e913", img: { kind: "test", number: 17 }, view: "map" };
  const address = addressOfState(state);
  assert.equal(address, "#lab?view=map&net=414b7866f174e913&img=test:17&layer=trunk.2&ch=5");
  assert.deepEqual(stateFromAddress(address), { state, problems: [] });
  assert.equal(addressOfState(freshState()), "#lab");
  assert.deepEqual(stateFromAddress("#lab"), { state: freshState(), problems: [] });
});

test("every member comes back from the address", () => {
  const state = {
    ...freshState(),
    view: "change",
    net: "0123456789abcdef",
    img: { kind: "pixels", bytes: Uint8Array.of(0, 255, 7) },
    prep: [["polarity", "off"], ["fit", "crop"]],
    layer: "class.1",
    ch: 31,
    at: [13, 7],
    from: 0,
    sort: "activity",
    logits: "on",
    paint: [[5, 255], [6, 0]],
    off: [{ layer: "trunk.3", channel: 5 }, { layer: "trunk.2.1", channel: 0 }],
    set: [{ layer: "trunk.1", tensor: "weight", index: 17, value: -0.25 }, { layer: "class.1", tensor: "bias", index: 0, value: 1e-7 }],
    with: ["a", "b"],
    head: "group of items & more",
    class: 3,
    method: "integrated",
    space: "trunk.5",
    start: "noise",
    seed: 42,
    pair: [4, 9],
    rule: "pocket",
    rate: 0.05,
    hide: ["draw", "file"],
    only: "map",
    rest: [["later", "ä=1"]],
  };
  assert.deepEqual(Object.keys(state).sort(), [...Object.keys(STATE_MEMBERS), "rest"].sort());
  assert.deepEqual(stateFromAddress(addressOfState(state)), { state, problems: [] });
});

test("what cannot be read is told, and the rest of the address is kept", () => {
  const { state, problems } = stateFromAddress("#lab?ch=many&layer=trunk.2&img=test:x&rate=&sort=colour&=&&x&%E0%A4%A=1");
  assert.equal(state.layer, "trunk.2");
  assert.equal(state.ch, 0);
  assert.equal(state.img, null);
  assert.equal(problems.length, 4);
  for (const problem of problems) assert.match(problem, /^The address says “.*”, which cannot be read; it is left out\.$/);
  assert.ok(addressOfState(state).includes("x"));
  for (const hash of ["", "#", "#task-3", "#laboratory", "#lab2"]) assert.equal(stateFromAddress(hash), null, hash);
  assert.deepEqual(stateFromAddress("#lab?__proto__=1&constructor=2").state.rest, [["__proto__", "1"], ["constructor", "2"]]);
});

test("nothing that a person writes into an address breaks it", () => {
  let seed = 7;
  const random = (n) => {
    seed = (seed * 48271) % 2147483647;
    return seed % n;
  };
  const letters = "abcdef0123456789=&:,.-_%?#~ädraw";
  const members = Object.keys(STATE_MEMBERS);
  for (let i = 0; i < 3000; i += 1) {
    const value = Array.from({ length: random(30) }, () => letters[random(letters.length)]).join("");
    const prefix = random(3) === 0 ? "draw:" : "";
    const { state } = stateFromAddress(`#lab?${members[random(members.length)]}=${prefix}${value}`);
    const again = stateFromAddress(addressOfState(state));
    assert.deepEqual(again, { state, problems: [] });
  }
});

test("a drawing is a short text that comes back as it was", () => {
  const circle = Array.from({ length: 120 }, (_, i) => [Math.round(128 + 80 * Math.cos(i / 19)), Math.round(128 + 90 * Math.sin(i / 19))]).flat();
  const strokes = [
    { width: 24, colour: 0, points: circle },
    { width: 6, colour: 3, points: [0, 0, 255, 255, 254, 248, 255, 255] },
    { width: 56, colour: 0, points: [9, 200] },
  ];
  const text = drawingToText(strokes);
  assert.deepEqual(drawingFromText(text), strokes);
  assert.ok(text.length < 220, `${text.length}`);
  assert.deepEqual(drawingFromText(drawingToText([])), []);
  for (let cut = 1; cut < text.length; cut += 1) {
    const found = drawingFromText(text.slice(0, cut));
    assert.ok(found === undefined || found.length < 3);
  }
  assert.equal(drawingFromText("%%"), undefined);
  const picture = drawnPicture(strokes.slice(2), [28, 28, 1]);
  assert.equal(picture.pixels[200 * 256 + 9], 0);
  assert.equal(picture.pixels[200 * 256 + 50], 255);
  const coloured = drawnPicture(strokes.slice(1, 2), [32, 32, 3]);
  assert.deepEqual([...coloured.pixels.slice(0, 3)], [214, 39, 40]);
  assert.deepEqual([padSize([24, 32, 3]), padSize([28, 28, 1]), padSize([1, 4096, 1])], [[192, 256], [256, 256], [1, 256]]);
});

test("listeners are told what became different, and only that", () => {
  const store = new Store();
  const told = [];
  const stop = store.subscribe((changed) => told.push([...changed]));
  store.change({ ch: 3, layer: "" });
  store.change({ ch: 3 });
  store.change({ off: [{ layer: "a", channel: 1 }] });
  store.change({ off: [{ layer: "a", channel: 1 }] });
  stop();
  store.change({ ch: 9 });
  assert.deepEqual(told, [["ch"], ["off"]]);
  assert.equal(store.state.ch, 9);
});
