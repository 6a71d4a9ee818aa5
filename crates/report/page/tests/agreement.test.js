// Sentences on agreement hold for none, one and many.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  disagreementSentence,
  disagreements,
  neighbourSentence,
  rightAt,
  rightSentence,
  wholeSentence,
} from "../laboratory/views/agreement.js";

test("images in dispute are those on which any two differ", () => {
  assert.deepEqual(disagreements([[1, 2, 3, 4], [1, 2, 3, 5], [1, 0, 3]]), [1]);
  assert.deepEqual(disagreements([[1], [1]]), []);
  assert.equal(rightAt([1, 2, 3], [1, 0, 3], [0, 1, 2]), 2);
});

test("counts are told in true sentences", () => {
  const two = ["the CNN", "the MLP"];
  assert.equal(disagreementSentence(two, 0, 300), "The two give the same answer to all 300 test images of this page.");
  assert.equal(disagreementSentence(two, 1, 300), "The two give different answers to one of the 300 test images of this page.");
  assert.equal(disagreementSentence([...two, "the vote"], 17, 300), "The three give different answers to 17 of the 300 test images of this page.");
  assert.equal(disagreementSentence(two, 0, 1), "The two give the same answer to the one test image of this page.");
  assert.equal(disagreementSentence(two, 0, 0), "This page holds no test images to compare them on.");
  assert.equal(disagreementSentence(two, 5, 5), "The two give different answers to every one of the 5 test images of this page.");
  assert.equal(rightSentence(two, [0, 0], 0), "");
  assert.equal(rightSentence(two, [1, 0], 1), "the CNN is right about it.");
  assert.equal(rightSentence(two, [0, 0], 1), "None of them is right about it.");
  assert.equal(rightSentence(two, [7, 0], 7), "the CNN is right about all of them and the MLP is right about none of them.");
});

test("all test images of the study are counted where the page does not hold them", () => {
  const held = "this page holds 400, chosen so that many of them are in dispute.";
  assert.equal(wholeSentence([["A", "B", 543, 10000]], 400), `Of the study's 10,000 test images, A and B give different answers to 543; ${held}`);
  const three = [["A", "B", 0, 10000], ["A", "C", 10000, 10000]];
  assert.equal(wholeSentence(three, 400), `Of the study's 10,000 test images, A and B give different answers to none and A and C give different answers to all; ${held}`);
  assert.equal(wholeSentence([["A", "B", 3, 400]], 400), "");
  assert.equal(wholeSentence([], 400), "");
});

test("neighbours are told in true sentences", () => {
  assert.equal(neighbourSentence(["7", "7"], "7"), "All 2 nearest are “7”, as the network says.");
  assert.equal(neighbourSentence(["7", "1"], "7"), "One of the 2 nearest is “7”, as the network says; the other is “1”.");
  assert.equal(neighbourSentence(["7", "7", "1", "9"], "7"), "2 of the 4 nearest are “7”, as the network says; the others are “1” and “9”.");
  assert.equal(neighbourSentence(["1", "1"], "7"), "None of the 2 nearest is “7”, which the network says; they are “1”.");
  assert.equal(neighbourSentence(["1"], "7"), "The nearest is “1”, while the network says “7”.");
});
