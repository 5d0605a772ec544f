// The part of plotly.js that our figures use: traces and components by name, nothing that compiles code or needs WebGL.
require("native-promise-only");
const { register } = require("plotly.js/src/registry");
const api = require("plotly.js/src/plot_api");

for (const name of Object.keys(api)) {
  if (!name.startsWith("_")) exports[name] = api[name];
  register({ moduleType: "apiMethod", name, fn: api[name] });
}
exports.register = register;
exports.version = require("plotly.js/src/version").version;
exports.Snapshot = require("plotly.js/src/snapshot");

register(require("plotly.js/src/traces/scatter")); // before the components, which look for it
register([
  require("plotly.js/src/components/annotations"),
  require("plotly.js/src/components/selections"),
  require("plotly.js/src/components/shapes"),
  require("plotly.js/src/components/grid"),
  require("plotly.js/src/components/colorscale"),
  require("plotly.js/src/components/colorbar"),
  require("plotly.js/src/components/legend"), // after shapes
  require("plotly.js/src/components/fx"), // after the legend
  require("plotly.js/src/components/modebar"),
  require("plotly.js/src/locale-en"),
  require("plotly.js/src/locale-en-us"),
  require("plotly.js/lib/locales/zh-cn"),
  require("plotly.js/src/traces/bar"),
  require("plotly.js/src/traces/heatmap"),
  require("plotly.js/src/traces/treemap"),
  require("plotly.js/src/traces/sunburst"),
  require("plotly.js/src/traces/sankey"),
]);
