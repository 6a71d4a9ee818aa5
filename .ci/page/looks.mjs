// How the page looks at several widths, light and dark: PAGE=report.html node --test looks.mjs. Nothing scrolls sideways, and axe-core finds no
// fault, in each tab of the laboratory and in the report around it. ONLY= names pages of other studies, with "," between them, which are looked at
// in the narrowest width alone.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { heldBy } from "../../crates/report/page/tests/support/page.js";
import { answered, browserOfTests, opened } from "./browser.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = browserOfTests();
const held = heldBy(process.env.PAGE);
const network = held.networks.find(({ title }) => title === "CNN, 3 conv");
const twoHeaded = held.networks.find(({ heads }) => heads.length === 2);

/** What axe-core finds in a part of the page: a sentence for each rule that is broken. */
const faults = async (page, part) => {
  await page.evaluate(axe);
  const { violations } = await page.evaluate((part) => window.axe.run(part, { resultTypes: ["violations"] }), part);
  return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html, any }) => `${html.slice(0, 140)} ${any[0]?.message ?? ""}`).join(" | ")}`);
};

/** Does in each tab what fills it. */
const fill = {
  Dream: async (page) => {
    await page.getByRole("button", { name: "Dream", exact: true }).click();
    await page.locator(".dream-told", { hasText: /Step \d\d/ }).waitFor();
    await page.getByText("Objective, costs and other settings").click();
  },
  Train: async (page) => {
    await page.getByRole("button", { name: "One pass", exact: true }).click();
    await page.getByRole("button", { name: "One epoch", exact: true }).click();
    await page.locator(".view-train p", { hasText: "After 1 epoch" }).first().waitFor();
  },
};

/** Leaves the laboratory alone in the page, since axe-core takes its time over the whole of it; the page as a whole is looked at below. */
const alone = (page) =>
  page.evaluate(() => {
    const lab = document.getElementById("lab");
    for (const other of document.querySelectorAll("body section, body figure, body table, body nav, body math, body p")) {
      if (!other.contains(lab) && !lab.contains(other)) other.remove();
    }
  });

const look = async (t, path, hash, { width, colorScheme }) => {
  const page = await opened(t, browser(), path, hash, { viewport: { width, height: 900 }, colorScheme, bypassCSP: true });
  await answered(page);
  await alone(page);
  await page.getByText("A link for teaching").click();
  const found = [];
  for (const tab of await page.locator(".main > .tabs [role=tab], .input [role=tab]").all()) {
    const name = await tab.innerText();
    await tab.click();
    await fill[name]?.(page);
    await page.waitForTimeout(250);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    if (wide > width) found.push(`${name}: ${wide} pixels`);
    // What a tab shows is the same at all but the colours between the widths; the answer and the frame around it were looked at once.
    found.push(...(await faults(page, (await tab.evaluate((one) => one.closest(".input") !== null)) ? ".input" : ".main")).map((fault) => `${name}: ${fault}`));
  }
  found.push(...(await faults(page, "#lab")));
  assert.deepEqual([...new Set(found)], []);
};

for (const colorScheme of ["light", "dark"]) {
  for (const width of [360, 900, 1900]) {
    test(`${colorScheme}, at ${width} pixels, no tab is at fault or wider than the page`, (t) =>
      look(t, process.env.PAGE, `#lab?net=${network.id}&img=test:${held.set(network.set).test.numbers[0]}&off=trunk.1:0`, { width, colorScheme }));
  }
  test(`${colorScheme}, axe-core finds nothing in the whole page`, async (t) => {
    const page = await opened(t, browser(), process.env.PAGE, "", { colorScheme, bypassCSP: true });
    await answered(page);
    assert.deepEqual(await faults(page, "html"), []);
  });
}

// The other pages differ in what is said and drawn, not in their colours.
for (const path of (process.env.ONLY ?? "").split(",").filter((one) => one)) {
  test(`at 360 pixels no tab is at fault or wider than the page ${path.split("/").slice(-2).join("/")}`, (t) =>
    look(t, path, "#lab?img=test:0", { width: 360, colorScheme: "light" }));
}

test("no tab of a network with two heads is at fault or wider than the page", (t) =>
  look(t, process.env.PAGE, `#lab?net=${twoHeaded.id}`, { width: 360, colorScheme: "dark" }));
