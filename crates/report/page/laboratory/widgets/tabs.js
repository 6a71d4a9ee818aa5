// Tabs as in the WAI-ARIA pattern: arrow keys go from tab to tab, and the chosen one alone is reached with Tab.
import { element } from "./element.js";

/**
 * A list of tabs with their panels. `tabs` are {id, title, panel}; `action` is told the id of the tab that a person chooses.
 * Returns {list, panels, choose(id)}.
 */
export function tabsOf(label, tabs, action, prefix) {
  const buttons = tabs.map(({ id, title, panel }) => {
    const made = element("button", {
      type: "button",
      id: `${prefix}-tab-${id}`,
      className: "tab",
      textContent: title,
      aria: { role: "tab", controls: `${prefix}-panel-${id}` },
    });
    panel.id = `${prefix}-panel-${id}`;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", made.id);
    made.addEventListener("click", () => action(id));
    return made;
  });
  const list = element("div", { className: "tabs", aria: { role: "tablist", label } }, ...buttons);
  list.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(document.activeElement);
    const shown = buttons.filter((made) => !made.hidden);
    const place = shown.indexOf(buttons[at]);
    const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: shown.length - 1 }[event.key];
    if (at < 0 || next === undefined) return;
    event.preventDefault();
    const chosen = shown[(next + shown.length) % shown.length];
    chosen.focus();
    action(tabs[buttons.indexOf(chosen)].id);
  });
  const choose = (id) => {
    tabs.forEach((tab, i) => {
      const isChosen = tab.id === id;
      buttons[i].setAttribute("aria-selected", isChosen);
      buttons[i].tabIndex = isChosen ? 0 : -1;
      tab.panel.hidden = !isChosen;
    });
  };
  const hide = (ids) => tabs.forEach((tab, i) => (buttons[i].hidden = ids.includes(tab.id)));
  return { list, panels: tabs.map(({ panel }) => panel), choose, hide };
}
