// The laboratory in a real browser: PAGE=page.html node --test laboratory.mjs (Chromium's place in $CHROMIUM).
//
// The page is one of a study with several networks of MNIST, convolutional ones among them, such as the program writes.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { browserOfTests, opened as openedPage } from "./browser.mjs";

const browser = browserOfTests();

/** Opens the laboratory without a network; whatever it asks for or complains of fails the test. */
const open = (t, hash = "#lab", options = {}, { expected } = {}) =>
  openedPage(t, browser(), process.env.PAGE, hash, { permissions: ["clipboard-read", "clipboard-write"], ...options }, expected);
const networks = JSON.parse(/<script type="application\/json" id="laboratory">(.*?)<\/script>/s.exec(readFileSync(resolve(process.env.PAGE), "utf8"))[1]).networks;
const cnn = networks.find(({ task, title }) => task === "cnn" && title.includes("3 conv")) ?? networks.find(({ task }) => task === "cnn");
const mlp = networks.find(({ task }) => task === "mlp");
const answer = (opened) => opened.locator(".answer .verdict");
const answered = async (opened) => {
  await answer(opened).filter({ hasText: "%" }).waitFor();
  return (await answer(opened).locator("strong").innerText()).trim();
};
const address = async (opened) => {
  await opened.waitForTimeout(400);
  return new URL(opened.url()).hash;
};
const choose = (opened, name) => opened.getByRole("tab", { name, exact: true }).click();
const stroke = async (opened, points) => {
  const box = await opened.locator(".pad").boundingBox();
  const at = ([x, y]) => [box.x + (x / 256) * box.width, box.y + (y / 256) * box.height];
  await opened.mouse.move(...at(points[0]));
  await opened.mouse.down();
  for (const point of points.slice(1)) await opened.mouse.move(...at(point), { steps: 6 });
  await opened.mouse.up();
};
const ONE = [[128, 50], [128, 200]];
const SEVEN = [[70, 70], [185, 66], [120, 205]];
const drawnPixels = (opened, selector) =>
  opened.locator(selector).first().evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, i) => i % 4 === 0 && value > 40).length;
  });

/** A PNG file of grey pixels. */
const png = (width, height, grey) => {
  const table = Array.from({ length: 256 }, (_, n) => {
    for (let k = 0; k < 8; k += 1) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    return n >>> 0;
  });
  const crc = (bytes) => ~bytes.reduce((sum, byte) => table[(sum ^ byte) & 255] ^ (sum >>> 8), ~0) >>> 0;
  const chunk = (name, data) => {
    const [length, sum, body] = [Buffer.alloc(4), Buffer.alloc(4), Buffer.concat([Buffer.from(name), data])];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const rows = Array.from({ length: Math.min(height, 1000) }, (_, y) => Buffer.from([0, ...Array.from({ length: Math.min(width, 1000) }, (_, x) => grey(x, y))]));
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header), chunk("IDAT", deflateSync(Buffer.concat(rows))), chunk("IEND", Buffer.alloc(0))]);
};

test("one draws with the mouse, all layers and the answer follow, and undo and clear take it back", async (t) => {
  const opened = await open(t, `#lab?net=${cnn.id}`);
  await answered(opened);
  assert.ok((await opened.locator(".layer").count()) >= 4);
  await stroke(opened, ONE);
  await answer(opened).locator("strong", { hasText: /^1$/ }).waitFor();
  const maps = await drawnPixels(opened, ".layer canvas.pixels");
  assert.ok(maps > 20, `${maps}`);
  const one = await address(opened);
  assert.match(one, /img=draw:/);
  await stroke(opened, [[90, 60], [180, 60]]);
  const both = await address(opened);
  assert.notEqual(both, one);
  await opened.getByRole("button", { name: "Undo", exact: true }).click();
  assert.equal(await address(opened), one);
  await opened.getByRole("button", { name: "Clear", exact: true }).click();
  await opened.locator(".preparation .notes", { hasText: "It is blank" }).waitFor();
  await opened.getByRole("slider", { name: "Pen" }).fill("50");
  await stroke(opened, SEVEN);
  await opened.waitForTimeout(200);
  const thick = await drawnPixels(opened, ".pad-canvas");
  assert.ok(thick > 0);
});

