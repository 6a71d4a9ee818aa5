// The laboratory's modules as one script, as the program bundles them, and the rules of their form.
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const LABORATORY = join(dirname(fileURLToPath(import.meta.url)), "../laboratory");

/** An import: one `import { a, b } from "./x.js";` at the start of a line. */
const IMPORT = /^import \{([^}]*)\} from "(\.\.?\/[\w./-]+\.js)";\n/gm;
const DECLARED = /^(?:export )?(?:const|let|function\*?|async function|class) ([A-Za-z_$][\w$]*)/gm;

/** All modules that are there, as paths relative to the laboratory's folder. */
export function allModules(folder = LABORATORY) {
  const files = readdirSync(folder, { recursive: true }).map(String);
  return files.filter((file) => file.endsWith(".js")).sort();
}

/** A module: its imports ({names, from}), the names that it declares, those that it exports, and its text without imports. */
export function readModule(path, folder = LABORATORY) {
  const text = readFileSync(join(folder, path), "utf8");
  const imports = [...text.matchAll(IMPORT)].map(([, names, from]) => ({
    names: names.split(",").map((name) => name.trim()).filter((name) => name),
    from: normalize(join(dirname(path), from)),
  }));
  const declared = [...text.matchAll(DECLARED)];
  return {
    path,
    text,
    imports,
    declared: declared.map(([, name]) => name),
    exported: declared.filter(([line]) => line.startsWith("export ")).map(([, name]) => name),
    body: text.replace(IMPORT, "").replace(/^export (?=const |let |function|async function|class )/gm, ""),
  };
}

/** The modules that `main.js` needs, each after those that it imports. */
export function ordered(main = "main.js", folder = LABORATORY) {
  const [done, open, order] = [new Set(), new Set(), []];
  const visit = (path, by) => {
    if (done.has(path)) return;
    if (open.has(path)) throw new Error(`${by} and ${path} import each other`);
    open.add(path);
    const module = readModule(path, folder);
    for (const { from } of module.imports) visit(from, path);
    done.add(path);
    order.push(module);
  };
  visit(main, "nothing");
  return order;
}

/** One script in one scope. */
export function bundle(main = "main.js", folder = LABORATORY) {
  return `(function () {\n"use strict";\n${ordered(main, folder).map(({ body }) => body).join("\n")}})();\n`;
}

/** What of a module breaks the rules, as sentences. */
export function broken(module) {
  const found = [];
  const { path, text, body } = module;
  const says = (problem) => found.push(`${path}: ${problem}`);
  if (!text.startsWith("// ")) says("its first line is no comment that says what it contains");
  if (/<\/script/i.test(text)) says("it contains the end of a script element");
  if (/^\s*import\b/m.test(body)) says("an import is of another form than `import { a } from \"./x.js\";`");
  if (/^\s*export\b/m.test(body)) says("an export is not that of a declaration");
  if (/[^.\w]import\s*\(/.test(body.replace(/\/\/.*$|\/\*[\s\S]*?\*\//gm, ""))) says("it imports something while it runs");
  if (/\beval\s*\(|new Function\b/.test(body)) says("it runs a text");
  if (/\bfetch\s*\(|XMLHttpRequest|WebSocket/.test(body)) says("it asks for something from elsewhere");
  if (/\binnerHTML\b|insertAdjacentHTML|document\.write/.test(body)) says("it makes elements of a text");
  if (/setAttribute\("style"/.test(body)) says("it sets a style attribute");
  for (const { names } of module.imports) if (names.some((name) => !/^[\w$]+$/.test(name))) says("an import renames");
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(relative(process.cwd(), LABORATORY), bundle().length);
}
