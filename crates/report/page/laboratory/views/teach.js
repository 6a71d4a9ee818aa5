// The view Cite and teach: the address of what is seen, and links that leave out what should not distract.
import { ADDRESS_START, addressOfState } from "../state.js";
import { button, element } from "../widgets/element.js";

/** Parts of the page that a teacher's link can leave out, beside the tabs. */
export const HIDEABLE_PARTS = [
  ["draw", "Draw"],
  ["test", "Test images"],
  ["file", "Picture files"],
  ["prep", "Preparation"],
  ["answer", "Answer"],
  ["network", "Choice of the network"],
  ["pixels", "Painting pixels"],
  ["channels", "Switching off"],
  ["weights", "Typing weights"],
];

/** Milliseconds for which a copy is confirmed. */
const COPIED_FOR = 4000;

/** The whole address of a state in this page. */
export function pageAddress(state) {
  return `${location.href.split("#")[0]}${addressOfState(state)}`;
}

/** Copies a text; where the browser does not allow it, shows it to be copied by hand. */
async function copied(text, told) {
  try {
    await navigator.clipboard.writeText(text);
    told.textContent = "Copied.";
    setTimeout(() => (told.textContent = ""), COPIED_FOR);
  } catch {
    const field = element("input", { type: "text", readOnly: true, value: text, className: "address", aria: { label: "Address" } });
    told.replaceChildren("Copy it from here: ", field);
    field.select();
  }
}

/** The button that copies the address. */
export function copyButton(lab) {
  const told = element("span", { className: "note", aria: { live: "polite" } });
  const made = button("Copy address", () => copied(pageAddress(lab.state), told), { title: "Copy the address of what you see" });
  return element("span", { className: "copy" }, made, told);
}

/** A fold with what a teacher's link leaves out; `tabs` are {id, title}. */
export function teachPanel(lab, tabs) {
  const told = element("span", { className: "note", aria: { live: "polite" } });
  const boxes = [...HIDEABLE_PARTS, ...tabs.map(({ id, title }) => [id, `Tab “${title}”`])].map(([id, title]) => {
    const box = element("input", { type: "checkbox", value: id });
    return { id, box, label: element("label", {}, box, title) };
  });
  const only = element("input", { type: "checkbox" });
  const linked = () => ({
    ...lab.state,
    hide: boxes.filter(({ box }) => box.checked).map(({ id }) => id),
    only: only.checked ? lab.state.view : "",
  });
  return element(
    "details",
    { className: "teach" },
    element("summary", { textContent: "A link for teaching" }),
    element("p", { className: "note", textContent: "The link shows what you see now, without the parts that are ticked here." }),
    element("fieldset", { className: "ticks" }, element("legend", { textContent: "Leave out" }), ...boxes.map(({ label }) => label)),
    element("label", { className: "tick" }, only, "Show this tab alone"),
    element(
      "p",
      { className: "row" },
      button("Copy the link", () => copied(pageAddress(linked()), told)),
      button("Try it", () => {
        location.hash = addressOfState(linked()).slice(1) || ADDRESS_START;
      }),
      told,
    ),
  );
}
