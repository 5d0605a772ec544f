// Lighthouse over the pages of a running site: node lighthouse.mjs LIGHTHOUSE_FOLDER ADDRESS COOKIE < paths, one result a line.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [folder, address, cookie] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(`${folder}/node_modules/${file}`).href);
const { default: lighthouse, desktopConfig } = await load("lighthouse/core/index.js");
const { default: puppeteer } = await load("puppeteer-core/lib/esm/puppeteer/puppeteer-core.js");

const CATEGORIES = ["performance", "accessibility", "best-practices"];
const MEASURES = {
  first_paint_ms: "first-contentful-paint",
  largest_paint_ms: "largest-contentful-paint",
  blocked_ms: "total-blocking-time",
  shift: "cumulative-layout-shift",
  bytes: "total-byte-weight",
};

const [name, value] = cookie.split("=");
const open = async () => {
  const browser = await puppeteer.launch({
    executablePath: process.env.CHROME_PATH ?? "/usr/bin/chromium",
    args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  await browser.setCookie({ name, value, domain: new URL(address).hostname, path: "/" });
  return browser;
};
const look = async (browser, path, device) => {
  const page = await browser.newPage();
  const flags = { onlyCategories: CATEGORIES, logLevel: "error" };
  const { lhr } = await lighthouse(address + path, flags, device === "desktop" ? desktopConfig : undefined, page);
  await page.close();
  const failed = Object.values(lhr.categories).flatMap(({ id, auditRefs }) =>
    id === "performance" ? [] : auditRefs.filter(({ weight, id: audit }) => weight && (lhr.audits[audit].score ?? 1) < 1),
  );
  return {
    path,
    device,
    landed: new URL(lhr.finalDisplayedUrl).pathname,
    ...Object.fromEntries(CATEGORIES.map((id) => [id, lhr.categories[id].score === null ? null : Math.round(100 * lhr.categories[id].score)])),
    ...Object.fromEntries(Object.entries(MEASURES).map(([name, id]) => [name, lhr.audits[id].numericValue ?? null])),
    failed: failed.map(({ id }) => id),
    failure: lhr.runtimeError?.message,
  };
};
const nothing = (path, device, failure) => ({
  path,
  device,
  ...Object.fromEntries([...CATEGORIES, ...Object.keys(MEASURES)].map((name) => [name, null])),
  failed: [],
  failure,
});
const tried = async (path, device) => {
  const browser = await open();
  try {
    return await look(browser, path, device);
  } catch (failure) {
    return nothing(path, device, failure.message);
  } finally {
    await browser.close();
  }
};
// A browser for each look: one that died takes no other page with it, and is asked again.
for await (const path of createInterface({ input: process.stdin })) {
  for (const device of ["mobile", "desktop"]) {
    let found;
    for (let tries = 0; tries < 3 && (!found || found.failure); tries += 1) found = await tried(path, device);
    console.log(JSON.stringify(found));
  }
}