test("one draws with a finger, and the page does not scroll meanwhile", async (t) => {
  const opened = await open(t, `#lab?net=${cnn.id}`, { hasTouch: true, viewport: { width: 400, height: 800 } });
  await answered(opened);
  await opened.locator(".pad").scrollIntoViewIfNeeded();
  const [box, scrolled] = [await opened.locator(".pad").boundingBox(), await opened.evaluate(() => scrollY)];
  const session = await opened.context().newCDPSession(opened);
  const touch = (type, points) => session.send("Input.dispatchTouchEvent", { type, touchPoints: points });
  const at = (share) => [{ x: box.x + box.width / 2, y: box.y + share * box.height }];
  await touch("touchStart", at(0.2));
  for (let i = 1; i <= 20; i += 1) await touch("touchMove", at(0.2 + 0.03 * i));
  await touch("touchEnd", []);
  await answer(opened).locator("strong", { hasText: /^1$/ }).waitFor();
  assert.equal(await opened.evaluate(() => scrollY), scrolled);
});

test("one draws with the keyboard", async (t) => {
  const opened = await open(t, `#lab?net=${cnn.id}`);
  await answered(opened);
  const pad = opened.locator(".pad");
  await pad.focus();
  for (let i = 0; i < 12; i += 1) await opened.keyboard.press("ArrowUp");
  await opened.keyboard.press(" ");
  for (let i = 0; i < 24; i += 1) await opened.keyboard.press("ArrowDown");
  await opened.keyboard.press(" ");
  await answer(opened).locator("strong", { hasText: /^1$/ }).waitFor();
  const drawn = await address(opened);
  assert.match(drawn, /img=draw:/);
  await opened.keyboard.press("Control+z");
  assert.notEqual(await address(opened), drawn);
});

test("an address brings back network, drawing, layer, channel and place", async (t) => {
  const opened = await open(t, `#lab?net=${cnn.id}`);
  await answered(opened);
  await stroke(opened, SEVEN);
  await opened.locator(".layer .cells").nth(1).click({ position: { x: 60, y: 10 } });
  await opened.locator(".number-grid").first().waitFor();
  await opened.getByRole("button", { name: "Step", exact: true }).click();
  await opened.getByRole("listbox", { name: /^Channels of the input/ }).click({ position: { x: 40, y: 8 } });
  const [said, hash] = [await answer(opened).innerText(), await address(opened)];
  assert.match(hash, /view=map.*layer=trunk\.\d+&ch=\d+&at=\d+\.\d+&from=\d/);
  await opened.getByRole("button", { name: "Copy address" }).click();
  await opened.getByText("Copied.").first().waitFor();
  const copied = await opened.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, new URL(hash, opened.url()).href);
  const again = await open(t, hash);
  await again.locator(".number-grid").first().waitFor();
  assert.equal(await answer(again).innerText(), said);
  assert.equal(await again.locator(".opened").innerText(), await opened.locator(".opened").innerText());
});

test("a mistake is picked, the surest first, and classes can be chosen", async (t) => {
  const opened = await open(t, `#lab?net=${cnn.id}`);
  await answered(opened);
  await choose(opened, "Test image");
  await opened.getByRole("combobox", { name: "Show" }).selectOption("mistakes");
  await opened.locator(".pick .note", { hasText: "of this network" }).waitFor();
  await opened.getByRole("button", { name: "Next image" }).click();
  await answer(opened).locator(".wrong").waitFor();
  await opened.getByRole("combobox", { name: "Show" }).selectOption("number");
  await opened.getByRole("combobox", { name: "of class" }).selectOption("3");
  await opened.getByRole("button", { name: "Next image" }).click();
  await opened.locator(".picked-words", { hasText: "(3)" }).waitFor();
  assert.match(await address(opened), /img=test:\d+/);
});

