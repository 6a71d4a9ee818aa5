// The laboratory's heart: the chosen network, its input and its answer, and who is told when one of them changes.
import { inputOfBytes } from "./data.js";
import { readModel } from "./runner/model.js";
import { Network } from "./runner/network.js";
import { Store, addressOfState } from "./state.js";

/*
 * How a view is made.
 *
 * A module `views/NAME.js` exports `NAMEView(lab)`, which returns an element and is called once, when its tab is first shown. It
 * listens for itself:
 *
 *   export function compareView(lab) {
 *     const told = element("p");
 *     lab.listenShown("compare", ["network", "input"], () => { told.textContent = …; });
 *     return element("div", {}, told);
 *   }
 *
 * Events: "network" (lab.entry, lab.set, lab.network, lab.model are others), "input" (lab.input and lab.source), "pass" (lab.pass
 * and lab.plain: what lab.network answers, with and without interventions; {outputs: {layer: Float32Array}, logits, probabilities,
 * input}), "state" (any member of lab.state; the listener gets the Set of their names), "theme" (light or dark) and "dead".
 * `listenShown` calls only while the view is shown, and once when it comes into sight after it missed something; at first always.
 * lab.loaded(id) gives model and layers of another network. A view changes the state with lab.change({member: value}), and the
 * address follows; a new member is a line in state.js. main.js lists the views: {id, title, make: compareView}.
 */

export class Lab {
  constructor(page, compute, state) {
    this.page = page;
    this.compute = compute;
    this.store = new Store(state);
    this.store.subscribe((changed) => this.stateChanged(changed));
    /** The index's entry of the network, its set, its model file and its layers; null until one is loaded. */
    this.entry = null;
    this.set = null;
    this.model = null;
    this.network = null;
    /** What the network sees, height · width · channels numbers from 0 to 1, and where it comes from. */
    this.input = null;
    /** The input before pixels were painted over; the same array where none are. */
    this.clean = null;
    this.source = { kind: "none", label: null, number: null, words: "nothing" };
    /** What cannot be done as the address or a person asks, as sentences. */
    this.problems = [];
    /** For each layer's output the channels that are zero for every test image that was tried; null until that is known. */
    this.dead = null;
    /** The network's answer to the input, with edits, and what it answers without edits and painting (the same where there are none). */
    this.pass = null;
    this.plain = null;
    this.listeners = [];
    this.shownView = "";
    this.spoken = () => {};
    this.models = new Map();
  }

  get state() {
    return this.store.state;
  }

  /** Changes members of the state; views and the address follow. */
  change(members) {
    return this.store.change(members);
  }

  /** The address of the state as it is. */
  get address() {
    return addressOfState(this.state);
  }

  /** Calls `listener` after each of these events. */
  listen(events, listener) {
    this.listeners.push({ view: null, events: new Set(events), listener, missed: false });
  }

  /** Calls `listener` after each of these events while the view is shown, and once when it appears after it missed any. */
  listenShown(view, events, listener) {
    const made = { view, events: new Set(events), listener, missed: true };
    this.listeners.push(made);
    if (this.isShown(view)) this.callShown(made);
  }

  isShown(view) {
    return this.shownView === view;
  }

  /** Makes this the view that is shown. */
  show(view) {
    this.shownView = view;
    for (const made of this.listeners) if (made.view === view && made.missed) this.callShown(made);
  }

  callShown(made) {
    // Before a network and an input are there, there is nothing to show.
    made.missed = !this.network || !this.input;
    if (!made.missed) made.listener();
  }

  emit(event, detail) {
    for (const made of [...this.listeners]) {
      if (made.view === null) {
        if (made.events.has(event)) made.listener(detail);
        continue;
      }
      made.missed ||= made.events.has(event);
      if (made.missed && this.isShown(made.view)) this.callShown(made);
    }
  }

  stateChanged(changed) {
    this.emit("state", changed);
  }

