// What the tests of the report's page share: a browser, a page that is opened offline, and what the page holds.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

/** Starts a browser before the tests of a file and ends it after them; returns a function that gives it. */
export function browserOfTests() {
  let browser;
  before(async () => (browser = await launched()));
  after(() => browser.close());
  return () => browser;
}

export function launched() {
  const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
  const alone = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: [...quiet, ...alone] });
}

/** Opens a page without a network; whatever it asks for or complains of, but what is `expected`, fails the test. */
export async function opened(t, browser, path, hash = "", options = {}, expected = () => false) {
  const page = pathToFileURL(resolve(path)).href;
  const context = await browser.newContext({ viewport: { width: 1400, height: 1000 }, ...options });
  await context.setOffline(true);
  const made = await context.newPage();
  const wrong = [];
  made.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(page) && !url.startsWith("data:") && !url.startsWith("blob:")) wrong.push(`asked for ${url}`);
  });
  made.on("pageerror", (error) => wrong.push(error.stack));
  made.on("console", (message) => !expected(message.text()) && wrong.push(message.text()));
  await made.goto(page + hash);
  t.after(async () => {
    await context.close();
    assert.deepEqual(wrong, []);
  });
  return made;
}

/** A copy of a page whose policy forbids Workers. It goes when the tests end. */
export function withoutWorkers(path) {
  const page = readFileSync(path, "utf8");
  assert.ok(page.includes("worker-src blob:"));
  const folder = mkdtempSync(join(tmpdir(), "page-"));
  after(() => rmSync(folder, { recursive: true }));
  const copy = join(folder, "report.html");
  writeFileSync(copy, page.replace("worker-src blob:", "worker-src 'none'"));
  return copy;
}

/** What Chromium itself says of a forbidden Worker. */
export const saysOfPolicy = (text) => /Content Security Policy/.test(text) && /worker-src 'none'/.test(text);

/** The class that the page says, once it says one. */
export async function answered(page) {
  const verdict = page.locator(".answer .verdict");
  await verdict.filter({ hasText: "%" }).waitFor();
  return (await verdict.locator("strong").innerText()).trim();
}

/** The address, after the time that it takes to follow. */
export async function address(page) {
  await page.waitForTimeout(400);
  return new URL(page.url()).hash;
}

/** Draws a line on the pad; points are in its 256 units. */
export async function stroke(page, points) {
  const pad = page.locator(".pad");
  await pad.scrollIntoViewIfNeeded();
  const box = await pad.boundingBox();
  const at = ([x, y]) => [box.x + (x / 256) * box.width, box.y + (y / 256) * box.height];
  await page.mouse.move(...at(points[0]));
  await page.mouse.down();
  for (const point of points.slice(1)) await page.mouse.move(...at(point), { steps: 6 });
  await page.mouse.up();
}

/** The pixels of a canvas as one number, which differs where they do; read from a copy, so that the page's canvas stays as it is. */
export function pixelsOf(locator) {
  return locator.evaluate((canvas) => {
    const pen = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
    pen.drawImage(canvas, 0, 0);
    const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
    return data.reduce((sum, value, i) => (Math.imul(sum, 31) + value + i) | 0, 0);
  });
}

/** The numbers in a text, with its own minus sign. */
export const numbersOf = (text) => (text.match(/[-−]?\d[\d,]*(?:\.\d+)?/g) ?? []).map((number) => Number(number.replace("−", "-").replaceAll(",", "")));
