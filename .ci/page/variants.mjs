// The pages of other studies in a real browser: COLOUR=, SINGLE=, HALF= and NONE=report.html node --test variants.mjs. The first three are of a
// small set of colour pictures in five classes (pictures.mjs): of a study, and of one training each, of which HALF's network is large enough
// for half precision. NONE is of a study that trains no network.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { heldBy } from "../../crates/report/page/tests/support/page.js";
import { address, answered, browserOfTests, opened, saysOfPolicy, stroke, withoutWorkers } from "./browser.mjs";
import { png } from "./pictures.mjs";

const { COLOUR, SINGLE, HALF, NONE } = process.env;
const browser = browserOfTests();
const TABS = ["All layers", "One map", "Intervene", "Compare", "Why", "Dream", "Train"];
/** What is true of MNIST alone. */
const OF_DIGITS = /mnist|digit|28 × 28|(?<![\d.,])784(?![\d.,])|20 × 20|centre of mass|\bten classes\b/i;

const pages = [
  { what: "colour images in five classes", path: COLOUR, expected: () => false },
  { what: "colour images in five classes, without a Worker,", path: withoutWorkers(COLOUR), expected: saysOfPolicy },
  { what: "a single network", path: SINGLE, expected: () => false },
  { what: "a single network, without a Worker,", path: withoutWorkers(SINGLE), expected: saysOfPolicy },
  { what: "a network in half precision", path: HALF, expected: () => false },
];
for (const { what, path, expected } of pages) {
  const { networks, sets: [set] } = heldBy(path);
  const network = networks.find(({ task }) => task !== "mlp");
  const [{ classes }] = network.heads;
  const open = (t, hash) => opened(t, browser(), path, hash, {}, expected);

  test(`with ${what} every use works`, async (t) => {
    const page = await open(t, `#lab?net=${network.id}`);
    const tab = (name) => page.getByRole("tab", { name, exact: true }).click();
    assert.ok(classes.includes(await answered(page)));

    // Draw, in colour.
    await tab("Draw");
    await page.locator(".colours").getByRole("radio").nth(3).check({ force: true });
    await stroke(page, [[128, 50], [128, 200]]);
    await stroke(page, [[50, 128], [200, 128]]);
    assert.match(await address(page), /img=draw:/);

    // A picture file.
    await tab("Picture file");
    const bytes = Array.from({ length: 3 * 60 * 60 }, (_, i) => (Math.hypot((Math.floor(i / 3) % 60) - 30, Math.floor(i / 180) - 30) < 18 ? [220, 40, 30][i % 3] : 40));
    await page.locator("input[type=file]").setInputFiles({ name: "disc.png", mimeType: "image/png", buffer: png(60, 60, 3, bytes) });
    await page.locator(".answer").filter({ hasText: "red disc" }).waitFor();
    await page.waitForFunction(() => location.hash.includes("img=pixels:"));

    // A test image; what the page says of it is what the engine said.
    await tab("Test image");
    for (let i = 0; i < 3; i += 1) {
      await page.getByRole("button", { name: "Next image" }).click();
      await page.locator(".picked-words", { hasText: `Test image ${set.test.numbers[i]} ` }).waitFor();
      await page.locator(".answer .verdict strong", { hasText: classes[network.predictions[0][i]] }).waitFor();
    }
    await page.getByRole("combobox", { name: "Show" }).selectOption("mistakes");
    await page.locator(".pick .note", { hasText: /of this network/ }).waitFor();

    // Every view.
    for (const name of TABS) {
      await tab(name);
      const view = page.locator(".view:not([hidden])");
      await page.waitForTimeout(300);
      assert.ok((await view.innerText()).length > 60, name);
      assert.deepEqual(await view.locator(".fault").allInnerTexts().then((texts) => texts.filter((text) => text !== "" && !/no other network/.test(text))), [], name);
    }
    await tab("Dream");
    const dream = page.locator(".view-dream");
    await dream.getByRole("combobox", { name: "Towards" }).selectOption(String(classes.length - 1));
    await dream.getByRole("button", { name: "Dream", exact: true }).click();
    await dream.locator(".dream-told", { hasText: /Step (\d\d+) of/ }).waitFor();
    const [saved] = await Promise.all([page.waitForEvent("download"), dream.getByRole("button", { name: "Keep as PNG" }).click()]);
    assert.match(saved.suggestedFilename(), new RegExp(`^dream-of-${classes.at(-1).replaceAll(" ", "-")}-step-\\d+.png$`));
    await tab("Train");
    for (const name of ["One pass", "One epoch"]) {
      const press = page.getByRole("button", { name, exact: true });
      await press.click();
      await page.locator(".view-train p", { hasText: { "One pass": "After 1 pass over", "One epoch": "After 1 epoch" }[name] }).first().waitFor();
    }
    await page.getByRole("heading", { name: `A small network: ${set.shape.reduce((a, b) => a * b)}-32-${classes.length}` }).waitFor();
    await tab("Why");
    const spaces = page.getByRole("region", { name: "The nearest training images" }).getByRole("combobox", { name: "In" });
    for (const value of await spaces.locator("option").evaluateAll((all) => all.map((option) => option.value))) {
      await spaces.selectOption(value);
      await page.locator(".neighbour").nth(7).waitFor();
    }

    // What can be changed can be put back, and the address brings all of it back.
    await tab("Intervene");
    const field = page.getByRole("listbox", { name: /^Maps or units/ });
    await field.focus();
    await page.keyboard.press("Enter");
    await page.locator(".answer .note", { hasText: "before the changes" }).waitFor();
    const hash = await address(page);
    const again = await open(t, hash);
    await again.locator(".answer .note", { hasText: "before the changes" }).waitFor();
    assert.equal(await again.locator(".answer").innerText(), await page.locator(".answer").innerText());
    await page.locator(".laboratory > .bar").getByRole("button", { name: "Put all back" }).click();
    await page.locator(".answer .note", { hasText: "before the changes" }).waitFor({ state: "hidden" });
  });

  // Words do not depend on where the numbers come from.
  if (expected === saysOfPolicy) continue;
  test(`with ${what} nothing speaks of digits`, async (t) => {
    const page = await open(t, `#lab?net=${network.id}&img=test:0`);
    await answered(page);
    for (const name of [...TABS, "Draw", "Picture file"]) {
      await page.getByRole("tab", { name, exact: true }).click();
      await page.waitForTimeout(250);
      const told = await page.locator("#lab").evaluate((lab) => {
        const seen = (made) => (made.closest("select") ?? made).checkVisibility();
        const labels = [...lab.querySelectorAll("[aria-label], [title], option")].filter(seen).map((made) => `${made.ariaLabel ?? ""} ${made.title ?? ""} ${made.label ?? ""}`);
        return [lab.innerText, ...labels].join("\n");
      });
      assert.doesNotMatch(told, OF_DIGITS, `${name}: ${OF_DIGITS.exec(told)?.[0]}`);
    }
  });
}

