// The view Compare: two or three networks, or the perceptrons' vote, side by side on one image, and the test images on which they disagree.
import { nextTask } from "../compute/job.js";
import { bytesOfInput } from "../data.js";
import { perceptronVotes } from "../runner/perceptron.js";
import { button, element, fillChoice, choice } from "../widgets/element.js";
import { imageCanvas, showPicture } from "../widgets/image.js";
import { countText, percentText } from "../widgets/words.js";
import { disagreementSentence, disagreements, rightAt, rightSentence, wholeSentence } from "./agreement.js";

/** The id of the perceptrons' vote among the networks. */
const VOTE = "perceptrons";
/** Letters of the columns, how many classes are shown at once, and how many images in dispute. */
const COLUMN_LETTERS = ["A", "B", "C"];
const MOST_ROWS = 12;
const FIRST_IN_DISPUTE = 40;

/** The tab that compares networks. */
export function compareView(lab) {
  const heads = choice("Head", [], "", (head) => lab.change({ head, class: null }));
  const first = choice("Compare it with", [], "", () => choose());
  const second = choice("and with", [], "", () => choose());
  const told = element("p", { className: "fault" });
  // It scrolls by itself where it is too wide, so the keyboard must reach it.
  const table = element("div", { className: "table compare-answers", tabIndex: 0, aria: { role: "region", label: "Answers side by side" } });
  const heading = element("h3", { textContent: "Test images on which they disagree" });
  const counted = element("p");
  const dispute = element("ul", { className: "compare-dispute" });
  const more = button("", () => showDispute(Infinity));
  const view = element("div", { className: "compare" }, element("div", { className: "row" }, heads, first, second), told, table, heading, counted, dispute, more);
  let columns = [];
  let shown = null;
  let asked = 0;

  const tell = (...sentences) => {
    told.textContent = sentences.join(" ");
    told.hidden = sentences.length === 0;
  };
  const choose = () => lab.change({ with: [...new Set([first.select.value, second.select.value])].filter((id) => id !== "") });

  const setUp = async () => {
    const mine = ++asked;
    const { chosen, others, unknown } = chosenPartners(lab);
    const options = others.map(({ id, title }) => [id, title]);
    heads.hidden = lab.entry.heads.length < 2;
    fillChoice(heads.select, lab.entry.heads.map(({ name }) => [name, name]), chosenHead(lab).name);
    first.hidden = options.length === 0;
    second.hidden = options.length < 2;
    fillChoice(first.select, options, chosen[0]?.id);
    fillChoice(second.select, [["", "nothing else"], ...options.filter(([id]) => id !== chosen[0]?.id)], chosen[1]?.id ?? "");
    const sentences = unknown.map((id) => `There is no network “${id}” in this page that can be compared with this one.`);
    if (others.length === 0) sentences.push("This page holds no other network that tells the same classes apart.");
    tell(...sentences);
    columns = [ownColumn(lab), ...chosen];
    heading.hidden = counted.hidden = dispute.hidden = more.hidden = others.length === 0;
    showAnswers();
    if (others.length === 0) return;
    const images = await lab.page.images(lab.set.name, "test");
    const lists = [];
    for (const column of columns) lists.push(await column.predictions(images));
    if (mine !== asked) return;
    const places = disagreements(lists);
    const truths = columns[0].truths(images.labels);
    shown = { images, lists, places, truths };
    const names = columns.map((_, i) => COLUMN_LETTERS[i]);
    const rights = lists.map((list) => rightAt(list, truths, places));
    const count = Math.min(images.count, ...lists.map((list) => list.length));
    const counts = [disagreementSentence(names, places.length, count), rightSentence(names, rights, places.length)];
    counts.push(wholeSentence(countedPairs(lab, columns), count));
    counted.textContent = counts.filter((sentence) => sentence !== "").join(" ");
    showDispute(FIRST_IN_DISPUTE);
  };

  const showDispute = (most) => {
    const { images, lists, places, truths } = shown;
    const longest = Math.max(...chosenHead(lab).classes.map((name) => name.length));
    dispute.style.setProperty("--least", `${Math.min(7.2 + 0.5 * longest, 12)}rem`);
    dispute.replaceChildren(...places.slice(0, most).map((place) => disputedItem(lab, columns, { images, lists, truths, place })));
    more.hidden = places.length <= most;
    more.textContent = `Show all ${countText(places.length)}`;
    dispute.hidden = places.length === 0;
    markChosen();
  };

  const markChosen = () => {
    const { img } = lab.state;
    for (const item of dispute.querySelectorAll("button")) {
      if (img?.kind === "test" && item.dataset.number === String(img.number)) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    }
  };

  const showAnswers = async () => {
    const now = columns;
    try {
      const answers = await Promise.all(now.map((column) => column.answer()));
      // Null where a newer image came before this one's turn.
      if (now === columns && !answers.includes(null)) table.replaceChildren(answersTable(lab, columns, answers));
    } catch (error) {
      if (now === columns) tell(error.message);
    }
  };

  let key = "";
  lab.listenShown("compare", ["network", "state"], () => {
    const now = JSON.stringify([lab.entry.id, lab.state.with, lab.state.head]);
    if (now !== key) setUp();
    key = now;
    markChosen();
  });
  lab.listenShown("compare", ["pass"], showAnswers);
  return view;
}

