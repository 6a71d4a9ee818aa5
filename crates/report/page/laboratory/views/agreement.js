// Where several networks agree about images and where not, in numbers and in sentences.
import { countText, listText } from "../widgets/words.js";

/**
 * The images about which not all of several lists of classes agree: their places. An image that one of the lists lacks is left out.
 */
export function disagreements(lists) {
  const count = Math.min(...lists.map((list) => list.length));
  const places = [];
  for (let place = 0; place < count; place++) {
    if (lists.some((list) => list[place] !== lists[0][place])) places.push(place);
  }
  return places;
}

/** How many of the places a list of classes is right about. */
export function rightAt(list, truths, places) {
  return places.filter((place) => list[place] === truths[place]).length;
}

/** A sentence on how many of `count` images networks disagree about; `names` are two or more. */
export function disagreementSentence(names, found, count) {
  const who = names.length === 2 ? "The two" : `The ${["three", "four"][names.length - 3] ?? names.length}`;
  if (count === 0) return "This page holds no test images to compare them on.";
  const images = count === 1 ? "the one test image" : `all ${count} test images`;
  if (found === 0) return `${who} give the same answer to ${images} of this page.`;
  if (found === count) return count === 1 ? `${who} give different answers to the one test image of this page.` : `${who} give different answers to every one of the ${count} test images of this page.`;
  return `${who} give different answers to ${found === 1 ? "one" : found} of the ${count} test images of this page.`;
}

/**
 * A sentence on all test images of the study, of which this page holds `held`: `pairs` are [name, name, images on which these two
 * differ, images]. Empty where the page holds them all.
 */
export function wholeSentence(pairs, held) {
  if (pairs.length === 0 || pairs[0][3] <= held) return "";
  const of = pairs[0][3];
  const count = (found) => (found === 0 ? "none" : found === of ? "all" : countText(found));
  const parts = pairs.map(([a, b, found]) => `${a} and ${b} give different answers to ${count(found)}`);
  return `Of the study's ${countText(of)} test images, ${listText(parts)}; this page holds ${countText(held)}, chosen so that many of them are in dispute.`;
}

/** A sentence on how many of the images in dispute each is right about. */
export function rightSentence(names, rights, found) {
  if (found === 0) return "";
  if (found === 1) {
    const right = names.filter((_, i) => rights[i] === 1);
    if (right.length === 0) return "None of them is right about it.";
    return `${listText(right)} ${right.length === 1 ? "is" : "are"} right about it.`;
  }
  const parts = names.map((name, i) => `${name} is right about ${rights[i] === found ? "all" : rights[i] === 0 ? "none" : rights[i]} of them`);
  return `${listText(parts)}.`;
}

/**
 * A sentence on the classes of the nearest images: how many of them are `name`, or which classes they are. `labels` are the classes' names.
 */
export function neighbourSentence(labels, answer) {
  if (labels.length === 0) return "";
  const own = labels.filter((label) => label === answer).length;
  const whole = labels.length;
  const others = [...new Set(labels.filter((label) => label !== answer))].map((label) => `“${label}”`);
  if (own === whole) return whole === 1 ? `The nearest is “${answer}”, as the network says.` : `All ${whole} nearest are “${answer}”, as the network says.`;
  const rest = `${own === 0 ? "they are" : "the others are"} ${listText(others)}`;
  if (own === 0) return whole === 1 ? `The nearest is ${listText(others)}, while the network says “${answer}”.` : `None of the ${whole} nearest is “${answer}”, which the network says; ${rest}.`;
  const last = whole - own === 1 ? `the other is ${listText(others)}` : rest;
  return `${own === 1 ? "One" : own} of the ${whole} nearest ${own === 1 ? "is" : "are"} “${answer}”, as the network says; ${last}.`;
}
