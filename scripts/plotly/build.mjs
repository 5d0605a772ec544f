// Bundles bundle.js into a folder, with the licences of all that is in it: node build.mjs FOLDER, where plotly.js and
// esbuild are installed.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const TEXT = String.raw`(?:'(?:[^'\\\n]|\\.)*'|"[^"\n]*")`;
const DESCRIPTIONS = [
  new RegExp(String.raw`\bdescription: \[(?:\s*${TEXT},?)*\s*\]\.join\('[^']*'\),?$`, "gm"),
  new RegExp(String.raw`\bdescription:\s*${TEXT},?$`, "gm"),
];

// plotly.js writes these styles as attributes, which a strict policy refuses; as properties they are the same. And it
// draws a figure in one go, while a phone answers no touch: the first drawing pauses between its steps.
const AS_PROPERTY = "$1.each(function () { this.style.cssText = $2; })";
const CHANGES = {
  "components/colorbar/draw.js": [[/()\.attr\('style', (''|"")\)/g, AS_PROPERTY]],
  "lib/supports_pixelated_image.js": [[/()\.attr\('style', (constants\.STYLE)\)/g, AS_PROPERTY]],
  "traces/heatmap/plot.js": [[/()\.attr\('style', (PIXELATED_IMAGE_STYLE)\)/g, AS_PROPERTY]],
  "lib/svg_text_utils.js": [
    [/if\(nodeSpec\.style\) nodeAttrs\.style = nodeSpec\.style;/g, ""],
    [/(d3\.select\(newNode\)\.attr\(nodeAttrs\);)(?=\s+currentNode = nodeSpec\.node)/g, "$1 if(nodeSpec.style) newNode.style.cssText = nodeSpec.style;"],
    [/var nodeAttrs = css \? \{style: css\} : \{\};/g, "var nodeAttrs = {};"],
    [/(d3\.select\(newNode\)\.attr\(nodeAttrs\);)(?=\s+currentNode = newNode)/g, "$1 if(css) newNode.style.cssText = css;"],
  ],
  "plot_api/plot_api.js": [
    [/(Plots\.purge\(gd\);)\s+return (exports\._doPlot\(gd, data, layout, config\));/g, "$1 gd._paused = true; return gd._firstDrawing = $2.finally(() => { gd._paused = false; });"],
    [/(Plots\.doAutoMargin,\s+Plots\.previousPromises\s+\);)/g, "$1 if(gd._paused) seq = seq.flatMap((step) => [step, require('pause')]);"],
    [/if \(!Lib\.isHidden\(gd\)\) Plots\.resize\(gd\);/g, "Promise.resolve(gd._firstDrawing).then(() => { if(!Lib.isHidden(gd)) Plots.resize(gd); }, () => {});"],
  ],
};
const changed = (path, source) => {
  const place = Object.keys(CHANGES).find((end) => path.endsWith(`plotly.js/src/${end}`));
  return (CHANGES[place] ?? []).reduce((text, [from, to]) => {
    if (!text.match(from)) throw new Error(`${place} has changed: ${from} is not in it`);
    return text.replace(from, to);
  }, source);
};

const smaller = {
  name: "smaller",
  setup(bundler) {
    for (const [name, file] of [["culori", "colours.mjs"], ["pause", "pause.js"]])
      bundler.onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: fileURLToPath(new URL(file, import.meta.url)) }));
    bundler.onLoad({ filter: /plotly\.js\/src\/.*\.js$/ }, async ({ path }) => {
      const source = changed(path, await readFile(path, "utf8"));
      return { contents: DESCRIPTIONS.reduce((text, words) => text.replaceAll(words, ""), source) };
    });
  },
};

const folder = process.argv[2];
const { metafile } = await build({
  entryPoints: [fileURLToPath(new URL("bundle.js", import.meta.url))],
  outfile: join(folder, "plotly-costops.min.js"),
  metafile: true,
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "Plotly",
  target: "es2020",
  define: { global: "window", "define.amd": "false" },
  loader: { ".css": "empty" }, // its rules are linked: static/vendor/plotly/plotly.css
  plugins: [smaller],
  banner: { js: "/*! plotly.js, a part of it (scripts/plotly_bundle.sh). MIT, see LICENSE. */" },
  legalComments: "none",
});

const [{ inputs }] = Object.values(metafile.outputs);
const used = Object.keys(inputs).filter((path) => inputs[path].bytesInOutput > 0);
const packages = new Set(used.flatMap((path) => path.match(/.*node_modules\/(?:@[^/]+\/)?[^/]+/) ?? []));
const texts = [];
for (const place of [...packages].sort()) {
  const { name, version, license } = JSON.parse(await readFile(join(place, "package.json"), "utf8"));
  const file = (await readdir(place)).find((each) => /^licen[cs]e/i.test(each));
  const text = file ? await readFile(join(place, file), "utf8") : "(its package holds no text of the licence)\n";
  texts.push(`=== ${name} ${version}: ${license}\n\n${text.trim()}\n`);
}
await writeFile(join(folder, "LICENSE"), texts.join("\n"));