test("a picture file is prepared, each step can be switched off, and what is none is told", async (t) => {
  const opened = await open(t, `#lab?net=${cnn.id}`);
  await answered(opened);
  await choose(opened, "Picture file");
  const chooser = opened.locator("input[type=file]");
  const bar = png(300, 200, (x, y) => (x > 30 && x < 50 && y > 40 && y < 160 ? 20 : 240));
  await chooser.setInputFiles({ name: "one.png", mimeType: "image/png", buffer: bar });
  await answer(opened).locator("strong", { hasText: /^1$/ }).waitFor();
  const prepared = await address(opened);
  assert.match(prepared, /img=pixels:/);
  const said = await answer(opened).innerText();
  for (const step of ["Polarity", "Cut out", "Size", "Centre"]) {
    const box = opened.locator(".step", { hasText: step }).getByRole("switch");
    assert.ok(await box.isChecked(), step);
    await box.click();
    await opened.waitForTimeout(250);
    assert.match(await address(opened), /prep=/);
    await box.click();
    await opened.waitForTimeout(250);
  }
  assert.equal(await answer(opened).innerText(), said);
  const fault = opened.locator(".open .fault");
  await chooser.setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("not a picture") });
  await fault.filter({ hasText: "“notes.txt” is no picture that this browser can read." }).waitFor();
  await chooser.setInputFiles({ name: "huge.png", mimeType: "image/png", buffer: png(40000, 40000, () => 0) });
  await fault.filter({ hasText: "40000 × 40000 pixels" }).waitFor();
  await chooser.setInputFiles({ name: "empty.png", mimeType: "image/png", buffer: Buffer.alloc(0) });
  await fault.filter({ hasText: "“empty.png” is empty." }).waitFor();
  assert.equal(await answer(opened).innerText(), said);
});

test("a file is dragged in", async (t) => {
  const opened = await open(t, `#lab?net=${cnn.id}`);
  await answered(opened);
  const bar = png(120, 120, (x, y) => (x > 50 && x < 62 && y > 15 && y < 105 ? 255 : 0)).toString("base64");
  const transfer = await opened.evaluateHandle((text) => {
    const made = new DataTransfer();
    made.items.add(new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], "one.png", { type: "image/png" }));
    return made;
  }, bar);
  await opened.dispatchEvent(".laboratory", "dragover", { dataTransfer: transfer });
  await opened.dispatchEvent(".laboratory", "drop", { dataTransfer: transfer });
  await answer(opened).locator("strong", { hasText: /^1$/ }).waitFor();
  assert.ok(await opened.locator(".open").isVisible());
});

test("the kernel slides, step by step and by itself, and its sum is the network's own number", async (t) => {
  const opened = await open(t, `#lab?view=map&net=${cnn.id}&img=test:0&layer=trunk.3&ch=5`);
  const place = opened.locator(".place-row output");
  await place.filter({ hasText: "row" }).waitFor();
  for (let i = 0; i < 5; i += 1) {
    await opened.getByRole("button", { name: "Step", exact: true }).click();
    await opened.waitForTimeout(60);
    const numbers = await opened.locator(".sums tr").evaluateAll((rows) => Object.fromEntries(rows.map((row) => [row.cells[0].innerText, row.cells[1].innerText])));
    assert.equal(numbers["After the ReLU"], numbers["The network's own number there"]);
  }
  const before = await place.innerText();
  await opened.getByRole("button", { name: "Play" }).click();
  await opened.waitForTimeout(700);
  await opened.getByRole("button", { name: "Pause" }).click();
  assert.notEqual(await place.innerText(), before);
  await opened.getByRole("application", { name: /^The map/ }).focus();
  const still = await place.innerText();
  await opened.keyboard.press("ArrowLeft");
  await opened.waitForTimeout(80);
  assert.notEqual(await place.innerText(), still);
  await opened.getByRole("combobox", { name: "Layer" }).selectOption({ label: "Softmax: probabilities" });
  await opened.locator("table.softmax tbody tr").nth(9).waitFor();
});

test("a unit of the MLP has its weights as an image", { skip: !mlp }, async (t) => {
  const opened = await open(t, `#lab?view=map&net=${mlp.id}&img=test:0&layer=trunk.2&ch=3`);
  await opened.locator(".contributions li").nth(9).waitFor();
  const sums = await opened.locator(".sums tr").evaluateAll((rows) => rows.map((row) => row.cells[1].innerText));
  assert.equal(sums.at(-1), sums.at(-2));
});