/** The head that the views ask: the one that the state names, or the first. */
export function chosenHead(lab) {
  const heads = lab.entry.heads;
  const number = Math.max(0, heads.findIndex(({ name }) => name === lab.state.head));
  return { number, ...heads[number] };
}

/** What can stand beside the network: others that tell the same classes of the same set apart, and the perceptrons' vote. */
function possiblePartners(lab) {
  const { classes } = chosenHead(lab);
  const isSame = (head) => head.classes.join("\n") === classes.join("\n");
  const networks = lab.page.networks.filter(({ id, set, heads }) => id !== lab.entry.id && set === lab.entry.set && heads.some(isSame));
  const found = networks.map((entry) => networkColumn(lab, entry, entry.heads.findIndex(isSame)));
  const { perceptrons } = lab.page.index;
  if (perceptrons?.set === lab.entry.set && lab.set.classes.join("\n") === classes.join("\n")) found.push(voteColumn(lab));
  return found;
}

/** The partners that the state names; without any, one of another kind and the perceptrons. */
function chosenPartners(lab) {
  const others = possiblePartners(lab);
  const asked = lab.state.with;
  const known = asked.map((id) => others.find((other) => other.id === id));
  const unknown = asked.filter((_, i) => !known[i]);
  let chosen = known.filter((other) => other).slice(0, 2);
  if (chosen.length === 0 && others.length > 0) {
    const different = others.find(({ task }) => task !== lab.entry.task && task !== VOTE) ?? others[0];
    const vote = others.find(({ id }) => id === VOTE && id !== different.id);
    chosen = vote ? [different, vote] : [different];
  }
  return { chosen, others, unknown };
}

/** On how many of all test images each two columns differ, as far as the index says so: [letter, letter, images, of]. */
function countedPairs(lab, columns) {
  const { networks, index } = lab.page;
  if (chosenHead(lab).number !== 0) return [];
  const places = columns.map(({ id }) => networks.findIndex((network) => network.id === id));
  const pairs = [];
  for (const { a, b, images, of } of index.differences ?? []) {
    const [first, second] = [places.indexOf(a), places.indexOf(b)].sort((p, q) => p - q);
    if (first >= 0) pairs.push([COLUMN_LETTERS[first], COLUMN_LETTERS[second], images, of]);
  }
  return pairs.sort();
}

/** A network as a column: {id, title, answer(), predictions(images)}, classes as numbers. */
function networkColumn(lab, entry, number) {
  const head = entry.heads[number];
  return {
    id: entry.id,
    task: entry.task,
    title: entry.title,
    unit: "probability",
    answer: async () => {
      const { network } = await lab.loaded(entry.id);
      if (network.input.join() !== lab.network.input.join()) throw new Error(`${entry.title} takes images of another size.`);
      const pass = await lab.compute.forward(entry.id, lab.input, null, { purpose: `compare ${entry.id}` });
      return pass && Array.from(pass.probabilities[head.name], (share) => ({ share, text: percentText(share) }));
    },
    predictions: async () => entry.predictions[number],
  };
}

/** The chosen network as the first column, with the changes that were made to it. */
function ownColumn(lab) {
  const head = chosenHead(lab);
  const { number, name } = head;
  const own = networkColumn(lab, lab.entry, number);
  return {
    ...own,
    answer: async () => lab.pass && Array.from(lab.pass.probabilities[name], (share) => ({ share, text: percentText(share) })),
    truths: (setLabels) => setLabels.map((label) => lab.truth(head, label)),
  };
}

