// The report's page in a real browser: PAGE=report.html node --test test.mjs (Chromium's place in $CHROMIUM).
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const page = pathToFileURL(resolve(process.env.PAGE)).href;
let browser;

before(async () => {
  const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
  const alone = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [...quiet, ...alone],
  });
});
after(() => browser.close());

// Opens the page without a network; whatever it asks for or complains of fails the test.
const open = async (t, options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1300, height: 900 }, ...options });
  await context.setOffline(true);
  const opened = await context.newPage();
  const wrong = [];
  opened.on("request", (request) => {
    const url = request.url();
    // The laboratory's Worker runs a text of the page itself.
    if (url !== page && !url.startsWith("data:") && !url.startsWith("blob:")) wrong.push(`asked for ${url}`);
  });
  opened.on("pageerror", (error) => wrong.push(error.message));
  opened.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
  await opened.goto(page);
  t.after(async () => {
    await context.close();
    assert.deepEqual(wrong, []);
  });
  return opened;
};

test("every picture is there, nothing is asked for, nothing goes wrong", async (t) => {
  const opened = await open(t);
  const broken = await opened.evaluate(() =>
    [...document.querySelectorAll("figure img")].filter((image) => !image.complete || image.naturalWidth === 0).map((image) => image.alt),
  );
  assert.deepEqual(broken, []);
  assert.ok((await opened.locator("figure img").count()) >= 30);
  assert.match(await opened.title(), /\S/);
  assert.equal(await opened.locator("math merror").count(), 0);
});

// Nothing is wider than the screen but in a box of its own that scrolls; measured from outside, since a page without a
// program answers no questions.
const layout = async (opened) => {
  const session = await opened.context().newCDPSession(opened);
  return (await session.send("Page.getLayoutMetrics")).cssContentSize;
};

for (const width of [360, 768, 1280, 1900]) {
  for (const javaScriptEnabled of [true, false]) {
    const program = javaScriptEnabled ? "with" : "without";
    test(`at ${width} pixels and ${program} its program the page never scrolls sideways`, async (t) => {
      const opened = await open(t, { viewport: { width, height: 800 }, javaScriptEnabled });
      const wide = (await layout(opened)).width;
      assert.ok(wide <= width, `${wide} pixels`);
    });
  }
}

for (const javaScriptEnabled of [true, false]) {
  const program = javaScriptEnabled ? "with" : "without";
  test(`on a small screen figures keep their size ${program} the program, and they and tables scroll within their boxes`, async (t) => {
    const opened = await open(t, { viewport: { width: 360, height: 800 }, javaScriptEnabled });
    const boxes = await opened.locator(".picture, .table:visible").all();
    assert.ok(boxes.length > 30, `${boxes.length}`);
    let scrolled = 0;
    for (const box of boxes) {
      const found = await box.evaluate((element) => ({
        picture: element.querySelector("img")?.getBoundingClientRect().width,
        right: element.getBoundingClientRect().right,
        wide: element.scrollWidth > element.clientWidth,
        overflow: getComputedStyle(element).overflowX,
      }));
      assert.ok(found.right <= 360 && found.overflow === "auto", JSON.stringify(found));
      assert.ok(found.picture === undefined || found.picture > 500, `${found.picture} pixels`);
      scrolled += found.wide;
    }
    assert.ok(scrolled > 20, `${scrolled}`);
  });
}

test("without its style the page is whole: every text, figure, formula and table is shown", async (t) => {
  const opened = await open(t, { javaScriptEnabled: false });
  const session = await opened.context().newCDPSession(opened);
  await session.send("DOM.enable");
  const { root } = await session.send("DOM.getDocument", { depth: -1 });
  const { nodeIds } = await session.send("DOM.querySelectorAll", { nodeId: root.nodeId, selector: "style" });
  for (const nodeId of nodeIds) await session.send("DOM.removeNode", { nodeId });
  for (const what of ["h1, h2, h3", "figure img", "figcaption", "figure table", "math", "main > p", "dl"]) {
    const found = opened.locator(what);
    const count = await found.count();
    assert.ok(count > 0, what);
    assert.equal(await opened.locator(what).filter({ visible: true }).count(), count, what);
  }
});

test("a script that did not come with the page does not run", async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const opened = await context.newPage();
  await opened.goto(page);
  const ran = await opened.evaluate(async () => {
    const script = Object.assign(document.createElement("script"), { textContent: "window.foreign = 'script'" });
    document.body.append(script);
    document.body.insertAdjacentHTML("beforeend", `<img src="data:," onerror="window.foreign = 'handler'">`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    return window.foreign;
  });
  assert.equal(ran, undefined);
});

