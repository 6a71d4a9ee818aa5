// The form of the laboratory's modules, on which the program that bundles them relies.
import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import { allModules, broken, bundle, ordered, readModule } from "./bundle.mjs";

const modules = allModules().map((path) => readModule(path));

test("every module has the form that the bundle needs", () => {
  assert.deepEqual(modules.flatMap(broken), []);
});

test("every name is declared once in the whole laboratory", () => {
  const places = new Map();
  for (const { path, declared } of modules) {
    for (const name of declared) places.set(name, [...(places.get(name) ?? []), path]);
  }
  assert.deepEqual([...places].filter(([, paths]) => paths.length > 1), []);
});

test("every imported name is exported where it is said to be", () => {
  const exported = new Map(modules.map(({ path, exported: names }) => [path, names]));
  const missing = modules.flatMap(({ path, imports }) =>
    imports.flatMap(({ names, from }) =>
      names.filter((name) => !exported.get(from)?.includes(name)).map((name) => `${path}: ${name} of ${from}`),
    ),
  );
  assert.deepEqual(missing, []);
});

test("at the top level of a module there are declarations only, except in main.js", () => {
  const effects = modules
    .filter(({ path }) => path !== "main.js")
    .flatMap(({ path, body }) =>
      body
        .replace(/\/\*[\s\S]*?\*\//g, "")
        .split("\n")
        .filter((line) => /^[^\s})\]/`]/.test(line) && !/^(const|let|function|async function|class) ?/.test(line))
        .map((line) => `${path}: ${line}`),
    );
  assert.deepEqual(effects, []);
});

test("modules do not import each other in a circle, and the bundle is a script", () => {
  assert.ok(ordered().length > 0);
  assert.doesNotThrow(() => new vm.Script(bundle()));
});
