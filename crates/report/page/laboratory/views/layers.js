// The view Watch: every layer answers while the pen moves.
import { CellField } from "../widgets/cells.js";
import { extentOf, scaleOf } from "../widgets/colours.js";
import { choice, element } from "../widgets/element.js";
import { imageCanvas, showInput } from "../widgets/image.js";
import { countedText, numberText, shapeText } from "../widgets/words.js";

/** Pixels of the screen for a map, for one of many, and for a unit of so many. */
const MAP_SIZE = 44;
const MANY_MAPS = { count: 64, size: 36 };
const UNIT_SIZES = [[40, 24], [400, 15], [Infinity, 11]];

/** What a layer does, as a noun with its settings. */
export function layerKind(layer) {
  const { spec } = layer;
  const by = ([height, width]) => `${height} × ${width}`;
  const stride = spec.stride && (spec.stride[0] !== 1 || spec.stride[1] !== 1) ? `, stride ${spec.stride[0] === spec.stride[1] ? spec.stride[0] : by(spec.stride)}` : "";
  const named = {
    conv2d: () => `convolution ${by(spec.kernel_size)}${stride}, padding ${spec.padding}`,
    dense: () => "dense",
    "max-pool": () => `maximum of ${by(spec.pool_size)}${stride}`,
    "avg-pool": () => `mean of ${by(spec.pool_size)}${stride}`,
    "global-avg-pool": () => "mean of each map",
    "batch-norm": () => "batch normalisation",
    "layer-norm": () => "layer normalisation",
    residual: () => "residual block",
    flatten: () => "flattening",
    relu: () => "ReLU",
    "leaky-relu": () => "leaky ReLU",
    elu: () => "ELU",
    gelu: () => "GELU",
    silu: () => "SiLU",
    sigmoid: () => "sigmoid",
    tanh: () => "tanh",
    dropout: () => "dropout, which does nothing here",
  }[layer.kind];
  return named ? named() : layer.kind;
}

/** The layers that are shown: the network's handles, numbered as a reader counts them. */
export function shownLayers(network) {
  return network.handles
    .map((handle) => ({ ...handle, layer: network.layer(handle.name) }))
    .filter(({ layer }) => layer.kind !== "dropout")
    .map((handle, i) => ({ ...handle, number: i + 1 }));
}

/** The title of a layer, such as “Layer 2: 64 maps of 14 × 14”. */
export function layerTitle(network, handle) {
  const of = handle.head && network.heads.length > 1 ? `, ${handle.head}` : "";
  return `Layer ${handle.number}${of}: ${handle.scoresOf ? countedText(handle.shape.at(-1), "class score") : shapeText(handle.shape)}`;
}

/** What stands small beside the title. */
export function layerNote(handle) {
  const relu = handle.output === handle.name ? "" : ", ReLU";
  return `${layerKind(handle.layer)}${relu}${handle.scoresOf ? " (logits)" : ""}`;
}

/** Height, width and channels of a shape; a vector is as many maps of one number. */
export function mapShape(shape) {
  return shape.length === 3 ? shape : [1, 1, shape[0]];
}

/** Pixels of the screen for a map or a unit of a layer of this shape. */
export function cellSize(shape) {
  const [height, width, channels] = mapShape(shape);
  if (height * width === 1) return UNIT_SIZES.find(([most]) => channels <= most)[1];
  return channels > MANY_MAPS.count ? MANY_MAPS.size : MAP_SIZE;
}

/** Means of each channel. */
export function channelMeans(values, channels) {
  const means = new Float32Array(channels);
  for (let i = 0; i < values.length; i += channels) for (let c = 0; c < channels; c += 1) means[c] += values[i + c];
  const count = values.length / channels;
  return means.map((sum) => sum / count);
}

/** Channels in their order, or the most active first. */
export function channelOrder(values, channels, sort) {
  const order = Array.from({ length: channels }, (_, i) => i);
  if (sort !== "activity") return order;
  const means = channelMeans(values.map(Math.abs), channels);
  return order.sort((a, b) => means[b] - means[a] || a - b);
}

