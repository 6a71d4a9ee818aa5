// Reads what a report's page holds, from its file and with the page's own module.

import { readFileSync } from "node:fs";

import { PageData } from "../../laboratory/data.js";

/** The data of a page's laboratory; null where it has none. */
export function heldBy(path) {
  const page = readFileSync(path, "utf8");
  const text = (id) => {
    const start = page.search(new RegExp(`<script type="[^"]*" id="${id}"`));
    return start < 0 ? null : page.slice(page.indexOf(">", start) + 1, page.indexOf("</script>", start));
  };
  const index = text("laboratory");
  return index && new PageData(JSON.parse(index), (key) => text(`laboratory-${key}`));
}