test("the page leads to the report on paper", async (t) => {
  const opened = await open(t);
  const link = opened.getByRole("link", { name: "report.pdf" });
  assert.ok(await link.isVisible());
  assert.equal(new URL("report.pdf", page).href, await link.evaluate((element) => element.href));
});

for (const colorScheme of ["light", "dark"]) {
  test(`text can be read when it is ${colorScheme}`, async (t) => {
    const opened = await open(t, { colorScheme });
    const faint = await opened.evaluate(() => {
      const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
      const luminance = ([r, g, b]) =>
        [r, g, b]
          .map((value) => value / 255)
          .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
          .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
      const behind = (element) => {
        const [r, g, b, alpha = 1] = channels(getComputedStyle(element).backgroundColor);
        return alpha > 0 ? [r, g, b] : behind(element.parentElement);
      };
      const told = "p, li, figcaption, td, th, dt, dd, h1, h2, h3, a, small, code, .number, .button, .placeholder, math";
      return [...document.querySelectorAll(told)]
        .filter((element) => element.textContent.trim() && element.offsetParent !== null)
        .map((element) => {
          const text = luminance(channels(getComputedStyle(element).color));
          const paper = luminance(behind(element));
          const contrast = (Math.max(text, paper) + 0.05) / (Math.min(text, paper) + 0.05);
          return [contrast, `${element.tagName} ${element.textContent.slice(0, 40)}`];
        })
        .filter(([contrast]) => contrast < 4.5);
    });
    assert.deepEqual(faint, []);
    const paper = await opened.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const [red] = paper.match(/\d+/g).map(Number);
    assert.equal(red < 128, colorScheme === "dark", paper);
    await opened.locator("#theme").click();
    const other = await opened.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.notEqual(other, paper);
  });
}

test("the first key leads past the contents, and a figure opens, grows and closes by keys", async (t) => {
  const opened = await open(t);
  await opened.keyboard.press("Tab");
  await opened.keyboard.press("Enter");
  assert.equal(new URL(opened.url()).hash, "#report");
  const plate = opened.locator(".plate").nth(3);
  await plate.focus();
  await opened.keyboard.press("Enter");
  const lens = opened.locator("dialog.lens");
  assert.ok(await lens.isVisible());
  const size = () => opened.locator(".lens img").evaluate((image) => image.getBoundingClientRect().width);
  await opened.waitForFunction(() => document.querySelector(".lens img").style.transform);
  const before = await size();
  assert.ok(before > 300, `${before} pixels`);
  await opened.keyboard.press("+");
  assert.ok((await size()) > 1.3 * before);
  await opened.keyboard.press("0");
  assert.ok(Math.abs((await size()) - before) < 1);
  await opened.keyboard.press("Escape");
  assert.ok(!(await lens.isVisible()));
  assert.ok(await plate.evaluate((element) => element === document.activeElement));
});

test("a figure grows under the wheel and follows the pointer", async (t) => {
  const opened = await open(t);
  await opened.locator(".plate").nth(1).click();
  await opened.waitForFunction(() => document.querySelector(".lens img").style.transform);
  const place = () => opened.locator(".lens img").boundingBox();
  const before = await place();
  await opened.mouse.move(600, 450);
  await opened.mouse.wheel(0, -300);
  const larger = await place();
  assert.ok(larger.width > 1.5 * before.width);
  await opened.mouse.down();
  await opened.mouse.move(700, 430, { steps: 4 });
  await opened.mouse.up();
  const moved = await place();
  assert.ok(Math.abs(moved.x - larger.x - 100) < 2 && Math.abs(moved.y - larger.y + 20) < 2, JSON.stringify(moved));
});

test("tables sort by what their numbers mean, and back", async (t) => {
  const opened = await open(t);
  const table = opened.locator("figure table", { has: opened.locator("th", { hasText: /^Training/ }) }).nth(1);
  const names = await table.locator("th").allInnerTexts();
  const column = names.findIndex((name) => name.includes("Parameters"));
  const cells = () => table.locator("tbody tr").evaluateAll((rows, i) => rows.map((row) => row.cells[i].innerText), column);
  const numbers = (texts) => texts.map((text) => Number(text.replaceAll(",", "")));
  const before = await cells();
  const sorter = table.locator("th button").nth(column);
  await sorter.click();
  assert.deepEqual(numbers(await cells()), numbers(before).sort((a, b) => a - b));
  assert.equal(await table.locator("th").nth(column).getAttribute("aria-sort"), "ascending");
  await sorter.click();
  assert.deepEqual(numbers(await cells()), numbers(before).sort((a, b) => b - a));
  await sorter.click();
  assert.deepEqual(await cells(), before);

  // Times have units: 900 ms are less than 2 s.
  const seconds = (text) => {
    const [number, unit] = text.split(/\s/u);
    return Number(number.replaceAll(",", "")) * { ms: 1e-3, s: 1, min: 60 }[unit];
  };
  const test = names.findIndex((name) => /^Test\s*$/.test(name.replace(/[↕↑↓]/, "").trim()));
  await table.locator("th button").nth(test).click();
  const times = await table.locator("tbody tr").evaluateAll((rows, i) => rows.map((row) => row.cells[i].innerText), test);
  const sorted = times.map(seconds);
  assert.ok(sorted.every((time, i) => i === 0 || sorted[i - 1] <= time), JSON.stringify(times));
});

