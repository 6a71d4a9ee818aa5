// The report's page: theme, enlarged figures, sorted tables, and the plane of the principal components to explore.
// Without it the page is whole, but still.
"use strict";

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
const button = (label, title, action) => {
  const made = element("button", { type: "button", className: "button", textContent: label, title });
  made.setAttribute("aria-label", title);
  made.addEventListener("click", action);
  return made;
};
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// Theme: the system's, until a reader says otherwise.
{
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const toggle = button("", "Light or dark", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    label();
  });
  toggle.id = "theme";
  const label = () => {
    toggle.textContent = isDark() ? "Light" : "Dark";
  };
  label();
  dark.addEventListener("change", label);
  document.getElementById("contents").append(toggle);
}

// Contents: where the reader is.
{
  const links = [...document.querySelectorAll("#contents a")];
  const places = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
  const mark = () => {
    const passed = places.filter((place) => place && place.getBoundingClientRect().top < innerHeight / 3);
    links.forEach((link, i) => {
      if (passed.length && places[i] === passed.at(-1)) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  };
  addEventListener("scroll", mark, { passive: true });
  mark();
}

// Formulas: Chromium leaves room beside a bracket for the largest form of it, so only those that must grow may.
for (const bracket of document.querySelectorAll("math mo")) {
  const tall = "mfrac, munder, munderover, mtable, msqrt";
  if ("()[]‖|".includes(bracket.textContent) && !bracket.parentElement.querySelector(tall)) {
    bracket.setAttribute("stretchy", "false");
  }
}

// Figures: each opens in a window of its own, to enlarge and to move about.
{
  const image = element("img", { draggable: false });
  const stage = element("div", { className: "stage" }, image);
  const caption = element("p");
  let [scale, x, y] = [1, 0, 0];
  const natural = () => [image.naturalWidth || 1, image.naturalHeight || 1];
  const draw = () => {
    image.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
  };
  const fit = () => {
    const [width, height] = natural();
    scale = Math.min(stage.clientWidth / width, stage.clientHeight / height) * 0.97;
    x = (stage.clientWidth - width * scale) / 2;
    y = (stage.clientHeight - height * scale) / 2;
    draw();
  };
  const zoom = (factor, [cx, cy] = [stage.clientWidth / 2, stage.clientHeight / 2]) => {
    const next = clamp(scale * factor, 0.2, 40);
    x = cx - ((cx - x) * next) / scale;
    y = cy - ((cy - y) * next) / scale;
    scale = next;
    draw();
  };
  const pan = (dx, dy) => {
    x += dx;
    y += dy;
    draw();
  };
  const lens = element(
    "dialog",
    { className: "lens" },
    element(
      "div",
      { className: "bar" },
      caption,
      button("+", "Larger (+)", () => zoom(1.4)),
      button("−", "Smaller (−)", () => zoom(1 / 1.4)),
      button("Fit", "Fit to the window (0)", fit),
      button("Close", "Close (Escape)", () => lens.close()),
    ),
    stage,
  );
  lens.setAttribute("aria-label", "Figure, enlarged");
  document.body.append(lens);

  const pointers = new Map();
  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
  });
  stage.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const bounds = stage.getBoundingClientRect();
    const now = [event.clientX - bounds.left, event.clientY - bounds.top];
    const others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    pointers.set(event.pointerId, now);
    if (others.length === 0) pan(event.movementX, event.movementY);
    else {
      const apart = ([ax, ay], [bx, by]) => Math.hypot(ax - bx, ay - by) || 1;
      zoom(apart(now, others[0]) / apart(before, others[0]), others[0]);
    }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    stage.addEventListener(end, (event) => pointers.delete(event.pointerId));
  }
  stage.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const bounds = stage.getBoundingClientRect();
      zoom(Math.exp(-event.deltaY / 400), [event.clientX - bounds.left, event.clientY - bounds.top]);
    },
    { passive: false },
  );
  const keys = {
    "+": () => zoom(1.4),
    "=": () => zoom(1.4),
    "-": () => zoom(1 / 1.4),
    0: fit,
    ArrowLeft: () => pan(60, 0),
    ArrowRight: () => pan(-60, 0),
    ArrowUp: () => pan(0, 60),
    ArrowDown: () => pan(0, -60),
  };
  lens.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  addEventListener("resize", () => lens.open && fit());

  for (const shown of document.querySelectorAll("figure img")) {
    const figure = shown.closest("figure");
    const text = (figure.querySelector("figcaption")?.textContent ?? "").trim().replace(/\s+/g, " ");
    const plate = element("button", { type: "button", className: "plate" });
    plate.setAttribute("aria-label", `Enlarge. ${shown.alt}`);
    plate.addEventListener("click", () => {
      image.src = shown.src;
      image.alt = shown.alt;
      caption.textContent = text;
      lens.showModal();
      image.decode().then(fit, fit);
    });
    shown.replaceWith(plate);
    plate.append(shown);
  }
}

