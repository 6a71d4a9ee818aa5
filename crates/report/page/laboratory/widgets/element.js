// Elements of the page: made in one call, with their children.

/** An element with properties (`className`, `textContent`, …; `aria` and `data` are objects) and children. */
export function element(name, properties = {}, ...children) {
  const { aria = {}, data = {}, ...plain } = properties;
  const made = Object.assign(document.createElement(name), plain);
  for (const [key, value] of Object.entries(aria)) made.setAttribute(key === "role" ? "role" : `aria-${key}`, value);
  Object.assign(made.dataset, data);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A button with a text; `title` says more, and is the name of a button whose text is a mere sign. */
export function button(label, action, { title = "", className = "" } = {}) {
  const made = element("button", { type: "button", className: `button ${className}`.trim(), textContent: label });
  if (title) {
    made.title = title;
    if (!/\p{L}/u.test(label)) made.setAttribute("aria-label", title);
  }
  made.addEventListener("click", action);
  return made;
}

/** A button that is pressed or not; `action` is told the new state. */
export function toggle(label, pressed, action, { title = "" } = {}) {
  const made = button(label, () => {
    const now = made.getAttribute("aria-pressed") !== "true";
    made.setAttribute("aria-pressed", now);
    action(now);
  });
  if (title) made.title = title;
  made.setAttribute("aria-pressed", pressed);
  return made;
}

/** A drop-down list with a label: options are [value, text]. */
export function choice(label, options, chosen, action) {
  const select = element("select", { className: "choice" });
  fillChoice(select, options, chosen);
  select.addEventListener("change", () => action(select.value));
  const made = element("label", { className: "labelled" }, element("span", { textContent: label }), select);
  made.select = select;
  return made;
}

/** Replaces the options of a drop-down list. */
export function fillChoice(select, options, chosen) {
  select.replaceChildren(...options.map(([value, text]) => element("option", { value, textContent: text, selected: value === chosen })));
}

/**
 * A slider: the browser's own range input, which keyboards and screen readers know, with its label and its value in words.
 * `action` is told the number at each move.
 */
export function slider(label, { least, most, step = 1, value, words = String }, action) {
  const input = element("input", { type: "range", min: least, max: most, step });
  input.value = value;
  const told = element("output", { className: "told" });
  const tell = () => {
    told.textContent = words(Number(input.value));
    input.setAttribute("aria-valuetext", told.textContent);
  };
  input.addEventListener("input", () => {
    tell();
    action(Number(input.value));
  });
  tell();
  const made = element("label", { className: "labelled slider" }, element("span", { textContent: label }), input, told);
  made.setValue = (next, range = {}) => {
    if (range.least !== undefined) input.min = range.least;
    if (range.most !== undefined) input.max = range.most;
    input.value = next;
    tell();
  };
  made.input = input;
  return made;
}