/** The tab that shows all layers. */
export function layersView(lab) {
  const list = element("div", { className: "layer-list" });
  const sort = choice("Order of maps and units", [["channel", "by number"], ["activity", "the most active first"]], lab.state.sort, (value) => lab.change({ sort: value }));
  const input = imageCanvas("Input of the network", "input-image");
  const inputTitle = element("span");
  const legend = element("p", { className: "note legend" });
  let blocks = [];
  let sight = null;

  const build = () => {
    sight?.disconnect();
    sight = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          const block = blocks.find(({ element: made }) => made === target);
          if (!block) continue;
          block.visible = isIntersecting;
          if (isIntersecting) block.draw();
        }
      },
      { rootMargin: "100px" },
    );
    blocks = shownLayers(lab.network).map((handle) => layerBlock(lab, handle));
    list.replaceChildren(...blocks.map(({ element: made }) => made));
    for (const { element: made } of blocks) sight.observe(made);
    inputTitle.textContent = `Input: ${lab.network.input[0]} × ${lab.network.input[1]}${lab.network.input[2] > 1 ? ", in colour" : ""}`;
  };
  const draw = () => {
    sort.select.value = lab.state.sort;
    if (lab.input) showInput(input, lab.input, lab.network.input);
    for (const block of blocks) block.stale = true;
    for (const block of blocks) if (block.visible) block.draw();
    legend.textContent = blocks.some(({ dead }) => dead.size > 0)
      ? "A line across: dead, zero for all test images that were tried. A cross: switched off."
      : "";
  };
  lab.listenShown("layers", ["network"], () => {
    build();
    draw();
  });
  lab.listenShown("layers", ["pass", "theme", "dead"], draw);
  lab.listen(["state"], (changed) => (changed.has("sort") || changed.has("off")) && lab.isShown("layers") && draw());
  new ResizeObserver(() => lab.isShown("layers") && draw()).observe(list);
  return element(
    "div",
    { className: "watch" },
    element(
      "div",
      { className: "watch-head" },
      element("figure", { className: "input-figure" }, input, element("figcaption", {}, inputTitle)),
      element("div", {}, element("p", { className: "note", textContent: "Each square is a map, each cell a unit; bright is active. Choose one to see how its numbers come about." }), sort, legend),
    ),
    list,
  );
}

/** A layer with its maps or units. */
function layerBlock(lab, handle) {
  const [height, width, channels] = mapShape(handle.shape);
  const unit = handle.shape.length === 3 ? "Map" : handle.scoresOf ? "Score" : "Unit";
  const told = element("span", { className: "told" });
  const classes = handle.scoresOf ? lab.network.heads.find(({ name }) => name === handle.scoresOf).classes : null;
  const values = () => lab.pass.outputs[handle.output];
  const block = { visible: false, stale: true, dead: new Set() };
  const describe = (channel) => {
    const name = `${unit} ${channel}${classes ? ` (${classes[channel]})` : ""}`;
    if (!lab.pass) return name;
    const off = lab.state.off.some(({ layer, channel: of }) => layer === handle.name && of === channel) ? ", switched off" : "";
    const state = `${block.dead.has(channel) ? ", dead" : ""}${off}`;
    if (height * width === 1) return `${name}: ${numberText(values()[channel])}${state}`;
    let [sum, most] = [0, -Infinity];
    for (let i = channel; i < values().length; i += channels) {
      sum += values()[i];
      most = Math.max(most, values()[i]);
    }
    return `${name}: mean ${numberText(sum / (height * width))}, largest ${numberText(most)}${state}`;
  };
  const field = new CellField({
    label: `${layerTitle(lab.network, handle)}, ${layerNote(handle)}. Arrow keys go from one to the next, Enter opens it.`,
    describe,
    open: (channel) => lab.change({ view: "map", layer: handle.name, ch: channel, at: null, from: null }),
    prefix: `field-${handle.name.replaceAll(/[^\w-]/g, "_")}`,
  });
  const summary = element("span", { className: "note" });
  field.told = (words) => {
    told.textContent = words ?? "";
    summary.hidden = words !== null;
  };
  const made = element(
    "section",
    { className: "layer", aria: { label: layerTitle(lab.network, handle) } },
    element("div", { className: "layer-head" }, element("h4", {}, layerTitle(lab.network, handle), " ", element("small", { textContent: layerNote(handle) })), element("p", {}, told, summary)),
    field.element,
  );
  block.element = made;
  block.draw = () => {
    const room = made.clientWidth;
    if (!block.stale && block.room === room) return;
    if (!lab.pass?.outputs[handle.output] || room === 0) return;
    block.stale = false;
    block.room = room;
    field.lay({ count: channels, height, width, cell: cellSize(handle.shape), room });
    const scale = scaleOf(...extentOf(values()));
    // Scores stay in the order of their classes.
    const order = channelOrder(values(), channels, handle.scoresOf ? "channel" : lab.state.sort);
    field.draw(values(), order, scale);
    block.dead = lab.dead?.get(handle.output) ?? new Set();
    const off = new Set(lab.state.off.filter(({ layer }) => layer === handle.name).map(({ channel }) => channel));
    field.mark({ dead: block.dead, off });
    const facts = [`${scale.signed ? "blue is negative, orange positive, up to" : "white is"} ${numberText(scale.size)}`];
    if (block.dead.size > 0) facts.push(`${block.dead.size} dead`);
    if (off.size > 0) facts.push(`${off.size} switched off`);
    summary.textContent = facts.join("; ");
  };
  return block;
}