test("a single network has nothing to compare it with, and says so", async (t) => {
  const page = await opened(t, browser(), SINGLE, "#lab?view=compare&img=test:0");
  await answered(page);
  await page.getByText("This page holds no other network that tells the same classes apart.").waitFor();
  await page.locator(".compare-answers tbody tr").nth(4).waitFor();
  assert.equal(await page.getByRole("combobox", { name: "Compare it with" }).count(), 0);
});

test("a network in half precision says what that changes", async (t) => {
  const page = await opened(t, browser(), HALF, "#lab");
  await answered(page);
  await page.getByText(/Its weights are held in half precision here; (no test image gets|\d+ test images? of 60 gets?) another class by that\./).waitFor();
});

test("perceptrons of five classes vote", async (t) => {
  const page = await opened(t, browser(), COLOUR, "#lab?view=compare&img=test:0&with=perceptrons");
  await answered(page);
  await page.locator(".compare-answers thead", { hasText: "Vote of the 10 perceptrons" }).waitFor();
});

test("without any network there is no laboratory, and no trace of it", async (t) => {
  const text = readFileSync(NONE, "utf8");
  assert.doesNotMatch(text, /laborator|id="lab"|#lab\b/i);
  const page = await opened(t, browser(), NONE, "#lab?net=0000000000000000");
  await page.locator("h2", { hasText: "Task 1" }).waitFor();
  assert.equal(await page.locator(".laboratory, #lab").count(), 0);
});