/** The vote of the perceptrons for every two classes, as a column. */
function voteColumn(lab) {
  const { perceptrons } = lab.page.index;
  const classes = lab.set.classes.length;
  let weights = null;
  const votes = async (bytes) => {
    weights ??= await lab.page.floats(perceptrons.weights);
    return perceptronVotes(bytes, perceptrons.pairs, weights, classes);
  };
  return {
    id: VOTE,
    task: VOTE,
    title: `Vote of the ${perceptrons.pairs.length} perceptrons`,
    unit: "votes",
    answer: async () => {
      const found = await votes(bytesOfInput(lab.input));
      return Array.from(found, (count) => ({ share: count / (classes - 1), text: String(count) }));
    },
    predictions: async ({ pixels, count, each }) => {
      lab.votes ??= new Map();
      if (!lab.votes.has(lab.set.name)) {
        const list = [];
        for (let i = 0; i < count; i++) {
          list.push(strongestClass(await votes(pixels.subarray(i * each, (i + 1) * each))));
          if (i % 20 === 19) await nextTask();
        }
        lab.votes.set(lab.set.name, list);
      }
      return lab.votes.get(lab.set.name);
    },
  };
}

/** The class with the largest number, the first of equal ones. */
export function strongestClass(numbers) {
  let best = 0;
  for (let i = 1; i < numbers.length; i++) if (numbers[i] > numbers[best]) best = i;
  return best;
}

function letterBadge(i) {
  return element("span", { className: "letter", textContent: COLUMN_LETTERS[i] });
}

/** Classes as rows and networks as columns. Of many classes, those that one of them gives most, and the image's own. */
function answersTable(lab, columns, answers) {
  const head = chosenHead(lab);
  const { classes } = head;
  const truth = lab.truth(head);
  const best = answers.map((answer) => strongestClass(answer.map(({ share }) => share)));
  let rows = classes.map((_, i) => i);
  if (rows.length > MOST_ROWS) {
    const strength = (row) => Math.max(...answers.map((answer) => answer[row].share)) + (row === truth ? 2 : 0);
    rows = rows.sort((a, b) => strength(b) - strength(a)).slice(0, MOST_ROWS).sort((a, b) => a - b);
  }
  const titles = element("tr", {}, element("th", { scope: "col", textContent: "Class" }));
  columns.forEach(({ title, unit }, i) => {
    const verdict = `“${classes[best[i]]}”`;
    const badge = letterBadge(i);
    const name = element("span", { textContent: ` ${title}` });
    const answer = element("span", { className: "compare-verdict", textContent: `${verdict}, ${answers[i][best[i]].text}${unit === "votes" ? " votes" : ""}` });
    titles.append(element("th", { scope: "col" }, badge, name, answer));
  });
  const body = rows.map((row) => {
    const name = element("th", { scope: "row" }, classes[row], row === truth ? element("small", { textContent: "the image’s label" }) : null);
    const cells = answers.map((answer, i) => {
      const fill = element("span", { className: "fill" });
      fill.style.width = `${100 * answer[row].share}%`;
      const number = element("span", { className: "number", textContent: answer[row].text });
      return element("td", { className: row === best[i] ? "best" : "" }, element("span", { className: "meter" }, fill), number);
    });
    return element("tr", {}, name, ...cells);
  });
  const caption = element("caption", { textContent: `What each makes of ${lab.source.words}${lab.edits ? "; A with your changes to it" : ""}` });
  return element("table", {}, caption, element("thead", {}, titles), element("tbody", {}, ...body));
}

/** An image in dispute: a button that shows it to the networks. */
function disputedItem(lab, columns, { images, lists, truths, place }) {
  const { classes } = chosenHead(lab);
  const [height, width, channels] = lab.set.shape;
  const number = images.numbers[place];
  const canvas = imageCanvas("", "thumb");
  canvas.setAttribute("aria-hidden", "true");
  showPicture(canvas, { height, width, channels, pixels: images.pixels.subarray(place * images.each, (place + 1) * images.each) });
  const lines = columns.map((_, i) => {
    const answer = lists[i][place];
    const isRight = answer === truths[place];
    return element("span", { className: isRight ? "right" : "wrong" }, letterBadge(i), element("span", { textContent: classes[answer] }));
  });
  const made = button("", () => lab.change({ img: { kind: "test", number } }), { className: "disputed" });
  made.dataset.number = number;
  const named = element("span", { className: "unseen", textContent: `Test image ${number}: ` });
  made.append(canvas, named, element("span", { className: "disputed-answers" }, ...lines, element("span", { className: "disputed-truth", textContent: `is ${classes[truths[place]]}` })));
  return element("li", {}, made);
}
