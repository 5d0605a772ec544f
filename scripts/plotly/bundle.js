// The part of plotly.js that our figures use: traces and components by name, nothing that compiles code or needs WebGL.
// `Plotly.ready` comes with the library once it is there: it is put together in short steps, so that a phone can be used meanwhile.
const pause = require("pause");
const STEPS = [
  () => require("native-promise-only"),
  () => require("@plotly/d3"),
  () => require("plotly.js/src/lib"),
  () => require("plotly.js/src/components/color"),
  () => require("plotly.js/src/components/drawing"),
  () => require("plotly.js/src/plots/plots"),
  () => require("plotly.js/src/plots/cartesian"),
  () => require("plotly.js/src/components/legend"),
  () => require("plotly.js/src/components/fx"),
  () => require("plotly.js/src/components/shapes"),
  () => require("plotly.js/src/components/selections"),
  () => require("plotly.js/src/plot_api"),
  () => offer(require("plotly.js/src/plot_api")),
  () => add(require("plotly.js/src/traces/scatter")), // before the components, which look for it
  () => add(
    require("plotly.js/src/components/annotations"),
    require("plotly.js/src/components/selections"),
    require("plotly.js/src/components/shapes"),
    require("plotly.js/src/components/grid"),
    require("plotly.js/src/components/colorscale"),
    require("plotly.js/src/components/colorbar"),
    require("plotly.js/src/components/legend"), // after shapes
    require("plotly.js/src/components/fx"), // after the legend
    require("plotly.js/src/components/modebar"),
  ),
  () => add(require("plotly.js/src/locale-en"), require("plotly.js/src/locale-en-us"), require("plotly.js/lib/locales/zh-cn")),
  () => add(require("plotly.js/src/traces/bar")),
  () => add(require("plotly.js/src/traces/heatmap")),
  () => add(require("plotly.js/src/traces/treemap")),
  () => add(require("plotly.js/src/traces/sunburst")),
  () => add(require("plotly.js/src/traces/sankey")),
];

const add = (...modules) => require("plotly.js/src/registry").register(modules);
const offer = (api) => {
  for (const name of Object.keys(api)) {
    if (!name.startsWith("_")) exports[name] = api[name];
    add({ moduleType: "apiMethod", name, fn: api[name] });
  }
  exports.version = require("plotly.js/src/version").version;
  exports.Snapshot = require("plotly.js/src/snapshot");
};

exports.ready = (async () => {
  for (const step of STEPS) {
    step();
    await pause();
  }
  return exports;
})();