test("all numbers are there, folded", async (t) => {
  const opened = await open(t);
  const first = opened.locator("details").first();
  assert.ok(!(await first.locator("table").isVisible()));
  await first.locator("summary").click();
  assert.ok(await first.locator("table").isVisible());
  assert.ok((await first.locator("tbody tr").count()) > 1);
});

test("pointing at the plane shows the image, its class can be switched off, and keys walk about", async (t) => {
  const opened = await open(t);
  const explorer = opened.locator("#explorer");
  await explorer.scrollIntoViewIfNeeded();
  const canvas = explorer.locator("canvas.points");
  const told = explorer.locator(".seen p");
  const seen = () =>
    explorer.locator(".seen canvas").evaluate((picture) => {
      const { data } = picture.getContext("2d").getImageData(0, 0, picture.width, picture.height);
      return data.filter((_, i) => i % 4 === 0).reduce((sum, value) => sum + value, 0);
    });
  assert.equal(await seen(), 0);
  assert.equal(await told.innerText(), "No image chosen");

  const bounds = await canvas.boundingBox();
  await opened.mouse.move(bounds.x + 0.55 * bounds.width, bounds.y + 0.5 * bounds.height);
  await opened.waitForFunction(() => /image [\d,]+, at \(/.test(document.querySelector("#explorer .seen p").innerText));
  assert.ok((await seen()) > 1000, "a digit has ink");
  const [, name, number] = /^(.*), image ([\d,]+), at/.exec(await told.innerText());

  // The picture is that image's: the page's own data say of which class it is.
  const label = await opened.evaluate((i) => {
    const plane = JSON.parse(document.getElementById("plane").textContent);
    return plane.classes[atob(plane.labels).charCodeAt(i)].name;
  }, Number(number.replaceAll(",", "")) - 1);
  assert.equal(label, name);

  const toggle = explorer.getByRole("button", { name: `Show ${name}`, exact: true });
  assert.equal(await toggle.getAttribute("aria-pressed"), "true");
  await toggle.click();
  assert.equal(await toggle.getAttribute("aria-pressed"), "false");
  assert.equal(await told.innerText(), "No image chosen");
  await opened.mouse.move(bounds.x + 0.55 * bounds.width + 1, bounds.y + 0.5 * bounds.height);
  await opened.waitForFunction(() => /image/.test(document.querySelector("#explorer .seen p").innerText));
  assert.ok(!(await told.innerText()).startsWith(`${name}, image`));

  await explorer.getByRole("button", { name: "Show none of the classes" }).click();
  const painted = () =>
    canvas.evaluate((shown) => {
      const [width, height] = [shown.width, shown.height];
      const { data } = shown.getContext("2d").getImageData(0.2 * width, 0.2 * height, 0.6 * width, 0.6 * height);
      return data.filter((_, i) => i % 4 === 3).filter((alpha) => alpha > 0).length;
    });
  await opened.waitForTimeout(100);
  assert.equal(await painted(), 0);
  await explorer.getByRole("button", { name: "Show all classes" }).click();
  await opened.waitForTimeout(100);
  assert.ok((await painted()) > 100);

  await canvas.focus();
  const places = new Set();
  for (const key of ["ArrowRight", "ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown"]) {
    await opened.keyboard.press(key);
    places.add(await told.innerText());
  }
  assert.ok(places.size >= 4, JSON.stringify([...places]));
  const before = await painted();
  await opened.keyboard.press("+");
  await opened.keyboard.press("+");
  await opened.waitForTimeout(100);
  assert.notEqual(await painted(), before);
});

test("without its program the page is whole, but still", async (t) => {
  const opened = await open(t, { javaScriptEnabled: false });
  assert.ok((await opened.locator("figure img").count()) >= 30);
  assert.ok(await opened.locator("h2", { hasText: "Task 1" }).isVisible());
  assert.ok(!(await opened.locator("#explorer").isVisible()));
  // What needs the program is not there, rather than there and dead.
  assert.equal(await opened.locator("button, [role=button], input, select").count(), 0);
});