  /** Says a sentence to screen readers, without showing it. */
  say(sentence) {
    this.spoken(sentence);
  }

  /** Shows sentences about what could not be done in the place of those that were shown; without any, takes them back. */
  warn(...sentences) {
    this.problems = sentences;
    this.emit("problems");
  }

  /** Shows a sentence beside those that are shown. */
  warnAlso(sentence) {
    if (!this.problems.includes(sentence)) this.warn(...this.problems, sentence);
  }

  /** The model file and layers of a network of the page, read once; the compute side has it too after this. */
  async loaded(id) {
    if (!this.models.has(id)) {
      const reading = (async () => {
        const bytes = await this.page.bytes(this.page.network(id).model);
        const model = readModel(bytes);
        await this.compute.load(id, bytes);
        return { model, network: new Network(model) };
      })();
      this.models.set(id, reading);
      reading.catch(() => this.models.delete(id));
    }
    return this.models.get(id);
  }

  /** Chooses a network of the page. */
  async choose(entry) {
    const { model, network } = await this.loaded(entry.id);
    [this.entry, this.set, this.model, this.network] = [entry, this.page.set(entry.set), model, network];
    [this.pass, this.plain, this.dead] = [null, null, null];
    this.emit("network");
  }

  /** How pictures of another shape get that of the network's images, as its card says. */
  get fit() {
    return this.model?.card.preparation.fit ?? "pad";
  }

  /**
   * Gives the network an input; `source` says where it comes from: {kind: "draw" | "test" | "train" | "pixels", label, number, words},
   * where `label` is the class that it is known to have, else null. Asks the network.
   */
  feed(input, source) {
    this.clean = input;
    this.source = source;
    this.paint();
  }

  /** Gives the network bytes from 0 to 255. */
  feedBytes(bytes, source) {
    this.feed(inputOfBytes(bytes), source);
  }

  /** Lays the painted pixels of the state over the input, and asks the network. */
  paint() {
    if (!this.clean) return;
    const painted = this.state.paint.filter(([index]) => index < this.clean.length);
    this.input = painted.length > 0 ? this.clean.slice() : this.clean;
    for (const [index, value] of painted) this.input[index] = value / 255;
    this.emit("input");
    this.answer().catch((error) => this.warnAlso(error.message));
  }

  /** Whether the network or its input differs from what the page holds and what was drawn or chosen. */
  get isChanged() {
    return this.edits !== null || this.input !== this.clean;
  }

  /** Edits of the network that the state asks for, those that fit it; null where there are none. */
  get edits() {
    const { off, set } = this.state;
    if (!this.network || (off.length === 0 && set.length === 0)) return null;
    const layer = (name) => this.network.layers.find((layer) => layer.name === name);
    const silenced = off.filter(({ layer: name, channel }) => channel < (layer(name)?.shape.at(-1) ?? 0));
    const weights = set.filter(({ layer: name, tensor, index }) => index < (layer(name)?.[tensor]?.length ?? 0));
    return silenced.length + weights.length > 0 ? { silenced, weights } : null;
  }

  /** Asks the network; the newest question wins. The pass has the input that it answers as `input`. */
  async answer() {
    const [id, input, clean, edits] = [this.entry.id, this.input, this.clean, this.edits];
    const isChanged = this.isChanged;
    const asked = [this.compute.forward(id, input, edits ?? {}, { purpose: "answer" })];
    if (isChanged) asked.push(this.compute.forward(id, clean, {}, { purpose: "before" }));
    const [pass, plain] = await Promise.all(asked);
    if (!pass || plain === null || this.entry.id !== id) return;
    this.pass = Object.assign(pass, { input });
    this.plain = plain ? Object.assign(plain, { input: clean }) : pass;
    this.emit("pass");
  }

  /** The class that the image is known to have, as a head counts classes; null of one that is not known. */
  truth(head, label = this.source.label) {
    if (label === null || label === undefined) return null;
    return head.labels ? head.labels[label] : label;
  }
}