test("a channel is switched off, a pixel painted, a weight typed, and one button puts all back", async (t) => {
  const opened = await open(t, `#lab?view=change&net=${cnn.id}&img=test:0`);
  await answered(opened);
  const said = await answer(opened).innerText();
  const back = opened.locator(".laboratory > .bar").getByRole("button", { name: "Put all back" });
  assert.ok(await back.isDisabled());
  const field = opened.getByRole("listbox", { name: /^Maps or units/ });
  await field.focus();
  for (let i = 0; i < 6; i += 1) {
    await opened.keyboard.press("Enter");
    await opened.keyboard.press("ArrowRight");
  }
  await opened.locator(".answer .note", { hasText: "before the changes" }).waitFor();
  await opened.locator(".paint-board").focus();
  await opened.keyboard.press("ArrowRight");
  await opened.keyboard.press(" ");
  await opened.locator(".change-list", { hasText: "1 pixel painted" }).waitFor();
  await opened.locator(".weight-row input").fill("3");
  await opened.locator(".change-list", { hasText: "became 3" }).waitFor();
  const hash = await address(opened);
  assert.match(hash, /paint=\d+:255&off=.*&set=/);
  await back.click();
  await opened.locator(".change-list:empty").waitFor({ state: "attached" });
  await opened.waitForTimeout(200);
  assert.equal(await answer(opened).innerText(), said);
});

test("what an address names in vain is told, and the rest of it is kept", async (t) => {
  const opened = await open(t, `#lab?view=map&net=0000000000000000&img=test:0&layer=trunk.99&ch=7&at=400.400&sort=sideways`);
  await answered(opened);
  await opened.locator(".problems", { hasText: "sort=sideways" }).waitFor();
  await opened.locator(".problems", { hasText: "no network “0000000000000000”" }).waitFor();
  await opened.locator(".map .fault", { hasText: "has no layer “trunk.99”" }).waitFor();
  assert.match(await address(opened), /img=test:0&layer=trunk\.99&ch=7&at=400\.400/);
  await opened.evaluate((hash) => (location.hash = hash), `#lab?view=sideways&net=${cnn.id}&img=test:99999`);
  await opened.locator(".problems", { hasText: "no view “sideways”" }).waitFor();
  await opened.locator(".problems", { hasText: "holds no test image 99999" }).waitFor();
  await answered(opened);
});

test("a teacher's link leaves out what it names, and can show one tab alone", async (t) => {
  const opened = await open(t, `#lab?net=${cnn.id}&img=test:0&hide=draw,file,prep,change,train`);
  await answered(opened);
  assert.deepEqual(await opened.locator(".input [role=tab]:visible").allInnerTexts(), ["Test image"]);
  assert.ok(!(await opened.locator(".preparation").isVisible()));
  assert.ok(!(await opened.getByRole("tab", { name: "Intervene" }).isVisible()));
  const alone = await open(t, `#lab?net=${cnn.id}&img=test:0&layer=trunk.1&only=map`);
  await alone.locator(".number-grid").first().waitFor();
  assert.equal(await alone.locator(".main > .tabs").isVisible(), false);
  const parts = await open(t, `#lab?view=change&net=${cnn.id}&hide=draw,weights`);
  await answered(parts);
  await parts.locator(".picked-words", { hasText: "Test image" }).waitFor();
  assert.ok(await parts.getByText("Switch maps and units off").isVisible());
  assert.ok(!(await parts.getByText("Type another weight").isVisible()));
  const made = await open(t, `#lab?net=${cnn.id}`);
  await answered(made);
  await made.getByText("A link for teaching").click();
  await made.getByLabel("Picture files").check();
  await made.getByRole("button", { name: "Copy the link" }).click();
  await made.locator(".teach").getByText("Copied.").waitFor();
  assert.match(await made.evaluate(() => navigator.clipboard.readText()), /hide=file/);
});

for (const width of [360, 768, 1280, 1900]) {
  test(`at ${width} pixels no tab is wider than the page`, async (t) => {
    const opened = await open(t, `#lab?net=${cnn.id}&img=test:0`, { viewport: { width, height: 900 } });
    await answered(opened);
    for (const tab of await opened.locator(".main > .tabs [role=tab]").all()) {
      await tab.click();
      await opened.waitForTimeout(300);
      const wide = await opened.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${await tab.innerText()}: ${wide} pixels`);
    }
  });
}
