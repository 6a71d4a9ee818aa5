// What a person does in the laboratory beyond looking at one network, in a real browser, with a Worker and where Workers are
// forbidden: PAGE=report.html node --test uses.mjs. The page is that of the study `smoke`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { heldBy } from "../../crates/report/page/tests/support/page.js";
import { address, answered, browserOfTests, numbersOf, opened, pixelsOf, saysOfPolicy, stroke, withoutWorkers } from "./browser.mjs";

const browser = browserOfTests();
const held = heldBy(process.env.PAGE);
const { networks } = held;
const cnn = networks.find(({ title }) => title === "CNN, 3 conv");
const mlp = networks.find(({ task }) => task === "mlp");
const twoHeaded = networks.find(({ heads }) => heads.length === 2);
const set = held.set(cnn.set);
const SEVEN = [[70, 70], [185, 66], [120, 205]];

const pages = [
  { where: "with a Worker", path: process.env.PAGE, expected: () => false },
  { where: "without a Worker", path: withoutWorkers(process.env.PAGE), expected: saysOfPolicy },
];
for (const { where, path, expected } of pages) {
  const open = (t, hash, options) => opened(t, browser(), path, hash, options, expected);

  test(`networks are compared, ${where}`, async (t) => {
    const page = await open(t, `#lab?view=compare&net=${cnn.id}&img=test:${set.test.numbers[0]}`);
    const said = await answered(page);
    const heads = page.locator(".compare-answers thead th");
    await heads.nth(3).waitFor();
    assert.deepEqual((await page.locator(".compare-answers thead .letter").allInnerTexts()).join(""), "ABC");
    assert.match(await heads.nth(1).innerText(), new RegExp(`CNN, 3 conv.*“${said}”`, "s"));
    assert.match(await heads.nth(3).innerText(), /Vote of the 45 perceptrons.*votes/s);

    // With the MLP alone: the images in dispute are those whose class in the report differs.
    await page.getByRole("combobox", { name: "Compare it with" }).selectOption(mlp.id);
    await page.getByRole("combobox", { name: "and with" }).selectOption("");
    await heads.nth(3).waitFor({ state: "detached" });
    const places = set.test.labels.map((_, i) => i).filter((i) => cnn.predictions[0][i] !== mlp.predictions[0][i]);
    await page.getByText(`different answers to ${places.length} of the ${set.test.labels.length} test images`).waitFor();
    const disputed = page.locator(".compare-dispute .disputed");
    const numbers = await disputed.evaluateAll((items) => items.map((item) => Number(item.dataset.number)));
    assert.deepEqual(numbers, places.slice(0, 40).map((i) => set.test.numbers[i]));

    // One click, and one key, shows an image in dispute to both.
    const opens = async (at, act) => {
      await act(disputed.nth(at));
      const [own, other] = [cnn, mlp].map(({ heads, predictions }) => heads[0].classes[predictions[0][places[at]]]);
      await page.locator(".compare-answers caption", { hasText: `test image ${numbers[at]} ` }).waitFor();
      await heads.nth(1).filter({ hasText: `“${own}”` }).waitFor();
      await heads.nth(2).filter({ hasText: `“${other}”` }).waitFor();
      assert.equal(await answered(page), own);
      assert.equal(await disputed.nth(at).getAttribute("aria-current"), "true");
      assert.match(await address(page), new RegExp(`img=test:${numbers[at]}&.*with=${mlp.id}`));
    };
    await opens(0, (item) => item.click());
    await opens(1, async () => {
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
    });
    const again = await open(t, await address(page));
    await again.locator(".compare-answers caption", { hasText: `test image ${numbers[1]} ` }).waitFor();
    assert.equal(await again.locator(".compare-answers").innerText(), await page.locator(".compare-answers").innerText());

    // A drawing of one's own goes to both as well.
    await page.getByRole("tab", { name: "Draw", exact: true }).click();
    await stroke(page, SEVEN);
    await page.locator(".compare-answers caption", { hasText: "drawing" }).waitFor();
  });

  test(`a network with two heads is compared head by head, ${where}`, async (t) => {
    const page = await open(t, `#lab?view=compare&net=${twoHeaded.id}`);
    await answered(page);
    for (const { name, classes } of twoHeaded.heads) {
      await page.locator(".view-compare").getByRole("combobox", { name: "Head" }).selectOption(name);
      await page.locator(".compare-answers tbody tr").nth(classes.length - 1).waitFor();
      await page.locator(".compare-answers tbody th", { hasText: classes.at(-1) }).waitFor();
    }
  });

  test(`one asks why, ${where}`, async (t) => {
    const page = await open(t, `#lab?view=why&net=${cnn.id}&img=test:${set.test.numbers[0]}`);
    const said = await answered(page);
    const part = page.getByRole("region", { name: "Which pixels matter" });
    const map = part.locator(".signed-image canvas").first();
    const told = part.locator("p", { hasText: "The score (logit)" });
    await told.filter({ hasText: `“${said}”` }).waitFor();

    // What integrated gradients share out is what they add up to.
    const [score, black, apart, sum] = numbersOf((await told.innerText()).replace(/“.*?”/g, ""));
    assert.ok(Math.abs(score - black - apart) < 0.02, `${score} − ${black} is not ${apart}`);
    assert.ok(Math.abs(apart - sum) < 0.02 * Math.abs(apart) + 0.05, `${sum}, not ${apart}`);
    const integrated = await pixelsOf(map);
    await part.getByRole("combobox", { name: "By" }).selectOption("gradient");
    await told.filter({ hasText: "slope" }).waitFor();
    const gradient = await pixelsOf(map);
    assert.notEqual(gradient, integrated);
    await part.getByRole("combobox", { name: "Score of" }).selectOption("3");
    await told.filter({ hasText: `“${cnn.heads[0].classes[3]}”` }).waitFor();
    assert.notEqual(await pixelsOf(map), gradient);
    assert.match(await address(page), /class=3&method=gradient/);

    // A drawing has its own.
    await page.getByRole("tab", { name: "Draw", exact: true }).click();
    await stroke(page, SEVEN);
    await part.getByRole("img", { name: /drawing/ }).waitFor();
  });

  test(`the nearest training images are found in each space, ${where}`, async (t) => {
    const page = await open(t, `#lab?view=why&net=${cnn.id}&img=test:${set.test.numbers[0]}`);
    await answered(page);
    const part = page.getByRole("region", { name: "The nearest training images" });
    const items = part.locator(".neighbour");
    const found = async () => {
      await items.nth(7).waitFor();
      return items.evaluateAll((all) => all.map((item) => [Number(/image (\d+)/.exec(item.textContent)[1]), Number(item.querySelector("small").textContent)]));
    };

    // In the pixels, they are those that the images of the page give.
    const [test, train] = [await held.images(set.name, "test"), await held.images(set.name, "train")];
    const distance = (i) => Math.sqrt(train.pixels.subarray(i * train.each, (i + 1) * train.each).reduce((sum, value, p) => sum + ((value - test.pixels[p]) / 255) ** 2, 0));
    const nearest = train.labels.map((_, i) => [train.numbers[i], distance(i)]).sort((a, b) => a[1] - b[1]).slice(0, 8);
    const inPixels = await found();
    assert.deepEqual(inPixels.map(([number]) => number), nearest.map(([number]) => number));
    assert.ok(inPixels.every(([, apart], i) => Math.abs(apart - nearest[i][1]) < 0.006));

    const spaces = part.getByRole("combobox", { name: "In" });
    const lists = [inPixels];
    for (const space of ["plane", ...(await spaces.locator("option").evaluateAll((all) => all.map(({ value }) => value))).slice(-3)]) {
      const before = JSON.stringify(lists.at(-1));
      await spaces.selectOption(space);
      let list = await found();
      for (let i = 0; i < 100 && JSON.stringify(list) === before; i += 1) {
        await page.waitForTimeout(50);
        list = await found();
      }
      assert.ok(list.every(([, apart], i) => i === 0 || apart >= list[i - 1][1]), space);
      lists.push(list);
    }
    assert.equal(new Set(lists.map(String)).size, lists.length);

    // A neighbour is taken from the keyboard, and is nearest to itself.
    await items.first().focus();
    await page.keyboard.press("Enter");
    const [[number]] = lists.at(-1);
    assert.match(await address(page), new RegExp(`img=train:${number}&`));
    await items.first().filter({ hasText: `image ${number}:` }).filter({ has: page.locator("small", { hasText: /^0(\.0+)?$/ }) }).waitFor();
  });

  test(`a dream grows from a drawing, pauses, goes on and is kept, ${where}`, async (t) => {
    const page = await open(t, `#lab?net=${cnn.id}`);
    await answered(page);
    await stroke(page, SEVEN);
    await page.getByRole("tab", { name: "Dream", exact: true }).click();
    const view = page.locator(".view-dream");
    await view.getByRole("combobox", { name: "Starting from" }).selectOption("image");
    await view.getByRole("combobox", { name: "Towards" }).selectOption("3");
    await view.getByText("Objective, costs and other settings").click();
    await view.getByRole("slider", { name: "Steps" }).fill("150");
    await view.getByRole("button", { name: "Dream", exact: true }).click();
    const told = view.locator(".dream-told");
    const step = async () => Number(/Step (\d+) of/.exec(await told.innerText())?.[1] ?? 0);
    const reaches = (least) => page.waitForFunction((least) => Number(/Step (\d+) of/.exec(document.querySelector(".dream-told").textContent)?.[1]) >= least, least);
    await reaches(5);
    await view.getByRole("button", { name: "Pause" }).click();
    await page.waitForTimeout(300);
    const paused = await step();
    const picture = await pixelsOf(view.locator(".dream-image"));
    assert.ok(paused < 150, `${paused}`);
    await page.waitForTimeout(500);
    assert.equal(await step(), paused);
    assert.equal(await pixelsOf(view.locator(".dream-image")), picture);
    await view.getByRole("button", { name: "Go on" }).click();
    await reaches(150);
    assert.match(await told.innerText(), /gives “3” >?\s?\d/);
    assert.notEqual(await pixelsOf(view.locator(".dream-image")), picture);
    assert.ok((await view.locator(".dream-way li").count()) >= 8);

    const [saved] = await Promise.all([page.waitForEvent("download"), view.getByRole("button", { name: "Keep as PNG" }).click()]);
    assert.match(saved.suggestedFilename(), /^dream-of-3-step-150\.png$/);
    const file = readFileSync(await saved.path());
    assert.deepEqual([file.readUInt32BE(16), file.readUInt32BE(20)], [28 * 16, 28 * 16]);
    await view.getByRole("button", { name: "Give it to the network" }).click();
    await page.locator(".answer .verdict strong", { hasText: /^3$/ }).waitFor();
    assert.match(await address(page), /img=pixels:/);

    // It goes on after its end as well, and a seed gives the same dream from noise each time.
    await view.getByRole("button", { name: "Go on" }).click();
    await reaches(160);
    await view.getByRole("combobox", { name: "Starting from" }).selectOption("noise");
    await view.getByRole("slider", { name: "Steps" }).fill("10");
    await view.getByRole("spinbutton", { name: "Seed" }).fill("5");
    await view.getByRole("spinbutton", { name: "Seed" }).press("Tab");
    const dreams = [];
    for (let i = 0; i < 2; i += 1) {
      await told.evaluate((element) => (element.textContent = ""));
      await view.getByRole("button", { name: "Start again" }).click();
      await told.filter({ hasText: "Step 10 of 10" }).waitFor();
      dreams.push(await pixelsOf(view.locator(".dream-image")));
    }
    assert.equal(dreams[0], dreams[1]);
  });

  test(`a perceptron learns step by step, runs and begins again, ${where}`, async (t) => {
    const page = await open(t, `#lab?view=train&net=${cnn.id}&img=test:${set.test.numbers[0]}`);
    await answered(page);
    const part = page.getByRole("region", { name: "A perceptron" });
    const told = (text) => part.locator("p", { hasText: text }).first().waitFor();
    const press = (name) => part.getByRole("button", { name, exact: true }).click();
    await part.getByRole("combobox", { name: "Between" }).selectOption("3");
    await part.getByRole("combobox", { name: "and" }).selectOption("8");
    await told("begins with random weights on");
    await press("One image");
    await told("After 1 image of its first pass");
    await press("Next correction");
    await told("1 correction.");
    await told(/had the score .* and was taken for “[38]”: η times the image was/);
    await part.getByRole("img", { name: /Training image \d+, a “[38]”, which corrected/ }).waitFor();
    const weights = await pixelsOf(part.locator(".signed-image canvas").first());
    await press("One pass");
    await told("After 1 pass over");
    assert.notEqual(await pixelsOf(part.locator(".signed-image canvas").first()), weights);
    await press("Run");
    await told(/After \d\d? passes over .* wrong on none of them/);
    await part.getByRole("button", { name: "Run", exact: true }).waitFor();
    await told("To test image");
    assert.match(await part.getByRole("img", { name: /^Mistakes/ }).getAttribute("aria-label"), /After pass \d+: 0\.0\s%/);
    await press("Start again");
    await told("begins with random weights on");
    const hash = await address(page);
    assert.match(hash, /pair=3,8/);
    await part.getByRole("combobox", { name: "Rule" }).selectOption("averaged");
    await press("One pass");
    await part.getByText("Weights that it predicts with").waitFor();
    const slow = part.getByRole("slider", { name: "Learning rate" });
    await slow.focus();
    await page.keyboard.press("ArrowLeft");
    await told("begins with random weights on");
    assert.match(await address(page), /rule=averaged&rate=0\.03/);
  });

  test(`a small network learns, with its curves, ${where}`, async (t) => {
    const page = await open(t, `#lab?view=train&net=${cnn.id}&img=test:${set.test.numbers[0]}`);
    await answered(page);
    const part = page.getByRole("region", { name: "A small network" });
    const told = (text) => part.locator("p", { hasText: text }).first().waitFor();
    const press = (name) => part.getByRole("button", { name, exact: true }).click();
    await part.getByRole("heading", { name: "A small network: 784-32-10" }).waitFor();
    await told("begins with random weights and learns from");
    await press("One step");
    await told(/32 of [\d,]+ images of the next epoch are done/);
    await press("One epoch");
    await told("After 1 epoch");
    await press("Run");
    await told(/After (8|9|\d\d) epochs/);
    await press("Pause");
    const words = await part.getByRole("img", { name: /^Right answers/ }).getAttribute("aria-label");
    const [, train, test] = numbersOf(words);
    assert.ok(train > 80 && test > 60, words);
    assert.ok((await part.getByRole("img", { name: /^Cross-entropy/ }).locator("path.lab-curve").count()) === 2);
    await told(/To test image \d+ .* it answers “\d”/);
    await press("Start again");
    await told("begins with random weights and learns from");
    await part.getByRole("combobox", { name: "Optimiser" }).selectOption("sgd");
    await press("One epoch");
    await told("After 1 epoch");
  });
}