// Tables: a click on a column's head sorts by it, up, down, and back. Numbers are known with their units.
{
  const UNITS = { "": 1, "%": 1, ms: 1e-3, s: 1, min: 60, MB: 1, million: 1e6 };
  const NUMBER = /^([-−+±]?)([\d,]*\.?\d+(?:e-?\d+)?)\s*(%|ms|s|min|MB|million)?$/;
  // The first line of a cell: what stands small under a number is about it.
  const words = (cell) => {
    let text = "";
    const walk = (node) => {
      for (const child of node.childNodes) {
        if (child.nodeName === "BR" || child.nodeName === "SMALL") return false;
        if (child.nodeType === Node.TEXT_NODE) text += child.data;
        else if (!walk(child)) return false;
      }
      return true;
    };
    walk(cell);
    return text.trim();
  };
  const value = (text) => {
    const found = NUMBER.exec(text);
    if (!found) return null;
    const size = Number(found[2].replaceAll(",", "")) * UNITS[found[3] ?? ""];
    return "-−".includes(found[1] || " ") ? -size : size;
  };
  const at = (row, column) => {
    let first = 0;
    for (const cell of row.cells) {
      if (column < first + cell.colSpan) return cell.colSpan === 1 ? cell : null;
      first += cell.colSpan;
    }
    return null;
  };
  const compare = (a, b) => {
    if (a.text === "" || b.text === "") return (a.text === "") - (b.text === "");
    return a.number !== null && b.number !== null
      ? a.number - b.number
      : a.text.localeCompare(b.text, "en", { numeric: true });
  };

  for (const table of document.querySelectorAll("table")) {
    const [head, body] = [table.tHead?.rows[0], table.tBodies[0]];
    if (!head || !body) continue;
    const rows = [...body.rows];
    const cells = (column) => rows.map((row) => at(row, column));
    [...head.cells].forEach((title, column) => {
      const shown = cells(column);
      const texts = shown.map((cell) => (cell ? words(cell) : "").replace(/^–$/, ""));
      const numbers = texts.map(value);
      if (texts.some((text) => text) && texts.every((text, i) => text === "" || numbers[i] !== null)) {
        const foot = [...(table.tFoot?.rows ?? [])].map((row) => at(row, column));
        for (const cell of [title, ...shown, ...foot]) cell?.classList.add("numeric");
      }
      if (rows.length < 2) return;
      const sorter = element("button", { type: "button", title: "Sort by this column" }, ...title.childNodes);
      title.append(sorter);
      sorter.addEventListener("click", () => {
        const next = { ascending: "descending", descending: "none" }[title.ariaSort] ?? "ascending";
        for (const other of head.cells) other.removeAttribute("aria-sort");
        if (next !== "none") title.setAttribute("aria-sort", next);
        const keys = new Map(rows.map((row, i) => [row, { text: texts[i], number: numbers[i] }]));
        const order = [...rows];
        if (next !== "none") {
          const sign = next === "ascending" ? 1 : -1;
          order.sort((a, b) => {
            const [x, y] = [keys.get(a), keys.get(b)];
            // What is missing comes last either way.
            return x.text === "" || y.text === "" ? compare(x, y) : sign * compare(x, y);
          });
        }
        body.append(...order);
      });
    });
  }
}

