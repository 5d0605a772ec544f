// What plotly.js uses of culori; asked for by name, so that the rest of it is left out.
import * as css from "culori/css"; // the ways CSS writes a colour

export const spaces = Object.keys(css);
export { converter, formatHex, formatRgb, wcagContrast, wcagLuminance } from "culori/fn";
