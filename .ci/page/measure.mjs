// Measures what a person waits for in the laboratory, and says it: node measure.mjs REPORT.html. Nothing fails, since machines differ.
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { heldBy } from "../../crates/report/page/tests/support/page.js";
import { answered, launched } from "./browser.mjs";

const path = process.argv[2];
const network = heldBy(path).networks.find(({ title }) => title === "CNN, 3 conv");
const page = pathToFileURL(resolve(path)).href;
const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];
const say = (what, number, unit) => console.log(`${what}: ${number.toFixed(number < 10 ? 2 : 0)} ${unit}`);

const browser = await launched();
say("size of the page", statSync(path).size / 1e6, "MB");
const opening = [];
for (let i = 0; i < 5; i += 1) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 1000 } });
  const opened = await context.newPage();
  const start = performance.now();
  await opened.goto(`${page}#lab`);
  await answered(opened);
  opening.push(performance.now() - start);
  await context.close();
}
say("from opening the page to the first answer, median of 5", median(opening), "ms");

const opened = await (await browser.newContext({ viewport: { width: 1400, height: 1000 } })).newPage();
await opened.goto(`${page}#lab?net=${network.id}`);
await answered(opened);
await opened.locator(".pad").scrollIntoViewIfNeeded();
// Each move of the pen ends when the bars of the answer have become others.
const strokes = await opened.evaluate(async () => {
  const pad = document.querySelector(".pad");
  const box = pad.getBoundingClientRect();
  const at = (i) => ({ clientX: box.left + box.width * (0.3 + 0.4 * Math.abs(Math.sin(i))), clientY: box.top + box.height * (0.15 + 0.02 * i) });
  const send = (type, i) => pad.dispatchEvent(new PointerEvent(type, { ...at(i), pointerId: 1, button: 0, buttons: 1, bubbles: true, cancelable: true }));
  pad.setPointerCapture = () => {};
  pad.hasPointerCapture = () => true;
  const bars = [...document.querySelectorAll(".answer .bar-now")];
  const answer = () => bars.map((bar) => bar.style.width).join();
  const times = [];
  send("pointerdown", 0);
  for (let i = 1; i <= 31; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    const before = answer();
    const start = performance.now();
    send("pointermove", i);
    while (answer() === before && performance.now() - start < 1000) await new Promise((resolve) => setTimeout(resolve, 1));
    if (answer() !== before) times.push(performance.now() - start);
  }
  send("pointerup", 31);
  return times;
});
say(`from a stroke to all layers and probabilities, ${network.parameters} parameters, median of ${strokes.length}`, median(strokes), "ms");

await opened.getByRole("tab", { name: "Dream", exact: true }).click();
await opened.getByText("Objective, costs and other settings").click();
await opened.getByRole("slider", { name: "Steps" }).fill("100");
const dream = opened.evaluate(async () => {
  const step = () => Number(/Step (\d+) of/.exec(document.querySelector(".dream-told").textContent)?.[1] ?? 0);
  const reach = async (least) => {
    while (step() < least) await new Promise((resolve) => setTimeout(resolve, 2));
    return [step(), performance.now()];
  };
  const [[first, from], [last, to]] = [await reach(5), await reach(95)];
  return (to - from) / (last - first);
});
await opened.getByRole("button", { name: "Dream", exact: true }).click();
say("a step of a dream, mean of 90", await dream, "ms");
await browser.close();