// The plane of the first two components: every point is an image.
const place = document.getElementById("explorer");
if (place) {
  const plane = JSON.parse(document.getElementById("plane").textContent);
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const labels = bytes(plane.labels);
  const coordinates = new DataView(bytes(plane.points).buffer);
  const count = labels.length;
  // Shares of the whole plane, from the top left.
  const px = Float64Array.from({ length: count }, (_, i) => coordinates.getUint16(4 * i, true) / 65535);
  const py = Float64Array.from({ length: count }, (_, i) => 1 - coordinates.getUint16(4 * i + 2, true) / 65535);
  const [[x0, x1], [y0, y1]] = plane.ranges;
  const shown = plane.classes.map(() => true);
  const view = { x: 0, y: 0, size: 1 };
  let chosen = -1;

  const canvas = element("canvas", { className: "points", tabIndex: 0 });
  canvas.setAttribute("role", "application");
  canvas.setAttribute(
    "aria-label",
    `${count} training images of ${plane.set} in the plane of two principal components. Arrow keys go from image to image, plus and minus zoom, zero shows all.`,
  );
  const pen = canvas.getContext("2d");
  const [tileWidth, tileHeight] = plane.picture;
  const picture = element("canvas", { width: tileWidth, height: tileHeight });
  picture.setAttribute("aria-hidden", "true");
  const told = element("p", { textContent: "No image chosen" });
  told.setAttribute("aria-live", "polite");
  const sheet = element("img", { src: plane.sheet });

  const margin = { left: 44, top: 6, right: 6, bottom: 40 };
  let [width, height, markers] = [0, 0, []];
  const inner = () => [width - margin.left - margin.right, height - margin.top - margin.bottom];
  const toScreen = (i) => {
    const [w, h] = inner();
    return [margin.left + ((px[i] - view.x) / view.size) * w, margin.top + ((py[i] - view.y) / view.size) * h];
  };
  const inside = ([x, y]) =>
    x >= margin.left && x <= width - margin.right && y >= margin.top && y <= height - margin.bottom;

  // A marker for each class, drawn once.
  const stamp = ({ colour, marker }, radius, ratio) => {
    const side = Math.ceil(2 * radius * 1.7 * ratio) + 2;
    const made = element("canvas", { width: side, height: side });
    const ink = made.getContext("2d");
    ink.translate(side / 2, side / 2);
    ink.scale(radius * ratio, radius * ratio);
    ink.beginPath();
    for (const [u, v] of marker) ink.lineTo(u, v);
    ink.closePath();
    ink.globalAlpha = 0.85;
    ink.fillStyle = colour;
    ink.fill();
    return made;
  };
  const step = (span) => {
    const power = 10 ** Math.floor(Math.log10(span / 5));
    return power * [1, 2, 5, 10].reduce((a, b) => (Math.abs(a - span / 5 / power) <= Math.abs(b - span / 5 / power) ? a : b));
  };
  const number = (value) => Number(value.toPrecision(6)).toString().replace("-", "−");

  const axes = () => {
    const [w, h] = inner();
    const ends = [
      [x0 + view.x * (x1 - x0), x0 + (view.x + view.size) * (x1 - x0)],
      [y1 - (view.y + view.size) * (y1 - y0), y1 - view.y * (y1 - y0)],
    ];
    pen.strokeStyle = pen.fillStyle = "#55606e";
    pen.lineWidth = 1;
    pen.strokeRect(margin.left, margin.top, w, h);
    pen.font = "12px Arial, 'Liberation Sans', Helvetica, sans-serif";
    ends.forEach(([low, high], axis) => {
      const by = step(high - low);
      for (let tick = Math.ceil(low / by); tick * by <= high; tick += 1) {
        const share = (tick * by - low) / (high - low);
        const [x, y] = axis === 0 ? [margin.left + share * w, height - margin.bottom] : [margin.left, margin.top + (1 - share) * h];
        pen.textAlign = axis === 0 ? "center" : "right";
        pen.textBaseline = axis === 0 ? "top" : "middle";
        pen.fillText(number(tick * by), axis === 0 ? x : x - 5, axis === 0 ? y + 5 : y);
      }
    });
    pen.textAlign = "center";
    pen.textBaseline = "bottom";
    pen.fillText(plane.axes[0], margin.left + w / 2, height - 2);
    pen.save();
    pen.translate(2, margin.top + h / 2);
    pen.rotate(-Math.PI / 2);
    pen.textBaseline = "top";
    pen.fillText(plane.axes[1], 0, 0);
    pen.restore();
  };
  const draw = () => {
    const ratio = devicePixelRatio || 1;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.save();
    pen.beginPath();
    pen.rect(margin.left, margin.top, ...inner());
    pen.clip();
    for (let i = 0; i < count; i += 1) {
      if (!shown[labels[i]]) continue;
      const [x, y] = toScreen(i);
      const mark = markers[labels[i]];
      const side = mark.width / ratio;
      if (x > -side && y > -side && x < width + side && y < height + side) {
        pen.drawImage(mark, x - side / 2, y - side / 2, side, side);
      }
    }
    if (chosen >= 0) {
      const [x, y] = toScreen(chosen);
      const mark = markers[labels[chosen]];
      const side = mark.width / ratio;
      pen.drawImage(mark, x - side / 2, y - side / 2, side, side);
      pen.beginPath();
      pen.arc(x, y, 8, 0, 2 * Math.PI);
      pen.lineWidth = 5;
      pen.strokeStyle = "#fff";
      pen.stroke();
      pen.lineWidth = 2.5;
      pen.strokeStyle = "#000";
      pen.stroke();
    }
    pen.restore();
    axes();
  };
  let asked = false;
  const redraw = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
  const measure = () => {
    const ratio = devicePixelRatio || 1;
    width = canvas.clientWidth;
    const across = width - margin.left - margin.right;
    height = Math.round((across * (y1 - y0)) / (x1 - x0)) + margin.top + margin.bottom;
    canvas.style.height = `${height}px`;
    [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    stampAll();
    redraw();
  };
  const stampAll = () => {
    const radius = clamp((width / 330) * view.size ** -0.4, 1.6, 6);
    markers = plane.classes.map((of) => stamp(of, radius, devicePixelRatio || 1));
  };
  const look = (size, cx, cy) => {
    view.size = clamp(size, 0.02, 1);
    view.x = clamp(cx - view.size / 2, 0, 1 - view.size);
    view.y = clamp(cy - view.size / 2, 0, 1 - view.size);
    stampAll();
    redraw();
  };
  const zoom = (factor) => {
    const seen = chosen >= 0 && inside(toScreen(chosen));
    const [cx, cy] = seen ? [px[chosen], py[chosen]] : [view.x + view.size / 2, view.y + view.size / 2];
    look(view.size / factor, cx, cy);
  };

  const choose = (i) => {
    if (i === chosen) return;
    chosen = i;
    const ink = picture.getContext("2d");
    ink.clearRect(0, 0, tileWidth, tileHeight);
    if (i < 0) told.textContent = "No image chosen";
    else {
      const [column, row] = [i % plane.columns, Math.floor(i / plane.columns)];
      ink.drawImage(sheet, column * tileWidth, row * tileHeight, tileWidth, tileHeight, 0, 0, tileWidth, tileHeight);
      const [x, y] = [x0 + px[i] * (x1 - x0), y1 - py[i] * (y1 - y0)];
      told.textContent = `${plane.classes[labels[i]].name}, image ${(i + 1).toLocaleString("en")}, at (${number(+x.toFixed(1))}, ${number(+y.toFixed(1))})`;
    }
    redraw();
  };
  const nearest = ([x, y], accept = () => true) => {
    let [best, least] = [-1, Infinity];
    for (let i = 0; i < count; i += 1) {
      if (!shown[labels[i]]) continue;
      const [u, v] = toScreen(i);
      const distance = (u - x) ** 2 + (v - y) ** 2;
      if (distance < least && inside([u, v]) && accept(u - x, v - y)) [best, least] = [i, distance];
    }
    return [best, Math.sqrt(least)];
  };
  const point = (event) => {
    const [i, distance] = nearest([event.offsetX, event.offsetY]);
    if (distance < 24) choose(i);
  };
  let dragged = null;
  canvas.addEventListener("pointerdown", (event) => {
    point(event);
    if (event.pointerType === "mouse" && view.size < 1) dragged = [event.offsetX, event.offsetY];
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!dragged) return point(event);
    const [w, h] = inner();
    const [dx, dy] = [((event.offsetX - dragged[0]) / w) * view.size, ((event.offsetY - dragged[1]) / h) * view.size];
    dragged = [event.offsetX, event.offsetY];
    look(view.size, view.x + view.size / 2 - dx, view.y + view.size / 2 - dy);
  });
  addEventListener("pointerup", () => {
    dragged = null;
  });
  canvas.addEventListener("dblclick", () => zoom(2));
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey) return;
    const arrow = arrows[event.key];
    if (arrow) {
      const from = chosen >= 0 && inside(toScreen(chosen)) ? toScreen(chosen) : [width / 2, height / 2];
      const [ax, ay] = arrow;
      // Within 45 degrees of the arrow, so that a way out leads back.
      const ahead = (u, v) => u * ax + v * ay > 0.5 && Math.abs(u * ay + v * ax) <= u * ax + v * ay;
      const [next] = nearest(from, chosen < 0 ? undefined : ahead);
      if (next >= 0) choose(next);
    } else if (event.key === "+" || event.key === "=") zoom(1.5);
    else if (event.key === "-") zoom(1 / 1.5);
    else if (event.key === "0") look(1, 0.5, 0.5);
    else return;
    event.preventDefault();
  });

  const legend = plane.classes.map(({ name, colour, marker }, label) => {
    const made = button("", `Show ${name}`, () => {
      shown[label] = !shown[label];
      if (chosen >= 0 && !shown[labels[chosen]]) choose(-1);
      press();
      redraw();
    });
    made.innerHTML = `<svg viewBox="-1.6 -1.6 3.2 3.2" aria-hidden="true"><polygon points="${marker.flat().join(" ")}" fill="${colour}"/></svg>`;
    made.append(name);
    return made;
  });
  const press = () => legend.forEach((made, label) => made.setAttribute("aria-pressed", shown[label]));
  const show = (all) => () => {
    shown.fill(all);
    if (!all) choose(-1);
    press();
    redraw();
  };
  press();

  const zooms = element(
    "div",
    { className: "zoom" },
    button("+", "Zoom in", () => zoom(1.5)),
    button("−", "Zoom out", () => zoom(1 / 1.5)),
    button("Whole", "Show the whole plane", () => look(1, 0.5, 0.5)),
  );
  place.append(
    element("h4", { textContent: "Explore the plane" }),
    element("p", {
      textContent: `The first ${count.toLocaleString("en")} of these images. Point at one to see it, or go from one to the next with the arrow keys; switch classes on and off; zoom, and drag to move.`,
    }),
    element(
      "div",
      { className: "field" },
      canvas,
      element("div", { className: "seen" }, picture, element("div", {}, told, zooms)),
    ),
    element(
      "div",
      { className: "keys" },
      ...legend,
      button("All", "Show all classes", show(true)),
      button("None", "Show none of the classes", show(false)),
    ),
  );
  new ResizeObserver(measure).observe(canvas);
  measure();
}
