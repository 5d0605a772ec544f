// Draws figures, those first that are looked at: fetches their JSON, adds the colours of the theme, keeps them as wide as
// the page.
(() => {
  "use strict";
  const source = document.currentScript.dataset.plotly;
  const ALONE_MS = 400; // of a page that nobody touches
  const REST_MS = 2500; // of what nobody has scrolled to
  const PATIENCE_MS = 15000; // of whoever waits for paper
  const PAPER_PX = 720; // across A4, within its margins
  const locale = document.documentElement.lang.startsWith("zh") ? "zh-CN" : "en";
  const CONFIG = { displayModeBar: false, displaylogo: false, responsive: true, doubleClick: false, showTips: false, locale };
  const drawn = new Map();
  let library;

  const plotly = () => {
    library ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = source;
      script.addEventListener("load", () => resolve(window.Plotly.ready));
      script.addEventListener("error", () => {
        library = undefined; // to be tried again
        reject(new Error("plotly.js did not load"));
      });
      document.head.append(script);
    });
    return library;
  };

  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const themed = (layout) => {
    const ink = token("--ink-soft");
    const axes = layout.xaxis || layout.yaxis;
    const axis = { gridcolor: token("--line"), linecolor: token("--line-strong"), zerolinecolor: token("--line-strong") };
    return {
      ...layout,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: token("--font"), size: 12, color: ink },
      ...(axes && { xaxis: { ...layout.xaxis, ...axis }, yaxis: { ...layout.yaxis, ...axis } }),
      ...(layout.coloraxis && { coloraxis: { ...layout.coloraxis, colorscale: [[0, token("--accent-wash")], [1, token("--accent")]] } }),
      hoverlabel: {
        ...layout.hoverlabel,
        bgcolor: token("--surface"),
        bordercolor: token("--line-strong"),
        font: { family: token("--font"), size: 13, color: token("--ink") },
      },
    };
  };

  // Where there is no room for its names side by side, a bridge lies on its side, with its amounts under its names.
  const narrow = window.matchMedia("(max-width: 640px)");
  const turned = (trace) => ({
    ...trace,
    orientation: "h",
    x: trace.y,
    y: trace.x.map((name, place) => `${name.replace(" – ", " –<br>")}<br><b>${trace.text[place]}</b>`),
    text: undefined,
    hovertemplate: trace.hovertemplate.replace("%{x}<br><b>%{text}</b>", "%{y}"),
  });
  // Nor is there for many moments: then fewer are written out.
  const ticked = (layout) =>
    narrow.matches && layout.meta?.ticks ? { ...layout, xaxis: { ...layout.xaxis, nticks: layout.meta.ticks } } : layout;
  const shaped = ({ data, layout }) => {
    if (!(narrow.matches && layout.meta?.turns)) return [data, themed(ticked(layout))];
    const yaxis = { ...layout.xaxis, autorange: "reversed" };
    return [data.map(turned), themed({ ...layout, xaxis: { ...layout.yaxis, nticks: 4 }, yaxis })];
  };

  const read = async (url) => {
    const response = await fetch(url, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!response.ok || response.redirected) throw new Error(`the figure's data answered ${response.status}`);
    return response.json();
  };

  const show = (figure, isDrawn) => {
    figure.querySelector(".figure__plot").hidden = !isDrawn;
    figure.querySelector(".failed").hidden = isDrawn;
    figure.dataset.drawn = isDrawn ? "yes" : "no";
  };

  // What was drawn for a wide window shrinks to the paper (base.css), which only a drawing with its own measure does.
  let isPrinting = false;
  const measure = (plot) => {
    for (const layer of plot.querySelectorAll(".main-svg")) {
      const [width, height] = [layer.getAttribute("width"), layer.getAttribute("height")];
      if (width > PAPER_PX) layer.setAttribute("viewBox", `0 0 ${width} ${height}`);
      else layer.removeAttribute("viewBox");
    }
  };

  // One drawing at a time: the first of a figure pauses between its steps, and nothing may come between them.
  let last = Promise.resolve();
  const inTurn = (work) => (last = last.then(work, work));

  const first = async (library, plot, data) => {
    if (!plot.isConnected) return;
    plot.hidden = false;
    plot.dataset.waiting = "";
    drawn.set(plot, data);
    await library.newPlot(plot, ...shaped(data), CONFIG);
    plot.on("plotly_afterplot", () => isPrinting && measure(plot));
    delete plot.dataset.waiting;
  };

  const draw = async (figure) => {
    const plot = figure.querySelector(".figure__plot");
    try {
      const [library, data] = await Promise.all([plotly(), read(figure.dataset.figureUrl)]);
      await inTurn(() => first(library, plot, data));
      show(figure, true);
      figure.dispatchEvent(new CustomEvent("figuredrawn", { bubbles: true, detail: { plot, library } }));
    } catch (failure) {
      show(figure, false);
      console.warn(failure);
    }
  };

  // The page first: its numbers can be read and used before figures take the processor.
  const SIGNS = ["pointermove", "pointerdown", "keydown", "scroll", "focusin"];
  const attended = new Promise((resolve) => {
    for (const sign of SIGNS) document.addEventListener(sign, resolve, { once: true, passive: true, capture: true });
    window.addEventListener("load", () => setTimeout(resolve, ALONE_MS));
  });

  const seen = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (isIntersecting) begin(target);
      }
    },
    { rootMargin: "200px" },
  );
  const ahead = new Set();
  const begun = new Set();
  const begin = (figure) => {
    ahead.delete(figure);
    seen.unobserve(figure);
    const work = attended.then(() => draw(figure)).finally(() => begun.delete(work));
    begun.add(work);
    return work;
  };

  // Paper shows figures nobody scrolled to, and cannot wait for them: they are drawn one by one when all else is done.
  // Whoever asks for paper before that by the keys for it gets it once they are; a browser's menu waits for nobody.
  const idle = window.requestIdleCallback ?? ((work) => setTimeout(work, 200));
  const rest = () => {
    const [next] = ahead;
    if (next) begin(next).then(() => idle(rest));
  };
  window.addEventListener("beforeprint", () => {
    isPrinting = true;
    ahead.forEach(begin);
    for (const plot of drawn.keys()) measure(plot);
  });
  document.addEventListener("keydown", async (event) => {
    const isForPaper = event.key.toLowerCase() === "p" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
    if (!isForPaper || !(ahead.size || begun.size)) return;
    event.preventDefault();
    ahead.forEach(begin);
    await Promise.race([Promise.all(begun), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
    window.print();
  });
  window.addEventListener("afterprint", () => {
    isPrinting = false;
    for (const layer of document.querySelectorAll(".main-svg")) layer.removeAttribute("viewBox");
  });

  const watch = (root) => {
    for (const plot of drawn.keys()) if (!plot.isConnected) forget(plot);
    for (const figure of ahead) if (!figure.isConnected) ahead.delete(figure);
    for (const figure of root.querySelectorAll("[data-figure-url]:not([data-watched])")) {
      figure.dataset.watched = "";
      figure.querySelector(".figure__plot").dataset.waiting = "";
      seen.observe(figure);
      ahead.add(figure);
    }
    setTimeout(() => idle(rest), REST_MS);
  };
  const forget = (plot) => {
    drawn.delete(plot);
    inTurn(() => window.Plotly.purge(plot));
  };
  watch(document);
  document.addEventListener("htmx:load", ({ target }) => watch(target));
  document.addEventListener("click", ({ target }) => {
    const figure = target.closest("[data-again]")?.closest("[data-figure-url]");
    if (figure) draw(figure);
  });

  const redraw = () => {
    for (const [plot, data] of drawn) inTurn(() => drawn.has(plot) && window.Plotly.react(plot, ...shaped(data), CONFIG));
  };
  document.addEventListener("themechange", redraw);
  narrow.addEventListener("change", redraw);
})();
