// Draws every figure when it comes into view: fetches its JSON, adds the colours of the theme, keeps it as wide as the page.
(() => {
  "use strict";
  const source = document.currentScript.dataset.plotly;
  const CONFIG = { displayModeBar: false, displaylogo: false, responsive: true, doubleClick: false, showTips: false };
  const drawn = new Map();
  let library;

  const plotly = () => {
    library ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = source;
      script.addEventListener("load", () => resolve(window.Plotly));
      script.addEventListener("error", () => reject(new Error("plotly.js did not load")));
      document.head.append(script);
    });
    return library;
  };

  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const themed = (layout) => {
    const ink = token("--ink-soft");
    const axis = { gridcolor: token("--line"), linecolor: token("--line-strong"), zerolinecolor: token("--line-strong") };
    return {
      ...layout,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: token("--font"), size: 12, color: ink },
      xaxis: { ...layout.xaxis, ...axis },
      yaxis: { ...layout.yaxis, ...axis },
      hoverlabel: {
        ...layout.hoverlabel,
        bgcolor: token("--surface"),
        bordercolor: token("--line-strong"),
        font: { family: token("--font"), size: 13, color: token("--ink") },
      },
    };
  };

  const read = async (url) => {
    const response = await fetch(url, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!response.ok || response.redirected) throw new Error(`the figure's data answered ${response.status}`);
    return response.json();
  };

  const draw = async (figure) => {
    const plot = figure.querySelector(".figure__plot");
    try {
      const [library, data] = await Promise.all([plotly(), read(figure.dataset.figureUrl)]);
      delete plot.dataset.waiting;
      drawn.set(plot, data);
      await library.newPlot(plot, data.data, themed(data.layout), CONFIG);
      figure.dataset.drawn = "yes";
    } catch (failure) {
      plot.hidden = true;
      figure.querySelector(".figure__failed").hidden = false;
      figure.dataset.drawn = "no";
      console.warn(failure);
    }
  };

  const seen = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        seen.unobserve(target);
        draw(target);
      }
    },
    { rootMargin: "300px" },
  );
  for (const figure of document.querySelectorAll("[data-figure-url]")) {
    figure.querySelector(".figure__plot").dataset.waiting = "";
    seen.observe(figure);
  }

  document.addEventListener("themechange", () => {
    for (const [plot, data] of drawn) window.Plotly.react(plot, data.data, themed(data.layout), CONFIG);
  });
})();
